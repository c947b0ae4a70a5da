"""Fused buffers: the error of one names the buffer, wherever it is run; and what runs as one."""

from collections.abc import Callable
from typing import Any

import pytest

from streamkit import BufferOverflowError, Conflate, Fail, Stream, Suspend, Valve, ops
from streamkit._engine.plan.fuse import fused
from tests.laws.lab import Boom


async def echo(item: Any) -> Any:
    return item


BEHIND: dict[str, Callable[[Stream[Any]], Stream[Any]]] = {
    "nothing": lambda stream: stream,
    "a valve": lambda stream: stream | ops.valve(Valve()),
    "a merge": lambda stream: stream | ops.merge([]),
    "a concurrent map": lambda stream: stream | ops.map(echo, concurrency=2),
    "a batch": lambda stream: stream | ops.batch(2),
    "another buffer": lambda stream: stream | ops.buffer(Suspend(1)),
    "a flat_map": lambda stream: Stream([1]) | ops.flat_map(lambda _: stream, concurrency=2),
}


def broken(_: Any, __: Any) -> Any:
    raise Boom


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("strategy", [Fail(1), Conflate(broken)], ids=["Fail", "Conflate"])
def test_an_error_names_the_buffer_and_its_line(behind: str, strategy: Any) -> None:
    buffered = Stream(range(100)) | ops.buffer(strategy)
    with pytest.raises((BufferOverflowError, Boom)) as caught:
        list(BEHIND[behind](buffered))
    first = caught.value.__notes__[0]
    assert "buffer(" in first
    assert strategy.__class__.__name__ in first
    assert f"test_fuse.py:{broken.__code__.co_firstlineno + 7}" in first


@pytest.mark.parametrize("buffers", [1, 2])
@pytest.mark.parametrize("behind", BEHIND)
def test_what_stands_before_a_buffer_that_is_taken_over_runs(behind: str, buffers: int) -> None:
    stream = (Stream([1, 2, 3]) | ops.map(str)).pipe(*[ops.buffer(Suspend(2))] * buffers)
    found = [*BEHIND[behind](stream)]
    assert found == ([["1", "2"], ["3"]] if behind == "a batch" else ["1", "2", "3"])


@pytest.mark.parametrize(
    ("pipe", "joined"),
    [
        (ops.merge([2]) | ops.merge([3]), True),
        (ops.merge([2], lookahead=4) | ops.merge([3], lookahead=4), True),
        (ops.merge([2], lookahead=4) | ops.merge([3], lookahead=5), False),
    ],
    ids=str,
)
def test_neighbours_that_join_streams_alike_are_one(pipe: Any, joined: bool) -> None:
    stream = Stream([1]) | pipe
    assert [part.text for part in stream.explain().parts].count("merge(...)") == (1 if joined else 2)
    assert sorted(stream) == [1, 2, 3]


def test_what_stands_before_streams_that_are_joined_runs() -> None:
    inner = (
        Stream([2]) | ops.map(lambda item: item * 10) | ops.merge([3]) | ops.merge(Stream("4") | ops.map(int))
    )
    stream = Stream([1]) | ops.map(lambda item: -item) | ops.merge(inner) | ops.merge([5])
    assert sorted(stream) == [-1, 3, 4, 5, 20]
    assert sorted(Stream([6]) | ops.merge(stream, inner)) == [-1, 3, 3, 4, 4, 5, 6, 20, 20]


def test_an_error_names_the_buffer_that_gave_the_merged_one_its_kind_unless_that_is_the_readers() -> None:
    cases: list[tuple[Any, Any, Any, Any, int | None]] = [
        (Suspend(1), Suspend(2), None, Suspend(3), 1),
        (Suspend(1), Suspend(2), Suspend(3), Suspend(6), None),
        (Fail(1), Suspend(2), None, Fail(3), 0),
        (Fail(1), Suspend(2), Suspend(3), Fail(6), 0),
        (Suspend(1), Fail(2), Suspend(3), Fail(5), 1),
        (Fail(1), Fail(2), Suspend(3), Fail(5), 1),
        (Conflate(max), Suspend(1), Suspend(3), Suspend(4), None),
    ]
    for first, second, asked, merged, named in cases:
        inlet = Stream([1]) | ops.map(abs) | ops.buffer(first) | ops.buffer(second)
        rest, strategy, blamed = fused(inlet, asked)
        assert (strategy, blamed) == (merged, None if named is None else inlet.links[1 + named])
        assert rest.links == inlet.links[: 2 if first == Conflate(max) else 1]
        assert rest.source is inlet.source


def test_what_stands_behind_buffers_that_are_one_is_there_still() -> None:
    stream = (
        Stream([1]) | ops.buffer(Suspend(2)) | ops.buffer(Suspend(3)) | ops.take(1) | ops.buffer(Suspend(4))
    )
    texts = [part.text for part in stream.explain().parts]
    assert texts == ["[1]", "buffer(Suspend(capacity=5))", "take(1)", "buffer(Suspend(capacity=4))"]
