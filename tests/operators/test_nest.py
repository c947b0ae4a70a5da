"""flat_map."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import DropOldest, Stream, Suspend, ops
from streamkit._engine.run.driver import NESTED
from streamkit.testing import run
from tests.marbles import drawn, note, noted
from tests.nests import Counted, Inner, endless, first_items, letters

LISTS = st.lists(st.lists(st.integers(), max_size=5), max_size=8)


@pytest.mark.parametrize("operator", [ops.flat_map, ops.expand], ids=lambda each: each.__name__)
def test_a_function_that_returns_nothing_is_named(operator: Any) -> None:
    with pytest.raises(
        TypeError, match=r"<lambda> must return an iterable, .*, not None: for no items, return \[\]"
    ):
        list(Stream([1]) | operator(lambda _: None, concurrency=2))


class TestItems:
    def test_items_come_when_their_inner_stream_has_them(self) -> None:
        streams = letters(a=drawn("--1--2--3|"), b=drawn("-4-----5|"), c=drawn("--6|"))
        assert noted(Stream(drawn("--a--b--c--|")) | ops.flat_map(streams, concurrency=2)) == [
            (4.0, "1"),
            (6.0, "4"),
            (7.0, "2"),
            (10.0, "3"),
            (12.0, "5"),
            (13.0, "6"),  # "c" was taken when the first stream ended, at 11.0
            (14.0, "|"),
        ]

    @given(LISTS, st.integers(1, 4), st.integers(1, 3))
    def test_nothing_is_lost_and_each_inner_stream_keeps_its_order(
        self, lists: list[list[int]], concurrency: int, lookahead: int
    ) -> None:
        def named(place: int) -> list[tuple[int, int]]:
            return [(place, item) for item in lists[place]]

        nested = ops.flat_map(named, concurrency=concurrency, lookahead=lookahead)
        found = list(Stream(range(len(lists))) | nested)
        assert [[each for each in found if each[0] == place] for place in range(len(lists))] == [
            named(place) for place in range(len(lists))
        ]

    @given(LISTS, st.integers(1, 3))
    def test_one_at_once_follow_each_other_in_order(self, lists: list[list[int]], lookahead: int) -> None:
        nested = ops.flat_map(iter, concurrency=1, lookahead=lookahead)
        assert list(Stream(lists) | nested) == [item for each in lists for item in each]

    def test_one_at_once_is_opened_when_the_one_before_has_ended_and_was_delivered(self) -> None:
        inner = Inner(1, 2, closing=0.5)
        stream = Stream("ab") | ops.flat_map(inner, concurrency=1, lookahead=1)
        assert noted(stream, 10.0) == [(1.0, "a1"), (11.0, "a2"), (12.5, "b1"), (13.5, "b2"), (14.0, "|")]
        assert (inner.opened, inner.closed) == ([0.0, 11.5], [11.5, 14.0])

    @pytest.mark.parametrize(
        "make",
        [
            lambda: [1, 2],
            lambda: iter([1, 2]),
            lambda: Stream([1, 2]),
            lambda: Stream([0, 1]) | ops.map(lambda item: item + 1),
            lambda: lambda: [1, 2],
            lambda: lambda: iter([1, 2]),
            lambda: drawn("12|"),
        ],
        ids=["list", "iterator", "stream", "pipe", "callable", "callable-iterator", "async"],
    )
    @pytest.mark.parametrize("awaits", [False, True])
    def test_a_function_returns_anything_that_can_be_a_stream(
        self, make: Callable[[], Any], awaits: bool
    ) -> None:
        async def later(_: Any) -> Any:
            await asyncio.sleep(1.0)
            return make()

        nested = ops.flat_map(later if awaits else lambda _: make(), concurrency=2)
        found = run(lambda: note(Stream("a") | nested))
        assert [str(item) for _, item in found] == ["1", "2", "|"]

    def test_empty_inner_streams_give_their_place_to_the_next(self) -> None:
        nested = ops.flat_map(lambda number: [number] * (number % 100 == 99), concurrency=2)
        assert list(Stream(range(300)) | nested) == [99, 199, 299]

    def test_an_empty_source_makes_nothing(self) -> None:
        assert list(Stream([]) | ops.flat_map(iter, concurrency=2)) == []

    def test_inner_streams_nest(self) -> None:
        pairs = ops.flat_map(lambda item: [item, item], concurrency=1)
        nested = ops.flat_map(lambda item: Stream([item, -item]) | pairs, concurrency=1)
        assert list(Stream([1, 2]) | nested) == [1, 1, -1, -1, 2, 2, -2, -2]


class TestPlaces:
    @pytest.mark.parametrize("concurrency", [1, 2, 5])
    def test_no_more_inner_streams_are_open_than_asked_for(self, concurrency: int) -> None:
        most = 0
        inner = Inner(1, 2)

        def watch(_: Any) -> None:
            nonlocal most
            most = max(most, len(inner.opened) - len(inner.closed))

        noted(Stream(range(9)) | ops.flat_map(inner, concurrency=concurrency) | ops.tap(watch))
        assert most == concurrency

    @pytest.mark.parametrize("lookahead", [1, 3])
    @pytest.mark.parametrize("concurrency", [1, 3])
    def test_the_source_is_pulled_only_when_a_place_is_free(self, concurrency: int, lookahead: int) -> None:
        async def main() -> None:
            source = Counted()
            nested = ops.flat_map(lambda item: [item], concurrency=concurrency, lookahead=lookahead)
            async with (Stream(source) | nested).open() as items:
                await asyncio.sleep(9.0)
                assert source.pulled == 0
                for taken in range(1, 9):
                    await anext(items)
                    await asyncio.sleep(9.0)
                    assert source.pulled == taken + concurrency

        run(main)

    @pytest.mark.parametrize("lookahead", [1, 2, 5])
    def test_each_inner_stream_is_read_ahead_as_far_as_asked(self, lookahead: int) -> None:
        async def main() -> None:
            inner = [Counted(), Counted()]
            nested = ops.flat_map(lambda place: inner[place], concurrency=2, lookahead=lookahead)
            async with (Stream([0, 1]) | nested).open() as items:
                await anext(items)
                await asyncio.sleep(9.0)
                assert all(lookahead <= each.pulled <= lookahead + 1 for each in inner)
                assert sum(each.pulled for each in inner) <= 2 * lookahead + 1

        run(main)

    def test_a_stream_after_another_is_read_ahead_as_soon(self) -> None:
        async def main() -> None:
            inner = Counted()
            nested = ops.flat_map(lambda each: each, concurrency=1, lookahead=4)
            async with (Stream([range(4), inner]) | nested).open() as items:
                for _ in range(4 + 3):
                    await anext(items)
                    await asyncio.sleep(9.0)
                assert inner.pulled >= 3 + 3  # when a quarter is left

        run(main)

    def test_a_slow_function_takes_a_place_and_no_more(self) -> None:
        async def slow(item: int) -> list[int]:
            await asyncio.sleep(2.0)
            return [item]

        found = noted(Stream(range(5)) | ops.flat_map(slow, concurrency=2))
        assert found == [(2.0, 0), (2.0, 1), (4.0, 2), (4.0, 3), (6.0, 4), (6.0, "|")]

    def test_an_inner_stream_that_is_slow_to_close_keeps_its_place(self) -> None:
        inner = Inner("x", closing=5.0)
        found = noted(Stream("ab") | ops.flat_map(inner, concurrency=1))
        assert found == [(1.0, "ax"), (7.0, "bx"), (12.0, "|")]

    def test_each_inner_stream_has_a_task_of_its_own(self) -> None:
        inner = Inner(1, 2, closing=1.0)
        noted(Stream("abcd") | ops.flat_map(inner, concurrency=2))
        assert [len(tasks) for tasks in inner.tasks] == [1] * 4
        assert len({task for tasks in inner.tasks for task in tasks}) == 4


class TestTurns:
    def test_one_that_is_always_ready_does_not_starve_the_others(self) -> None:
        async def slow() -> AsyncIterator[int]:
            for _ in range(10):
                await asyncio.sleep(0)
                yield 1

        streams = letters(a=endless(0, "plain"), b=slow)
        found = run(lambda: first_items(Stream("ab") | ops.flat_map(streams, concurrency=2), 300))
        assert found.count(1) == 10

    def test_an_endless_source_of_empty_streams_lets_others_run(self) -> None:
        async def main() -> None:
            handle = (Stream(count()) | ops.flat_map(lambda _: (), concurrency=3) | ops.drain()).start()
            for _ in range(20):
                await asyncio.sleep(0)
            await handle.stop()

        run(main)


class TestArguments:
    @pytest.mark.parametrize("function", [5, None, [1]])
    def test_the_function_must_be_callable(self, function: Any) -> None:
        with pytest.raises(TypeError, match="function must be"):
            ops.flat_map(function, concurrency=1)

    @pytest.mark.parametrize("name", ["concurrency", "lookahead"])
    @pytest.mark.parametrize(("value", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError)])
    def test_numbers_must_be_whole_and_positive(self, name: str, value: Any, error: type[Exception]) -> None:
        with pytest.raises(error, match=f"{name} must be .*{value}"):
            ops.flat_map(iter, **{"concurrency": 2, name: value})

    def test_concurrency_has_to_be_given(self) -> None:
        with pytest.raises(TypeError, match="concurrency"):
            ops.flat_map(iter)  # type: ignore[call-overload]

    def test_what_it_says_of_itself(self) -> None:
        nested = ops.flat_map(iter, concurrency=3, lookahead=2)
        assert repr(nested) == "flat_map(iter, concurrency=3, lookahead=2)"
        assert nested == ops.flat_map(iter, concurrency=3, lookahead=2)
        assert (Stream("a") | nested).explain().bound == 9
        # what the function makes of a batch may hold all of it in each of its items
        assert (Stream("a") | ops.batch(5) | nested | ops.buffer(Suspend(2))).explain().parts[-1].holds == 10


async def drip(*items: Any) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(1.0)
        yield item


KINDS: list[Callable[[Any], Any]] = [
    lambda item: drip(item, -item),
    lambda item: [item, -item],
    lambda item: asyncio.sleep(1.0, [item]),
    lambda item: Stream(drip(item)) | ops.map(str),
    lambda item: Stream([item]) | ops.buffer(DropOldest(2)),
    lambda item: Stream(drip(item)) | ops.flat_map(drip, concurrency=2),
]


@pytest.mark.parametrize("depth", [0, NESTED, NESTED + 1])
def test_streams_of_every_kind_may_follow_each_other_in_a_place_however_deep(depth: int) -> None:
    stream: Any = Stream(drip(*range(6))) | ops.flat_map(lambda item: KINDS[item](item), concurrency=2)
    for _ in range(depth):
        parts = [stream | ops.buffer(Suspend(1)), drip("beside")]
        stream = Stream(parts) | ops.flat_map(lambda part: part, concurrency=2)
    found = run(lambda: stream | ops.to_list())
    assert found.count("beside") == depth
    assert sorted(map(str, found[depth:])) == ["-1", "0", "0", "1", "2", "3", "4", "5"]


def test_streams_that_leave_out_much_while_their_reader_waits_let_others_run(
    around: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", count(0.0, 0.01).__next__)

    async def numbers() -> AsyncIterator[int]:
        for number in range(1600):
            yield number

    stream = Stream([1, 2]) | ops.flat_map(
        lambda _: Stream(numbers) | ops.filter(lambda number: number % 800 == 1), concurrency=2
    )
    slowly = ops.map(lambda number: asyncio.sleep(1.0, number))
    assert run(lambda: stream | slowly | ops.to_list()) == [1, 1, 801, 801]
