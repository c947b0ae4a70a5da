"""Drops: how many items an operator has dropped in one run, because its callback failed with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from streamkit._core.guarded import Guarded
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.plan.link import Link

if TYPE_CHECKING:
    from streamkit._engine.buffer.book import Book

__all__ = ["counted"]


class _Tally:
    """Stands in a book, as a buffer does that was offered nothing but what it has dropped."""

    __slots__ = ("_operator", "dropped")

    def __init__(self, operator: str) -> None:
        self._operator = operator
        self.dropped = 0

    def stats(self) -> list[BufferStats]:
        """What was dropped so far."""
        return [
            BufferStats(
                operator=self._operator,
                strategy=None,
                offered=self.dropped,
                delivered=0,
                dropped=self.dropped,
                folded=0,
                refused=0,
                held=0,
                held_at_most=0,
                seconds_full=0.0,
            )
        ]

    def hold(self) -> None:
        """Do nothing: it delivers nothing."""


def counted(links: Sequence[Link], book: Book | None) -> Sequence[Link]:
    """`links` for one run, which counts in `book` what their callbacks drop; themselves, if none does."""
    if book is None or not any(map(_drops, links)):
        return links
    return [_counted(link, book) if _drops(link) else link for link in links]


def _drops(link: Link) -> bool:
    return any(map(_is_uncounted, link.arguments.values()))


def _is_uncounted(value: Any) -> TypeGuard[Guarded]:
    """Whether an argument is a callback that may drop an item, and nobody counts that yet."""
    return isinstance(value, Guarded) and value.drops and value.tally is None


def _counted(link: Link, book: Book) -> Link:
    tally = _Tally(repr(link))
    book.enter(tally)
    arguments = {
        name: value.but(tally=tally) if _is_uncounted(value) else value
        for name, value in link.arguments.items()
    }
    return link.but(arguments)
