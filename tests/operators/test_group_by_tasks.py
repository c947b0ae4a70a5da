"""group_by: groups that have tasks, the item in hand, and as a value."""

import asyncio
import pickle
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import DropOldest, GroupsFullError, OnFull, Stream, Suspend, ops
from streamkit.testing import run
from tests.marbles import noted
from tests.operators.grouping import awaited, later, seconds, third, upper


class TestTasks:
    def test_groups_work_at_the_same_time(self) -> None:
        stream = Stream("abc") | ops.group_by(upper, ops.map(later), max_groups=3)
        assert seconds(noted(stream)) == [(0.5, ("A", "a")), (0.5, ("B", "b")), (0.5, ("C", "c"))]

    def test_a_buffer_at_the_head_of_the_pipe_is_the_groups_own(self) -> None:
        operator = ops.group_by(upper, ops.buffer(DropOldest(1)) | ops.map(later), max_groups=1)
        # all three are there before the group has begun
        assert seconds(noted(Stream("aAa") | operator)) == [(0.5, ("A", "a"))]
        own = (Stream("a") | operator).explain().parts[2]
        assert (own.text, own.loses) == ("buffer(DropOldest(capacity=1))", DropOldest(1).loses)

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

    def test_an_item_of_a_group_that_was_told_to_end_waits_for_that_end(self) -> None:
        async def slow(item: str) -> str:
            await asyncio.sleep(10.0)
            return item

        async def source() -> AsyncIterator[str]:
            yield "a1"
            await asyncio.sleep(5.0)  # the group is idle for longer, but has work to do
            yield "a2"

        pipe = ops.map(slow, concurrency=2)
        stream = Stream(source) | ops.group_by(lambda item: item[0], pipe, max_groups=4, idle=1.0)
        assert seconds(noted(stream)) == [(10.0, ("a", "a1")), (20.0, ("a", "a2"))]
