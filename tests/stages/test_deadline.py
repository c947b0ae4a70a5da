"""Deadlines where the pump puts items into its reader's own loop, and where the reader drives the pump."""

import asyncio
from collections.abc import AsyncIterator
from time import sleep as hold_up
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import BufferStats, Stream, StreamTimeoutError, ops
from streamkit.testing import run
from tests.marbles import ERROR, Noted, drawn, noted
from tests.operators.pacing import gapped, still

OPERATORS: list[Any] = [
    ops.timeout(2.0),
    ops.timeout(first=3.0, between=1.5),
    ops.timeout(total=6.0),
    ops.timeout(1.5, fallback=["x", "y"]),
    ops.timeout(2.0, total=5.0, fallback=drawn("--x|")),
    ops.keep_alive(1.5, function=still),
]
GAPS = st.lists(st.integers(0, 24).map(lambda eighths: eighths / 8 + 1 / 64), max_size=8)


def handed(stream: Any) -> Noted:
    """As `noted`, where a job reads: what comes out goes into its loop."""
    seen: Noted = []

    async def main() -> None:
        time = asyncio.get_running_loop().time
        try:
            await (stream | ops.for_each(lambda item: seen.append((time(), item))))
        except Exception as error:
            seen.append((time(), error))
        else:
            seen.append((time(), "|"))

    run(main)
    return seen


def plain(seen: Noted) -> Noted:
    return [(time, str(what) if isinstance(what, Exception) else what) for time, what in seen]


@given(st.sampled_from(OPERATORS), GAPS, st.integers(0, 20).map(lambda eighths: eighths / 8))
def test_a_job_sees_what_an_async_for_sees(operator: Any, gaps: list[float], ends: float) -> None:
    stream = Stream(gapped(gaps, ends)) | operator
    assert plain(handed(stream)) == plain(noted(stream))


def test_items_that_are_there_at_once_take_no_time_of_the_next() -> None:
    """The clock is read where a burst ends, and the time counts from then."""

    async def source() -> AsyncIterator[int]:
        for number in range(3):
            for _ in range(100):
                yield number
            await asyncio.sleep(0.75 * (number + 1))

    seen = handed(Stream(source) | ops.timeout(2.0))
    assert [len([each for each in seen if each[1] == number]) for number in range(3)] == [100, 100, 100]
    assert plain(seen)[-1] == (0.75 + 1.5 + 2.0, "no item came within 2.0 s")


def test_a_source_is_cancelled_in_its_own_task_and_closed_before_the_error() -> None:
    tasks: list[Any] = []

    async def source() -> AsyncIterator[int]:
        tasks.append(asyncio.current_task())
        try:
            yield 1
            await asyncio.sleep(9.0)
        except asyncio.CancelledError:
            tasks.append(asyncio.current_task())
            await asyncio.sleep(1.0)
            tasks.append(asyncio.current_task())
            raise

    async def main() -> None:
        reader = asyncio.current_task()
        for sink in (ops.to_list(), ops.for_each(lambda _: asyncio.sleep(0))):
            del tasks[:]
            begun = asyncio.get_running_loop().time()
            with pytest.raises(StreamTimeoutError):
                await (Stream(source) | ops.timeout(2.0) | sink)
            assert asyncio.get_running_loop().time() == begun + 3.0
            assert len(tasks) == 3
            assert {*tasks} == {tasks[0]}
            assert reader not in tasks
            assert reader is not None
            assert not reader.cancelling()

    run(main)


def test_a_timeout_of_the_sources_own_is_its_own() -> None:
    """It fires in a pull, in the task of the source, and the deadline around it does not."""

    async def source() -> AsyncIterator[str]:
        yield "a"
        try:
            async with asyncio.timeout(1.0):
                await asyncio.sleep(9.0)
        except TimeoutError:
            yield "late"
        yield "b"

    for operator in (ops.timeout(2.0), ops.keep_alive(2.0, function=still)):
        wanted = [(0.0, "a"), (1.0, "late"), (1.0, "b"), (1.0, "|")]
        assert handed(Stream(source) | operator) == noted(Stream(source) | operator) == wanted


def test_what_steps_hold_comes_before_an_error() -> None:
    def fail() -> str:
        raise ERROR

    for operator, time in (
        (ops.timeout(2.0), 3.0),
        (ops.keep_alive(2.0, function=fail), 3.0),
        (ops.timeout(9.0), 6.0),
    ):
        seen = handed(Stream(drawn("aa----X")) | operator | ops.batch(5))
        assert seen[0] == (time, ["a", "a"])
        assert (seen[1][0], isinstance(seen[1][1], Exception)) == (time, True)


@pytest.mark.parametrize("operator", [ops.timeout(9.0), ops.keep_alive(9.0, function=still)], ids=repr)
@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("ready", [False, True])
def test_every_item_is_counted(operator: Any, waits: bool, ready: bool) -> None:
    found: list[BufferStats] = []

    async def at_once() -> AsyncIterator[str]:
        for letter in "abcd":
            yield letter

    async def main() -> None:
        def look(_: Any) -> Any:
            found.append(handle.buffers()[0])
            return asyncio.sleep(0) if waits else None

        source: Any = Stream(at_once) if ready else Stream(drawn("abc-d|"))
        read = operator | ops.concat([]) if ready else operator  # by a loop that is not the reader's own
        handle = (source | read | ops.for_each(look)).start()
        await handle
        found.append(handle.buffers()[0])

    run(main)
    assert [stats.delivered for stats in found] == [1, 2, 3, 4, 4]
    for stats in found:
        assert stats.offered == stats.delivered + stats.held
        assert stats.held_at_most <= 1


def test_a_source_that_only_wakes_up_is_as_late_as_one_that_sleeps() -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(1.0)
            yield number
        for _ in range(9):
            await asyncio.sleep(1.0)
        yield 3

    stream = Stream(source) | ops.timeout(2.5)
    seen = handed(stream)
    assert seen[:-1] == [(1.0, 0), (2.0, 1), (3.0, 2)]
    assert (seen[-1][0], type(seen[-1][1])) == (5.5, StreamTimeoutError)


def test_an_error_of_the_reader_ends_it_where_the_item_was_put_into_its_loop() -> None:
    def inverse(item: int) -> float:
        return 1 / (2 - item)

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await (Stream(gapped([1.0] * 5)) | ops.timeout(2.5) | ops.map(inverse) | ops.to_list())

    run(main)


def test_a_total_that_ends_while_the_reader_holds_up_the_loop_is_seen_at_its_next_ask() -> None:
    """No timer can ring then, so this takes real time."""
    seen: list[int] = []

    async def ready() -> AsyncIterator[int]:
        for number in range(9):
            yield number

    async def read() -> None:
        async for item in Stream(ready) | ops.timeout(total=0.005):
            seen.append(item)
            hold_up(0.01)  # noqa: ASYNC251 - that is what is tried

    with pytest.raises(StreamTimeoutError, match=r"did not end within 0\.005 s"):
        asyncio.run(read())
    assert seen == [0]


def test_a_callback_that_waits_keeps_the_next_item_back() -> None:
    """The first result tells that it must be awaited: the loop of the reader asks for nothing meanwhile."""
    pulled: list[float] = []

    async def source() -> AsyncIterator[int]:
        for number in range(4):
            pulled.append(asyncio.get_running_loop().time())
            yield number

    def slow(item: int) -> Any:
        return asyncio.sleep(3.0, item)

    assert run(lambda: Stream(source) | ops.timeout(1.0) | ops.map(slow) | ops.to_list()) == [0, 1, 2, 3]
    assert pulled == [0.0, 3.0, 6.0, 9.0]


def test_an_item_that_comes_while_the_function_is_awaited_comes_behind_its_result() -> None:
    async def later() -> str:
        await asyncio.sleep(1.0)
        return "f"

    stream = Stream(drawn("----a--|")) | ops.keep_alive(3.5, function=later)
    assert handed(stream) == noted(stream) == [(4.5, "f"), (4.5, "a"), (7.0, "|")]


def test_where_the_total_ends_while_the_reader_works_it_goes_on_with_the_fallback() -> None:
    seen: list[Any] = []

    async def items(given: Any) -> AsyncIterator[Any]:
        for item in given:
            yield item

    async def work(item: Any) -> Any:
        seen.append(item)
        await asyncio.sleep(3.0)
        return item

    async def pulled(stream: Any) -> None:
        async with stream.open() as items:
            async for item in items:
                await work(item)

    async def main() -> None:
        stream = Stream(lambda: items(range(9))) | ops.timeout(total=4.0, fallback=lambda: items("fg"))
        for reading in (stream | ops.for_each(work), stream | ops.map(work) | ops.drain(), pulled(stream)):
            await reading
            assert seen == [0, 1, "f", "g"]
            seen.clear()

    run(main)


def test_items_that_a_step_keeps_from_coming_put_off_no_deadline() -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0.75)
            yield number

    rare = Stream(source) | ops.filter(lambda number: number > 1) | ops.timeout(1.0)
    assert plain(handed(rare)) == plain(noted(rare)) == [(1.0, "no item came within 1.0 s")]
