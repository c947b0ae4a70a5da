"""window: by count and by predicate, and what holds for all kinds."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from operator import add
from typing import Any

import pytest
import reactivex
from hypothesis import given, strategies as st
from reactivex import operators as rx

from streamkit import Hopping, Sliding, Stream, Suspend, Tumbling, Until, Window, attached, ops
from streamkit.testing import run
from tests.operators.grouping import awaited, fail, later
from tests.operators.windowing import pipes

SIZES = st.integers(1, 5)
ITEMS = st.lists(st.integers(), max_size=20)


def listed(items: Any, kind: Any, pipe: Any = None) -> list[Any]:
    """The items of each window, without its bounds."""
    return [each for _, each in Stream(items) | ops.window(kind, pipe or ops.to_list())]


def of_rx(items: list[int], count: int, skip: int) -> list[list[int]]:
    found: list[list[int]] = []
    reactivex.from_iterable(items).pipe(rx.buffer_with_count(count, skip)).subscribe(found.append)
    return [each for each in found if each]


class TestByCount:
    @given(ITEMS, SIZES)
    def test_tumbling_is_what_batch_does(self, items: list[int], count: int) -> None:
        assert listed(items, Tumbling(count=count)) == list(Stream(items) | ops.batch(count))

    @given(ITEMS, SIZES, SIZES)
    def test_hopping_is_what_rx_does(self, items: list[int], count: int, every: int) -> None:
        assert listed(items, Hopping(count=count, every=every)) == of_rx(items, count, every)

    @given(ITEMS, SIZES)
    def test_sliding_has_each_item_with_those_before_it(self, items: list[int], count: int) -> None:
        expected = [items[max(0, end - count) : end] for end in range(1, len(items) + 1)]
        assert listed(items, Sliding(count=count)) == expected

    @given(ITEMS, SIZES, SIZES)
    def test_the_bounds_are_the_numbers_of_the_items(self, items: list[int], count: int, every: int) -> None:
        for kind in (Tumbling(count=count), Hopping(count=count, every=every), Sliding(count=count)):
            for (start, end), found in Stream(items) | ops.window(kind, ops.to_list()):
                assert found == items[int(start) : int(end)]

    def test_a_window_is_passed_on_with_its_last_item(self) -> None:
        taken: list[int] = []

        def source() -> Iterator[int]:
            for number in range(9):
                taken.append(number)
                yield number

        found = (Stream(source) | ops.window(Tumbling(count=3), ops.count()) | ops.first()).run()
        assert found == (Window(0, 3), 3)
        assert taken == [0, 1, 2]

    def test_a_source_that_has_an_end_at_a_window_has_no_empty_window_after_it(self) -> None:
        assert listed("abcd", Tumbling(count=2)) == [["a", "b"], ["c", "d"]]
        assert listed("", Tumbling(count=2)) == []


class TestUntil:
    @given(st.text("ab |", max_size=20))
    def test_the_item_that_ends_a_window_is_its_last(self, text: str) -> None:
        found = ["".join(each) for each in listed(text, Until("|".__eq__))]
        assert "".join(found) == text
        assert all(each.count("|") == 1 and each.endswith("|") for each in found[:-1])
        assert all("|" not in each[:-1] for each in found[-1:])

    def test_a_predicate_may_be_asynchronous(self) -> None:
        async def even(number: int) -> bool:
            await asyncio.sleep(1.0)
            return number % 2 == 0

        stream = Stream([1, 3, 2, 5]) | ops.window(Until(even), ops.to_list())
        assert run(lambda: awaited(stream | ops.to_list())) == [
            (Window(0, 3), [1, 3, 2]),
            (Window(3, 4), [5]),
        ]

    def test_bounds_grow_with_the_window(self) -> None:
        found = list(Stream("ab|c") | ops.window(Until("|".__eq__), ops.map(str.upper)))
        assert found == [
            (Window(0, 1), "A"),
            (Window(0, 2), "B"),
            (Window(0, 3), "|"),
            (Window(3, 4), "C"),
        ]


KINDS = (
    Tumbling(count=2),
    Hopping(count=3, every=2),
    Sliding(count=2),
    Until(lambda number: number % 3 == 0),
)


class TestPipes:
    @pytest.mark.parametrize("kind", KINDS, ids=str)
    def test_pipes_with_tasks_do_what_pipes_of_steps_do(self, kind: Any) -> None:
        for pipe in (ops.to_list(), ops.batch(2), ops.take(1), ops.first(), ops.map(str), ops.take(0)):
            of_steps, of_tasks = (sorted(map(repr, listed(range(1, 8), kind, each))) for each in pipes(pipe))
            assert of_steps == of_tasks

    def test_a_pipe_that_ends_early_passes_its_result_on_at_once(self) -> None:
        found = list(Stream(range(5)) | ops.window(Tumbling(count=3), ops.first()))
        assert found == [(Window(0, 3), 0), (Window(3, 6), 3)]

    def test_a_pipe_that_ends_early_in_one_window_goes_on_in_the_others(self) -> None:
        found = listed(range(5), Hopping(count=3, every=1), ops.skip(1) | ops.take(1))
        assert found == [1, 2, 3, 4]

    def test_results_of_awaitables_keep_their_order(self) -> None:
        stream = Stream(range(5)) | ops.window(Tumbling(count=2), ops.map(later) | ops.to_list())
        found = run(lambda: awaited(stream | ops.to_list()))
        assert [each for _, each in found] == [[0, 1], [2, 3], [4]]

    def test_windows_in_windows(self) -> None:
        inner = ops.window(Tumbling(count=2), ops.fold(add, 0))
        assert listed(range(6), Tumbling(count=4), inner) == [
            (Window(0, 2), 1),
            (Window(2, 4), 5),
            (Window(0, 2), 9),
        ]

    def test_windows_by_key(self) -> None:
        windows = ops.window(Hopping(count=2, every=1), ops.to_list())
        grouped = ops.group_by(lambda number: number % 2, windows, max_groups=2)
        found = [(key, items) for key, (_, items) in Stream(range(6)) | grouped]
        assert found == [(0, [0, 2]), (1, [1, 3]), (0, [2, 4]), (1, [3, 5]), (0, [4]), (1, [5])]

    @pytest.mark.parametrize(
        ("kind", "arguments"),
        [
            (Sliding(count=2), {}),
            (Sliding(seconds=3), {"timestamp": float, "max_held": 9, "on_late": lambda _: None}),
        ],
        ids=["count", "seconds"],
    )
    def test_a_window_for_each_item_by_key(self, kind: Any, arguments: Any) -> None:
        windows = ops.window(kind, ops.to_list(), **arguments)
        grouped = ops.group_by(lambda number: number % 2, windows, max_groups=2)
        found = [(key, items) for key, (_, items) in Stream(range(5)) | grouped]
        assert found == [(0, [0]), (1, [1]), (0, [0, 2]), (1, [1, 3]), (0, [2, 4])]

    def test_keys_in_windows(self) -> None:
        keys = ops.group_by(lambda number: number % 2, ops.count(), max_groups=2)
        assert listed(range(5), Tumbling(count=3), keys) == [(0, 2), (1, 1), (1, 1), (0, 1)]

    def test_a_pipe_too_large_for_a_loop_runs_in_tasks(self) -> None:
        pipe: Any = ops.map(str)
        for _ in range(60):
            pipe = (
                pipe | ops.flat_map(lambda text: [text], concurrency=1)
                if _ % 20 == 0
                else pipe | ops.flatten()
            )
        assert [*islice(listed("ab", Tumbling(count=1), pipe), 2)] == ["a", "b"]


class TestErrors:
    @pytest.mark.parametrize("kind", KINDS, ids=str)
    @pytest.mark.parametrize("pipe", pipes(ops.map(fail)), ids=str)
    def test_an_error_in_a_window_ends_all_and_is_blamed(self, kind: Any, pipe: Any) -> None:
        with pytest.raises(ValueError, match="1") as caught:
            list(Stream([1, 2]) | ops.window(kind, pipe))
        assert any("map(fail)" in note for note in caught.value.__notes__)

    def test_an_error_of_the_predicate_is_blamed_on_window(self) -> None:
        with pytest.raises(ValueError, match="1") as caught:
            list(Stream([1, 2]) | ops.window(Until(fail), ops.count()))
        assert any(note.startswith("in window(Until(fail), count()) at") for note in caught.value.__notes__)

    def test_what_a_window_holds_back_comes_before_an_error_of_the_source(self) -> None:
        def source() -> Iterator[int]:
            yield 1
            raise LookupError

        seen: list[Any] = []
        with pytest.raises(LookupError) as caught:
            (Stream(source) | ops.window(Tumbling(count=3), ops.batch(2)) | ops.for_each(seen.append)).run()
        assert seen == [(Window(0, 3), [1])]
        assert not attached(caught.value)

    def test_a_sink_has_no_result_after_an_error(self) -> None:
        def source() -> Iterator[int]:
            yield 1
            raise LookupError

        seen: list[Any] = []
        with pytest.raises(LookupError):
            (Stream(source) | ops.window(Tumbling(count=3), ops.count()) | ops.for_each(seen.append)).run()
        assert seen == []


class TestContract:
    def test_windows_that_overlap_hold_what_all_their_pipes_hold(self) -> None:
        windows = ops.window(Hopping(count=10, every=3), ops.batch(3))
        assert (Stream("a") | windows).explain().bound == 1 + 4 * 2

    def test_pipes_with_tasks_hold_what_is_on_its_way_to_them(self) -> None:
        windows = ops.window(Tumbling(count=2), ops.buffer(Suspend(5)) | ops.count())
        assert (Stream("a") | windows).explain().bound >= 5

    @pytest.mark.full
    def test_a_million_items(self) -> None:
        for kind in (Tumbling(count=10), Until(lambda number: number % 10 == 9)):
            windows = ops.window(kind, ops.count())
            assert (Stream(range(1_000_000)) | windows | ops.count()).run() == 100_000


def test_a_window_is_a_value() -> None:
    window = Window(1.0, 2.0)
    assert window == Window(1, 2)
    assert {window: 1}[Window(1, 2)] == 1
    assert sorted([Window(2, 3), Window(1, 3), Window(1, 2)]) == [Window(1, 2), Window(1, 3), Window(2, 3)]
    start, end = window
    assert (start, end) == (1.0, 2.0)
    assert repr(window) == "Window(start=1.0, end=2.0)"
