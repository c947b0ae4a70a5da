"""The streams that a function makes of items, one after the other, where those who read them are flat.

A ``flat_map`` with one place is a step, which reads them in its loop. Where such a stream ends in one itself,
as pages do that lead to more pages, loops would stand in loops. So it becomes an `Entry` then, as ``concat``
does: it keeps what is before it open, and says which stream is next (`sequence`).
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncIterator
from types import AsyncGeneratorType
from typing import Any

from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.errors import attached
from streamkit._core.markers import DROPPED
from streamkit._engine.buffer.book import Book
from streamkit._engine.buffer.target import Abandoned
from streamkit._engine.plan.link import Inlet, Link, returned_by
from streamkit._engine.run.leave import blame, unreached
from streamkit._engine.run.run import Run
from streamkit._stages.entry import Entry

__all__ = ["Each", "asked", "called", "inlet_of_made", "made", "noted", "settled"]


_GENERATOR: Any = AsyncGeneratorType


async def made(link: Link, items: list[Any]) -> Inlet[Any]:
    """The stream that the function of `link` makes of an item; errors name `link`.

    Pops the item out of `items`, so that no frame keeps it alive.
    """
    return inlet_of_made(link, await called(link, items))


async def called(link: Link, items: list[Any]) -> Any:
    """What the function of `link` returns for an item, awaited if that must be; errors name `link`."""
    found = asked(link, items)
    return found if type(found) is _GENERATOR else await settled(link, found)


def asked(link: Link, items: list[Any]) -> Any:
    """What the function of `link` returns for an item; errors name `link`."""
    try:
        return link.arguments[link.declaration.nests or "function"](items.pop())
    except Exception as error:
        noted(error, link)
        raise


async def settled(link: Link, found: Any) -> Any:
    """`found`, which the function of `link` has returned, awaited if that must be; errors name `link`."""
    try:
        # an observable of RxPY is awaitable too, for its last item
        waits = is_awaitable(found) and not hasattr(found, "subscribe")
        return await pending(found) if waits else found
    except Exception as error:
        noted(error, link)
        raise


def inlet_of_made(link: Link, found: Any) -> Inlet[Any]:
    """`found`, which the function of `link` has returned, as a stream; errors name `link`."""
    try:
        function = link.arguments[link.declaration.nests or "function"]
        return returned_by(function, () if found is DROPPED else found)
    except Exception as error:
        noted(error, link)
        raise


def noted(error: BaseException, link: Link) -> None:
    """Note on `error` that `link` raised it; raise the error that replaces a ``StopIteration``.

    What came after it is noted, too; and on a cancellation, what that has overtaken.
    """
    if type(error) is CancelledError and not error.__dict__:  # it has ended a stream, and nothing hangs on it
        return
    for late in (*attached(error), *unreached(error)):
        blame(late, link)
    if not isinstance(error, Abandoned):
        blamed = blame(error, link)
        if blamed is not error:
            raise blamed from blamed.__cause__


class Each(Entry):
    """Goes on with the stream of each item of the one before it."""

    def __init__(self, run: Run, link: Link, before: Inlet[Any], *, kept: bool) -> None:
        self._run = run
        self._kept = kept
        """Whether the run closes what is before it: not if that is read in another task than the run's."""
        self._book: Book | None = None
        self._link = link
        self._before: Inlet[Any] | None = before
        self._items: AsyncIterator[Any] | None = None
        """What is before it, where that is no list: of a list, it is known which item is the last."""
        self._place = 0
        self.made = False
        """Whether what is read now is a stream that it has made."""
        self.busy = False
        """Whether it has an item whose stream is being made, or open."""

    def ended(self) -> None:
        raise NotImplementedError  # pragma: no cover - it is asked for the `following` stream

    async def following(self) -> Inlet[Any] | None:
        """The stream of the next item; None if there is none."""
        before = self._before
        self.made = self.busy = False
        assert before is not None  # once it was left, it is asked for no more
        if (items := before.native) is not None:
            if self._place >= len(items):
                self.done = True
                return None
            item = items[self._place]
            self._place += 1
            self.done = self._place >= len(items)
        else:
            if self._items is None:
                self._book = None if self._kept or self._run.book is None else self._run.book.chapter()
                self._items = self._run.open(before, book=self._book, kept=self._kept)
            try:
                item = await anext(self._items)
            except StopAsyncIteration:
                self.done = True
                return None
        held = [item]
        del item
        self.busy = True
        found = await made(self._link, held)
        self.made = True
        return found

    async def leave(self) -> None:
        items: Any = self._items
        self._before = self._items = None
        if items is not None:
            await (self._run.close(items) if self._kept else items.aclose())
        if self._book is not None and self._run.book is not None:
            self._run.book.close(self._book)
            self._book = None
