"""Operators that pass items on later."""

from __future__ import annotations

from asyncio import CancelledError, sleep
from collections.abc import AsyncIterator
from typing import Any

from streamkit._core import arguments
from streamkit._core.contract import PASSED_ON, Contract
from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.compile.pace import Pace, Resumed
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Keep
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run

__all__ = ["delay", "delay_start"]


class _Underway(Lane):
    """A lane that notes with each item when it came, and when the source ended."""

    def __init__(self, channel: Channel, lookahead: int, seconds: float) -> None:
        super().__init__(channel, Suspend(lookahead))
        self.low = lookahead - 1  # a source that waits goes on as soon as it can, lest the spacing change
        self.seconds = seconds
        self.ended = 0.0

    @property
    def due(self) -> float:
        """When the next item leaves; where there is none, when the stream ends."""
        came: float = self.held[0][0] if self.held else self.ended
        return came + self.seconds

    def put(self, item: Any) -> bool:
        return super().put((self.channel.clock(), item))

    def pop(self) -> Any:
        return super().pop()[1]

    def _bare(self, entry: Any) -> Any:
        return entry[1]

    def close(self) -> None:
        if self.open:
            self.ended = self.channel.clock()
        super().close()


async def _delay(run: Run, source: Inlet[Any], *, seconds: float, lookahead: int) -> AsyncIterator[Any]:
    channel = run.channel()
    lane = _Underway(channel, lookahead, seconds)
    channel.adopt(lane)
    run.pump(source, into=lane)
    more = True
    while more:
        more = await channel.wait()
        if run.loop.time() < lane.due:
            await channel.until(lambda: False, lane.due)
        if more:
            yield channel.pop()


@stage(
    _delay, pairs=followed_anyway, contract=Contract(holds="lookahead", lookahead="lookahead", keeps="True")
)
def delay(seconds: float, *, lookahead: int = 1024) -> Keep:
    """Pass each item on `seconds` after it has come, and so the end.

        items    --a-b---c-|
        delay(5) -------a-b---c-|

    >>> from streamkit import Stream, ops
    >>> list(Stream("abc") | ops.delay(0.001))
    ['a', 'b', 'c']

    Emits when: `seconds` have passed since the item came.
    Waits when: they have not, or no item has come; the source waits while `lookahead` items are on their way.
    Completes when: `seconds` have passed since the source did.
    Closes when: it ends, or the consumer leaves; held items are dropped, and counted.

    Args:
        seconds: how much later each item is passed on. The time between two items stays what it was, but
            where the source had to wait, or the consumer is late.
        lookahead: items that may be on their way. For another strategy, put ``buffer(strategy)`` before it.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `seconds` is not finite, or not above 0; or `lookahead` is less than 1.

    Unlike in RxPY, an error drops no item: each comes in its turn, and the error at once after the last. To
    wait between two items, however they come, write ``throttle(rate)``.
    """
    ahead = arguments.whole("lookahead", lookahead, least=1)
    return Keep(delay, seconds=arguments.seconds("seconds", seconds), lookahead=ahead)


async def _delay_start(run: Run, source: Inlet[Any], *, seconds: float) -> AsyncIterator[Any]:
    await sleep(seconds)
    pace = Pace()
    pace.source = run.open(source)
    items: AsyncIterator[Any] | None = pace.source
    handed: list[Any] = pace.handed
    while items is not None:
        async for item in items:
            try:
                yield item
            except CancelledError as error:  # a timeout of the source's own may fire while its item waits
                await pace.rescue(error)
            del item  # nothing is held while the source waits
            if handed:
                items = Resumed(handed, pace.source)
                break
        else:
            items = None


@stage(_delay_start, pumps=False, relays=True, pairs=followed_anyway, contract=PASSED_ON)
def delay_start(seconds: float) -> Keep:
    """Begin to read the source `seconds` after the first item is asked for.

        items               --a-b|
        delay_start(5) -------a-b|

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.delay_start(0.001))
    ['a', 'b']

    Emits when: an item comes.
    Waits when: the time is not over, or the consumer does. The source is not opened before.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        seconds: how long it waits, once, before the source is opened.

    Raises:
        TypeError: `seconds` is not a number.
        ValueError: `seconds` is not finite, or not above 0.

    It is RxPY's ``delay_subscription``. Of a ``push`` stream, what is sent meanwhile waits in its buffer.
    """
    return Keep(delay_start, seconds=arguments.seconds("seconds", seconds))
