"""Iterators that are made before their loop runs, dropped elsewhere, or that outlive their loop."""

import asyncio
import gc
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit._engine.run.iterate import iterate
from streamkit.testing import FaultySource, run
from tests.patience import idle, joined
from tests.run.ledger import Trial

STEP, STAGE = ops.map(int), ops.buffer(Suspend(1))
PIPES = pytest.mark.parametrize("pipe", [STEP, STAGE], ids=["steps", "a stage"])


def slow() -> FaultySource[int]:
    """Numbers; the clean-up takes a second."""
    return FaultySource(range(9), every=0.1, close_seconds=1.0)


def lazily(stream: Any) -> AsyncIterator[Any]:
    """A generator expression asks for the iterator of the stream at once, and reads it later."""
    return (item async for item in stream)


class Unraised:
    """What is raised where nobody can catch it, as the collector drops something."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.errors: list[BaseException | None] = []
        monkeypatch.setattr(sys, "unraisablehook", lambda found: self.errors.append(found.exc_value))


@PIPES
def test_a_generator_expression_over_a_stream_may_be_made_before_the_loop_runs(pipe: Any) -> None:
    source = FaultySource(range(3), every=0.1, close_seconds=1.0)
    items = lazily(Stream(source) | pipe)
    assert not source.visits

    async def main() -> list[int]:
        return [item async for item in items]

    assert run(main) == [0, 1, 2]
    source.check()


@PIPES
def test_its_error_is_that_of_the_stream(pipe: Any) -> None:
    boom = OSError("gone")
    items = lazily(Stream(FaultySource(range(3), at=2, error=boom)) | pipe)
    found: list[int] = []

    async def main() -> None:
        async for item in items:
            found.append(item)

    with pytest.raises(OSError, match="gone") as raised:
        run(main)
    assert raised.value is boom
    assert found == [0, 1]


@PIPES
def test_it_is_cleaned_up_once_wherever_it_is_left(pipe: Any) -> None:
    source = slow()
    made = [lazily(Stream(source) | pipe)]

    async def main() -> None:
        assert await anext(made[0]) == 0
        made.clear()
        await asyncio.sleep(60.0)
        assert source.closed == 1

    run(main)


@PIPES
def test_one_that_is_dropped_before_it_was_read_opens_nothing(
    pipe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unraised, source = Unraised(monkeypatch), slow()
    made = [lazily(Stream(source) | pipe)]
    made.clear()
    gc.collect()
    assert not source.visits
    assert unraised.errors == []


@PIPES
def test_an_iterator_that_another_thread_drops_is_cleaned_up_in_its_loop(pipe: Any) -> None:
    source = FaultySource(range(9), every=0.0)

    async def main() -> None:
        made = [aiter(Stream(source) | pipe)]
        assert await anext(made[0]) == 0
        thread = threading.Thread(target=made.clear)
        thread.start()
        assert joined(thread)
        await idle()
        assert source.closed == 1

    asyncio.run(main())
    source.check()


def stopped_within(read: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `read` to where it waits for good, close the loop, and drop it."""
    loop = asyncio.new_event_loop()
    reading = [read()]

    async def main() -> None:
        reading[0].send(None)  # it has no task, which the end of the loop would cancel

    loop.run_until_complete(main())
    loop.close()
    reading.clear()
    gc.collect()


class Kept:
    """A source that is at its end at once when it is closed, or that waits then, or fails."""

    def __init__(self, *, waits: bool = False, error: Exception | None = None) -> None:
        self.waits = waits
        self.error = error
        self.log: list[str] = []

    async def __call__(self) -> AsyncIterator[int]:
        never = asyncio.get_running_loop().create_future()
        try:
            while True:
                yield 1
        finally:
            self.log.append("closing")
            if self.waits:
                await never
            if self.error is not None:
                raise self.error
            self.log.append("closed")


async def reads(source: Kept) -> None:
    async for _ in Stream(source) | STEP:
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("source", "log"),
    [(Kept(), ["closing", "closed"]), (Kept(waits=True), ["closing"])],
    ids=["at once", "waits"],
)
def test_where_the_loop_is_gone_clean_up_runs_to_where_it_would_wait(
    source: Kept, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unraised = Unraised(monkeypatch)
    stopped_within(lambda: reads(source))
    assert source.log == log
    assert unraised.errors == []


def test_where_the_loop_is_gone_an_error_of_clean_up_is_told_by_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unraised, boom = Unraised(monkeypatch), OSError("late")
    stopped_within(lambda: reads(Kept(error=boom)))
    assert unraised.errors == [boom]


def test_clean_up_that_fails_at_once_after_a_break_is_told_to_the_loop() -> None:
    boom = OSError("late")
    told: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        async for _ in Stream(Kept(error=boom)) | STEP:
            break

    asyncio.run(main())
    assert told == [{"message": "clean-up of a dropped stream failed", "exception": boom}]


@pytest.mark.parametrize("made", [iterate, aiter])
def test_what_the_collector_finds_with_all_that_it_reads_is_cleaned_up_in_order(made: Any) -> None:
    ends: list[Any] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.get_running_loop().create_future()  # nobody else knows of it, and so of the task
        except BaseException as error:
            ends.append(type(error))
            await asyncio.sleep(1.0)
            ends.append("closed")
            raise

    async def main() -> None:
        items: Any = made(Stream(source) | STAGE)
        assert await anext(items) == 1
        await asyncio.sleep(0)
        ring: list[Any] = [items]
        ring.append(ring)
        del items, ring
        gc.collect()
        await asyncio.sleep(60.0)

    run(main)
    assert ends == [asyncio.CancelledError, "closed"]


def test_an_iterator_that_was_made_before_the_loop_runs_may_give_nothing() -> None:
    nothing = (item async for item in Stream([1, 2]) | ops.buffer(Suspend(1)) | ops.ignore_items())

    async def main() -> list[int]:
        return [item async for item in nothing]

    assert run(main) == []


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("ends", ["collected", "program"])
def test_an_iterator_that_is_left_closes_what_it_reads_and_nobody_else_does(ends: str, durable: bool) -> None:
    told, log, kept = list[Any](), list[str](), list[Any]()

    async def close() -> None:
        log.append("closing")
        await asyncio.sleep(0.001)
        log.append("closed")

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await close()

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        kept.append(iterate(Trial().stream() | ops.on_close(close) if durable else Stream(source) | STEP))
        await anext(kept[0])
        if ends == "collected":
            ring = [kept.pop()]
            ring.append(ring)
            del ring
            gc.collect()
            await asyncio.sleep(0.02)

    asyncio.run(main())
    assert (log, told) == (["closing", "closed"], [])


def test_one_that_was_made_before_the_loop_runs_begins_to_clean_up_where_it_is_dropped() -> None:
    source = Kept()
    made = [iterate(Stream(source) | STEP)]

    async def main() -> None:
        await anext(made[0])
        made.clear()
        assert source.log == ["closing", "closed"]

    run(main)
