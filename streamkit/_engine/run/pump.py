"""Pumps: what a loop that fills a lane has at hand, and what becomes of a scope inside its source."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Protocol

from streamkit._engine.buffer.target import Target
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Link

__all__ = ["Pump"]


class Owner(Protocol):
    """What a pump needs of its run."""

    link: Link

    @property
    def stopping(self) -> bool:
        """Whether it has cancelled the current task itself."""
        ...


class Pump(Pace):
    """The pace of a loop that fills `lane`."""

    __slots__ = ("lane", "run")

    def __init__(self, run: Owner, lane: Target) -> None:
        super().__init__()
        self.run = run
        self.lane = lane
        self.out = run.link

    async def rescue(self, error: CancelledError) -> None:
        """Deal with a cancellation that came while the loop waited for room.

        One that is not the run's comes from a scope inside the source (PEP 789): it is handed to the
        source, where its scope catches it, and the item in hand is kept.
        """
        self.lane.unwait()
        throw, handed = getattr(self.source, "athrow", None), self.handed
        try:
            if self.run.stopping or throw is None or (handed and handed[-1].ended):
                raise error
            if (
                handed
            ):  # an item more is in hand: the source hears of it, once for all scopes, at its next step
                if not isinstance(handed[-1], _Thrown):
                    handed.append(_Thrown(throw, error))
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
            self.out = None  # nobody but the source is to blame
            raise
        finally:
            del error


class _Handed:
    """A step of the source that was already taken: awaiting it gives the item, or the end."""

    def __init__(self, item: Any, *, ended: bool = False) -> None:
        self.item = item
        self.ended = ended

    def __await__(self) -> Generator[Any, None, Any]:
        if self.ended:
            raise StopAsyncIteration
        return self.item
        yield  # what makes it a generator


class _Thrown:
    """A step of the source that begins with an error, thrown in when it is awaited."""

    ended = False

    def __init__(self, throw: Callable[[BaseException], Awaitable[Any]], error: BaseException) -> None:
        self.throw = throw
        self.error = error

    def __await__(self) -> Generator[Any, None, Any]:
        return self.throw(self.error).__await__()
