"""A consumer that is drawn: it asks and leaves when its line says, and records what comes."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

from streamkit._core.errors import attached
from streamkit._core.value import Record
from streamkit._engine.face.stream import Stream
from streamkit.testing.clock import VirtualLoop
from streamkit.testing.drops import told_of_drops
from streamkit.testing.events import Event
from streamkit.testing.marbles.notation import NANO, Line, nanos

__all__ = ["Recording", "consumed", "require_virtual_time"]

MOST: Final = 1000
"""Items after which a consumer that was not told when to leave does: there may be no end to them."""


class Recording(Record):
    """What came of a stream."""

    events: list[Event]
    drops: list[Event]
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
    """When the consumer asks and when it leaves, as its line says; without one, it asks at once each time."""

    def __init__(self, demand: Line | None, until: int | None, most: int) -> None:
        marks = () if demand is None else demand.marks
        self.asks = deque(time for time, sign in marks if sign == "^")
        self.most = most
        """After how many items it leaves."""
        self.until = until
        """When it leaves, also while it waits for an item."""
        if demand is not None and demand.ended:
            leaves = demand.until
            if self.asks and self.asks[-1] == leaves:
                self.most = min(most, len(self.asks))
            elif until is None or leaves < until:
                self.until = leaves


async def consumed(
    stream: Stream[Any], demand: Line | None = None, until: int | None = None, most: int = MOST
) -> Recording:
    """Consume `stream` as `demand` says, up to the time `until`, or the item number `most`."""
    loop = asyncio.get_running_loop()
    plan = _Plan(demand, until, most)
    recording = Recording(events=[], drops=[], origin=loop.time())
    origin = recording.origin

    def came(kind: str, value: Any = None) -> None:
        recording.events.append(Event(time=nanos(loop.time() - origin), kind=kind, value=value))

    def dropped(item: Any, reason: str) -> None:
        recording.drops.append(Event(time=nanos(loop.time() - origin), kind="item", value=item))

    scope = asyncio.timeout_at(None if plan.until is None else origin + plan.until / NANO)
    try:
        async with scope:
            try:
                async with told_of_drops(stream, dropped).open() as items:
                    await _next_ask(plan, origin)
                    async for item in items:
                        came("item", item)
                        if len(recording.events) >= plan.most:
                            break
                        await _next_ask(plan, origin)
                    else:
                        came("|")
            except Exception as error:
                came("#", error)
    except TimeoutError as over:
        if not scope.expired():
            raise
        for late in attached(over.__cause__) if over.__cause__ is not None else ():
            came("#", late)
    return recording


async def _next_ask(plan: _Plan, origin: float) -> None:
    """Wait until the consumer asks for the next item."""
    if plan.asks:
        loop = asyncio.get_running_loop()
        pause = origin + plan.asks.popleft() / NANO - loop.time()
        if pause > 0:
            await asyncio.sleep(pause)
