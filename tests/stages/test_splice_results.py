"""A broadcast whose branches are steps, spliced into the loop that reads: results and errors."""

# ruff: noqa: B023 - what is defined in a loop runs in that turn of it

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from operator import neg
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from streamkit import Stream, ops
from streamkit.testing import run
from tests.stages.splicing import (
    SINKS,
    SOURCES,
    branches,
    collected,
    generated,
    joined,
    nested,
    outcome,
    spliced,
)
from tests.tiers import examples


class Boom(Exception):  # noqa: N818
    """The error of these tests."""


def mark_with(mark: int, item: Any) -> Any:
    return (mark, item)


def fork(items: list[Any], pipes: list[Any]) -> list[list[Any]]:
    """What each of `pipes` makes of `items`, alone."""
    return [list(Stream(items) | pipe) for pipe in pipes]


class TestResults:
    @settings(max_examples=examples(20))
    @given(st.lists(st.integers(0, 5), max_size=9), st.lists(nested(), min_size=1, max_size=3))
    def test_each_branch_gives_what_it_gives_alone(self, numbers: list[int], pipes: list[Any]) -> None:
        # the number of each branch tells its items apart
        marked = [pipe | ops.map(partial(mark_with, n)) for n, pipe in enumerate(pipes)]
        alone = fork(numbers, pipes)
        for source in SOURCES:
            stream = Stream(source(numbers)) | ops.broadcast(*marked)
            for found in (
                list(stream),
                run(lambda: collected(stream)),
                run(lambda: outcome(stream | ops.to_list())),
            ):
                for n, items in enumerate(alone):
                    mine = [item for mark, item in found if mark == n]
                    # branches in a branch may be merged in another order
                    assert sorted(map(repr, mine)) == sorted(map(repr, items))

    @settings(max_examples=examples(20))
    @given(
        st.lists(st.integers(0, 5), max_size=9),
        st.lists(st.tuples(branches, st.sampled_from(SINKS)), min_size=1, max_size=4),
    )
    def test_sinks(self, numbers: list[int], pipes: list[tuple[list[Any], Any]]) -> None:
        sinks = [joined([*operators, sink]) for operators, sink in pipes]
        alone = tuple([(Stream(numbers) | sink).run() for sink in sinks])
        for source in SOURCES:
            assert (Stream(source(numbers)) | ops.broadcast(*sinks)).run() == alone

    def test_in_lock_step_branch_by_branch(self) -> None:
        fan: Any = ops.broadcast(ops.map(neg), ops.map(str))
        assert spliced(fan)
        assert list(Stream([1, 2]) | fan | ops.batch(3)) == [[-1, "1", -2], ["2"]]

    def test_each_finishes_in_turn_and_then_what_is_behind(self) -> None:
        fan: Any = ops.broadcast(ops.batch(2), ops.broadcast(ops.batch(5), ops.batch(4)), ops.map(neg))
        assert spliced(fan)
        assert list(Stream([1, 2, 3]) | fan | ops.batch(5)) == [
            [-1, [1, 2], -2, -3, [3]],
            [[1, 2, 3], [1, 2, 3]],
        ]

    @pytest.mark.spread
    @pytest.mark.parametrize("count", range(8))
    @pytest.mark.parametrize("source", SOURCES)
    def test_what_is_behind_may_end_it(self, source: Any, count: int) -> None:
        fan: Any = ops.broadcast(ops.batch(2), ops.map(neg), ops.pairwise() | ops.flatten())
        assert spliced(fan)
        whole = list(Stream([1, 2, 3, 4, 5]) | fan)
        stream = Stream(source([1, 2, 3, 4, 5])) | fan | ops.take(count)
        assert list(stream) == whole[:count]
        assert run(lambda: collected(stream)) == whole[:count]
        assert run(lambda: outcome(stream | ops.to_list())) == whole[:count]

    def test_what_is_before_it_may_end_it(self) -> None:
        fan: Any = ops.broadcast(ops.batch(3) | ops.to_list(), ops.count())
        assert spliced(fan)
        for count in range(5):
            batches = [list(range(count))[:3]] * (count > 0) + [[3]] * (count > 3)
            assert (Stream(range(9)) | ops.take(count) | fan).run() == (batches, count)

    def test_of_branches_whose_callbacks_return_awaitables(self) -> None:
        async def later(item: int) -> int:
            await asyncio.sleep(item)
            return -item

        fan: Any = ops.broadcast(ops.map(lambda item: later(item)), ops.map(str))
        assert spliced(fan)
        for source in SOURCES:
            stream = Stream(source([1, 2])) | fan
            assert run(lambda: outcome(stream | ops.to_list())) == [-1, "1", -2, "2"]

    def test_every_run_begins_anew(self) -> None:
        job = Stream(generated([1, 2, 3])) | ops.broadcast(ops.batch(2) | ops.to_list(), ops.count())
        assert job.run() == job.run() == ([[1, 2], [3]], 3)


class TestErrors:
    @pytest.mark.parametrize("place", range(3))
    @pytest.mark.parametrize("source", SOURCES)
    def test_the_right_operator_is_named(self, source: Any, place: int) -> None:
        error = Boom()

        def fails(item: Any) -> Any:
            raise error

        good: list[Any] = [ops.map(neg), ops.map(neg), ops.map(neg)]
        good[place] = ops.filter(lambda _: True) | ops.tap(fails)
        inner = ops.broadcast(ops.batch(2), good[2])
        job = Stream(source([1, 2])) | ops.broadcast(good[0], good[1] | ops.batch(1), inner) | ops.drain()
        assert run(lambda: outcome(job)) is error
        [note] = error.__notes__
        assert note.startswith("in tap(")
        line = fails.__code__.co_firstlineno + 4
        assert note.endswith(f"test_splice_results.py:{line}")

    @pytest.mark.parametrize("source", SOURCES)
    def test_of_a_finish(self, source: Any) -> None:
        error = Boom()

        def fails(batch: Any) -> Any:
            if len(batch) == 1:
                raise error

        branch = ops.batch(2) | ops.tap(fails)
        job = Stream(source([1, 2, 3])) | ops.broadcast(ops.count(), branch | ops.to_list())
        assert run(lambda: outcome(job)) is error
        assert error.__notes__[0].startswith("in tap(")

    def test_of_what_is_behind(self) -> None:
        error = Boom()

        def fails(item: Any) -> Any:
            raise error

        job = Stream([1]) | ops.broadcast(ops.map(neg), ops.map(neg)) | ops.map(fails) | ops.drain()
        assert run(lambda: outcome(job)) is error
        assert len(error.__notes__) == 1
        assert error.__notes__[0].startswith("in map(fails)")

    def test_of_the_source_comes_after_what_came_before_it(self) -> None:
        async def source() -> AsyncIterator[int]:
            yield 1
            raise Boom

        seen: list[Any] = []
        job = Stream(source) | ops.broadcast(ops.map(neg), ops.map(str)) | ops.for_each(seen.append)
        assert type(run(lambda: outcome(job))) is Boom
        assert seen == [-1, "1"]
