"""Books and their chapters: what stands before what, what takes whose place, what ended ones leave."""

import asyncio
from weakref import WeakKeyDictionary

import pytest

from streamkit import BufferStats
from streamkit._engine.buffer.book import Book


class Row:
    """An entry of one buffer, which notes that it was held."""

    def __init__(self, name: str, offered: int = 1) -> None:
        self.name = name
        self.offered = offered
        self.holds = 0

    def stats(self) -> list[BufferStats]:
        return [
            BufferStats(
                operator=self.name,
                strategy=None,
                offered=self.offered,
                delivered=self.offered,
                dropped=0,
                folded=0,
                refused=0,
                held=0,
                held_at_most=1,
                seconds_full=0.0,
            )
        ]

    def hold(self) -> None:
        self.holds += 1


def rows(book: Book) -> list[tuple[str, int]]:
    return [(each.operator, each.offered) for each in book.stats()]


def test_the_sources_come_first_then_what_is_read_then_the_stage_then_its_readers() -> None:
    book = Book()
    after, before = book.chapter(after=True), book.chapter()
    book.enter(Row("own"))
    book.enter(Row("source"), source=True)
    after.enter(Row("after"))
    before.enter(Row("before"))
    assert [name for name, _ in rows(book)] == ["source", "before", "own", "after"]


def test_one_that_replaces_a_source_stands_where_that_stood() -> None:
    book = Book()
    sources = [Row(name) for name in "abc"]
    for row in sources:
        book.enter(row, source=True)
    book.replace(sources[1], Row("other", 7))
    assert rows(book) == [("a", 1), ("other", 7), ("c", 1)]


@pytest.mark.parametrize("after", [False, True])
def test_chapters_that_have_ended_leave_their_sums_in_their_place(after: bool) -> None:
    book = Book()
    book.enter(Row("own"))
    chapters = [book.chapter(after=after) for _ in range(3)]
    for number, chapter in enumerate(chapters):
        chapter.enter(Row("inner", number + 1))
    book.close(chapters[0])
    book.close(chapters[2])
    inner = [("inner", 4), ("inner", 2)]  # the sum of the ended ones, then the one that goes on
    assert rows(book) == ([("own", 1), *inner] if after else [*inner, ("own", 1)])


def test_a_chapter_shares_the_gate_of_its_book() -> None:
    gate = asyncio.Event()
    book = Book(gate)
    assert book.chapter().chapter(after=True).gate is gate
    assert Book().gate is not Book().gate


def test_all_that_is_entered_is_held_once() -> None:
    book = Book()
    before, after = book.chapter(), book.chapter(after=True)
    entries = [Row(name) for name in ("source", "own", "before", "after", "ended")]
    book.enter(entries[0], source=True)
    book.enter(entries[1])
    before.enter(entries[2])
    after.enter(entries[3])
    ended = book.chapter()
    ended.enter(entries[4])
    book.close(ended)
    book.hold()
    assert [entry.holds for entry in entries] == [1, 1, 1, 1, 0]


def test_a_chapter_is_of_the_same_run_as_its_book() -> None:
    book = Book(hands=WeakKeyDictionary(), ledgers={})
    for chapter in (book.chapter(), book.chapter(after=True)):
        assert (chapter.gate, chapter.hands, chapter.ledgers) == (book.gate, book.hands, book.ledgers)
        assert chapter.ledgers is book.ledgers


def test_what_is_watched_is_asked_what_it_has_in_hand_as_long_as_it_is_there() -> None:
    def told(row: Row) -> list[tuple[object, int]]:
        return [(row.name, row.offered), ("empty", 0)]

    book = Book(hands=WeakKeyDictionary())
    first, second = Row("map", 2), Row("map", 3)
    book.watch(first, told)
    book.chapter().watch(second, told)
    assert dict(book.in_hand()) == {"'map'": 5}
    del second
    assert dict(book.in_hand()) == {"'map'": 2}
    unasked = Book()
    unasked.watch(first, told)
    assert unasked.in_hand() == {}
