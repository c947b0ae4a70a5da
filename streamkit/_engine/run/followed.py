"""Followed runs: the ledgers of tracked sources, from before the first pull to behind the end of the run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from streamkit._core.delivery import Holder, Ledger
from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.follow import CANNOT
from streamkit._engine.compile.key import End, Kind, Pairs, StepKey
from streamkit._engine.compile.loop import Loop, compiled
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet
from streamkit._engine.plan.source import Opened
from streamkit._engine.plan.tracked import Unopened, opened as opened_by
from streamkit._engine.run.leave import combine

__all__ = ["Followed", "followed", "shapes"]


class Followed:
    """Opens the ledgers of a stream, and closes them when its run has ended, in whatever way.

    Of what a ``share`` has opened, its readers enter there what they have of it (`_stages.share_pairs`).
    """

    def __init__(self, stream: Inlet[Any], book: Book | None) -> None:
        self._stream = stream
        self._ledgers: dict[Any, Holder | None] = {}
        if book is None:
            book = Book()
            book.gate.set()
        self._book = book

    async def open(self) -> Book:
        """The book of the run, in which the ledgers are found."""
        self._book.ledgers = ledgers = self._ledgers
        try:
            for source, by in opened_by([self._stream]):
                if by is not None:
                    ledgers.setdefault(source, None)
                elif ledgers.get(source) is None:
                    ledger: Ledger = source.value()
                    await ledger.open()
                    ledgers[source] = ledger
        except BaseException as error:
            await self.close(error)
            raise
        return self._book

    async def close(self, error: BaseException | None) -> None:
        """Close them; what that raises is raised, or attached to the `error` that the run has failed with."""
        late: list[BaseException] = []
        while self._ledgers:
            _, ledger = self._ledgers.popitem()
            try:
                if ledger is not None:
                    await ledger.close(error)
            except BaseException as failed:
                late.append(failed)
        combine(error, *late)

    __aenter__ = open

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close(error)


async def followed(stream: Inlet[Any], book: Book | None, work: Callable[[Book], Awaitable[Any]]) -> Any:
    """The result of `work`, a run of `stream`, entered in `book`."""
    async with Followed(stream, book) as entered:
        return await work(entered)


def shapes(opened: Opened, end: End, pace: Pace, *, paired: bool = False) -> Callable[..., Loop | int]:
    """What makes the loops over `opened`, which has to do with pairs of a delivery and an item.

    What reads the last of them takes such pairs, too, if it is `paired`.

    Raises:
        TypeError: what reads the last of these loops knows nothing of such pairs.
    """
    unopened, pairs = opened.items, opened.pairs
    if isinstance(unopened, Unopened):
        book: Book | None = pace.book
        ledger: Any = None if book is None or book.ledgers is None else book.ledgers.get(unopened.source)
        if ledger is None:
            unopened.refuse()
        opened.items = items = ledger.deliveries()
        opened.close = getattr(items, "aclose", None)
        if pace.source is unopened:
            pace.source = items
    if not paired and end not in (End.RESULT, End.USER):
        raise TypeError(
            f"what reads a durable source here {CANNOT}: begin a pipe with it, and end that in a sink"
        )

    def shaped(kind: Kind, keys: tuple[StepKey, ...], ending: End, first: int | None) -> Loop | int:
        nonlocal pairs
        loop = compiled(kind, keys, ending, first, pairs=pairs)
        if isinstance(loop, Loop):
            pairs = Pairs.TAKES  # what reads it
        return loop

    return shaped
