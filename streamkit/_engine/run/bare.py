"""``aiter(stream)``: an iterator that may be polled, and is closed when it is dropped."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any, TypeVar

from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.iterate import iterate, prime
from streamkit._engine.run.open import Pulled, Pulls, Thrown, of_statement

__all__ = ["BareIterator"]

T = TypeVar("T")


class BareIterator(Pulled[T], AsyncGenerator[T, None]):
    """An async generator, but one whose pull may be cancelled, and goes on."""

    def __init__(self, stream: Inlet[T]) -> None:
        super().__init__()
        pace = Pace()
        pulls = Pulls(iterate(stream, pace, owned=True), pace)
        self._open(pulls)
        self._guard = prime(_guard(pulls))

    def __aiter__(self) -> AsyncGenerator[T, None]:
        items: Any = self
        if self.unharmed and of_statement(sys._getframe(1)):  # pyright: ignore[reportPrivateUsage]
            items = _Statement()
            items.__anext__ = self._running().items.__anext__
            items.polled = self
        return items  # type: ignore[no-any-return]

    async def __anext__(self) -> T:
        try:
            return await super().__anext__()
        finally:
            self._look()

    async def asend(self, value: None) -> T:
        return await self.__anext__()

    async def athrow(self, kind: Any, error: Any = None, traceback: Any = None) -> T:
        pulls = self._running()
        thrown: Any = kind if error is None else error
        try:
            if pulls.kept is None:
                item: T = await pulls.items.athrow(thrown)
            else:
                (steps, _), pulls.kept = pulls.kept, None
                item = await Thrown(steps, thrown)
            return item
        finally:
            self._look()

    async def aclose(self) -> None:
        try:
            await super().aclose()
        finally:
            self._look()

    def _look(self) -> None:
        """Let the guard go, if it has nothing to close any more."""
        if self._running().items.ag_frame is None:
            with suppress(StopIteration):
                self._guard.aclose().__await__().send(None)


class _Statement:
    """What an ``async for`` over such an iterator pulls: the generator itself.

    Its ``__anext__`` is a slot that holds the method of another object: so Python calls that, and no function
    in between. It keeps the iterator alive.
    """

    __slots__ = ("__anext__", "polled")


async def _guard(pulls: Pulls) -> AsyncGenerator[Any, None]:
    """Closes what is pulled, with a pull that is pending: as a generator it is told when it is dropped."""
    try:
        yield None
    finally:
        await pulls.close()
