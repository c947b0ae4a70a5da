"""group_by."""

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from streamkit import DropOldest, GroupsFullError, OnFull, Stream, StreamkitError, Suspend, ops
from streamkit.testing import run
from tests.marbles import ERROR, drawn, note, noted

NUMBERS = st.lists(st.integers(0, 9), max_size=40)


def third(number: int) -> int:
    return number % 3


def upper(letter: str) -> str:
    return letter.upper()


async def later(item: Any) -> Any:
    await asyncio.sleep(0.5)
    return item


def fail(item: Any) -> Any:
    raise ValueError(item)


async def awaited(job: Any) -> Any:
    return await job


def seconds(found: list[tuple[float, Any]]) -> list[tuple[float, Any]]:
    """What came and when, but for the end."""
    assert found[-1][1] == "|", found
    return found[:-1]


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


def forms(pipe: Any) -> list[Any]:
    """The pipe as it is, and the same with a stage in it, which gives each group a task."""
    return [pipe, ops.buffer(Suspend(2)) | pipe, ops.map(later) | pipe]


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

    def test_many_groups_end_and_let_others_run(self) -> None:
        async def main() -> int:
            turns = 0

            async def watch() -> None:
                nonlocal turns
                while True:
                    await asyncio.sleep(0)
                    turns += 1

            watching = asyncio.create_task(watch())
            pairs = ops.group_by(lambda number: number, ops.count(), max_groups=2000)
            assert await (Stream(range(2000)) | pairs | ops.count()) == 2000
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


class TestFull:
    @pytest.mark.parametrize("pipe", forms(ops.to_list()), ids=str)
    def test_fails_and_names_the_key_and_the_limit(self, pipe: Any) -> None:
        stream = Stream("aAb") | ops.group_by(upper, pipe, max_groups=1)
        with pytest.raises(GroupsFullError, match=r"'B'.*max_groups=1") as caught:
            run(lambda: awaited(stream | ops.to_list()))
        assert isinstance(caught.value, StreamkitError)
        assert isinstance(caught.value, BufferError)
        (place,) = [each for each in caught.value.__notes__ if each.startswith("in ")]
        assert place.startswith("in group_by(upper, ")

    @pytest.mark.parametrize("pipe", forms(ops.to_list()), ids=str)
    def test_the_idlest_group_is_evicted_and_its_key_begins_anew(self, pipe: Any) -> None:
        stream = Stream("abAcb") | ops.group_by(upper, pipe, max_groups=2, on_full=OnFull.EVICT)
        found = run(lambda: awaited(stream | ops.to_list()))
        assert found[:2] == [("B", ["b"]), ("A", ["a", "A"])]
        assert sorted(found[2:]) == [("B", ["b"]), ("C", ["c"])]

    @pytest.mark.parametrize("pipe", forms(ops.take(1) | ops.to_list()), ids=str)
    def test_a_group_that_ended_early_can_be_evicted_too(self, pipe: Any) -> None:
        stream = Stream("aAba") | ops.group_by(upper, pipe, max_groups=1, on_full=OnFull.EVICT)
        found = run(lambda: awaited(stream | ops.to_list()))
        assert found == [("A", ["a"]), ("B", ["b"]), ("A", ["a"])]

    def test_the_source_waits_until_a_group_is_idle(self) -> None:
        stream = Stream(drawn("abA|")) | ops.group_by(
            upper, ops.to_list(), max_groups=1, on_full=OnFull.WAIT, idle=5.0
        )
        assert seconds(noted(stream)) == [(5.0, ("A", ["a"])), (10.0, ("B", ["b"])), (10.0, ("A", ["A"]))]

    @pytest.mark.spread(2)
    @pytest.mark.parametrize("length", [2, 3, 30])
    @pytest.mark.parametrize("most", [1, 2])
    @pytest.mark.parametrize("on_full", OnFull)
    @pytest.mark.parametrize(
        "pipe",
        [
            each
            for pipe in (ops.map(str), ops.batch(2), ops.take(1), ops.first(), ops.count(), ops.take(0))
            for each in (
                *forms(pipe),
                ops.map(later, concurrency=2) | pipe,
                ops.buffer(DropOldest(1)) | pipe,
                ops.timeout(99.0) | pipe,
                ops.merge("z") | pipe,
            )
        ],
        ids=str,
    )
    def test_never_deadlocks(self, pipe: Any, on_full: OnFull, most: int, length: int) -> None:
        given: dict[str, Any] = {"idle": 1.0} if on_full is OnFull.WAIT else {}

        async def main() -> list[Any]:
            keys = [number * number % 11 for number in range(length)]
            operator = ops.group_by(lambda number: number, pipe, max_groups=most, on_full=on_full, **given)
            async with asyncio.timeout(1000.0):
                return await note(Stream(keys) | operator, 0.5, 0.0, 5.0)

        end = run(main)[-1][1]
        if on_full is OnFull.FAIL and length > most:
            assert isinstance(end, GroupsFullError)
        else:
            assert end == "|"


class TestIdle:
    def test_ends_groups_that_had_no_item_for_so_long(self) -> None:
        stream = Stream(drawn("ab-A----a-|")) | ops.group_by(upper, ops.to_list(), max_groups=9, idle=3.0)
        assert seconds(noted(stream)) == [
            (4.0, ("B", ["b"])),
            (6.0, ("A", ["a", "A"])),
            (10.0, ("A", ["a"])),
        ]

    def test_a_group_for_which_an_item_waits_is_not_idle(self) -> None:
        async def slow(item: str) -> str:
            await asyncio.sleep(10.0)
            return item

        stream = Stream("aaaa") | ops.group_by(upper, ops.map(slow) | ops.to_list(), max_groups=1, idle=3.0)
        # the last item has found its place at 20
        assert seconds(noted(stream)) == [(40.0, ("A", ["a", "a", "a", "a"]))]

    def test_nothing_is_left_when_the_consumer_leaves(self) -> None:
        async def main() -> None:
            stream = Stream(drawn("ab")) | ops.group_by(upper, ops.map(str), max_groups=9, idle=3.0)
            async with stream.open() as items:
                async for _ in items:
                    break

        run(main)


class TestErrors:
    @pytest.mark.parametrize("inner", [fail, lambda item: awaited(later(item) and fail(item))], ids=["", "a"])
    @pytest.mark.filterwarnings("ignore:coroutine")
    def test_of_the_pipe_name_the_operator_in_it(self, inner: Any) -> None:
        with pytest.raises(ValueError, match="a") as caught:
            list(Stream("a") | ops.group_by(upper, ops.map(inner) | ops.count(), max_groups=1))
        (place,) = [each for each in caught.value.__notes__ if each.startswith("in ")]
        assert place.startswith("in map(")
        assert "test_group_by.py" in place

    @pytest.mark.parametrize("pipe", forms(ops.count()), ids=str)
    def test_a_key_that_is_not_hashable(self, pipe: Any) -> None:
        stream = Stream("a") | ops.group_by(lambda item: [item], pipe, max_groups=1)
        with pytest.raises(TypeError, match="unhashable") as caught:
            run(lambda: awaited(stream | ops.to_list()))
        (place,) = [each for each in caught.value.__notes__ if each.startswith("in ")]
        assert place.startswith("in group_by(")

    @pytest.mark.parametrize("pipe", forms(ops.batch(2)), ids=str)
    def test_of_the_source_end_it_without_what_is_not_complete(self, pipe: Any) -> None:
        found = noted(Stream(drawn("aA-b-X")) | ops.group_by(upper, pipe, max_groups=2))
        assert [item for _, item in found] == [("A", ["a", "A"]), ERROR]

    @pytest.mark.parametrize("pipe", forms(ops.map(fail)), ids=str)
    def test_of_one_group_end_all_and_close_the_source(self, pipe: Any) -> None:
        cleaned: list[float] = []
        found = noted(Stream(drawn("ab-----", cleaned)) | ops.group_by(upper, pipe, max_groups=2))
        assert isinstance(found[-1][1], ValueError)
        assert len(found) == len(cleaned) == 1


class TestTasks:
    def test_groups_work_at_the_same_time(self) -> None:
        stream = Stream("abc") | ops.group_by(upper, ops.map(later), max_groups=3)
        assert seconds(noted(stream)) == [(0.5, ("A", "a")), (0.5, ("B", "b")), (0.5, ("C", "c"))]

    def test_a_buffer_at_the_head_of_the_pipe_is_the_groups_own(self) -> None:
        operator = ops.group_by(upper, ops.buffer(DropOldest(1)) | ops.map(later), max_groups=1)
        # all three are there before the group has begun
        assert seconds(noted(Stream("aAa") | operator)) == [(0.5, ("A", "a"))]
        assert (Stream("a") | operator).explain().parts[1].loses == DropOldest(1).loses

    def test_items_are_accounted_for_by_group(self) -> None:
        async def main() -> None:
            keys = [0, 1, 0, 2, 0, 1, 3]
            handle = (
                Stream(keys)
                | ops.group_by(third, ops.map(later) | ops.first(), max_groups=2, on_full=OnFull.EVICT)
                | ops.drain()
            ).start()
            await handle
            found = [each for each in handle.buffers() if each.strategy is not None]
            for each in found:
                assert each.offered == each.delivered + each.dropped + each.folded + each.refused + each.held
            assert len(found) == 4
            assert sum(each.offered for each in found[:2]) == len(keys)

        run(main)

    def test_the_seconds_that_groups_before_it_were_full_count_too(self) -> None:
        async def source() -> AsyncIterator[int]:
            for number in (0, 0, 1, 1):
                yield number
                await asyncio.sleep(0.25)  # the group is at work on the first one
                yield number
                await asyncio.sleep(2.0)

        async def main() -> None:
            pipe = ops.buffer(Suspend(1)) | ops.map(later)
            groups = ops.group_by(third, pipe, max_groups=1, on_full=OnFull.EVICT)
            handle = (Stream(source) | groups | ops.drain()).start()
            await handle
            assert [each.seconds_full for each in handle.buffers()] == [4 * 0.25, 0.0]

        run(main)

    def test_groups_that_come_and_go_leave_nothing_behind(self) -> None:
        async def main() -> int:
            handle = (
                Stream(range(200))
                | ops.group_by(lambda n: n, ops.map(later) | ops.count(), max_groups=2, on_full=OnFull.EVICT)
                | ops.drain()
            ).start()
            await handle
            return len(handle.buffers())

        assert run(main) == 4

    @pytest.mark.parametrize("sink", [False, True])
    def test_buffers_inside_of_groups_that_have_ended_leave_their_sums(self, sink: bool) -> None:
        async def main() -> None:
            inner = ops.map(later) | ops.buffer(Suspend(3))
            operator = ops.group_by(
                lambda n: n, inner | ops.count() if sink else inner, max_groups=2, on_full=OnFull.EVICT
            )
            handle = (Stream(range(50)) | operator | ops.drain()).start()
            await asyncio.sleep(5.25)
            assert len(handle.buffers()) <= 4 + 2 + 1  # two groups, what is inside them, and what was
            await handle
            (inside,) = [each for each in handle.buffers() if each.operator.startswith("buffer")]
            assert (inside.offered, inside.delivered, inside.held) == (50, 50, 0)

        run(main)


class TestValue:
    def test_is_shown_as_it_was_written(self) -> None:
        assert (
            repr(ops.group_by(third, ops.count(), max_groups=2)) == "group_by(third, count(), max_groups=2)"
        )
        evicting = ops.group_by(third, ops.count(), max_groups=2, on_full=OnFull.EVICT)
        assert repr(evicting) == "group_by(third, count(), max_groups=2, on_full=OnFull.EVICT)"

    @pytest.mark.parametrize("pipe", [ops.count(), ops.take(2), ops.buffer(Suspend(2))], ids=str)
    def test_is_a_value(self, pipe: Any) -> None:
        operator = ops.group_by(third, pipe, max_groups=2)
        assert operator == ops.group_by(third, pipe, max_groups=2)
        assert operator != ops.group_by(third, pipe, max_groups=3)
        assert pickle.loads(pickle.dumps(operator)) == operator
        assert hash(operator) == hash(pickle.loads(pickle.dumps(operator)))

    def test_a_pipe_too_large_to_be_spliced_has_tasks(self) -> None:
        pipe: Any = ops.map(abs)
        for _ in range(700):
            pipe = pipe | ops.map(abs)
        operator = ops.group_by(third, pipe, max_groups=3)
        assert operator.links[0].declaration.stage is not None
        found = run(lambda: awaited(Stream([-1, 2]) | operator | ops.to_list()))
        assert sorted(found) == [(2, 1), (2, 2)]

    def test_the_bound_counts_the_pipe_for_each_group(self) -> None:
        stream = Stream([1]) | ops.group_by(third, ops.batch(4), max_groups=5)
        assert stream.explain().bound == 5 * 3 + 1
        staged = Stream([1]) | ops.group_by(third, ops.map(later) | ops.batch(4), max_groups=5)
        assert staged.explain().bound == 1 + 5 * (1 + 4) + 4

    @pytest.mark.parametrize(
        ("given", "error", "message"),
        [
            ({"key": 1}, TypeError, "key must be a callable, not 1"),
            ({"pipe": str}, TypeError, "pipe must be operators, or operators and a sink, not <class 'str'>"),
            ({"max_groups": 0}, ValueError, "max_groups must be a whole number of at least 1, not 0"),
            ({"max_groups": 1.5}, TypeError, "max_groups must be a whole number of at least 1, not 1.5"),
            ({"on_full": "fail"}, TypeError, "on_full must be OnFull.FAIL, .*, not 'fail'"),
            ({"on_full": OnFull.WAIT}, ValueError, "on_full must be .* without idle=, not OnFull.WAIT"),
            ({"idle": 0}, ValueError, "idle must be a finite number of seconds above 0, not 0"),
            ({"idle": None}, TypeError, "idle must be a finite number of seconds above 0, not None"),
        ],
    )
    def test_bad_arguments_raise_at_the_call(
        self, given: dict[str, Any], error: type[Exception], message: str
    ) -> None:
        arguments: dict[str, Any] = {"key": third, "pipe": ops.count(), "max_groups": 1, **given}
        with pytest.raises(error, match=message):
            ops.group_by(**arguments)


class TestTheItemInHand:
    """While its group has no room, or there is no place for one, an item waits in the hand of the pump."""

    def test_is_dropped_and_told_where_the_run_ends_early(self) -> None:
        lost: list[tuple[int, str]] = []

        async def slow(item: int) -> int:
            await asyncio.sleep(100.0)
            return item

        async def main() -> None:
            pipe = ops.buffer(DropOldest(2, on_drop=lambda item, why: lost.append((item, why)))) | ops.map(
                slow
            )
            grouped = ops.group_by(str, pipe, max_groups=1, on_full=OnFull.WAIT, idle=1.0)
            handle = (Stream(range(2)) | grouped | ops.drain()).start()
            await asyncio.sleep(5.0)
            await handle.stop()
            assert (1, "closed") in lost
            stats = [each for each in handle.buffers() if isinstance(each.strategy, DropOldest)]
            assert sum(each.offered for each in stats) == 2
            assert sum(each.dropped for each in stats) == 1

        run(main)

    def test_is_delivered_before_an_error_of_the_source(self) -> None:
        pulled: list[int] = []
        found: list[int] = []

        async def source() -> AsyncIterator[int]:
            async with asyncio.timeout(1.0):
                for number in range(9):
                    pulled.append(number)
                    yield number

        async def slow(item: int) -> int:
            await asyncio.sleep(0.4)
            return item

        async def main() -> None:
            stream = Stream(source) | ops.group_by(lambda _: 0, ops.map(slow), max_groups=3)
            with pytest.raises(TimeoutError):
                async for _, item in stream:
                    found.append(item)
            assert found == pulled

        run(main)

    def test_is_refused_where_there_are_too_many_groups(self) -> None:
        async def same(item: int) -> int:
            return item

        async def main() -> None:
            handle = (Stream(range(2)) | ops.group_by(str, ops.map(same), max_groups=1) | ops.drain()).start()
            with pytest.raises(GroupsFullError):
                await handle
            assert sum(each.refused for each in handle.buffers()) == 1

        run(main)
