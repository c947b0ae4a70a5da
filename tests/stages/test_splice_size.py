"""A broadcast whose branches are steps, spliced into the loop that reads: bound, size, and as a value."""

# ruff: noqa: B023 - what is defined in a loop runs in that turn of it

import pickle
import weakref
from collections.abc import Iterator
from functools import partial
from operator import add, neg
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit.testing import run
from tests.stages.splicing import (
    SOURCES,
    asynchronous,
    behind_workers,
    generated,
    joined,
    odd,
    outcome,
    pair,
    spliced,
)


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

    @pytest.mark.full
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
