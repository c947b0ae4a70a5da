"""The bucket of a ``throttle``, also one that several share, and how it leaves items in a lossy buffer."""

from __future__ import annotations

from asyncio import CancelledError, Lock, sleep
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from streamkit._core.errors import RateExceededError
from streamkit._core.markers import DROPPED, EMPTY, Gap
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.compile.key import Kind
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.fuse import fused
from streamkit._engine.plan.link import Inlet
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.run.run import Run

__all__ = ["LATENESS", "ROUNDING", "Bucket", "Line", "Tokens", "Weigh", "held_back", "pays"]

ROUNDING = 1e-9
"""Tokens that may be missing because of the rounding of floats."""

LATENESS = 1.0
"""Seconds by which a timer may be late, as it is where the event loop was busy, and the rate is kept."""

Weigh = Callable[[Any], Awaitable[Any]]
"""What an item costs; DROPPED if it is dropped, because that cannot be told."""


class Tokens:
    """What a bucket holds: it gains `rate` tokens per second, up to `burst`."""

    def __init__(self, clock: Callable[[], float], rate: float, burst: float) -> None:
        self.clock = clock
        self.rate = rate
        self.burst = burst
        self.amount = burst
        self.then = clock()
        """The time at which there were so many."""
        self.spare = 0.0
        """How many more than `burst` there may be: those that came while a timer was late.

        They are for the items that waited then. As soon as there were more, no item waits any longer.
        """

    @property
    def state(self) -> tuple[float, float]:
        """How many tokens there were, and when: others can `go_on` with it."""
        return self.amount, self.then

    def go_on(self, state: tuple[float, float]) -> None:
        """Begin with a `state` of others; by a clock that is behind theirs, no time has passed since."""
        self.amount, self.then = state[0], min(state[1], self.then)

    @property
    def full(self) -> float:
        """When it holds as many as it can: each token that is taken puts that off by the same time."""
        return self.then + (self.burst - self.amount) / self.rate

    def at(self, now: float, full: float) -> None:
        """Be `full` then; by a clock that was behind, no time has passed."""
        self.then = max(now, self.then)
        self.amount = self.burst - (full - self.then) * self.rate

    def lacking(self, costs: float) -> float:
        """How many tokens an item that `costs` so many must wait for; 0 if it may pass."""
        now = self.clock()
        if now > self.then:  # it is less where a timer rang too soon, by the resolution of the clock
            self.amount = max(self.amount, self.amount + (now - self.then) * self.rate)
            self.then = now
            if self.amount > self.burst + self.spare:
                self.amount, self.spare = self.burst, 0.0
        lacking = min(costs, self.burst) - self.amount
        return lacking if lacking > ROUNDING else 0.0

    async def fill(self, lacking: float) -> None:
        """Wait for so many tokens."""
        due = self.then + lacking / self.rate
        await sleep(lacking / self.rate)
        self.amount += lacking
        self.then = due
        self.spare = min(max(self.clock() - due, 0.0), LATENESS) * self.rate


class Line:
    """Those who wait for the same tokens: one at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._turn = Lock()
        self.length = 0
        """How many wait, the first of them for tokens."""

    async def __aenter__(self) -> None:
        self.length += 1
        try:
            await self._turn.acquire()
        except BaseException:
            self.length -= 1
            raise

    async def __aexit__(self, *_: object) -> None:
        self.length -= 1
        self._turn.release()


class Bucket:
    """The tokens of one run; or its share of tokens for which it stands in `line` with others."""

    def __init__(self, tokens: Tokens, line: Line | None = None) -> None:
        self.tokens = tokens
        self._line = line
        self.lacking: Callable[[float], float] = tokens.lacking if line is None else self._lacking_in_line
        """How many tokens an item that costs so many must wait for."""
        self.paid = 0.0
        """Tokens that were taken for an item before it has come."""
        self._weighed: Any = EMPTY
        self._weight: Any = 0.0

    def _lacking_in_line(self, costs: float) -> float:
        """As `tokens.lacking`; where others stand in line, they get the tokens there are, so it lacks all."""
        assert self._line is not None
        rest = costs - self.paid
        if self.paid and rest <= ROUNDING:
            return 0.0
        return rest if self._line.length else self.tokens.lacking(rest)

    def settle(self) -> None:
        """Give back what was `paid`: the item has passed, and was paid for, or none will."""
        self.tokens.amount += self.paid
        self.paid = 0.0

    async def _fill(self, lacking: float, costs: float, *, ahead: bool = False) -> None:
        """Wait for tokens; `ahead` of an item that is still in a buffer, also for what comes at that moment.

        In line, the tokens are paid then at once, lest the item stand in line again.
        """
        if self._line is None:
            await self.tokens.fill(lacking)
            if ahead:
                await sleep(0)
            return
        async with self._line:
            if lacking := self.tokens.lacking(costs - self.paid):
                await self.tokens.fill(lacking)
            if ahead:
                self.tokens.amount -= costs - self.paid
                self.paid = costs
                await sleep(0)

    async def waited(self, lacking: float, costs: float, pace: Pace) -> None:
        """Wait for so many tokens. If a timeout of the source's own fires meanwhile, the source has it."""
        while lacking:
            try:
                return await self._fill(lacking, costs)
            except CancelledError as error:
                await pace.rescue(error)
            lacking = self.lacking(costs)

    async def weighs(self, item: Any, weigh: Weigh) -> Any:
        """What `item` costs, or DROPPED; not asked again if it was weighed last."""
        if item is not self._weighed:
            self._weight = await weigh(item)
        self._weighed = EMPTY
        return self._weight

    async def let_by(self, channel: Channel, weigh: Weigh | None, costs: float) -> None:
        """Wait until the next item in `channel` may pass: whichever is next then."""
        while True:
            if weigh is not None:
                head: Any = channel.lanes[0].peek()
                self._weight = await weigh(head)
                self._weighed = head
                del head
                if self._weight is DROPPED:
                    return
                costs = self._weight
            lacking = self.lacking(costs)
            if not lacking:
                return
            self._weighed = EMPTY
            await self._fill(lacking, costs, ahead=True)
            if weigh is None:
                return


async def pays(
    run: Run, item: Any, bucket: Bucket, weigh: Weigh | None, pace: Pace, *, rate: float, failing: bool
) -> bool:
    """Take the tokens that `item` costs, when there are so many; False if it is dropped."""
    costs = 1.0 if weigh is None else await bucket.weighs(item, weigh)
    if costs is DROPPED:
        bucket.settle()
        return False
    lacking = bucket.lacking(costs)
    if lacking and failing:
        text = f"an item came {lacking / rate:.6g} s sooner than {rate:g} per second allow"
        raise run.blame(RateExceededError(text))
    if lacking:
        await bucket.waited(lacking, costs, pace)
    bucket.tokens.amount -= costs
    if bucket.paid:
        bucket.settle()
    return True


def held_back(run: Run, source: Inlet[Any], bucket: Bucket, weigh: Weigh | None) -> Inlet[Any]:
    """`source`, where nothing is taken out of a buffer that may still replace it before it may pass."""
    links, end = source.links, len(source.links)
    while end and links[end - 1].declaration.stage is None:
        end -= 1
    if not end:
        strategy = source.source.buffered
    elif links[end - 1].declaration.buffers:
        _, strategy, _ = fused(Inlet(source.source, links[:end]), None)
    else:
        return source
    if strategy is None or not (strategy.loses != "nothing" or strategy.folds or strategy.collects):
        return source  # what waits there is the same item, however late it is taken out
    steps = links[end:]
    if steps and weigh is not None:  # what the steps make of the item may cost anything: only a debt is sure
        return Inlet(_Held(run, Inlet(source.source, links[:end]), bucket, None, 0.0), steps)
    return Inlet(_Held(run, Inlet(source.source, links[:end]), bucket, weigh, 1.0), steps)


class _Held(Source):
    """What comes out of a buffer, each item when it may pass."""

    __slots__ = ("_bucket", "_costs", "_run", "_weigh")

    def __init__(
        self, run: Run, inlet: Inlet[Any], bucket: Bucket, weigh: Weigh | None, costs: float
    ) -> None:
        self.value = inlet
        self._run, self._bucket, self._weigh, self._costs = run, bucket, weigh, costs

    def open(self, *, blocking: bool = False) -> Opened:
        links = self.value.links
        if links:
            declaration = links[-1].declaration
            opened: Opened = declaration.begin(
                links[-1], Inlet(self.value.source, links[:-1]), self._run.book and self._run.book.chapter()
            )
        else:
            opened = self.value.source.open()
        items = self._taken(opened)

        async def close() -> None:
            try:
                await items.aclose()
            finally:
                if (closing := opened.release()) is not None:
                    await closing

        return Opened(Kind.ASYNC, items, close, blame=opened.blame, pairs=opened.pairs)

    async def _taken(self, opened: Opened) -> AsyncGenerator[Any, None]:
        channel: Channel = opened.items()
        while await channel.wait():
            await self._bucket.let_by(channel, self._weigh, self._costs)
            item = channel.pop()
            while isinstance(item, Gap):  # the item behind it must follow: replaced, it would be a gap again
                yield item
                item = channel.pop()
            if item is not EMPTY:
                yield item
                del item
