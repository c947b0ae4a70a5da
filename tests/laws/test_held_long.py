"""Law 2, after many items: what steps keep is what their contract says, however many have passed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit._core.contract import amount

FEW, MANY = 20_000, 1_000_000


class Item:
    """An item that counts how many there are."""

    __slots__ = ("number",)
    alive = 0

    def __init__(self, number: int) -> None:
        Item.alive += 1
        self.number = number

    def __del__(self) -> None:
        Item.alive -= 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Item) and self.number == other.number

    def __hash__(self) -> int:
        return hash(self.number)


DIFFERENT = 500
STEPS: dict[str, tuple[Callable[[], Any], int]] = {
    "take_last": (lambda: ops.take_last(100), 100),
    "skip_last": (lambda: ops.skip_last(100), 100),
    "sliding": (lambda: ops.sliding(100), 100),
    "sliding far apart": (lambda: ops.sliding(100, step=1000), 100),
    "slice": (lambda: ops.slice(10, None, 7), 0),
    "distinct": (lambda: ops.map(lambda item: Item(item.number % DIFFERENT)) | ops.distinct(), DIFFERENT),
    "distinct, of the last": (lambda: ops.distinct(last=100), 100),
    "distinct, by a key": (lambda: ops.distinct(lambda item: item.number), 0),
    "intersperse": (lambda: ops.intersperse(None), 0),
    "materialize": (lambda: ops.materialize() | ops.dematerialize(), 0),
    "stateful_map": (lambda: ops.stateful_map(lambda: None, lambda state, item: (item, state)), 1),
    "time_interval": (lambda: ops.time_interval() | ops.timestamp(), 0),
    "aggregate": (lambda: ops.aggregate(ops.fold(lambda _, item: item, None)), 1),
}
"""An operator, and how many items it keeps."""


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.full)])
@pytest.mark.parametrize(("make", "kept"), STEPS.values(), ids=STEPS)
def test_no_more_is_kept_after_many_items(make: Callable[[], Any], kept: int, count: int) -> None:
    most: list[int] = []

    def source() -> Iterator[Item]:
        for number in range(count):
            if number % 1000 == 999:
                most.append(Item.alive)
            yield Item(number)
        most.append(Item.alive)

    assert Item.alive == 0
    (Stream(source) | make() | ops.drain()).run()
    assert max(most) <= kept + 3  # one in hand, and one that was made of it
    assert min(most[len(most) // 2 :]) >= kept
    assert Item.alive == 0


def test_that_is_what_the_contracts_say() -> None:
    for operator, holds, keys in (
        (ops.take_last(100), 100, 0),
        (ops.skip_last(100), 100, 0),
        (ops.sliding(100), 99, 0),
        (ops.distinct(last=100), 0, 100),
        (ops.distinct(), 0, float("inf")),
    ):
        (link,) = operator.links
        contract = link.declaration.contract
        found = amount(contract.holds, link.arguments), amount(contract.keys, link.arguments)
        assert found == (holds, keys), operator
