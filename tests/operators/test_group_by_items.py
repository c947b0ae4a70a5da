"""group_by: what each group makes of its items, and its errors."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from streamkit import Stream, ops
from streamkit._engine.compile.pace import BUDGET
from streamkit.testing import run
from tests.marbles import ERROR, drawn, noted
from tests.operators.grouping import awaited, fail, forms, later, seconds, third, upper

NUMBERS = st.lists(st.integers(0, 9), max_size=40)
# A pipe is an operator for us, and the same by hand: what it makes of all the items of one group.
Model = Callable[[list[int]], list[Any]]


def batches(items: list[Any]) -> list[Any]:
    return [items[start : start + 2] for start in range(0, len(items), 2)]


OPERATORS: list[tuple[Callable[[], Any], Model]] = [
    (lambda: ops.map(str), lambda items: [*map(str, items)]),
    (lambda: ops.filter(bool), lambda items: [*filter(None, items)]),
    (lambda: ops.batch(2), batches),
    (lambda: ops.take(2), lambda items: items[:2]),
    (lambda: ops.take(0), lambda items: []),
    (lambda: ops.skip(1), lambda items: items[1:]),
    (lambda: ops.enumerate(), lambda items: [*enumerate(items)]),
    (
        lambda: ops.map(lambda item: [item, item]) | ops.flatten(),
        lambda items: [i for i in items for _ in "ab"],
    ),
]
SINKS: list[tuple[Callable[[], Any], Callable[[list[Any]], Any]]] = [
    (ops.count, len),
    (ops.to_list, list),
    (lambda: ops.first(default=None), lambda items: items[0] if items else None),
    (lambda: ops.broadcast(ops.count(), ops.to_list()), lambda items: (len(items), items)),
]
PIPES = st.lists(st.sampled_from(OPERATORS), min_size=1, max_size=3)


def joined(pipe: list[Any]) -> Any:
    made = pipe[0][0]()
    for operator, _ in pipe[1:]:
        made = made | operator()
    return made


def by_hand(numbers: list[int], pipe: list[Any]) -> dict[int, Any]:
    groups: dict[int, Any] = {}
    for number in numbers:
        groups.setdefault(third(number), []).append(number)
    for _, model in pipe:
        groups = {key: model(items) for key, items in groups.items()}
    return groups


class TestOperators:
    @given(NUMBERS, PIPES)
    def test_each_group_is_what_the_pipe_makes_of_its_items(self, numbers: list[int], pipe: Any) -> None:
        expected = by_hand(numbers, pipe)
        for form in forms(joined(pipe)):
            stream = Stream(numbers) | ops.group_by(third, form, max_groups=3)
            found: dict[int, list[Any]] = {key: [] for key in expected}
            for key, item in run(lambda stream=stream: awaited(stream | ops.to_list())):
                found[key].append(item)
            assert found == expected

    @given(NUMBERS, PIPES.filter(lambda pipe: all(model is not batches for _, model in pipe)))
    def test_what_is_fused_emits_in_the_order_of_the_items(self, numbers: list[int], pipe: Any) -> None:
        operator = ops.group_by(third, joined(pipe), max_groups=3)
        assume(operator.links[0].declaration.stage is None)  # take behind flatten has tasks
        expected: list[Any] = []
        for place, number in enumerate(numbers):
            key = third(number)
            before = by_hand(numbers[:place], pipe).get(key, [])
            expected += [(key, out) for out in by_hand(numbers[: place + 1], pipe)[key][len(before) :]]
        assert list(Stream(numbers) | operator) == expected

    def test_times(self) -> None:
        stream = Stream(drawn("abAbaB--|")) | ops.group_by(upper, ops.batch(2), max_groups=2)
        assert seconds(noted(stream)) == [
            (2.0, ("A", ["a", "A"])),
            (3.0, ("B", ["b", "b"])),
            (8.0, ("A", ["a"])),
            (8.0, ("B", ["B"])),
        ]

    def test_one_inside_the_other(self) -> None:
        inner = ops.group_by(lambda number: number % 2, ops.to_list(), max_groups=2)
        found = list(Stream(range(8)) | ops.group_by(third, inner, max_groups=3))
        assert found == [
            (0, (0, [0, 6])),
            (0, (1, [3])),
            (1, (1, [1, 7])),
            (1, (0, [4])),
            (2, (0, [2])),
            (2, (1, [5])),
        ]

    def test_three_inside_each_other(self) -> None:
        pipe: Any = ops.count()
        for _ in range(3):
            pipe = ops.group_by(third, pipe, max_groups=3)
        assert list(Stream([1, 1]) | pipe) == [(1, (1, (1, 2)))]

    def test_callbacks_may_wait_though_nobody_knew(self) -> None:
        pipe = ops.map(lambda item: later(item)) | ops.to_list()
        stream = Stream([1, 2, 4]) | ops.group_by(lambda item: later(third(item)), pipe, max_groups=3)
        assert seconds(noted(stream)) == [(3.0, (1, [1, 4])), (3.0, (2, [2]))]

    def test_behind_a_map_whose_workers_run_the_loop(self) -> None:
        async def main() -> Any:
            pipe = ops.map(lambda item: later(item)) | ops.to_list()
            return await (
                Stream(range(6))
                | ops.map(later, concurrency=3)
                | ops.group_by(third, pipe, max_groups=3)
                | ops.to_list()
            )

        assert run(main) == [(0, [0, 3]), (1, [1, 4]), (2, [2, 5])]

    def test_many_groups_end_and_let_others_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        times = count(step=BUDGET)  # each look at the clock finds that it was long
        monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: next(times))

        async def main() -> int:
            turns = 0

            async def watch() -> None:
                nonlocal turns
                while True:
                    await asyncio.sleep(0)
                    turns += bool(ended)

            def note(_: object) -> None:
                ended.append(turns)

            ended: list[int] = []
            watching = asyncio.create_task(watch())
            pairs = ops.group_by(lambda number: number, ops.count(), max_groups=2000)
            assert await (Stream(range(2000)) | pairs | ops.tap(note) | ops.count()) == 2000
            watching.cancel()
            return turns

        assert run(main) >= 5


class TestSinks:
    @given(NUMBERS, st.sampled_from(SINKS), st.lists(st.sampled_from(OPERATORS), max_size=2))
    def test_each_group_has_the_result_of_its_items(self, numbers: list[int], sink: Any, pipe: Any) -> None:
        expected = {key: sink[1](items) for key, items in by_hand(numbers, pipe).items()}
        for form in forms(joined([*pipe, sink])):
            stream = Stream(numbers) | ops.group_by(third, form, max_groups=3)
            found = run(lambda stream=stream: awaited(stream | ops.to_list()))
            assert dict(found) == expected
            assert len(found) == len(expected)

    def test_groups_end_in_the_order_of_their_first_items(self) -> None:
        assert list(Stream("cabac") | ops.group_by(upper, ops.count(), max_groups=3)) == [
            ("C", 2),
            ("A", 2),
            ("B", 1),
        ]

    @pytest.mark.parametrize("pipe", forms(ops.first()), ids=str)
    def test_the_result_of_a_pipe_that_ends_early_comes_at_once(self, pipe: Any) -> None:
        waits = 0.5 if "later" in repr(pipe) else 0.0
        stream = Stream(drawn("a-A-b-a-|")) | ops.group_by(upper, pipe, max_groups=2)
        assert seconds(noted(stream)) == [(0.0 + waits, ("A", "a")), (4.0 + waits, ("B", "b"))]

    def test_what_stops_behind_it_ends_all(self) -> None:
        cleaned: list[float] = []
        stream = Stream(drawn("abc", cleaned)) | ops.group_by(upper, ops.first(), max_groups=3) | ops.take(2)
        assert seconds(noted(stream)) == [(0.0, ("A", "a")), (1.0, ("B", "b"))]
        assert cleaned == [1.0]


class TestErrors:
    @pytest.mark.parametrize("inner", [fail, lambda item: awaited(later(item) and fail(item))], ids=["", "a"])
    @pytest.mark.filterwarnings("ignore:coroutine")
    def test_of_the_pipe_name_the_operator_in_it(self, inner: Any) -> None:
        with pytest.raises(ValueError, match="a") as caught:
            list(Stream("a") | ops.group_by(upper, ops.map(inner) | ops.count(), max_groups=1))
        (place,) = [each for each in caught.value.__notes__ if each.startswith("in ")]
        assert place.startswith("in map(")
        assert "test_group_by_items.py" in place

    @pytest.mark.parametrize("pipe", forms(ops.count()), ids=str)
    def test_a_key_that_is_not_hashable(self, pipe: Any) -> None:
        stream = Stream("a") | ops.group_by(lambda item: [item], pipe, max_groups=1)
        with pytest.raises(TypeError, match="unhashable") as caught:
            run(lambda: awaited(stream | ops.to_list()))
        (place,) = [each for each in caught.value.__notes__ if each.startswith("in ")]
        assert place.startswith("in group_by(")

    @pytest.mark.parametrize("pipe", forms(ops.batch(2)), ids=str)
    def test_of_the_source_end_it_behind_what_groups_hold(self, pipe: Any) -> None:
        found = noted(Stream(drawn("aA-b-X")) | ops.group_by(upper, pipe, max_groups=2))
        assert [item for _, item in found] == [("A", ["a", "A"]), ("B", ["b"]), ERROR]

    @pytest.mark.parametrize("pipe", forms(ops.map(fail)), ids=str)
    def test_of_one_group_end_all_and_close_the_source(self, pipe: Any) -> None:
        cleaned: list[float] = []
        found = noted(Stream(drawn("ab-----", cleaned)) | ops.group_by(upper, pipe, max_groups=2))
        assert isinstance(found[-1][1], ValueError)
        assert len(found) == len(cleaned) == 1
