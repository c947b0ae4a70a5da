"""Pipes inside of operators that are too large for one loop with the rest: they do the same in tasks."""

from functools import reduce
from operator import or_
from typing import Any

import pytest

from streamkit import Stream, Suspend, Tumbling, ops, push
from streamkit.testing import FaultySource, run

SMALL, LARGE = 2, 160
"""How many steps stand in each pipe."""


def is_odd(number: int) -> bool:
    return number % 2 == 1


def steps(count: int) -> Any:
    """Each adds one."""
    return reduce(or_, [ops.map(lambda number: number + 1)] * count)


@pytest.fixture(params=[SMALL, LARGE], ids=["small", "large"])
def count(request: pytest.FixtureRequest) -> Any:
    return request.param


def in_a_loop(pipe: Any) -> bool:
    """Whether no link of `pipe` is a stage."""
    return all(link.declaration.stage is None for link in pipe.links)


@pytest.mark.parametrize("sinks", [True, False], ids=["sinks", "operators"])
def test_partition(count: int, sinks: bool) -> None:
    pipe = steps(count) | ops.to_list() if sinks else steps(count)
    parts: Any = ops.partition(is_odd, pipe, pipe)
    assert in_a_loop(parts) == (count == SMALL)
    made: Any = Stream(range(4)) | parts
    found = [*made.run()] if sinks else [sorted(made)]
    expected = (
        [[1 + count, 3 + count], [count, 2 + count]] if sinks else [[each + count for each in range(4)]]
    )
    assert found == expected


@pytest.mark.parametrize("otherwise", [True, False], ids=["otherwise", "none"])
@pytest.mark.parametrize("sinks", [True, False], ids=["sinks", "operators"])
def test_route(count: int, sinks: bool, otherwise: bool) -> None:
    pipe = steps(count) | ops.to_list() if sinks else steps(count)
    rest: Any = {"otherwise": pipe} if otherwise else {}
    routed: Any = ops.route(is_odd, {True: pipe} | ({} if otherwise else {False: pipe}), **rest)
    assert in_a_loop(routed) == (count == SMALL)
    made: Any = Stream(range(4)) | routed
    if sinks:
        assert made.run() == {
            True: [1 + count, 3 + count],
            (... if otherwise else False): [count, 2 + count],
        }
    else:
        assert sorted(made) == [each + count for each in range(4)]


def test_window(count: int) -> None:
    windows: Any = ops.window(Tumbling(count=2), steps(count) | ops.to_list())
    assert in_a_loop(windows) == (count == SMALL)
    found = [items for _, items in Stream(range(4)) | windows]
    assert found == [[count, 1 + count], [2 + count, 3 + count]]


def test_a_push_stream_behind_which_there_are_many_steps() -> None:
    async def main() -> list[int]:
        stream, emitter = push(Suspend(3))
        reading = (stream | reduce(or_, [ops.map(abs)] * 3 * LARGE) | ops.to_list()).start()
        for number in range(3):
            await emitter.send(-number)
        emitter.close()
        return await reading

    assert run(main) == [0, 1, 2]


def test_many_steps_that_are_left_before_the_first_of_them_began() -> None:
    source = FaultySource(range(9))
    assert list(Stream([1, 2]) | steps(3 * LARGE) | ops.take(0)) == []

    async def main() -> list[int]:
        return [item async for item in Stream(source) | steps(3 * LARGE) | ops.take(0)]

    assert run(main) == []
    assert not source.visits
