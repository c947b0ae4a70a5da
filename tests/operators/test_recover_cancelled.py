"""What recovers, where a task is cancelled and a clean-up on the way fails: nothing is recovered then."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import pytest

from streamkit import Replace, Resume, Retry, Stream, Suspend, attached, ops
from streamkit.testing import FaultySource, SinkProbe, run

PIPES: dict[str, Callable[[], Any]] = {
    "retry": lambda: ops.retry(attempts=None),
    "retry that waits": lambda: ops.retry(attempts=None, backoff=5.0),
    "retry behind steps": lambda: ops.map(str) | ops.retry(attempts=None) | ops.map(str),
    "catch": lambda: ops.catch(lambda _: "xyz"),
    "both": lambda: ops.retry(attempts=None) | ops.catch(lambda _: "xyz"),
    "a pump": lambda: ops.retry(attempts=None) | ops.buffer(Suspend(1)),
    "materialize": ops.materialize,
    "an inner stream": lambda: ops.concat_map(lambda item: Stream([item]) | ops.catch(lambda _: "xyz")),
}


def silent(**faults: Any) -> FaultySource[str]:
    """Gives two items, then hangs; its clean-up fails."""
    return FaultySource("ab", hangs=True, close_error=ConnectionError, **faults)


@pytest.mark.parametrize("pipe", PIPES.values(), ids=PIPES)
def test_the_task_that_reads_ends(pipe: Callable[[], Any]) -> None:
    source = silent()
    items: list[Any] = []

    async def read() -> None:
        async for item in Stream(source) | pipe():
            items.append(item)

    async def main() -> BaseException | None:
        task = asyncio.create_task(read())
        await asyncio.sleep(9.0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=60.0)
        assert done == {task}
        try:
            await task
        except (Exception, asyncio.CancelledError) as error:
            return error
        return None

    error = run(main)
    assert len(items) == 2
    told = [] if error is None else [error, *attached(error)]
    assert any(isinstance(each, ConnectionError) for each in told)
    assert len(source.visits) == 1
    source.check()


@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize("on_error", [Resume(), Replace(lambda *_: 0), Retry(attempts=None)], ids=repr)
def test_a_callback_that_is_cancelled_is_not_called_again(on_error: Any, concurrency: int) -> None:
    calls: list[int] = []

    async def silence(number: int) -> int:
        calls.append(number)
        try:
            return await asyncio.sleep(60.0, number)
        finally:
            raise ConnectionError

    async def main() -> float:
        pipe = ops.map(silence, concurrency=concurrency, on_error=on_error)
        task = asyncio.create_task(listed(Stream([1]) | pipe))
        await asyncio.sleep(9.0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled() or isinstance(task.exception(), ConnectionError)
        return asyncio.get_running_loop().time()

    assert run(main) == 9.0
    assert calls == [1]


@pytest.mark.parametrize("at", [0, 2])
def test_a_pump_that_the_run_cancels_begins_no_other_visit(at: int) -> None:
    source = silent(at=at)

    async def main() -> None:
        pipe = ops.retry(attempts=None) | ops.buffer(Suspend(1))
        async with SinkProbe(Stream(source) | pipe) as sink:
            for _ in range(at):
                await sink.next()
            await sink.quiet(9.0)
            await sink.cancel()
            assert isinstance(await sink.failed(), ConnectionError)

    run(main)
    assert len(source.visits) == 1
    source.check()


def test_the_timeout_of_a_source_is_an_error_as_any_other() -> None:
    visits: list[int] = []

    async def source() -> Any:
        visits.append(1)
        async with asyncio.timeout(3.0):
            await asyncio.sleep(9.0 if len(visits) < 3 else 1.0)
        yield len(visits)

    assert run(lambda: listed(Stream(source) | ops.retry(attempts=3))) == [3]


def test_what_is_read_in_the_clean_up_of_a_cancelled_task_is_tried_again() -> None:
    source = FaultySource("ab", at=1, error=OSError, times=1)
    found: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60.0)
        finally:
            found.extend(await listed(Stream(source) | ops.retry(attempts=2)))

    async def main() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(1.0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    run(main)
    assert found == ["a", "a", "b"]


async def listed(stream: Stream[Any]) -> list[Any]:
    return [item async for item in stream]


HELD: dict[str, Callable[[], Any]] = {
    "batch": lambda: ops.batch(9),
    "batch behind a buffer": lambda: ops.batch(9) | ops.buffer(Suspend(1)) | ops.batch(9),
    "batch in a group": lambda: ops.group_by(len, ops.batch(9), max_groups=1),
    "batch behind concat": lambda: ops.concat("") | ops.batch(9),
}


@pytest.mark.parametrize("pipe", HELD.values(), ids=HELD)
def test_what_is_held_is_not_passed_on_and_a_sink_that_has_enough_does_not_end_well(
    pipe: Callable[[], Any],
) -> None:
    source = silent()
    seen: list[Any] = []

    async def read() -> Any:
        return await (Stream(source) | pipe() | ops.tap(seen.append) | ops.first())

    async def main() -> BaseException | None:
        task = asyncio.create_task(read())
        await asyncio.sleep(9.0)
        task.cancel()
        try:
            await task
        except (Exception, asyncio.CancelledError) as error:
            return error
        return None

    error = run(main)
    assert error is not None
    assert any(isinstance(each, ConnectionError) for each in (error, *attached(error)))
    assert seen == []
    source.check()


async def stubborn(number: int) -> int:
    """A callback that waits for long with the second item, and fails where it is cancelled."""
    if number == 2:
        try:
            await asyncio.sleep(60.0)
        finally:
            await failing()
    return number


async def failing() -> None:
    raise ConnectionError("clean-up")


CALLING: dict[str, Callable[[], Any]] = {
    "batch_within": lambda: ops.batch_within(9, seconds=99.0, weight=stubborn, heaviest=99.0),
    "merge_sorted": lambda: ops.merge_sorted([9], key=stubborn),
    "throttle": lambda: ops.throttle(0.01, key=stubborn, max_keys=9) | ops.skip(1),
}


@pytest.mark.parametrize("pipe", CALLING.values(), ids=CALLING)
def test_what_is_held_is_not_passed_on_where_a_callback_fails_instead(pipe: Callable[[], Any]) -> None:
    source = FaultySource([1, 1, 2])
    seen: list[Any] = []

    async def read() -> None:
        await (Stream(source) | pipe() | ops.for_each(seen.append))

    async def main() -> int:
        task = asyncio.create_task(read())
        await asyncio.sleep(9.0)
        before = len(seen)
        task.cancel()
        with pytest.raises(ConnectionError):
            await task
        return len(seen) - before

    assert run(main) == 0
    source.check()


@pytest.mark.parametrize("look", [1e-5, 6e-3])
@pytest.mark.parametrize("again", [ops.catch(lambda _: []), ops.retry(attempts=None)], ids=repr)
def test_an_error_that_is_taken_is_not_told_where_the_task_ends_before_more_is_read(
    monkeypatch: pytest.MonkeyPatch, again: Any, look: float
) -> None:
    """Found by the soak: a pump that read ahead let others run before ``catch`` had its error."""
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", count(0.0, look).__next__)

    async def source() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(0)
        raise ConnectionError

    async def main() -> None:
        for ahead in (1, 2, 3):
            stream = Stream(source) | again | ops.zip([5], lookahead=ahead)
            assert await (stream | ops.to_list()) == [(1, 5)]

    run(main, schedules=10, seed=1)
