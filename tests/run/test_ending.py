"""Whether a task is in its clean-up, which a run never interrupts, is told from where it waits."""

import asyncio
import dis
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from types import FunctionType
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops, zip
from streamkit._engine.run import ending
from streamkit._engine.run.ending import Ending, is_cleaning_up
from streamkit.testing import run

Waits = Callable[[bool], Any]
"""``await wait(clean)``: a wait of the source, and whether it is clean-up, behind the last item."""


async def with_finally(wait: Waits) -> AsyncIterator[int]:
    await wait(False)
    try:
        for number in range(2):
            await wait(False)
            yield number
    finally:
        await wait(True)
        await wait(True)
    await wait(False)


async def with_handler(wait: Waits) -> AsyncIterator[int]:
    try:
        for number in range(2):
            yield number
            await wait(False)
            if number:
                raise ValueError
    except ValueError:
        await wait(True)
    await wait(False)


async def that_tries_again(wait: Waits) -> AsyncIterator[int]:
    for number in range(3):
        try:
            await wait(False)
            if number == 1:
                raise ValueError
            yield number
        except ValueError:
            await wait(False)
        finally:
            await wait(False)  # an item may follow


async def with_context(wait: Waits) -> AsyncIterator[int]:
    @asynccontextmanager
    async def connection() -> AsyncIterator[None]:
        await wait(False)
        yield
        await wait(True)

    async with connection():
        yield 0
        await wait(False)
    await wait(False)


async def that_reads_another(wait: Waits) -> AsyncIterator[int]:
    async for item in with_finally(wait):
        yield item
    await wait(False)


async def nested(wait: Waits) -> AsyncIterator[int]:
    try:
        yield 0
    finally:
        try:
            await wait(True)
            raise OSError
        except OSError:
            await wait(True)
        finally:
            for _ in range(2):
                await wait(True)


async def in_a_group(wait: Waits) -> AsyncIterator[int]:
    async with asyncio.TaskGroup():
        yield 0
        await wait(False)
    async with asyncio.timeout(99.0):
        await wait(False)
        yield 1
        await wait(False)


SOURCES = [with_finally, with_handler, that_tries_again, with_context, that_reads_another, nested, in_a_group]


@pytest.mark.parametrize("by_job", [False, True])
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_each_wait_of_a_source_is_told_apart(
    source: Callable[[Waits], AsyncIterator[int]], by_job: bool
) -> None:
    async def main() -> None:
        waiting: asyncio.Future[bool] | None = None
        seen = 0

        async def wait(clean: bool) -> None:
            nonlocal waiting
            waiting = asyncio.get_running_loop().create_future()
            assert await waiting == clean

        async def read() -> None:
            if by_job:
                await (Stream(lambda: source(wait)) | ops.drain())
                return
            async for _ in source(wait):
                pass

        task = asyncio.create_task(read())
        while not task.done():
            await asyncio.sleep(0)
            if waiting is not None and not waiting.done():
                waiting.set_result(is_cleaning_up(task))
                seen += 1
        await task
        assert seen >= 2

    run(main)


async def slowly(log: list[str], name: str, count: int = 2, *, error: Exception | None = None) -> Any:
    try:
        for number in range(count):
            yield number
        if error is not None:
            raise error
    finally:
        await asyncio.sleep(1.0)
        log.append(name)


class TestARunThatEndsByItself:
    def test_lets_sources_end_that_are_ending(self) -> None:
        for make in (
            lambda source: Stream(source) | ops.zip([1, 2]),
            lambda source: Stream([1, 2]) | ops.zip(source),
            lambda source: Stream(source) | ops.take(1) | ops.buffer(Suspend(4)) | ops.take(1),
            lambda source: Stream(source) | ops.take(1) | ops.map(abs, concurrency=2) | ops.take(1),
            lambda source: Stream(source) | ops.merge(source, [1]) | ops.take(5),
            lambda source: Stream(source) | ops.repeat(1) | ops.take(1) | ops.repeat(1) | ops.zip([1]),
        ):
            log: list[str] = []

            async def main(make: Any = make, log: list[str] = log) -> None:
                await (make(lambda: slowly(log, "source")) | ops.to_list())

            run(main)
            assert set(log) == {"source"}

    def test_cancels_what_waits_for_an_item(self) -> None:
        async def waits() -> AsyncIterator[int]:
            yield 0
            await asyncio.sleep(99.0)
            yield 1

        async def main() -> float:
            assert await (zip(waits, [1]) | ops.to_list()) == [(0, 1)]
            return asyncio.get_running_loop().time()

        assert run(main) == 0.0

    def test_cancels_what_goes_on_behind_its_clean_up(self) -> None:
        async def goes_on() -> AsyncIterator[int]:
            try:
                yield 0
            finally:
                await asyncio.sleep(1.0)
            await asyncio.sleep(99.0)

        async def main() -> float:
            await (zip(goes_on, [1]) | ops.to_list())
            return asyncio.get_running_loop().time()

        assert 1.0 <= run(main) < 2.1

    @pytest.mark.parametrize("first", [True, False])
    def test_raises_the_error_of_a_source_that_is_still_cleaning_up(self, first: bool) -> None:
        async def main() -> None:
            boom = slowly([], "boom", 1, error=ValueError("of the source"))
            short = slowly([], "short", 1)
            with pytest.raises(ValueError, match="of the source"):
                await (zip(*((boom, short) if first else (short, boom))) | ops.to_list())

        run(main)


class TestErrorsThatNobodyWasToldOf:
    def test_hang_on_the_error_that_ended_the_run(self) -> None:
        async def dirty(name: str, count: int) -> AsyncIterator[int]:
            try:
                for number in range(count):
                    yield number
            finally:
                raise OSError(name)

        async def main() -> None:
            with pytest.raises(OSError, match="first") as caught:
                job = Stream(lambda: dirty("first", 1)) | ops.merge(
                    Stream(lambda: dirty("second", 1)) | ops.timeout(9.0)
                )
                await (job | ops.drain())
            assert "second" in " ".join(caught.value.__notes__)

        run(main)

    def test_are_not_raised_by_a_reader_that_leaves_early(self) -> None:
        async def fails() -> AsyncIterator[int]:
            yield 0
            raise ValueError("read ahead")

        async def main() -> int:
            return await (Stream(fails) | ops.buffer(Suspend(5)) | ops.first())

        assert run(main) == 0


class TestATaskThatSomebodyElseCancels:
    def test_is_not_cancelled_again(self) -> None:
        log: list[str] = []

        async def main() -> None:
            work = asyncio.create_task(wait_for(Stream(lambda: forever(log)) | ops.buffer(Suspend(1))))
            await asyncio.sleep(1.5)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await work

        run(main)
        assert log == ["cleaned up"]


async def wait_for(stream: Any) -> None:
    await (stream | ops.drain())


async def forever(log: list[str]) -> AsyncIterator[int]:
    try:
        while True:
            await asyncio.sleep(1.0)
            yield 0
    finally:
        await asyncio.sleep(5.0)
        log.append("cleaned up")


def test_a_task_whose_clean_up_is_short_does_not_wait_for_one_whose_is_long() -> None:
    async def cleans_up(seconds: float) -> AsyncIterator[int]:
        try:
            yield 0
        finally:
            await asyncio.sleep(seconds)
        await asyncio.sleep(999.0)

    async def read(seconds: float) -> None:
        async for _ in cleans_up(seconds):
            pass

    async def main() -> float:
        ending = Ending(asyncio.get_running_loop())
        long = asyncio.create_task(read(100.0))
        await asyncio.sleep(0)
        ending.cancel(long)
        await asyncio.sleep(70.0)  # it will be looked at again after minutes
        short = asyncio.create_task(read(1.0))
        await asyncio.sleep(0)
        ending.cancel(short)
        await asyncio.wait([short])
        ended = asyncio.get_running_loop().time()
        await asyncio.wait([long])
        ending.forget()
        return ended

    assert 71.0 <= run(main) < 72.2


def test_what_is_known_of_sources_is_forgotten_when_it_is_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamkit._engine.run.ending._known", {})
    monkeypatch.setattr("streamkit._engine.run.ending._MANY", 1)
    for source in (with_finally, nested, with_finally):
        test_each_wait_of_a_source_is_told_apart(source, False)


def test_where_a_source_cleans_up_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """That takes as long as some hundred items: each stream that is left early would pay it."""
    monkeypatch.setattr(ending, "_known", {})
    looked, looks = list[Any](), ending._looked_for

    def noted(code: Any) -> frozenset[int]:
        looked.append(code)
        return looks(code)

    monkeypatch.setattr(ending, "_looked_for", noted)
    for _ in range(2):
        test_each_wait_of_a_source_is_told_apart(with_finally, False)
    assert looked.count(with_finally.__code__) == 1


@pytest.mark.parametrize("nested", [False, True])
def test_an_iterator_that_is_being_closed_is_not_cancelled_in_it(nested: bool) -> None:
    closed = list[bool]()

    class Source:
        def __aiter__(self) -> AsyncIterator[int]:
            return self

        async def __anext__(self) -> int:
            return 1

        async def aclose(self) -> None:
            closed.append(False)
            await asyncio.sleep(2.0)
            closed[-1] = True

    async def failing() -> AsyncIterator[int]:
        await asyncio.sleep(1.0)
        raise LookupError("failed")
        yield 0

    async def main() -> None:
        some: Any = Stream([0]) | ops.concat_map(lambda _: Source()) if nested else Stream(Source())
        await (some | ops.take(1) | ops.merge(failing()) | ops.drain())

    with pytest.raises(LookupError, match="failed"):
        run(main)
    assert closed == [True]


def test_where_errors_are_handled_is_read_as_python_reads_it() -> None:
    codes = [each.__code__ for each in vars(asyncio.BaseEventLoop).values() if isinstance(each, FunctionType)]
    for code in codes:
        entries: Any = getattr(dis.Bytecode(code), "exception_entries")  # noqa: B009 - typeshed has none
        assert [*ending._handlers(code)] == [(each.start, each.end, each.target) for each in entries]
    assert max(target for code in codes for _, _, target in ending._handlers(code)) > 1024, "of two bytes"


class TestTasks:
    def test_one_that_has_not_begun_ends_by_itself(self) -> None:
        async def main() -> None:
            ending, begun = Ending(asyncio.get_running_loop()), list[str]()

            async def work() -> None:
                begun.append("work")
                await asyncio.sleep(9.0)

            task = asyncio.create_task(work())
            ending.cancel(task)
            await asyncio.sleep(1.0)
            assert (begun, task.done()) == (["work"], False)
            ending.cancel(task)
            await asyncio.sleep(0)
            assert task.cancelled()
            ending.forget()

        run(main)

    def test_others_can_be_cancelled_after_all_have_ended(self) -> None:
        async def main() -> float:
            ending = Ending(asyncio.get_running_loop())
            for _ in range(2):
                cleaning = asyncio.create_task(left_at_once())
                await asyncio.sleep(0.5)
                ending.cancel(cleaning)
                await asyncio.wait([cleaning])
                ending.forget()
            return asyncio.get_running_loop().time()

        assert run(main) == 4.0


async def left_at_once() -> None:
    async def source() -> AsyncIterator[int]:
        try:
            yield 0
        finally:
            await asyncio.sleep(2.0)

    async for _ in source():
        pass
