"""Deliveries: counted until they have left every place, and told once; the worst outcome wins."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from streamkit._core.delivery import NO_DELIVERY, Beside, Delivery, Together, settled, together, trimmed

Told = list[tuple[Any, bool]]


class Noted:
    """A ledger that notes what it is told: the message, and whether it has failed."""

    def __init__(self) -> None:
        self.told: Told = []

    def closed(self, delivery: Delivery) -> None:
        self.told.append((delivery.message, delivery.failed))

    def hands_out(self, many: int) -> list[Delivery]:
        return [Delivery(self, number) for number in range(many)]


def test_the_last_place_tells_the_ledger_and_the_first_error_is_kept() -> None:
    ledger = Noted()
    first, second = ValueError(1), ValueError(2)
    [delivery] = ledger.hands_out(1)
    assert (delivery.count, delivery.failed, delivery.error) == (1, False, None)
    delivery.count += 3
    delivery.fail()
    assert (delivery.failed, delivery.error) == (True, None)
    delivery.fail(first)
    delivery.fail(second)
    assert (delivery.error, delivery.count, ledger.told) == (first, 1, [])
    delivery.settle()
    assert ledger.told == [(0, True)]
    with pytest.raises(TypeError, match=r"^a delivery cannot be copied or sent: its copy would acknowledge"):
        copy.copy(delivery)


def test_what_is_marked_has_failed_and_stays_open() -> None:
    ledger = Noted()
    parts = ledger.hands_out(2)
    both = Together(parts)
    assert not both.failed
    both.mark()
    assert [each.failed for each in (both, *parts)] == [True] * 3
    assert [each.count for each in (both, *parts)] == [1] * 3
    assert not ledger.told


def test_what_is_made_of_several_lets_go_of_each_of_them() -> None:
    ledger, error = Noted(), ValueError()
    parts = ledger.hands_out(2)
    both = Together(parts)
    assert (both.parts, both.message) == (parts, None)
    both.count += 1
    both.settle()
    assert not ledger.told
    both.settle()
    assert ledger.told == [(0, False), (1, False)]
    parts = ledger.hands_out(2)
    Together(parts).fail(error)
    assert ledger.told[2:] == [(0, True), (1, True)]
    assert [each.error for each in parts] == [error] * 2


@pytest.mark.parametrize(
    ("many", "stay", "left", "counts"),
    [
        (3, 0, [], [1, 1, 1]),
        (3, -1, [], [1, 1, 1]),
        (3, 1, [2], [1, 1, 2]),
        (3, 2, [1, 2], [1, 2, 2]),
        (3, 3, [0, 1, 2], [2, 2, 2]),
        (3, 9, [0, 1, 2], [2, 2, 2]),
        (1, 1, [0], [2]),
        (1, 0, [], [1]),
    ],
)
def test_what_stands_for_all_that_is_kept(many: int, stay: int, left: list[int], counts: list[int]) -> None:
    made = Noted().hands_out(many)
    kept = [*made]
    whole = together(kept, stay)
    assert [each.message for each in kept] == left
    assert [each.count for each in made] == counts
    assert whole is made[0] if many == 1 else isinstance(whole, Together) and whole.parts == made


def test_what_nothing_was_handed_out_for_is_told_to_nobody() -> None:
    assert together([], 0) is together([], 2) is Beside().token is NO_DELIVERY
    NO_DELIVERY.settle()
    NO_DELIVERY.mark()
    NO_DELIVERY.fail(ValueError())
    assert (NO_DELIVERY.count, NO_DELIVERY.failed, NO_DELIVERY.error) == (1, False, None)
    NO_DELIVERY.ledger.closed(NO_DELIVERY)


def test_what_is_left_out_is_settled_once_in_its_order() -> None:
    ledger = Noted()
    made = ledger.hands_out(4)
    made[1].count += 1
    kept = [*made]
    trimmed(kept, 1)
    assert (kept, ledger.told) == ([made[3]], [(0, False), (2, False)])
    settled(made[1:2])
    assert ledger.told[2:] == [(1, False)]
