"""Operators that mind the clock: timeout."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from streamkit._core import arguments
from streamkit._core.contract import Contract
from streamkit._core.errors import StreamTimeoutError
from streamkit._engine.link import Inlet
from streamkit._engine.loop import EMPTY
from streamkit._engine.run import Run
from streamkit._engine.stage import stage
from streamkit._engine.stream import Keep

__all__ = ["timeout"]


async def _timeout(run: Run, source: Inlet[Any], *, seconds: float) -> AsyncIterator[Any]:
    channel = run.channel()
    run.feed(channel, source)

    def expire() -> None:
        if not channel.ready:  # an item that came in the same turn is in time
            channel.fail(run.blame(StreamTimeoutError(f"no item came within {seconds} s")))

    while True:
        item = channel.pop()
        if item is not EMPTY:
            yield item
            continue
        timer = run.loop.call_later(seconds, expire)
        try:
            if not await channel.wait():
                return
        finally:
            timer.cancel()


@stage(_timeout, contract=Contract(holds="1", per_source=True))
def timeout(seconds: float) -> Keep:
    """Fail if an item that is asked for does not come within `seconds`.

        items      --a--b-----------c--|
        timeout(5) --a--b-----X

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.timeout(5.0))
    ['a', 'b']

    Emits when: an item comes. An item that comes in the same turn of the event loop as the end of the
        time is passed on; the pull is never cancelled and begun again.
    Waits when: the consumer does; that time does not count.
    Completes when: the source does.
    Closes when: it completes, fails, or the consumer leaves.

    Args:
        seconds: from when an item is asked for until it must be there.

    Raises:
        TypeError: `seconds` is not a number.
        ValueError: `seconds` is not finite, or not above 0.
        StreamTimeoutError: (when run) no item came in time; a ``TimeoutError`` too.
    """
    return Keep(timeout, seconds=arguments.seconds("seconds", seconds))
