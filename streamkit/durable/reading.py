"""What a reader was asked for, and what its ledger remembers while it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from streamkit.durable.events import Event
from streamkit.durable.messages import Connects, Message

__all__ = ["Bell", "Reading", "State"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader was asked for."""

    carrier: Connects
    group: str
    batch: int
    lease: float
    prefetch: int
    max_deliveries: int | None
    dead_letters: Connects | None
    messages: bool
    """Whether items are the messages themselves, undecoded and with their headers."""
    tell: Callable[[Event], object]

    def is_last(self, message: Message) -> bool:
        """Whether this is the last time that it is handed out, after others."""
        return self.max_deliveries == message.times > 1

    @property
    def beat(self) -> float:
        """Seconds after which leases are renewed: two renewals may come late before one ends."""
        return self.lease / 3

    @property
    def enough(self) -> int:
        """How many are acknowledged at once, where work is quick."""
        return max(1, min(self.batch, self.prefetch) // 2)


class Bell:
    """Rung by one task, heard by another; it is remembered until then."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()

    async def heard(self, due: float = inf) -> None:
        """Wait until it rings, and by the clock of the loop no longer than until `due`."""
        loop = asyncio.get_running_loop()
        timer = None if due == inf else loop.call_at(due, self._event.set)
        try:
            await self._event.wait()
        finally:
            if timer is not None:
                timer.cancel()
        self._event.clear()


@dataclass(slots=True)
class State:
    working: int = 0
    """Deliveries that the run works on."""
    alone: bool = False
    """Whether what was handed out last is to be alone in work."""
    gathers: bool = False
    """Whether the pipe waits for more before it is done with one: then nothing can be alone."""
    risky_at: float = inf
    """When the last was claimed that is handed out for the last time."""
    renew_at: float = inf
    lost: int = 0
    trimmed: int = 0
    ending: bool = False
    blamed: bool = False
    """Whether a delivery has failed with an error of its own, or none has: the others are not to blame."""
    error: BaseException | None = None
    """What a task has failed with."""
    raised: bool = False
    """Whether the run was told of it."""
