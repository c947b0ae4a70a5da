"""Pumps: the pace of a loop that fills a lane, and cancel scopes that fire inside its source.

A stage may stand between a pump and the source, and pass on what is thrown into it (`Relay`, ``concat``).
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Protocol

from streamkit._engine.buffer.target import Target
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Link

__all__ = ["Pump", "Relay", "Thrown"]


class Owner(Protocol):
    """The part of a `Run` that a pump uses."""

    link: Link

    @property
    def stopping(self) -> bool:
        """Whether it has cancelled the current task itself."""
        ...


class Relay(Pace):
    """The pace of a loop that is read by a stage, which a pump reads."""

    __slots__ = ()

    async def rescue(self, error: CancelledError) -> None:
        """Hand a cancellation, which a cancel scope inside the source has sent (PEP 789), to the source.

        Its scope catches it there, and the item in hand is kept (``tests/laws/test_scopes.py``).
        """
        throw, handed = getattr(self.source, "athrow", None), self.handed
        try:
            if throw is None or (handed and handed[-1].ended):
                raise error
            if handed:  # the source has stepped once already: throw at its next step, once for all scopes
                if not isinstance(handed[-1], Thrown):
                    handed.append(Thrown(throw, error))
                return
            handed.append(await self._thrown(throw, error))
        finally:
            del error  # its traceback has this frame: they would keep each other, and the items on the way

    async def _thrown(
        self, throw: Callable[[BaseException], Awaitable[Any]], error: BaseException
    ) -> _Handed:
        """What the source does with `error`."""
        try:
            return _Handed(await throw(error))
        except StopAsyncIteration:
            return _Handed(None, ended=True)
        except BaseException:
            self.out = None  # the source raised this: name no operator
            raise
        finally:
            del error


class Pump(Relay):
    """The pace of a loop that fills `lane`."""

    __slots__ = ("lane", "run")

    def __init__(self, run: Owner, lane: Target) -> None:
        super().__init__()
        self.run = run
        self.lane = lane
        self.out = run.link

    async def rescue(self, error: CancelledError) -> None:
        """Handle a cancellation that arrived while the loop waited for room.

        If the run did not send it, a cancel scope inside the source did.
        """
        self.lane.unwait()
        try:
            if self.run.stopping:
                raise error
            await super().rescue(error)
        finally:
            del error


class _Handed:
    """A step of the source that was taken early: awaiting it gives the item, or the end."""

    def __init__(self, item: Any, *, ended: bool = False) -> None:
        self.item = item
        self.ended = ended

    def __await__(self) -> Generator[Any, None, Any]:
        if self.ended:
            raise StopAsyncIteration
        return self.item
        yield  # never reached: it makes this function a generator


class Thrown:
    """A step of the source that throws an error into it when awaited."""

    ended = False

    def __init__(self, throw: Callable[[BaseException], Awaitable[Any]], error: BaseException) -> None:
        self.throw = throw
        self.error = error

    def __await__(self) -> Generator[Any, None, Any]:
        return self.throw(self.error).__await__()
