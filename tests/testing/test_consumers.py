"""Faulty consumers: each fault by itself, what they note, and what is refused."""

import asyncio
from typing import Any, cast

import pytest

from streamkit import Stream, Suspend, ops
from streamkit.testing import (
    Consumed,
    FaultySource,
    Leave,
    SinkProbe,
    check_marbles,
    consume,
    draw_marbles,
    expect,
    run,
)

GONE = OSError("gone")
FULL = ValueError("full")


def seen(source: Any, **faults: Any) -> Consumed[Any]:
    return run(lambda: consume(source, **faults))


def test_without_a_fault_it_takes_all() -> None:
    assert seen(FaultySource("abc", every=1.0)) == Consumed([*"abc"], [1.0, 2.0, 3.0], True, None)
    assert seen(Stream("abc") | ops.map(str.upper)).items == [*"ABC"]


@pytest.mark.parametrize(("every", "times"), [(None, [0, 0, 0]), (0.0, [0, 0, 0]), (2.0, [0, 2, 4])])
def test_it_works_on_each_item(every: float | None, times: list[float]) -> None:
    assert seen(FaultySource("abc"), every=every).times == times


def test_it_stalls_and_takes_what_has_come_meanwhile() -> None:
    source = FaultySource("abcdef", every=1.0)
    found = seen(Stream(source) | ops.buffer(Suspend(2)), at=1, stall=10.0)
    assert found.times == [1.0, 11.0, 11.0, 12.0, 13.0, 14.0]
    assert found.ended


@pytest.mark.parametrize("leave", [*Leave])
@pytest.mark.parametrize("at", [0, 2])
def test_it_leaves(leave: Leave, at: int) -> None:
    source = FaultySource("abcd", every=1.0)
    found = seen(Stream(source) | ops.map(str.upper), at=at, leave=leave)
    assert (found.items, found.ended, found.error) == ([*"AB"][:at], False, None)
    assert [visit.closed for visit in source.visits] == [1] * len(source.visits)
    assert bool(source.visits) == (at > 0 or leave is Leave.CANCEL)


def test_how_it_leaves_is_shown_in_few_words() -> None:
    assert f"{Leave.BREAK!r}, {[Leave.CLOSE]}" == "Leave.BREAK, [Leave.CLOSE]"


def test_it_waits_for_the_clean_up_unless_it_breaks_out() -> None:
    async def main(leave: Leave) -> float:
        await consume(Stream(FaultySource("abcd", every=1.0, close_seconds=5.0)), at=2, leave=leave)
        time = asyncio.get_running_loop().time()
        await asyncio.sleep(9.0)
        return time

    assert [run(lambda leave=leave: main(leave)) for leave in Leave] == [7.0, 2.0, 7.0]


def test_cancelled_it_is_while_it_waits_for_an_item() -> None:
    source = FaultySource("abcd", every=1.0)
    seen(source, at=1, leave=Leave.CANCEL)
    assert (source.visit.asked, source.visit.cancelled) == (2, 1)


def test_it_raises() -> None:
    source = FaultySource("abcd")
    found = seen(Stream(source), at=2, error=FULL)
    assert (found.items, found.ended) == ([*"ab"], False)
    assert found.error is FULL
    source.check()


@pytest.mark.parametrize("leave", [None, Leave.CLOSE, Leave.CANCEL])
def test_errors_of_the_stream_are_noted(leave: Leave | None) -> None:
    faults: dict[str, Any] = {} if leave is None else {"at": 3, "leave": leave}
    found = seen(FaultySource("abc", every=0.0, at=2, error=GONE), **faults)
    assert (found.items, found.ended) == ([*"ab"], False)
    assert found.error is GONE


@pytest.mark.parametrize("leave", [Leave.CLOSE, Leave.CANCEL])
@pytest.mark.parametrize("stream", [lambda source: source, Stream], ids=["bare", "stream"])
def test_so_are_those_of_its_clean_up(leave: Leave, stream: Any) -> None:
    source = FaultySource("abc", every=1.0, close_error=GONE)
    assert seen(stream(source), at=1, leave=leave).error is GONE


@pytest.mark.parametrize("leave", [*Leave])
def test_a_cancellation_from_outside_is_passed_on(leave: Leave) -> None:
    source = FaultySource("abc", every=1.0, close_seconds=3.0)

    async def main() -> None:
        task = asyncio.create_task(consume(Stream(source), at=3, leave=leave))
        await asyncio.sleep(1.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main)
    source.check()
    assert source.visit.cancelled == 1


def test_what_has_nothing_to_close_is_taken_too() -> None:
    class Numbers:
        """An async iterator that is no generator."""

        def __init__(self) -> None:
            self.number = 0

        def __aiter__(self) -> "Numbers":
            return self

        async def __anext__(self) -> int:
            self.number += 1
            return self.number

    assert seen(Numbers(), at=2, leave=Leave.CLOSE).items == [1, 2]


@pytest.mark.parametrize(
    ("faults", "kind", "text"),
    [
        ({"at": 1}, ValueError, "^at= says when a consumer does what .* give both"),
        ({"leave": Leave.CLOSE}, ValueError, "give both"),
        ({"stall": 1.0}, ValueError, "give both"),
        ({"at": -1, "stall": 1.0}, ValueError, "^at must be a whole number of at least 0, not -1"),
        ({"at": 1, "leave": "close"}, TypeError, "^leave must be one of Leave.CLOSE, .*, not 'close'"),
        ({"at": 1, "error": 5}, TypeError, "^error must be an exception"),
        ({"at": 1, "error": GONE, "leave": Leave.CLOSE}, ValueError, "^a consumer that leaves never raises"),
        ({"at": 1, "stall": -1.0}, ValueError, "^stall must be"),
        ({"every": -1.0}, ValueError, "^every must be"),
    ],
)
def test_bad_arguments_are_refused(faults: dict[str, Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        consume(FaultySource("abc"), **faults)  # at the call, before anything is awaited


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (3, "^source must be a stream, or an async iterable, not 3$"),
        (ops.take(1), r"^source must be .*, not take\(1\): write Stream\(source\) \| operator$"),
        (Stream("a") | ops.to_list(), r"^source must be .*, not Job\("),
    ],
)
def test_what_has_no_items_is_refused_at_the_call(source: Any, text: str) -> None:
    """Taken as an error of the stream, it would stand in `Consumed.error`, where few tests look."""
    with pytest.raises(TypeError, match=text):
        consume(source)
    with pytest.raises(TypeError, match=text):
        SinkProbe(source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (3, "^stream must be .*, not 3$"),
        (ops.take(1), r"^stream must be .*: write Stream\(source\) \| operator$"),
    ],
)
def test_what_is_no_stream_is_refused_by_the_name_of_the_argument(source: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        expect(source)
    with pytest.raises(TypeError, match=text):
        run(draw_marbles(source))


def test_what_is_no_stream_cannot_be_drawn_alone() -> None:
    with pytest.raises(TypeError, match=r"^stream must be .*, not 3$"):
        run(check_marbles(cast("Any", 3), "a|"))
