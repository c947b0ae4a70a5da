"""Followed runs: the ledgers of the tracked sources of a run, from before its first pull to behind its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, NoReturn

from streamkit._core.delivery import Ledger
from streamkit._core.errors import raise_first
from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.follow import CANNOT
from streamkit._engine.plan.link import Inlet
from streamkit._engine.plan.source import Opened
from streamkit._engine.plan.tracked import tracked
from streamkit._engine.run.leave import combine

__all__ = ["Followed", "followed", "handed_out", "unread"]


class Followed:
    """Opens the ledgers of a stream, and closes them when its run has ended, in whatever way."""

    def __init__(self, stream: Inlet[Any], book: Book | None) -> None:
        self._stream = stream
        self._ledgers: dict[Any, Ledger] = {}
        if book is None:
            book = Book()
            book.gate.set()
        self._book = book

    async def __aenter__(self) -> Book:
        """The book of the run, in which the ledgers are found."""
        self._book.ledgers = self._ledgers
        try:
            for source in tracked([self._stream]):
                if source not in self._ledgers:
                    ledger: Ledger = source.value()
                    await ledger.open()
                    self._ledgers[source] = ledger
        except BaseException as error:
            await self._close(error)
            raise
        return self._book

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close(error)

    async def _close(self, error: BaseException | None) -> None:
        late: list[BaseException] = []
        while self._ledgers:
            _, ledger = self._ledgers.popitem()
            try:
                await ledger.close()
            except BaseException as failed:
                late.append(failed)
        if error is None:
            raise_first(late)
        combine(error, *late)


async def followed(stream: Inlet[Any], book: Book | None, work: Callable[[Book], Awaitable[Any]]) -> Any:
    """The result of `work`, a run of `stream`, entered in `book`."""
    async with Followed(stream, book) as book:
        return await work(book)


def handed_out(source: Any, book: Book | None) -> Opened:
    """What a tracked source hands out in the run of `book`."""
    ledger = None if book is None or book.ledgers is None else book.ledgers.get(source)
    opened: Opened = source.open() if ledger is None else source.deliveries(ledger)
    return opened


def unread(opened: Opened) -> NoReturn:
    """Refuse to have pairs of a delivery and an item read by what does not know of them."""
    raise TypeError(f"what reads a durable source here {CANNOT}: begin a pipe with it ({opened.items!r})")
