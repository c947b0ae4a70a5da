"""A consumer that is drawn: it asks and leaves when its line says, and records what comes."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

from streamkit._core.errors import attached
from streamkit._core.value import Record
from streamkit._engine.face.stream import Stream
from streamkit.testing.clock import VirtualLoop
from streamkit.testing.drops import Drops, told_of_drops
from streamkit.testing.events import Event
from streamkit.testing.marbles.notation import NANO, Line, nanos

__all__ = ["Recording", "consumed", "require_virtual_time"]

MOST: Final = 1000
"""Items after which a consumer that was not told when to leave does: there may be no end to them."""


class Recording(Record):
    """What came of a stream."""

    events: list[Event]
    drops: list[Event]
    late: list[Event]
    """Errors of the clean-up, after the consumer had left."""
    origin: float
    """When the consumer began, on the clock of the loop."""


def require_virtual_time(name: str) -> VirtualLoop:
    """The running loop; its times are exact, as those of a drawing are.

    Raises:
        RuntimeError: it is no `VirtualLoop`.
    """
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise RuntimeError(f"{name} needs virtual time: call it as streamkit.testing.run({name}(...))")
    return loop


class _Plan:
    """When the consumer asks and when it leaves, as its line says; behind it, it asks at once each time."""

    def __init__(self, demand: Line | None, until: int | None, most: int) -> None:
        marks = () if demand is None else demand.marks
        self.asks = deque(time for time, sign in marks if sign == "^")
        self.most = most
        """After how many items it leaves."""
        self.until = until
        """When it leaves, also while it waits for an item."""
        self.stays = demand is not None and demand.ended
        """Whether it asks no more behind its line."""
        if demand is not None and demand.ended:
            leaves = demand.until
            if self.asks and self.asks[-1] == leaves:
                self.most = min(most, len(self.asks))
            elif until is None or leaves < until:
                self.until = leaves


async def consumed(
    stream: Stream[Any],
    demand: Line | None = None,
    until: int | None = None,
    most: int = MOST,
    drops: Drops | None = None,
) -> Recording:
    """Consume `stream` as `demand` says, up to the time `until`, or the item number `most`."""
    loop = asyncio.get_running_loop()
    plan = _Plan(demand, until, most)
    origin = loop.time()
    recording = Recording(events=[], drops=[], late=[], origin=origin)

    def event(kind: str, value: Any = None) -> Event:
        return Event(time=nanos(loop.time() - origin), kind=kind, value=value)

    def dropped(item: Any, reason: str) -> None:
        recording.drops.append(event("item", item))

    async def take() -> None:
        async with told_of_drops(stream, dropped).open() as items:
            await _next_ask(plan, origin)
            async for item in items:
                recording.events.append(event("item", item))
                if len(recording.events) >= plan.most:
                    break
                await _next_ask(plan, origin)
            else:
                recording.events.append(event("|"))

    scope = asyncio.timeout_at(None if plan.until is None else origin + plan.until / NANO)
    with (drops or Drops()).telling(dropped):
        try:
            async with scope:
                try:
                    await take()
                except Exception as error:
                    (recording.late if scope.expired() else recording.events).append(event("#", error))
        except TimeoutError as over:  # of the scope: those of the stream are caught above
            for late in () if over.__cause__ is None else attached(over.__cause__):
                recording.late.append(event("#", late))
    return recording


async def _next_ask(plan: _Plan, origin: float) -> None:
    """Wait until the consumer asks for the next item."""
    loop = asyncio.get_running_loop()
    if plan.asks:
        pause = origin + plan.asks.popleft() / NANO - loop.time()
        if pause > 0:
            await asyncio.sleep(pause)
    elif plan.stays:
        await loop.create_future()
