"""Lanes of pairs, by hand: a strategy acts on items, and each delivery ends as its item does."""

import sys
from collections.abc import Callable
from threading import Lock
from typing import Any

import pytest

from streamkit import (
    EMPTY,
    Collect,
    Conflate,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Gap,
    KeepLatest,
    Spill,
    Strategy,
    Suspend,
)
from streamkit._core.delivery import NO_DELIVERY, Delivery
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.flooding import FoldingLane, SheddingLane
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.paired import gathered, paired_lane


class Notes:
    """A ledger, and a lane of what it has handed out; each delivery is known by its number."""

    def __init__(self, strategy: Strategy | None = None) -> None:
        self.told: list[tuple[int, bool]] = []
        self.channel = Channel(clock=lambda: 0.0)
        self.lane: Lane = paired_lane(self.channel, strategy)
        self.channel.adopt(self.lane)

    def closed(self, delivery: Delivery) -> None:
        self.told.append((delivery.message, delivery.failed))

    def pair(self, number: int, item: Any = None) -> tuple[Delivery, Any]:
        return Delivery(self, number), number if item is None else item

    def put(self, *numbers: int) -> "Notes":
        for number in numbers:
            self.lane.put(self.pair(number))
        return self

    def settled(self, pair: Any) -> tuple[list[int], Any]:
        """Which deliveries are closed where the one of a pair is, and its item."""
        before = len(self.told)
        pair[0].settle()
        return [number for number, _ in self.told[before:]], pair[1]

    def read(self) -> list[tuple[list[int], Any]]:
        """All that is held: what `peek` shows is what `take` gives."""
        found: list[tuple[list[int], Any]] = []
        while (seen := self.lane.peek()) is not EMPTY:
            pair = self.lane.take()
            assert seen[1] == pair[1]
            found.append(self.settled(pair))
        assert self.lane.take() is EMPTY
        return found


@pytest.mark.parametrize(
    ("strategy", "read", "dropped"),
    [
        (Suspend(9), [([1], 1), ([2], 2), ([3], 3)], []),
        (Spill(1), [([1], 1), ([2], 2), ([3], 3)], []),
        (DropIncoming(2), [([1], 1), ([2], 2)], [3]),
        (DropOldest(2), [([2], 2), ([3], 3)], [1]),
        (DropYoungest(2), [([1], 1), ([3], 3)], [2]),
        (KeepLatest(), [([3], 3)], [1, 2]),
        (DropOldest(1, gaps=True), [([], Gap(2)), ([3], 3)], [1, 2]),
        (Conflate(lambda one, other: one * 10 + other), [([1, 2, 3], 123)], []),
        (Collect(9), [([1, 2, 3], [1, 2, 3])], []),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Strategy) else "",
)
def test_each_delivery_ends_as_its_item_does(
    strategy: Strategy, read: list[tuple[list[int], Any]], dropped: list[int]
) -> None:
    notes = Notes(strategy).put(1, 2, 3)
    assert not notes.lane.full()  # the writer goes on
    assert notes.told == [(number, False) for number in dropped]
    assert notes.read() == read
    assert notes.lane.stats().dropped == len(dropped)


@pytest.mark.parametrize("strategy", [DropOldest(1), DropOldest(1, gaps=True), DropOldest(1, on_drop=print)])
def test_no_lane_that_settles_what_it_drops_floods(strategy: Strategy) -> None:
    assert not isinstance(Notes(strategy).lane, SheddingLane)


def test_one_that_folds_floods() -> None:
    assert isinstance(Notes(Conflate(max)).lane, FoldingLane)


def test_what_was_folded_for_long_is_let_go_of_at_once() -> None:
    """As one union: of one in another, the stack would know how many there are."""
    numbers = [*range(1, sys.getrecursionlimit() + 1)]
    assert Notes(Conflate(max)).put(*numbers).read() == [(numbers, numbers[-1])]


def test_one_that_hands_over_holds_one_pair() -> None:
    notes = Notes().put(1)
    assert (notes.lane.full(), notes.read()) == (True, [([1], 1)])


def test_whoever_is_told_of_a_drop_gets_the_item_and_only_what_was_full_is_settled() -> None:
    said: list[tuple[Any, str]] = []
    notes = Notes(DropOldest(1, on_drop=lambda item, reason: said.append((item, reason)))).put(1, 2)
    assert (said, notes.told) == ([(1, "full")], [(1, False)])
    notes.lane.discard([])
    assert (said[1:], notes.told[1:]) == ([(2, "closed")], [])  # it is handed back


def test_what_spills_and_is_left_is_handed_back_and_nobody_is_told() -> None:
    notes = Notes(Spill(1)).put(1, 2, 3)
    errors: list[BaseException] = []
    notes.lane.discard(errors)
    stats = notes.lane.stats()
    assert (errors, notes.told, stats.dropped, stats.held) == ([], [], 3, 0)
    assert notes.lane.peek() is EMPTY


@pytest.mark.parametrize("refused", [2, 3])
def test_one_that_cannot_be_spilled_takes_no_delivery_of_another(refused: int) -> None:
    notes = Notes(Spill(1))
    for number in (1, 2, 3, 4):
        if number == refused:
            with pytest.raises(TypeError, match="cannot pickle"):
                notes.lane.put(notes.pair(number, Lock()))
        else:
            notes.put(number)
    assert notes.read() == [([number], number) for number in (1, 2, 3, 4) if number != refused]


async def later(*_: Any) -> None:
    """Something that a buffer cannot wait for."""


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (DropOldest(1, on_drop=lambda *_: later()), "on_drop must return at once, not the awaitable"),
        (Conflate(lambda *_: later()), "fold must return at once, not the awaitable"),
    ],
)
def test_a_callback_that_would_have_to_be_awaited_is_an_error(strategy: Strategy, words: str) -> None:
    notes = Notes(strategy).put(1)
    with pytest.raises(TypeError, match=f"^{words}"):
        notes.put(2)
    assert notes.told == []


def test_a_strategy_shows_the_callback_of_the_user_or_that_it_settles() -> None:
    def told(item: Any, reason: str) -> None:
        """Of a user."""

    def joined(one: Any, other: Any) -> Any:
        """Of a user, too."""

    made: list[Callable[[], Strategy]] = [
        lambda: DropOldest(2, on_drop=told),
        lambda: DropOldest(2),
        lambda: Conflate(joined),
    ]
    shown = [repr(Notes(strategy()).lane.strategy) for strategy in made]
    assert ["told" in shown[0], "settled" in shown[1], "joined" in shown[2]] == [True] * 3


def test_several_are_let_go_of_at_once_and_those_of_no_delivery_are_left_out() -> None:
    notes = Notes(Suspend(9))
    pairs = [notes.pair(1), (NO_DELIVERY, "beside"), notes.pair(2)]
    assert notes.settled(gathered(pairs)) == ([1, 2], (1, "beside", 2))
    pairs = [notes.pair(3), (NO_DELIVERY, "beside")]
    token, items = gathered(pairs, list)
    assert (token, items) == (pairs[0][0], [3, "beside"])
    assert gathered([(NO_DELIVERY, "beside")]) == (NO_DELIVERY, ("beside",))
