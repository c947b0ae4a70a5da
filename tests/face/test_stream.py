"""Streams and pipes: composition, equality, repr, pickling, and how they are read; see also test_source."""

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from functools import reduce
from operator import or_
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Job, Keep, KeepLatest, Operator, RunningLoopError, Sink, Stream, Suspend, ops
from streamkit.testing import run


def double(number: int) -> int:
    return 2 * number


def odd(number: int) -> bool:
    return number % 2 == 1


async def numbers() -> AsyncIterator[int]:
    for number in range(4):
        await asyncio.sleep(1.0)
        yield number


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


STEPS: list[Callable[[], Any]] = [
    lambda: ops.map(double),
    lambda: ops.filter(odd),
    lambda: ops.take(3),
    lambda: ops.skip(1),
    lambda: ops.enumerate(1),
    lambda: ops.batch(2),
    lambda: ops.buffer(Suspend(2)),
    lambda: ops.concat([7]),
]
PIPES = st.lists(st.sampled_from(STEPS), min_size=1, max_size=5)


class TestComposition:
    @given(PIPES, st.data())
    def test_brackets_make_no_difference(self, makers: list[Callable[[], Any]], data: st.DataObject) -> None:
        operators = [make() for make in makers]
        cut = data.draw(st.integers(0, len(operators)))
        left, right = operators[:cut], operators[cut:]
        one_by_one = reduce(or_, operators, Stream([1, 2, 3]))
        halves = reduce(or_, left, Stream([1, 2, 3]))
        if right:
            halves = halves | reduce(or_, right)
        assert halves.links == one_by_one.links
        assert repr(halves) == repr(one_by_one)

    @given(PIPES)
    def test_pipe_is_the_same_as_joining(self, makers: list[Callable[[], Any]]) -> None:
        operators = [make() for make in makers]
        assert Stream("a").pipe(*operators).links == reduce(or_, operators, Stream("a")).links

    def test_pipe_takes_a_sink_last(self) -> None:
        assert Stream([1, 2]).pipe(ops.map(double), ops.to_list()).run() == [2, 4]
        job = Stream([1]).pipe(ops.to_list())
        assert isinstance(job, Job)
        assert job.run() == [1]

    def test_pipe_of_nothing_is_the_stream(self) -> None:
        stream = Stream([1])
        assert stream.pipe() is stream

    def test_joining_changes_neither_side(self) -> None:
        stream, operator = Stream([1, 2, 3]), ops.take(2)
        assert list(stream | operator | ops.map(double)) == [2, 4]
        assert list(stream) == [1, 2, 3]
        assert list(stream | operator) == [1, 2]
        assert operator == ops.take(2)

    def test_one_operator_serves_many_pipes_and_keeps_no_state_between_them(self) -> None:
        operator = ops.take(2) | ops.enumerate()
        streams = [Stream("abc") | operator, Stream("xyz") | operator]
        assert [[*a, *b] for a, b in zip(*map(list, streams), strict=True)] == [
            [0, "a", 0, "x"],
            [1, "b", 1, "y"],
        ]

    def test_a_stream_of_a_stream_is_that_stream(self) -> None:
        stream = Stream([1, 2]) | ops.map(double)
        assert Stream(stream).source is stream.source
        assert Stream(stream).links == stream.links

    def test_what_each_join_makes(self) -> None:
        assert isinstance(Stream([]) | ops.take(1), Stream)
        job = Stream([]) | ops.count()
        assert isinstance(job, Job)
        assert job.run() == 0
        assert isinstance(ops.take(1) | ops.skip(1), Keep)
        assert isinstance(ops.map(double) | ops.take(1), Operator)
        assert isinstance(ops.map(double) | ops.count(), Sink)
        assert isinstance(ops.take(1) | ops.to_list(), type(ops.to_list()))

    @pytest.mark.parametrize("other", [5, None, print, [ops.take(1)], "take", Stream([2])])
    def test_what_is_no_operator_cannot_be_joined(self, other: Any) -> None:
        for left in (Stream([1]), ops.take(1), ops.map(double), ops.batch(2)):
            with pytest.raises(TypeError):
                left | other

    def test_nothing_stands_behind_a_job(self) -> None:
        with pytest.raises(TypeError):
            Stream([1]) | ops.to_list() | ops.take(1)  # type: ignore[operator]

    def test_nothing_stands_behind_a_sink(self) -> None:
        with pytest.raises(TypeError, match=r"nothing can stand behind the sink take\(1\) \| to_list\(\)"):
            (ops.take(1) | ops.to_list()) | ops.take(1)


class TestValues:
    @given(st.lists(st.sampled_from(STEPS[:-1]), min_size=1, max_size=5))
    def test_equal_operators_are_equal_and_have_one_hash(self, makers: list[Callable[[], Any]]) -> None:
        one, other = (reduce(or_, [make() for make in makers]) for _ in range(2))
        assert one == other
        assert hash(one) == hash(other)

    def test_streams_are_equal_to_themselves_only(self) -> None:
        one, other = Stream([1]), Stream([1])
        assert one != other  # each has its own mark of having been run
        assert ops.merge(one) != ops.merge(other)

    @pytest.mark.parametrize("operator", [ops.merge, ops.zip, ops.concat])
    def test_operators_over_the_same_stream_are_equal(self, operator: Any) -> None:
        stream = Stream([1])
        assert operator(stream) == operator(stream)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (ops.take(1), ops.take(2)),
            (ops.take(1), ops.skip(1)),
            (ops.map(double), ops.map(odd)),
            (ops.map(double), ops.map(double, concurrency=2)),
            (ops.map(double, concurrency=2), ops.map(double, concurrency=2, ordered=False)),
            (ops.buffer(Suspend(1)), ops.buffer(KeepLatest())),
            (ops.first(), ops.first(default=None)),
            (ops.take(1), ops.take(1) | ops.take(1)),
            (ops.take(1) | ops.skip(1), ops.skip(1) | ops.take(1)),
            (ops.take(1), "take(1)"),
        ],
        ids=repr,
    )
    def test_other_arguments_or_another_order_make_another_operator(self, one: Any, other: Any) -> None:
        assert one != other

    @pytest.mark.parametrize(
        ("operator", "text"),
        [
            (ops.take(2), "take(2)"),
            (ops.map(double), "map(double)"),
            (ops.map(lambda number: number), "map(<lambda>)"),
            (ops.map(double, concurrency=4), "map(double, concurrency=4)"),
            (ops.map(double, concurrency=4, ordered=False), "map(double, concurrency=4, ordered=False)"),
            (ops.take_while(odd, inclusive=True), "take_while(odd, inclusive=True)"),
            (ops.scan(or_), "scan(or_)"),
            (ops.scan(or_, 0), "scan(or_, 0)"),
            (ops.distinct_until_changed(), "distinct_until_changed()"),
            (ops.enumerate(), "enumerate()"),
            (ops.enumerate(1), "enumerate(1)"),
            (ops.buffer(Suspend(3)), "buffer(Suspend(capacity=3))"),
            (ops.first(default=None), "first(default=None)"),
            (ops.map(str) | ops.take(1) | ops.to_list(), "map(str) | take(1) | to_list()"),
            (Stream([1]) | ops.map(str), "Stream([1]) | map(str)"),
            (Stream(numbers) | ops.map(str), "Stream(numbers) | map(str)"),
            (Stream([1]) | ops.map(str) | ops.count(), "Job([1] | map(str) | count())"),
        ],
        ids=str,
    )
    def test_repr_is_how_it_was_written(self, operator: Any, text: str) -> None:
        assert repr(operator) == text

    def test_a_long_argument_is_cut(self) -> None:
        assert len(repr(Stream(list(range(1000))))) < 80
        assert len(repr(ops.scan(or_, "a" * 1000))) < 80

    @pytest.mark.parametrize(
        "pipe",
        [
            ops.take(2),
            ops.map(double),
            ops.map(double, concurrency=2),
            ops.distinct_until_changed(),
            ops.scan(or_),
            ops.first(),
            ops.to_list(),
            ops.buffer(Suspend(2)),
            ops.broadcast(ops.count(), ops.to_list()),
            ops.broadcast(ops.take(2), ops.map(double)),
            ops.filter(odd) | ops.batch(2) | ops.to_list(),
        ],
        ids=repr,
    )
    def test_a_copy_by_pickle_is_equal_and_does_the_same(self, pipe: Any) -> None:
        copy = pickle.loads(pickle.dumps(pipe))
        assert (copy, repr(copy), type(copy)) == (pipe, repr(pipe), type(pipe))
        one, other = Stream([1, 2, 3]) | pipe, Stream([1, 2, 3]) | copy
        if isinstance(one, Job):
            assert one.run() == other.run()
        else:
            assert sorted(one) == sorted(other)

    @pytest.mark.parametrize("operator", [ops.merge, ops.zip, ops.concat])
    def test_an_operator_is_copied_with_the_streams_that_it_reads(self, operator: Any) -> None:
        pipe = operator(Stream([3, 4]) | ops.map(double))
        copy = pickle.loads(pickle.dumps(pipe))
        assert sorted(Stream([1, 2]) | copy) == sorted(Stream([1, 2]) | pipe)

    def test_a_stream_and_a_job_are_copied_too(self) -> None:
        stream = Stream([1, 2, 3]) | ops.map(double) | ops.batch(2)
        assert list(pickle.loads(pickle.dumps(stream))) == [[2, 4], [6]]
        assert pickle.loads(pickle.dumps(stream | ops.to_list())).run() == [[2, 4], [6]]

    def test_a_copy_still_says_where_it_was_written(self) -> None:
        operator = ops.map(double)
        for pipe in (operator, pickle.loads(pickle.dumps(operator))):
            with pytest.raises(TypeError) as caught:
                list(Stream([None]) | pipe)
            assert "test_stream.py:" in caught.value.__notes__[0]

    def test_what_cannot_be_pickled_says_so(self) -> None:
        with pytest.raises((pickle.PicklingError, AttributeError)):
            pickle.dumps(ops.map(lambda number: number))


class TestReading:
    def test_nothing_runs_before_it_is_read(self) -> None:
        begun: list[bool] = []

        def source() -> Iterator[int]:
            begun.append(True)
            yield 1

        stream = Stream(source) | ops.map(double) | ops.buffer(Suspend(1))
        stream.explain()
        repr(stream)
        assert begun == []
        assert list(stream) == [2]
        assert begun == [True]

    def test_two_runs_at_once_do_not_know_of_each_other(self) -> None:
        async def main() -> None:
            stream = Stream(numbers) | ops.enumerate()
            found = await asyncio.gather(collect(stream), collect(stream))
            assert found[0] == found[1] == list(enumerate(range(4)))

        run(main)

    def test_open_ends_with_its_block(self) -> None:
        closed: list[bool] = []

        async def source() -> AsyncIterator[int]:
            try:
                yield 1
                yield 2
            finally:
                await asyncio.sleep(1.0)
                closed.append(True)

        async def main() -> None:
            async with (Stream(source) | ops.map(double)).open() as items:
                assert await anext(items) == 2
                assert not closed
            assert closed == [True]
            with pytest.raises(StopAsyncIteration):
                await anext(items)

        run(main)

    def test_each_open_is_for_one_use(self) -> None:
        async def main() -> None:
            opened = Stream([1]).open()
            with pytest.raises(RuntimeError, match="enter the stream first"):
                await anext(opened)
            async with opened as items:
                with pytest.raises(RuntimeError, match=r"open already; call open\(\) for each use"):
                    await opened.__aenter__()
                assert await collect(items) == [1]

        run(main)

    @pytest.mark.parametrize(
        "stream",
        [Stream(numbers), Stream([1]) | ops.buffer(Suspend(1)), Stream([1]) | ops.map(asyncio.sleep)],
        ids=["async source", "stage", "async callback"],
    )
    def test_a_plain_for_inside_a_loop_says_what_to_write(self, stream: Any) -> None:
        async def main() -> None:
            with pytest.raises(RunningLoopError, match="use async for x in stream"):
                list(stream)

        run(main)

    def test_a_plain_for_of_what_never_waits_is_fine_inside_a_loop(self) -> None:
        async def main() -> None:
            assert list(Stream([1, 2]) | ops.map(double)) == [2, 4]

        run(main)

    @pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
    @pytest.mark.parametrize(
        "operator",
        [
            ops.take(9),
            ops.merge([]),
            ops.concat([]),
        ],
        ids=repr,
    )
    def test_what_ends_the_program_comes_out_of_a_plain_for(
        self, operator: Any, error: type[BaseException]
    ) -> None:
        def source() -> Iterator[int]:
            yield 1
            raise error

        with pytest.raises(error):
            list(Stream(source) | operator)


def test_an_iterator_that_is_asked_for_by_hand_gives_each_item_once() -> None:
    async def main() -> None:
        for stream in (Stream([1, 2, 3]), Stream([1, 2, 3]) | ops.map(abs) | ops.buffer(Suspend(1))):
            items = aiter(stream)
            assert [await anext(items), await anext(items)] == [1, 2]
            assert [item async for item in items] == [3]
            await items.aclose()

    run(main)
