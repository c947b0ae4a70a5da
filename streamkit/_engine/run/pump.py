"""Pumps: the pace of a loop that fills a lane, and cancel scopes that fire inside its source."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Generator
from typing import Any, Protocol

from streamkit._engine.buffer.target import Target
from streamkit._engine.compile.pace import Pace, Throw
from streamkit._engine.plan.link import Link

__all__ = ["Pump"]


class Owner(Protocol):
    """The part of a `Run` that a pump uses."""

    link: Link

    @property
    def stopping(self) -> bool:
        """Whether it has cancelled the current task itself."""
        ...


class Pump(Pace):
    """The pace of a loop that fills `lane`."""

    __slots__ = ("lane", "run")

    def __init__(self, run: Owner, lane: Target, blamed: Link | None = None) -> None:
        super().__init__()
        self.run = run
        self.lane = lane
        self.out = run.link if blamed is None else blamed

    async def rescue(self, error: CancelledError) -> None:
        """Handle a cancellation that arrived while the loop waited for room.

        If the run did not send it, a cancel scope inside the source did (PEP 789). Then it is thrown into the
        source, where its scope catches it, and the item in hand is kept (``tests/laws/test_scopes.py``).
        """
        self.lane.unwait()
        throw, handed = getattr(self.source, "athrow", None), self.handed
        try:
            if self.run.stopping or throw is None or (handed and handed[-1].ended):
                raise error
            if handed:  # the source has stepped once already: throw at its next step, once for all scopes
                if not isinstance(handed[-1], _Thrown):
                    handed.append(_Thrown(throw, error))
                return
            handed.append(await self.thrown(throw, error))
        finally:
            del error  # its traceback has this frame: they would keep each other, and the items on the way


class _Thrown:
    """A step of the source that throws an error into it when awaited."""

    ended = False

    def __init__(self, throw: Throw, error: BaseException) -> None:
        self.throw = throw
        self.error = error

    def __await__(self) -> Generator[Any, None, Any]:
        return self.throw(self.error).__await__()
