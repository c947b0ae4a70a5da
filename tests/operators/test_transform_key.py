"""A concurrent map and for_each with a key: one call after the other for each key, several keys at once."""

import asyncio
import weakref
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Limit, Resume, Stream, ops
from streamkit.testing import run
from tests.laws.account import check_sum
from tests.marbles import ERROR, noted

Orders = list[tuple[str, int]]


async def slowly(order: tuple[str, int]) -> tuple[str, int]:
    await asyncio.sleep(order[1])
    return order


def customer(order: tuple[str, int]) -> str:
    return order[0]


class TestOrder:
    def test_is_kept_for_each_key_and_others_overtake(self) -> None:
        orders = [("a", 5), ("a", 1), ("b", 1), ("c", 2), ("b", 3)]
        assert noted(Stream(orders) | ops.map(slowly, concurrency=5, key=customer)) == [
            (1.0, ("b", 1)),
            (2.0, ("c", 2)),
            (4.0, ("b", 3)),
            (5.0, ("a", 5)),
            (6.0, ("a", 1)),
            (6.0, "|"),
        ]

    @given(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=30),
        st.integers(2, 5),
        st.booleans(),
        st.integers(0, 4),
        st.sampled_from(["list", "async"]),
    )
    def test_of_calls_and_results_is_that_of_the_items_of_a_key(
        self, orders: Orders, concurrency: int, ordered: bool, lookahead: int, source: str
    ) -> None:
        called, at_work = defaultdict[str, list[int]](list), set[str]()
        numbered = [(name, number, seconds) for number, (name, seconds) in enumerate(orders)]

        async def work(order: tuple[str, int, int]) -> tuple[str, int, int]:
            name, number, seconds = order
            assert name not in at_work
            assert len(at_work) < concurrency
            at_work.add(name)
            called[name].append(number)
            await asyncio.sleep(seconds)
            at_work.remove(name)
            return order

        async def waiting() -> AsyncIterator[Any]:
            for order in numbered:
                await asyncio.sleep(order[1] % 2)
                yield order

        pipe = ops.map(
            work, concurrency=concurrency, key=lambda order: order[0], ordered=ordered, lookahead=lookahead
        )
        stream: Any = Stream(numbered if source == "list" else waiting)
        found = [item for _, item in noted(stream | pipe)[:-1]]
        assert sorted(found) == sorted(numbered)
        for name in "abc":
            mine = [number for each, number, _ in numbered if each == name]
            assert called[name] == mine
            assert [number for each, number, _ in found if each == name] == mine

    def test_of_one_key_alone_is_a_map_without_concurrency(self) -> None:
        calls = 0

        async def work(item: int) -> int:
            nonlocal calls
            calls += 1
            assert calls == 1
            await asyncio.sleep(item % 3)
            calls -= 1
            return item

        assert [item for _, item in noted(Stream(range(9)) | ops.map(work, concurrency=4, key=type))] == [
            *range(9),
            "|",
        ]

    def test_items_that_wait_for_their_key_take_places_and_those_of_lookahead(self) -> None:
        orders = [("a", 5), ("a", 5), ("b", 1)]
        two = noted(Stream(orders) | ops.map(slowly, concurrency=2, key=customer))
        assert two == [(5.0, ("a", 5)), (6.0, ("b", 1)), (10.0, ("a", 5)), (10.0, "|")]
        ahead = noted(Stream(orders) | ops.map(slowly, concurrency=2, key=customer, lookahead=1))
        assert ahead == [(1.0, ("b", 1)), (5.0, ("a", 5)), (10.0, ("a", 5)), (10.0, "|")]


class TestKeys:
    @pytest.mark.parametrize("kind", ["function", "coroutine", "lambda"])
    def test_may_be_awaited(self, kind: str) -> None:
        async def later(item: int) -> int:
            await asyncio.sleep(0.5)
            return item % 2

        key = {"function": lambda item: item % 2, "coroutine": later, "lambda": lambda item: later(item)}
        found = noted(Stream(range(6)) | ops.map(lambda item: item, concurrency=3, key=key[kind]))
        assert sorted(item for _, item in found[:-1]) == [*range(6)]

    def test_must_be_hashable_and_the_error_names_the_operator(self) -> None:
        with pytest.raises(TypeError, match="unhashable type: 'list'") as caught:
            list(Stream([[1]]) | ops.map(len, concurrency=2, key=lambda item: item))
        (told,) = caught.value.__notes__
        assert told.startswith("in map(len, concurrency=2, key=<lambda>) at ")

    def test_errors_of_the_key_come_after_what_is_ready(self) -> None:
        def fails(item: int) -> int:
            if item == 2:
                raise ERROR
            return item

        found = noted(Stream(range(5)) | ops.map(lambda item: item, concurrency=2, key=fails))
        assert [item for _, item in found] == [0, 1, ERROR]

    def test_an_error_of_the_function_cancels_other_calls(self) -> None:
        ended: list[int] = []

        async def work(item: int) -> int:
            try:
                await asyncio.sleep(item)
                if item == 2:
                    raise ERROR
            finally:
                ended.append(item)
            return item

        found = noted(Stream([3, 1, 2]) | ops.map(work, concurrency=3, key=lambda item: item))
        assert found == [(1.0, 1), (2.0, ERROR)]
        assert sorted(ended) == [1, 2, 3]

    def test_an_item_that_is_dropped_lets_the_next_of_its_key_in(self) -> None:
        def fails(item: int) -> int:
            if item % 3 == 0:
                raise ERROR
            return item

        pipe = ops.map(fails, concurrency=3, key=lambda item: item % 2, on_error=Resume())
        assert sorted(Stream(range(9)) | pipe) == [1, 2, 4, 5, 7, 8]

    def test_and_items_are_let_go(self) -> None:
        class Item:
            pass

        alive: weakref.WeakSet[Item] = weakref.WeakSet()

        def items() -> Iterator[Item]:
            for _ in range(50):
                item = Item()
                alive.add(item)
                yield item
                del item

        most = 0

        async def work(item: Item) -> None:
            nonlocal most
            most = max(most, len(alive))
            await asyncio.sleep(0)

        noted(Stream(items) | ops.map(work, concurrency=3, key=lambda item: item))
        assert most <= 4
        assert not alive


class TestForms:
    def test_for_each_takes_one(self) -> None:
        done: Orders = []

        async def store(order: tuple[str, int]) -> None:
            done.append(await slowly(order))

        orders = [("a", 5), ("a", 1), ("b", 1)]
        run(lambda: _awaited(Stream(orders) | ops.for_each(store, concurrency=3, key=customer)))
        assert done == [("b", 1), ("a", 5), ("a", 1)]

    def test_with_one_place_it_is_a_step(self) -> None:
        pipe = ops.map(abs, key=type)
        assert list(Stream([1, -2]) | pipe) == [1, 2]
        assert (Stream([1]) | pipe).explain().parts[-1].kind == "segment"
        assert (Stream([1, -2]) | ops.for_each(abs, key=type)).run() is None

    def test_with_a_limit(self) -> None:
        orders = [("a", 2), ("a", 1), ("b", 1), ("c", 1)]
        found = noted(Stream(orders) | ops.map(slowly, concurrency=Limit(2, most=4), key=customer))
        assert found == [
            (2.0, ("a", 2)),
            (3.0, ("a", 1)),
            (3.0, ("b", 1)),
            (4.0, ("c", 1)),
            (4.0, "|"),
        ]

    @pytest.mark.parametrize("key", [5, None, "name", [1]])
    def test_what_cannot_be_called_is_refused(self, key: Any) -> None:
        with pytest.raises(TypeError, match="key must be a callable"):
            ops.map(abs, concurrency=2, key=key)
        with pytest.raises(TypeError, match="key must be a callable"):
            ops.for_each(abs, key=key)

    def test_what_it_says_of_itself(self) -> None:
        pipe = ops.map(abs, concurrency=3, key=type, lookahead=2)
        assert repr(pipe) == "map(abs, concurrency=3, key=type, lookahead=2)"
        assert pipe == ops.map(abs, concurrency=3, key=type, lookahead=2)
        assert (Stream("a") | pipe).explain().bound == 5

    def test_accounts_add_up(self) -> None:
        async def main() -> None:
            pipe = ops.map(slowly, concurrency=3, key=customer, lookahead=2)
            orders = [("abc"[number % 3], number % 4) for number in range(30)]
            handle = (Stream(orders) | pipe | ops.for_each(lambda _: asyncio.sleep(0.7))).start()
            while not handle.done:
                for stats in handle.buffers():
                    check_sum(stats)
                await asyncio.sleep(1.1)
            await handle
            assert sum(stats.delivered for stats in handle.buffers()) == 30

        run(main)


async def _awaited(job: Any) -> Any:
    return await job
