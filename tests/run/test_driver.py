"""Drivers: readers step the pumps of their sources, which cannot tell."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import pytest

import streamkit
from streamkit import Stream, ops
from streamkit._engine.run.driver import NESTED
from streamkit.testing import run

NAME: ContextVar[str] = ContextVar("NAME", default="reader")


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock by which loops let others run stands still."""
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: 0.0)


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


async def turns_of(job: Any) -> int:
    """How many turns the event loop makes until `job` has its result."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(count())
    await job
    beside.cancel()
    return turns


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize("lookahead", [1, 3])
def test_rows_of_ready_sources_take_no_turn_of_the_loop(lookahead: int) -> None:
    async def main(rows: int) -> int:
        pipe = streamkit.zip(numbers(rows), numbers(rows), lookahead=lookahead)
        return await turns_of(pipe | ops.drain())

    assert run(lambda: main(1000)) == run(lambda: main(10)) < 10


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize(("depth", "turns"), [(NESTED, False), (NESTED + 1, True)])
def test_rows_of_rows_take_none_either_up_to_a_depth(depth: int, turns: bool) -> None:
    async def main(rows: int) -> int:
        stream: Stream[Any] = Stream(numbers(rows))
        for _ in range(depth):
            stream = streamkit.zip(stream, numbers(rows))
        return await turns_of(stream | ops.drain())

    assert (run(lambda: main(100)) > run(lambda: main(10))) == turns


class TestItsTask:
    def test_each_source_runs_in_one_task_of_its_own(self) -> None:
        seen: dict[str, set[Any]] = {"a": set(), "b": set(), "reader": set()}

        async def source(name: str, pause: int) -> AsyncIterator[int]:
            try:
                for number in range(20):
                    seen[name].add(asyncio.current_task())
                    if pause and number % pause == 0:
                        await asyncio.sleep(0)
                        seen[name].add(asyncio.current_task())
                    yield number
                    seen[name].add(asyncio.current_task())
            finally:
                seen[name].add(asyncio.current_task())

        async def main() -> None:
            async with streamkit.zip(source("a", 0), source("b", 3)).open() as rows:
                async for row in rows:
                    seen["reader"].add(asyncio.current_task())
                    if row[0] == 17:
                        break
            seen["reader"].add(asyncio.current_task())

        run(main)
        assert [len(tasks) for tasks in seen.values()] == [1, 1, 1]
        assert len(set.union(*seen.values())) == 3

    def test_and_in_its_context(self) -> None:
        seen: dict[str, set[str]] = {"a": set(), "b": set(), "reader": set()}

        async def source(name: str) -> AsyncIterator[int]:
            NAME.set(name)
            for number in range(20):
                seen[name].add(NAME.get())
                yield number
                if number == 7:
                    await asyncio.sleep(0)
            seen[name].add(NAME.get())

        async def main() -> None:
            async for _ in streamkit.zip(source("a"), source("b")):
                seen["reader"].add(NAME.get())

        run(main)
        assert seen == {"a": {"a"}, "b": {"b"}, "reader": {"reader"}}

    def test_a_callback_of_the_event_loop_has_no_task_while_it_fills_up(self) -> None:
        inside: list[Any] = []

        async def source() -> AsyncIterator[int]:
            for number in range(4):
                inside.append(asyncio.current_task())
                asyncio.get_running_loop().call_soon(lambda: inside.append(asyncio.current_task()))
                yield number

        async def main() -> list[Any]:
            return [await asyncio.sleep(0, row) async for row in streamkit.zip(source(), numbers(9))]

        assert run(main) == [(number, number) for number in range(4)]
        assert len({*inside} - {None}) == 1
        assert inside.count(None) == 4


class TestWhatItWaitsFor:
    def test_goes_back_to_the_task(self) -> None:
        async def source(seconds: float) -> AsyncIterator[int]:
            for number in range(6):
                if number % 3 == 2:
                    await asyncio.sleep(seconds)
                yield number

        async def main() -> tuple[list[Any], float]:
            rows = await (streamkit.zip(source(1.0), source(2.0)) | ops.to_list())
            return rows, asyncio.get_running_loop().time()

        rows, seconds = run(main)
        assert rows == [(number, number) for number in range(6)]
        assert seconds == 4.0  # both wait at once

    def test_sources_are_read_ahead_while_the_reader_waits(self) -> None:
        async def source() -> AsyncIterator[int]:
            for number in range(5):
                await asyncio.sleep(1.0)
                yield number

        async def main() -> float:
            await (streamkit.zip(source(), source()) | ops.for_each(lambda _: asyncio.sleep(1.0)))
            return asyncio.get_running_loop().time()

        assert run(main) == 6.0

    def test_no_further_than_the_lookahead(self) -> None:
        pulled: list[int] = []

        async def source() -> AsyncIterator[int]:
            for number in range(100):
                pulled.append(number)
                yield number

        async def main() -> None:
            async with streamkit.zip(source(), numbers(100), lookahead=3).open() as rows:
                for row in range(5):
                    assert await anext(rows) == (row, row)
                    await asyncio.sleep(1.0)
                    assert len(pulled) <= row + 1 + 3 + 1

        run(main)


class TestCancelled:
    def test_a_scope_that_fires_while_it_is_parked_is_its_own(self) -> None:
        async def source() -> AsyncIterator[Any]:
            yield "before"
            try:
                async with asyncio.timeout(2.0):
                    for number in range(100):
                        yield number
            except TimeoutError:
                yield "late"

        async def main() -> list[Any]:
            found: list[Any] = []
            async for row, _ in streamkit.zip(source(), numbers(100)):
                found.append(row)
                await asyncio.sleep(0.9)
            return found

        found = run(main)
        assert found == ["before", 0, 1, 2, "late"]

    def test_what_it_waits_for_is_cancelled_before_its_task_has_heard_of_it(self) -> None:
        told: list[str] = []

        async def source() -> AsyncIterator[int]:
            yield 0
            yield 1
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                told.append("cancelled")
                raise
            finally:
                await asyncio.sleep(1.0)
                told.append("closed")

        async def main() -> None:
            async with streamkit.zip(source(), numbers(9)).open() as rows:
                assert await anext(rows) == (0, 0)
                assert await anext(rows) == (1, 1)
                waits = asyncio.ensure_future(anext(rows))
                await asyncio.sleep(0)
                waits.cancel()
                with suppress(asyncio.CancelledError):
                    await waits

        for seed in range(5):
            told.clear()
            run(main, schedules=20, seed=seed)
            assert {*told} == {"cancelled", "closed"}

    def test_a_source_that_cancels_its_task_is_cancelled_where_it_waits_next(self) -> None:
        async def source() -> AsyncIterator[int]:
            yield 0
            yield 1
            task = asyncio.current_task()
            assert task is not None
            task.cancel("itself")
            try:
                await asyncio.sleep(9.0)
            except asyncio.CancelledError as error:
                task.uncancel()
                assert error.args == ("itself",)
            yield 2

        rows = run(lambda: streamkit.zip(source(), numbers(9)) | ops.to_list())
        assert rows == [(0, 0), (1, 1), (2, 2)]

    @pytest.mark.parametrize("rows", [0, 1, 2, 5])
    def test_each_source_is_closed_once_when_the_reader_is_cancelled(self, rows: int) -> None:
        closed: list[Any] = []

        async def source(wait: int) -> AsyncIterator[int]:
            try:
                for number in range(100):
                    if number == wait:
                        await asyncio.sleep(9.0)
                    yield number
            finally:
                task = asyncio.current_task()
                await asyncio.sleep(0)
                closed.append(task is asyncio.current_task())

        async def main() -> None:
            async def work() -> None:
                await (streamkit.zip(source(rows), source(rows + 1)) | ops.drain())

            reader = asyncio.create_task(work())
            await asyncio.sleep(1.0)
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader

        run(main)
        assert closed == [True, True]


class TestErrors:
    def test_what_is_held_comes_before_the_error_and_nothing_is_pulled_after_it(self) -> None:
        pulled: list[int] = []

        async def fails() -> AsyncIterator[int]:
            yield 0
            yield 1
            raise ValueError("no more")

        async def beside() -> AsyncIterator[int]:
            for number in range(100):
                pulled.append(number)
                yield number

        async def main() -> list[Any]:
            found: list[Any] = []
            with pytest.raises(ValueError, match="no more") as caught:
                async for row in streamkit.zip(fails(), beside()):
                    found.append(row)
            names = [entry.name for entry in caught.traceback]
            assert "fails" in names
            assert "ready" not in names
            return found

        assert run(main) == [(0, 0), (1, 1)]
        assert pulled == [0, 1]

    def test_a_source_that_ends_before_it_is_made_has_failed(self) -> None:
        def none() -> Any:
            raise StopIteration

        for what, source in [
            ("coroutine", streamkit.merge(none, [1])),
            ("a source", streamkit.zip(none, [1])),
        ]:
            with pytest.raises(RuntimeError, match=f"^{what} raised StopIteration\n"):
                run(lambda source=source: source | ops.drain())

    @pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
    def test_an_interrupt_ends_the_program(self, interrupt: type[BaseException]) -> None:
        closed: list[str] = []

        async def source() -> AsyncIterator[int]:
            try:
                yield 0
                yield 1
                raise interrupt
            finally:
                closed.append("source")

        async def other() -> AsyncIterator[int]:
            try:
                for number in range(9):
                    yield number
            finally:
                closed.append("other")

        async def main() -> None:
            await (streamkit.zip(source(), other()) | ops.drain())

        with pytest.raises(interrupt):
            asyncio.run(main())
        assert sorted(closed) == ["other", "source"]


class TestNested:
    @pytest.mark.parametrize("depth", [1, NESTED, NESTED + 1, 3 * NESTED, 200])
    def test_zips_inside_of_zips(self, depth: int) -> None:
        stream: Stream[Any] = Stream(lambda: numbers(3))
        for _ in range(depth):
            stream = streamkit.zip(stream, lambda: numbers(3)) | ops.map(lambda row: row[0])
        assert run(lambda: stream | ops.to_list()) == [0, 1, 2]

    def test_tasks_are_the_current_ones_at_every_depth(self) -> None:
        seen: list[tuple[int, Any]] = []

        def noted(depth: int) -> Callable[[Any], Any]:
            def note(item: Any) -> Any:
                seen.append((depth, asyncio.current_task()))
                return item

            return note

        stream: Stream[Any] = Stream(lambda: numbers(5))
        for depth in range(4):
            stream = streamkit.zip(stream | ops.map(noted(depth)), lambda: numbers(5))
        run(lambda: stream | ops.drain())
        assert len({*seen}) == len({task for _, task in seen}) == 4


def test_what_a_source_has_waited_for_is_not_kept() -> None:
    class Big:
        pass

    kept: list[weakref.ref[Big]] = []

    async def source() -> AsyncIterator[int]:
        for number in range(4):
            if number == 2:
                future: asyncio.Future[Big] = asyncio.get_running_loop().create_future()
                big = Big()
                kept.append(weakref.ref(big))
                asyncio.get_running_loop().call_soon(future.set_result, big)
                del big
                await future
                del future
            yield number

    async def main() -> None:
        async with streamkit.zip(source(), numbers(9)).open() as rows:
            for row in range(3):
                assert await anext(rows) == (row, row)
            await asyncio.sleep(1.0)
            gc.collect()
            assert [each() for each in kept] == [None]

    run(main)
