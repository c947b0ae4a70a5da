"""Forms: what a stage makes of its items, as they are, and of pairs of a delivery and an item."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from streamkit import DropOldest
from streamkit._core.delivery import NO_DELIVERY, Delivery
from streamkit._core.guarded import Dropped
from streamkit._engine.buffer.kinds import kind_of
from streamkit._engine.buffer.paired import paired_kind
from streamkit._engine.compile.key import Kind, Pairs
from streamkit._engine.run.form import PAIRS, Form
from streamkit.testing import run


class Ledger:
    """Notes the deliveries that are nowhere any more."""

    def __init__(self) -> None:
        self.done: list[Delivery] = []

    def closed(self, delivery: Delivery) -> None:
        self.done.append(delivery)


class Both:
    def __iter__(self) -> Iterator[int]:
        return iter([1])

    async def __aiter__(self) -> AsyncIterator[int]:
        yield 1


def double(item: int) -> int:
    if item == 0:
        raise LookupError
    if item < 0:
        raise Dropped
    return 2 * item


async def later(item: int) -> int:
    await asyncio.sleep(0)
    return double(item)


CALLS: dict[str, Callable[[int], Any]] = {
    "a function": double,
    "a coroutine function": later,
    "one that returns an awaitable": lambda item: later(item),
}


def test_items_are_as_they_are() -> None:
    form, items, strategy = Form(), [1, 2], DropOldest(2)
    assert form.of(double) is form.becomes(double) is double
    assert form.told(print) is print  # type: ignore[comparison-overlap]
    assert form.listed(items) is items
    assert (form.row(items), form.made(3), form.source(items).value) == ((1, 2), 3, items)
    assert form.kind(strategy) == (kind_of(strategy), strategy)
    assert form.kind(None) == (kind_of(None), None)


def test_pairs_are_taken_apart_and_put_together() -> None:
    ledger, told = Ledger(), list[Any]()
    first, second = Delivery(ledger, 1), Delivery(ledger, 2)
    assert PAIRS.of(double)((first, 4)) == 8
    for made, items in [(PAIRS.listed([(first, 1), (second, 2)]), [1, 2]), (PAIRS.row([(first, 1)]), (1,))]:
        assert made[0] is not NO_DELIVERY
        assert made[1] == items
    assert PAIRS.made(5) == (NO_DELIVERY, 5)
    strategy = DropOldest(2)
    kind, given = PAIRS.kind(strategy)
    assert (kind, type(given)) == (paired_kind(strategy)[0], DropOldest)
    assert kind is not paired_kind(None)[0]
    on_drop: Any = PAIRS.told(lambda item, why: told.append((item, why)))
    on_drop((Delivery(ledger, 3), "dropped"), "full")
    assert told == [("dropped", "full")]
    assert [each.message for each in ledger.done] == [3]
    PAIRS.left_out((left := Delivery(ledger, 4), "left"))
    assert ledger.done[-1] is left


def test_a_stream_inside_is_of_pairs() -> None:
    source = PAIRS.source(Both())
    assert source.tracked
    for blocking, kind in [(False, Kind.ASYNC), (True, Kind.ITER)]:
        opened = source.open(blocking=blocking)
        assert (opened.kind, opened.pairs) == (kind, Pairs.TAKES)
    assert source.open().kind is Kind.ASYNC


def test_the_latest_item_of_a_stream_is_a_place_of_its_delivery_until_another_comes() -> None:
    ledger = Ledger()
    first, second, third = (Delivery(ledger, number) for number in range(3))
    places = PAIRS.latest(3)
    for place, pair in enumerate([(first, "a"), (NO_DELIVERY, "b"), (second, "c")]):
        places[place] = pair
    token, items = PAIRS.again(places)
    assert items == ("a", "b", "c")
    places[0] = (third, "d")
    assert ledger.done == []  # what was made of it is there still
    token.settle()
    assert (ledger.done, PAIRS.again(places)[1]) == ([first], ("d", "b", "c"))
    assert (second.count, third.count) == (2, 2)
    places.clear()
    assert (second.count, third.count, [*places]) == (1, 1, [])
    bare = Form().latest(2)
    bare[:] = 1, 2
    assert (len(Form().latest(3)), Form().again(bare)) == (3, (1, 2))


@pytest.mark.parametrize("name", CALLS)
def test_the_result_of_a_call_stands_for_the_delivery_of_its_item(name: str) -> None:
    ledger, call = Ledger(), CALLS[name]
    called = PAIRS.becomes(call)
    assert inspect.iscoroutinefunction(called) is (call is later)

    async def of(item: int) -> Any:
        result = called((token, item))
        return await result if inspect.isawaitable(result) else result

    async def main() -> None:
        nonlocal token
        assert await of(4) == (token, 8)
        assert (token.count, token.failed) == (1, False)
        with pytest.raises(LookupError):
            await of(0)
        assert (token.failed, ledger.done) == (True, [])  # its item is to blame
        token = Delivery(ledger, 2)
        with pytest.raises(Dropped):
            await of(-1)
        assert (token.failed, ledger.done) == (False, [token])  # it is left out on purpose

    token = Delivery(ledger, 1)
    run(main)
