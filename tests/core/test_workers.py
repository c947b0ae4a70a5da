"""What workers do with a chunk, what they send back of it, and how long the next chunk is."""

from __future__ import annotations

import asyncio
import pickle
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from streamkit import Lasting, Limit, WorkerError
from streamkit._core.markers import ABSENT
from streamkit._core.workers import (
    Calls,
    Chunk,
    NoResult,
    Outcomes,
    Work,
    chunk_argument,
    error_told,
    sizer_of,
    workers_argument,
)
from tests.workers import InLoop


class Boxed:
    """Not plain, and not awaitable."""


def given(value: Any) -> Any:
    match value:
        case "raise":
            raise ValueError(value)
        case "exit":
            sys.exit(3)
        case "stop":
            raise StopIteration
        case "await":
            return asyncio.sleep(0, value)
        case "await and raise":
            return failing()
        case "box":
            return Boxed()
        case _:
            return value


async def failing() -> None:
    await asyncio.sleep(0)
    raise KeyError(1)


def words(outcomes: Outcomes) -> list[Any]:
    return [
        repr(each.error) if isinstance(each, NoResult) else type(each) if isinstance(each, Boxed) else each
        for each in outcomes
    ]


EXIT = WorkerError("a worker was told to end by SystemExit(3)")


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([], []),
        ([1, 2], [1, 2]),
        (["raise", 2], [repr(ValueError("raise")), 2]),
        ([1, "exit"], [1, repr(EXIT)]),
        (["stop", "stop", 3], [repr(RuntimeError("given raised StopIteration"))] * 2 + [3]),
        (["await", "box", "await and raise", 1, "await"], ["await", Boxed, repr(KeyError(1)), 1, "await"]),
        (["raise", "await"], [repr(ValueError("raise")), "await"]),
    ],
)
def test_each_item_of_a_chunk_has_one_outcome(items: list[Any], told: list[Any]) -> None:
    for work, prepared in (Calls(given), ABSENT), (Calls(ABSENT), given):
        outcomes = work.done(items, prepared)
        assert words(outcomes) == told
        assert outcomes.are_results == (not any(isinstance(each, NoResult) for each in outcomes))
        assert work.one_each


def test_what_was_awaited_in_one_chunk_had_one_loop() -> None:
    async def loop(_: int) -> Any:
        return asyncio.get_running_loop()

    first, second = Calls(loop).done([0, 1])
    assert first is second
    assert first.is_closed()


def test_a_function_goes_before_what_is_prepared() -> None:
    assert Calls(str).done([1], prepared=float) == ["1"]
    assert Calls(str) == Calls(str) != Calls(ABSENT)


class Slow(Work):
    def outcomes(self, items: Sequence[Any], prepared: Any) -> Outcomes:
        assert prepared is ABSENT
        return Outcomes(items)


def test_what_a_chunk_took_comes_with_its_outcomes(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10.0, 12.5])
    monkeypatch.setattr("streamkit._core.workers.perf_counter", lambda: next(times))
    outcomes = Slow().done([1, 2])
    assert (outcomes, outcomes.seconds) == ([1, 2], 2.5)
    assert not Slow.one_each


def test_outcomes_are_the_same_behind_a_pickle() -> None:
    lost = NoResult(ValueError(1), 5)
    assert (Outcomes().seconds, Outcomes(), Outcomes([1]).are_results) == (0.0, [], True)
    found = pickle.loads(pickle.dumps(Outcomes([1, lost], 2.5)))
    assert type(found) is Outcomes
    assert (found[0], found[1].item, repr(found[1].error), found.seconds) == (1, 5, repr(ValueError(1)), 2.5)
    assert not found.are_results
    assert Outcomes([lost], sure=True).are_results
    assert NoResult(ValueError()).item is ABSENT


def test_only_what_is_no_exception_is_told_as_another() -> None:
    error, ended = ValueError(), KeyboardInterrupt(1)
    assert error_told(error) is error
    told = error_told(ended)
    assert (type(told), str(told)) == (WorkerError, "a worker was told to end by KeyboardInterrupt(1)")
    assert told.__cause__ is ended


@pytest.mark.parametrize(
    ("chunk", "took", "size"),
    [
        (3, (3, 9.0), 3),
        (Lasting(2.0), (4, 1.0), 8),  # as many as take two seconds
        (Lasting(2.0), (4, 3.0), 2),
        (Lasting(1.0), (4, 8.0), 1),  # not fewer than one
        (Lasting(9.0), (4, 1.0), 8),  # at most doubled
        (Lasting(9.0, most=5), (4, 1.0), 5),
        (Lasting(9.0, most=5), (4, 0.0), 5),  # what took no time at all
        (Lasting(9.0), (4, 0.0), 8),
        (Lasting(0.5), (4, 0.5), 4),
    ],
)
def test_how_many_items_go_into_the_next_chunk(chunk: Any, took: tuple[int, float], size: int) -> None:
    sizer = sizer_of(chunk)
    assert sizer.size == (1 if isinstance(chunk, Lasting) else chunk)
    sizer.took(*took)
    assert sizer.size == size
    assert (Chunk(sizer), Chunk(sizer, iter("ab")), Chunk(sizer).sizer) == ([], ["a", "b"], sizer)


def test_what_chunks_and_workers_may_be() -> None:
    wrong: Any = "a"
    workers = InLoop()
    assert workers_argument("on", workers) is workers
    assert [chunk_argument(each) for each in (1, 2, Lasting(1))] == [1, 2, Lasting(1.0, most=1_000)]
    with pytest.raises(
        TypeError,
        match=r"^on must be workers such as streamkit\.executors\.Threads\(8\) or Processes\(4\), not 3$",
    ):
        workers_argument("on", 3)
    with pytest.raises(TypeError, match=r"not <.*ThreadPool.*: write on=Executor\(executor, 8\), of str"):
        workers_argument("on", ThreadPoolExecutor(1))
    with pytest.raises(TypeError, match=r"^chunk must be a whole number or Lasting\(seconds\), not 'a'$"):
        chunk_argument(wrong)
    for value, said in (0, "chunk must be"), (-1, "chunk must be"):
        with pytest.raises(ValueError, match=said):
            chunk_argument(value)
    for least in 0, -2:
        with pytest.raises(ValueError, match=r"^most must be"):
            Lasting(1.0, most=least)
        with pytest.raises(ValueError, match=r"^seconds must be"):
            Lasting(least)
    assert Lasting(1, most=1).most == 1
    assert isinstance(workers.limit, Limit)
