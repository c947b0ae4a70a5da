"""aiostream: sources from there, streams for there, and operators of theirs in our pipe."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit.testing import FaultySource, run

pytest.importorskip("aiostream")

from aiostream import pipe, stream

from streamkit import aiostream
from tests.laws.lab import Boom


def test_a_stream_of_theirs_is_a_source_once_it_is_opened() -> None:
    async def main() -> list[int]:
        theirs = aiostream.from_aiostream(stream.range(4))
        return await (theirs | ops.map(lambda number: number * 2) | ops.to_list())

    assert run(main) == [0, 2, 4, 6]


def test_each_run_opens_it_anew() -> None:
    doubled = aiostream.from_aiostream(stream.range(3) | pipe.map(lambda number: number * 2))

    async def main() -> list[list[int]]:
        return [[item async for item in doubled] for _ in range(2)]

    assert run(main) == [[0, 2, 4], [0, 2, 4]]


def test_a_consumer_that_leaves_closes_what_they_opened() -> None:
    numbers = FaultySource(range(10), every=0.0)

    async def main() -> None:
        theirs = stream.iterate(aiter(numbers)) | pipe.map(lambda number: number)
        async with aiostream.from_aiostream(theirs).open() as items:
            async for _ in items:
                break
        assert numbers.closed == 1

    run(main)


def test_a_stream_of_ours_runs_through_theirs() -> None:
    numbers = FaultySource(range(10), every=0.0)

    async def main() -> Any:
        ours = Stream(numbers) | ops.buffer(Suspend(2))
        return await stream.list(aiostream.to_aiostream(ours) | pipe.take(3))

    assert run(main) == [0, 1, 2]
    assert numbers.closed == 1
    assert numbers.given <= 6


def test_operators_of_theirs_stand_in_our_pipe_and_ours_behind_them() -> None:
    async def main() -> list[Any]:
        middle = aiostream.operator(pipe.enumerate(), pipe.skip(1))
        return await (Stream("abc") | middle | ops.batch(2) | ops.to_list())

    assert run(main) == [[(1, "b"), (2, "c")]]


def test_a_concurrent_operator_of_theirs_leaves_nothing() -> None:
    numbers = FaultySource(range(10), every=0.0)

    async def slow(number: int) -> int:
        await asyncio.sleep(1)
        return number

    async def main() -> list[int]:
        stage = aiostream.operator(pipe.map(slow, ordered=True, task_limit=3))
        return await (Stream(numbers) | stage | ops.take(2) | ops.to_list())

    assert run(main) == [0, 1]
    assert numbers.closed == 1


def test_an_error_of_the_source_comes_through_as_itself() -> None:
    numbers = FaultySource(range(2), every=0.0, error=OSError("broken"))

    async def main() -> None:
        seen: list[int] = []
        with pytest.raises(OSError, match="broken"):
            async for number in Stream(numbers) | aiostream.operator(pipe.skip(0)):
                seen.append(number)
        assert seen == [0, 1]
        assert numbers.closed == 1

    run(main)


def test_no_bound_is_promised_for_what_is_not_known() -> None:
    explained = (Stream([1]) | aiostream.operator(pipe.take(1))).explain()
    assert explained.bound == float("inf")


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: aiostream.operator(), ValueError, "operators must be one or more"),
        (lambda: aiostream.operator(3), TypeError, "operators must be a callable, not 3"),
        (lambda: aiostream.from_aiostream([1]), TypeError, "source must be a stream of aiostream, not [1]"),
        (lambda: aiostream.to_aiostream([1]), TypeError, "stream must be a stream of streamkit, not [1]"),
    ],
)
def test_bad_arguments(call: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert message in str(caught.value)


def test_errors_of_their_callbacks_name_the_operator_and_those_of_the_source_do_not() -> None:
    def fail(*_: Any) -> Any:
        raise Boom

    async def failing() -> AsyncIterator[int]:
        yield 1
        raise Boom

    with pytest.raises(Boom) as theirs:
        list(Stream([1, 2]) | aiostream.operator(pipe.map(fail)))
    assert ["operator(" in note and "test_aiostream" in note for note in theirs.value.__notes__] == [True]
    with pytest.raises(Boom) as ours:
        list(Stream(failing) | aiostream.operator(pipe.map(str)))
    assert not hasattr(ours.value, "__notes__")
