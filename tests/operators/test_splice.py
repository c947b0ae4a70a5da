"""A broadcast whose branches are steps: spliced into the loop that reads, it does what tasks would do."""

# ruff: noqa: B023 - what is defined in a loop runs in that turn of it

import asyncio
import pickle
import weakref
from collections.abc import AsyncIterator, Iterator
from functools import partial
from operator import add, neg
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from streamkit import Stream, Suspend, ops
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit.testing import run
from tests.tiers import examples


class Boom(Exception):  # noqa: N818
    """The error of these tests."""


def odd(number: Any) -> bool:
    return bool(hash(number) % 2)


def pair(item: Any) -> Any:
    return (item, item)


STEPS: list[Any] = [
    ops.map(hash),
    ops.map(pair) | ops.flatten(),
    ops.map(lambda item: (item,)),
    ops.filter(odd),
    ops.batch(2) | ops.map(tuple),
    ops.batch(3) | ops.flatten(),
    ops.enumerate(),
    ops.pairwise(),
    ops.distinct_until_changed(),
    ops.map(hash) | ops.scan(add),
    ops.map(hash) | ops.scan(max, 3),
    ops.skip(1),
    ops.skip_while(odd),
    ops.tap(hash),
]
SINKS: list[Any] = [
    ops.to_list(),
    ops.count(),
    ops.for_each(hash),
    ops.drain(),
    ops.map(hash) | ops.fold(add, 0),
]

steps = st.sampled_from(STEPS)
branches = st.lists(steps, min_size=1, max_size=4)


def joined(operators: list[Any]) -> Any:
    pipe = operators[0]
    for operator in operators[1:]:
        pipe = pipe | operator
    return pipe


@st.composite
def nested(draw: st.DrawFn, depth: int = 2) -> Any:
    """A branch of steps, in which broadcasts may stand; it may be too large to be spliced."""
    pieces = draw(branches)
    if depth and draw(st.booleans()):
        inner = ops.broadcast(*draw(st.lists(nested(depth - 1), min_size=1, max_size=3)))
        pieces.insert(draw(st.integers(0, len(pieces))), inner)
    return joined(pieces)


def spliced(pipe: Any) -> bool:
    return pipe.links[0].declaration.stage is None


def generated(items: Any) -> Any:
    def generate() -> Iterator[Any]:
        yield from items

    return generate


def asynchronous(items: Any) -> Any:
    async def generate() -> AsyncIterator[Any]:
        for item in items:
            yield item

    return generate


def behind_a_channel(items: Any) -> Any:
    return Stream(asynchronous(items)) | ops.buffer(Suspend(2))


def behind_workers(items: Any) -> Any:
    async def same(item: Any) -> Any:
        await asyncio.sleep(0)
        return item

    return Stream(items) | ops.map(same, concurrency=3)


SOURCES: list[Any] = [list, tuple, generated, asynchronous, behind_a_channel, behind_workers]


async def outcome(job: Any) -> Any:
    """What `job` returned or raised."""
    try:
        return await job
    except BaseException as error:
        return error


async def collected(stream: Any) -> list[Any]:
    return [item async for item in stream]


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
        assert note.endswith(f"test_splice.py:{line}")

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


class Thing:
    """An item that can be followed."""


def things_in(value: Any) -> Iterator[Thing]:
    if isinstance(value, Thing):
        yield value
    else:
        for each in value:
            yield from things_in(each)


class TestBound:
    @pytest.mark.parametrize(
        "pipes",
        [
            [ops.batch(3), ops.batch(4)],
            [ops.batch(2) | ops.batch(2), ops.batch(5)],
            [ops.pairwise(), ops.batch(2) | ops.batch(2)],
            [ops.map(pair) | ops.flatten(), ops.batch(5) | ops.flatten()],
            [ops.broadcast(ops.batch(2), ops.batch(3)) | ops.batch(2), ops.map(pair)],
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("way", ["for", "async for", "sink"])
    def test_is_never_exceeded(self, pipes: list[Any], way: str) -> None:
        alive: weakref.WeakSet[Thing] = weakref.WeakSet()
        out: weakref.WeakSet[Thing] = weakref.WeakSet()
        most = 0

        def things() -> Iterator[Thing]:
            nonlocal most
            for _ in range(40):
                thing = Thing()
                alive.add(thing)
                most = max(most, sum(thing not in out for thing in alive))
                yield thing
                del thing

        fan: Any = ops.broadcast(*pipes)
        assert spliced(fan)
        stream = Stream(things) | fan

        def look(item: Any) -> None:
            out.update(things_in(item))

        async def read() -> None:
            async for item in stream:
                look(item)

        if way == "for":
            for item in stream:
                look(item)
        elif way == "async for":
            run(read)
        else:
            run(lambda: outcome(stream | ops.for_each(look)))
        assert most <= stream.explain().bound

    def test_is_what_the_branches_hold_and_one_in_hand(self) -> None:
        fan: Any = ops.broadcast(ops.batch(3), ops.broadcast(ops.batch(4), ops.pairwise()))
        assert (Stream([1]) | fan).explain().bound == 2 + 3 + 1 + 1


class TestSize:
    @pytest.mark.parametrize("count", [100, 117, 130, 200])
    @pytest.mark.parametrize("sink", [False, True])
    def test_of_many_branches(self, count: int, sink: bool) -> None:
        pipes = [ops.map(partial(add, n)) for n in range(count)]
        for source in (generated, asynchronous, behind_workers):
            stream = Stream(source([0, 1]))
            if sink:
                job = stream | ops.broadcast(*[pipe | ops.to_list() for pipe in pipes])
                assert run(lambda: outcome(job)) == tuple([[n, n + 1] for n in range(count)])
            else:
                found = run(lambda: outcome(stream | ops.broadcast(*pipes) | ops.to_list()))
                assert sorted(found) == sorted([n + item for n in range(count) for item in (0, 1)])

    @pytest.mark.spread
    @pytest.mark.parametrize("branch", [ops.map(hash), ops.map(hash) | ops.filter(odd), ops.batch(2)])
    @pytest.mark.parametrize("sink", [False, True])
    def test_what_is_spliced_fits_into_every_kind_of_loop(self, branch: Any, sink: bool) -> None:
        pipe = branch | ops.to_list() if sink else branch
        low, high = 1, 1024
        while high - low > 1:
            count = (low + high) // 2
            low, high = (count, high) if spliced(ops.broadcast(*[pipe] * count)) else (low, count)
        keys = (ops.broadcast(*[pipe] * low).links[0].key,)
        asynchronously = [Kind.SLICE, Kind.ITER, Kind.ASYNC, Kind.CHANNEL]
        shapes = [(kind, End.RESULT) for kind in Kind]
        if not sink:
            shapes = [(kind, end) for kind in asynchronously for end in (End.STAGE, End.USER)]
            shapes.append((Kind.ITER, End.PLAIN))
        for kind, end in shapes:
            assert isinstance(compiled(kind, keys, end), Loop), (kind, end, low)

    @pytest.mark.parametrize("length", [1, 3, 5, 8])
    def test_of_branches_that_emit_in_many_places(self, length: int) -> None:
        branch = joined([ops.batch(2) for _ in range(length)])
        unfolded = branch | joined([ops.flatten() for _ in range(length)])
        fan: Any = ops.broadcast(unfolded, ops.map(neg), unfolded)
        for source in SOURCES:
            stream = Stream(source([1, 2, 3])) | fan
            assert sorted(stream) == sorted([1, 2, 3] * 2 + [-1, -2, -3])

    def test_of_many_in_each_other(self) -> None:
        fan: Any = ops.map(neg)
        for _ in range(40):
            fan = ops.broadcast(fan)
        assert list(Stream([1, 2]) | fan) == [-1, -2]

    def test_of_many_behind_each_other(self) -> None:
        fan: Any = joined([ops.broadcast(ops.map(neg)) for _ in range(200)])
        assert list(Stream([1, 2]) | fan) == [1, 2]

    def test_of_many_that_double(self) -> None:
        fan: Any = joined([ops.broadcast(ops.map(neg), ops.map(abs)) for _ in range(9)])
        assert len(list(Stream([1, 2]) | fan)) == 2 * 2**9


class TestValue:
    def test_it_is_compared_printed_and_pickled_as_any_operator(self) -> None:
        fan: Any = ops.broadcast(ops.map(neg) | ops.batch(2), ops.broadcast(ops.map(abs), ops.pairwise()))
        assert spliced(fan)
        same = ops.broadcast(ops.map(neg) | ops.batch(2), ops.broadcast(ops.map(abs), ops.pairwise()))
        assert fan == same
        assert hash(fan) == hash(same)
        assert fan != ops.broadcast(ops.map(neg) | ops.batch(3), ops.broadcast(ops.map(abs), ops.pairwise()))
        assert repr(fan) == "broadcast(map(neg) | batch(2), broadcast(map(abs), pairwise()))"
        copied = pickle.loads(pickle.dumps(fan))
        assert copied == fan
        assert list(Stream([1, 2, 3]) | copied) == list(Stream([1, 2, 3]) | fan)

    def test_of_sinks(self) -> None:
        fan: Any = ops.broadcast(ops.count(), ops.batch(2) | ops.to_list())
        assert repr(fan) == "broadcast(count(), batch(2) | to_list())"
        copied = pickle.loads(pickle.dumps(fan))
        assert copied == fan
        assert (Stream([1]) | copied).run() == (1, [[1]])

    def test_it_is_explained(self) -> None:
        stream = Stream([1]) | ops.broadcast(ops.map(neg) | ops.batch(3), ops.pairwise()) | ops.skip(1)
        explained = stream.explain(code=True)
        assert explained.bound == 2 + 1 + 1  # held by batch and pairwise; one in hand
        [code] = explained.code
        assert "function_" in code

    @pytest.mark.parametrize("source", SOURCES)
    def test_the_code_of_a_large_one_is_cut_but_shown(self, source: Any) -> None:
        stream = Stream(source([1])) | joined([ops.broadcast(ops.map(neg), ops.map(abs)) for _ in range(9)])
        assert len(stream.explain(code=True).code) > 1
