"""A plain ``for`` over a stream: where a loop runs meanwhile, and where it is interrupted."""

import asyncio
import contextlib
import gc
import signal
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import pytest

from streamkit import RunningLoopError, Stream, Suspend, attached, ops
from streamkit.testing import FaultySource

STAGES = {"steps": ops.map(abs), "buffer": ops.buffer(Suspend(1)), "no tasks": ops.delay_start(0.001)}


async def later(item: Any) -> Any:
    await asyncio.sleep(0)
    return item


def in_a_loop(work: Callable[[], Any]) -> Any:
    """What `work` returns or raises where an event loop runs."""

    async def main() -> Any:
        return work()

    return asyncio.run(main())


class TestAwaitables:
    def test_nothing_is_awaited_where_a_loop_runs(self) -> None:
        items = iter(Stream(range(3)) | ops.map(lambda number: later(number) if number else number))
        assert next(items) == 0
        with pytest.raises(RunningLoopError, match="a callback that returns an awaitable needs"):
            in_a_loop(lambda: next(items))
        assert next(items, None) is None

    def test_what_needs_none_runs_in_any_loop(self) -> None:
        def twice(letter: str) -> str:
            return letter * 2

        assert in_a_loop(lambda: list(Stream("ab") | ops.map(lambda letter: twice(letter)))) == ["aa", "bb"]


@pytest.mark.parametrize("pipe", STAGES.values(), ids=STAGES)
class TestWhereALoopRuns:
    @pytest.mark.parametrize("steps", [1, 2])
    def test_each_step_is_refused_and_intake_ends_once(self, pipe: Any, steps: int) -> None:
        source = FaultySource(range(9), every=0.0)
        items = iter(Stream(source) | pipe)

        def refused() -> None:
            for _ in range(steps):
                with pytest.raises(RunningLoopError, match="use async for"):
                    next(items)

        assert next(items) == 0
        begun = time.monotonic()
        in_a_loop(refused)
        with pytest.raises(RunningLoopError):
            for _ in items:
                pass
        assert time.monotonic() - begun < 9.0  # some turns of the loop, and no pause
        source.check()

    def test_one_that_has_not_begun_may_begin_elsewhere(self, pipe: Any) -> None:
        source = FaultySource(range(3), every=0.0)
        items = iter(Stream(source) | pipe)
        with pytest.raises(RunningLoopError, match="use async for"):
            in_a_loop(lambda: next(items))
        assert list(items) == [0, 1, 2]
        source.check()


@pytest.mark.parametrize("pipe", STAGES.values(), ids=STAGES)
def test_what_is_thrown_into_the_iterator_ends_the_stream_and_comes_out(pipe: Any) -> None:
    source = FaultySource(range(9), every=0.0)
    items: Any = iter(Stream(source) | pipe)
    assert next(items) == 0
    boom = LookupError("out")
    with pytest.raises(LookupError) as raised:
        items.throw(boom)
    assert raised.value is boom
    assert next(items, None) is None
    source.check()


def interrupted(error: BaseException, times: int) -> None:
    """Raise `error` out of the running loop, and again as soon as that runs on."""

    def interrupt(left: int) -> None:
        if left > 1:
            asyncio.get_running_loop().call_soon(interrupt, left - 1)
        raise type(error)(*error.args) if left < times else error

    asyncio.get_running_loop().call_soon(interrupt, times)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize(("times", "end"), [(1, "closed"), (2, "cancelled")])
def test_an_interrupt_waits_for_clean_up_and_a_second_one_does_not(
    kind: type[BaseException], times: int, end: str
) -> None:
    log: list[str] = []
    boom = kind(signal.SIGINT)

    async def source() -> AsyncIterator[int]:
        try:
            yield 0
            yield 1
        finally:
            interrupted(boom, times)
            try:
                await asyncio.sleep(0.01)
                log.append("closed")
            except asyncio.CancelledError:
                log.append("cancelled")
                raise

    items: Any = iter(Stream(source) | ops.map(abs))
    assert next(items) == 0
    with pytest.raises(kind) as raised:
        items.close()
    assert (raised.value is boom) == (times == 1)
    assert log == [end]


def test_an_item_that_comes_in_spite_of_an_interrupt_is_dropped_and_the_source_closed() -> None:
    log: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 0
            interrupted(KeyboardInterrupt(), 1)
            try:
                await asyncio.sleep(60.0)
            except asyncio.CancelledError:
                log.append("cancelled")
            yield 1
        finally:
            log.append("closed")

    found: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        for item in Stream(source) | ops.map(abs):
            found.append(item)
    assert found == [0]
    assert log == ["cancelled", "closed"]


IN_PLACE: dict[str, Callable[[Any], Any]] = {
    "concat": lambda source: Stream(source) | ops.concat([9]),
    "catch": lambda source: Stream(source) | ops.catch(lambda _: [9]),
    "repeat": lambda source: Stream(source) | ops.repeat(2),
    "throttle": lambda source: Stream(source) | ops.throttle(1e6),
    "second": lambda source: Stream([]) | ops.buffer(Suspend(1)) | ops.concat(source),
    "behind steps": lambda source: Stream([]) | ops.concat([]) | ops.map(int) | ops.concat(source),
}


@pytest.mark.parametrize("pipe", IN_PLACE.values(), ids=IN_PLACE)
def test_a_source_that_is_read_in_place_is_closed_at_once_where_a_loop_runs(pipe: Any) -> None:
    source = FaultySource(range(99), every=0.0)
    items = iter(pipe(source))

    def refused() -> None:
        with pytest.raises(RunningLoopError):
            next(items)

    assert next(items) == 0
    in_a_loop(refused)
    with pytest.raises(RunningLoopError):
        next(items)
    source.check()
    assert source.given < 9


def test_where_a_loop_runs_all_that_reads_is_closed_before_the_next_step() -> None:
    closed: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            for number in range(9):
                yield number
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0.01)
            closed.append("source")

    items: Any = iter(Stream(source) | ops.buffer(Suspend(2)))
    assert next(items) == 0

    def refused() -> None:
        with pytest.raises(RunningLoopError):
            next(items)

    in_a_loop(refused)
    assert next(items) == 1
    assert closed == ["source"]
    items.close()


@pytest.mark.parametrize(
    "pipe", [ops.map(later), ops.map(lambda item: later(item))], ids=["a turn", "a step"]
)
def test_the_event_loop_that_a_thread_was_given_stays_its_own(pipe: Any) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        assert list(Stream([1, 2]) | pipe) == [1, 2]
        assert asyncio.get_event_loop() is loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class Opened:
    """What waits, and is closed once; that may fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.closed = 0

    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        return 1

    async def aclose(self) -> None:
        self.closed += 1
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("asked", [0, 1])
def test_a_source_that_was_opened_is_closed_also_where_nobody_asks_for_an_item(asked: int) -> None:
    for ends, error in product(["close", "throw"], [None, OSError("late")]):
        source, boom = Opened(error), LookupError("out")
        items: Any = iter(Stream(lambda source=source: source))
        assert [next(items) for _ in range(asked)] == [1] * asked
        try:
            if ends == "close":
                items.close()
            else:
                items.throw(boom)
        except (OSError, LookupError) as raised:
            assert raised is (error if ends == "close" else boom)
            assert attached(raised) == (() if ends == "close" or error is None else (error,))
        else:
            assert (ends, error) == ("close", None)
        assert source.closed == 1


class LostError(Exception):
    """One that may be referred to weakly."""


def test_an_error_of_a_plain_for_comes_out_and_is_kept_by_nothing() -> None:
    def plain(closing: bool) -> Iterator[int]:
        try:
            yield 1
            if not closing:
                raise LostError
            yield 2
        finally:
            if closing:
                raise LostError

    async def source(closing: bool) -> AsyncIterator[int]:
        with contextlib.closing(plain(closing)) as numbers:
            for item in numbers:
                yield item

    for make, closing in product([plain, source], [False, True]):
        items: Any = iter(Stream(partial(make, closing)) | ops.map(abs))
        assert next(items) == 1
        with pytest.raises(LostError) as raised:
            items.close() if closing else next(items)
        lost = weakref.ref(raised.value)
        del raised, items
        gc.collect()
        assert lost() is None, (make, closing)
