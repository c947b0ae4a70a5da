"""Driven lanes: their reader runs the pump itself when it lacks an item, with no turn of the event loop.

The pump of such a lane parks where the lane is full, and its reader steps it (``run.driver``). Whoever steps
it looks at what it has brought after each step, and not at each item.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Generator
from types import coroutine
from typing import Any, Protocol

from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.lane import NEVER, Lane
from streamkit._engine.buffer.target import Reader

__all__ = ["PARKED", "DrivenLane"]

PARKED = object()
"""What a pump yields to whoever steps it, where its lane is full."""


class Parks(Protocol):
    """What steps the pump of a lane."""

    park: Future[None] | None
    """What the task waits for while its pump is parked, and nobody steps it."""


@coroutine
def _parked() -> Generator[Any, None, None]:
    yield PARKED


class DrivenLane(Lane):
    """A lane whose pump parks where it is full."""

    __slots__ = ("driver",)
    plain = True
    inline = True
    vacancy: Any = staticmethod(_parked)  # pyright: ignore[reportIncompatibleMethodOverride]

    def __init__(self, channel: Reader, strategy: Strategy, driver: Parks) -> None:
        super().__init__(channel, strategy)
        self.driver: Parks = driver
        self.listed = True  # so its pump may append as soon as it has a grant

    # the writer ----------------------------------------------------------------------------

    def put(self, item: Any) -> bool:
        if self.limit < 0:
            return super().put(item)
        self.taken_in += 1
        held: Any = self.held
        held.append(item)
        return len(held) >= self.limit

    def granted(self, left: int, most: int = NEVER) -> int:
        account = self.account
        self.taken_in += account.grant - left
        free = self.limit - 1 - len(self.held)
        account.grant = free = 0 if free < 0 else min(free, most)
        return free

    def brought(self, before: int) -> None:
        """A step of the pump, which began when `before` items were held, has ended."""
        size = len(self.held)
        self.most = max(self.most, size)
        if size >= self.limit > 0 and self.account.full_since is None:
            self.account.full_since = self.channel.clock()
        if size > before == 0:
            self.channel.wake()

    def watch(self) -> None:
        """The reader looks by itself. What else is for lanes that tell it does nothing, too."""

    watch_low = delist = relist = watch

    def wake(self) -> None:
        park = self.driver.park
        if park is not None and not park.done():
            park.set_result(None)
