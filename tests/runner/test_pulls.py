"""Pulls that are given up: what the source makes of it, and that no other cancellation is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit.runner.intake import Intake
from streamkit.testing import run


def ended_after(source: Callable[[], AsyncIterator[int]], seconds: float = 2.5) -> tuple[list[int], int]:
    """What comes of `source` if the intake ends meanwhile, and how often its task is cancelled then."""

    async def main() -> tuple[list[int], int]:
        intake, seen = Intake(), list[int]()
        job = intake.steered(Stream(source) | ops.map(abs) | ops.batch(100) | ops.for_each(seen.extend))
        asyncio.get_running_loop().call_later(seconds, intake.end)
        await job
        task = asyncio.current_task()
        assert task is not None
        return seen, task.cancelling()

    found: tuple[list[int], int] = run(main)
    return found


class TestGivenUp:
    def test_a_pull_that_waits_ends_the_stream_and_closes_its_source(self) -> None:
        closed: list[str] = []

        async def source() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.sleep(1000.0)
            finally:
                await asyncio.sleep(1.0)  # clean-up is not cut short
                closed.append("closed")

        assert ended_after(source) == ([1], 0)
        assert closed == ["closed"]

    def test_a_source_that_closes_by_itself_is_let_alone(self) -> None:
        closed: list[float] = []

        async def source() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.sleep(2.0)
            finally:
                await asyncio.sleep(1.0)
                closed.append(asyncio.get_running_loop().time())

        assert ended_after(source, seconds=2.5) == ([1], 0)
        assert closed == [3.0]

    def test_an_item_that_the_source_makes_of_it_is_delivered(self) -> None:
        async def source() -> AsyncIterator[int]:
            try:
                await asyncio.sleep(1000.0)
            except asyncio.CancelledError:
                yield 7
            yield 8

        assert ended_after(source) == ([7], 0)

    def test_an_error_that_the_source_makes_of_it_is_raised(self) -> None:
        async def source() -> AsyncIterator[int]:
            try:
                await asyncio.sleep(1000.0)
            finally:
                raise OSError("torn")
            yield 1

        with pytest.raises(OSError, match="torn"):
            ended_after(source)

    def test_a_source_that_is_not_waited_for_is_asked_no_more(self) -> None:
        asked: list[int] = []

        async def source() -> AsyncIterator[int]:
            for number in range(100):
                asked.append(number)
                yield number
                await asyncio.sleep(1.0)

        assert ended_after(source) == ([0, 1, 2], 0)
        assert asked == [0, 1, 2]

    def test_a_time_limit_inside_of_the_source_still_works(self) -> None:
        async def source() -> AsyncIterator[int]:
            for number in (1, 2):
                try:
                    async with asyncio.timeout(1.0):
                        await asyncio.sleep(1000.0)
                except TimeoutError:
                    yield number
            await asyncio.sleep(1000.0)

        assert ended_after(source) == ([1, 2], 0)

    def test_another_cancellation_is_not_taken_back(self) -> None:
        async def main() -> None:
            intake = Intake()

            async def source() -> AsyncIterator[int]:
                await asyncio.sleep(1000.0)
                yield 1

            async def work() -> Any:
                return await intake.steered(Stream(source) | ops.to_list())

            task = asyncio.ensure_future(work())
            await asyncio.sleep(1.0)
            intake.end()
            await asyncio.sleep(0)  # the pull is given up; before its task runs, somebody cancels that
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert task.cancelled()

        run(main)

    def test_nor_is_one_that_came_just_before(self) -> None:
        async def main() -> None:
            intake = Intake()

            async def source() -> AsyncIterator[int]:
                yield 1
                await asyncio.sleep(1000.0)

            job = intake.steered(
                Stream(source) | ops.batch(2) | ops.for_each(lambda _: asyncio.sleep(1000.0))
            )
            task = asyncio.ensure_future(job)
            await asyncio.sleep(1.0)
            intake.end()
            task.cancel()  # before the pull is given up: what is inside is not finished then
            with pytest.raises(asyncio.CancelledError):
                await task
            assert asyncio.get_running_loop().time() == 1.0

        run(main)

    def test_it_is_given_up_when_what_the_source_reads_is_closed_and_it_goes_on_to_wait(self) -> None:
        closed: list[float] = []

        async def page() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                await asyncio.sleep(2.0)

        async def source() -> AsyncIterator[int]:
            try:
                async for number in page():
                    yield number
                await asyncio.sleep(1000.0)
            finally:
                closed.append(asyncio.get_running_loop().time())

        assert ended_after(source, seconds=1.0) == ([1], 0)
        assert 2.0 <= closed[0] < 4.0

    def test_it_is_given_up_behind_a_time_limit_of_the_source_that_was_over_meanwhile(self) -> None:
        async def source() -> AsyncIterator[int]:
            try:
                async with asyncio.timeout(1.0):
                    yield 1
                    yield 2
            except TimeoutError:
                pass
            await asyncio.sleep(1000.0)
            yield 3

        async def main(seconds: float) -> float:
            intake = Intake()
            job = Stream(source) | ops.buffer(Suspend(1)) | ops.for_each(lambda _: asyncio.sleep(2.0))
            asyncio.get_running_loop().call_later(seconds, intake.end)
            await intake.steered(job)
            return asyncio.get_running_loop().time()

        for seconds in (0.5, 3.0):
            assert run(partial(main, seconds)) < 10.0

    def test_what_ends_before_it_begins_gives_nothing(self) -> None:
        intake = Intake()
        intake.end()
        for source in ([1, 2], lambda: iter([1, 2])):
            assert intake.steered(Stream(source) | ops.to_list()).run() == []
