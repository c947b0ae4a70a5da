"""Handles of jobs: pause, resume and stop."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import Handle, StoppedError, Stream, Suspend, ops, push
from streamkit.testing import Faults, run
from tests.face.ticking import now, ticking, within


class TestPause:
    def test_holds_the_job_until_it_is_resumed(self) -> None:
        async def main() -> None:
            source = ticking()
            handle = (Stream(source) | ops.drain()).start()
            await asyncio.sleep(3.5)
            handle.pause()
            assert handle.paused
            await asyncio.sleep(50.0)
            assert source.given == 3
            handle.resume()
            assert not handle.paused
            await asyncio.sleep(2.5)
            assert 4 <= source.given <= 6
            await handle.stop()

        run(main)

    def test_what_feeds_it_fills_its_buffers_and_waits_too(self) -> None:
        async def main() -> None:
            source = ticking()
            seen: list[int] = []
            job = Stream(source) | ops.buffer(Suspend(4)) | ops.for_each(seen.append)
            handle = job.start()
            handle.pause()
            await asyncio.sleep(90.0)
            handle.resume()
            await asyncio.sleep(3.5)
            handle.pause()
            await asyncio.sleep(90.0)
            assert len(seen) <= source.given <= len(seen) + 5
            assert handle.buffers()[0].held == 4
            handle.resume()
            await handle
            assert seen == list(range(100))

        run(main)

    @pytest.mark.parametrize("kind", ["branches of steps", "branches with tasks", "groups with tasks"])
    def test_holds_all_parts(self, kind: str) -> None:
        async def main() -> None:
            seen: list[int] = []
            sink: Any = ops.for_each(seen.append)
            buffered: Any = ops.buffer(Suspend(2)) | sink
            parts: dict[str, Any] = {
                "branches of steps": ops.broadcast(sink, ops.drain()),
                "branches with tasks": ops.broadcast(buffered, ops.drain()),
                "groups with tasks": ops.group_by(lambda n: n % 2, buffered, max_groups=2) | ops.drain(),
            }
            handle = (Stream(ticking()) | parts[kind]).start()
            await asyncio.sleep(3.5)
            handle.pause()
            await asyncio.sleep(1.0)
            held = len(seen)
            await asyncio.sleep(50.0)
            assert len(seen) == held
            handle.resume()
            await asyncio.sleep(3.5)
            assert held < len(seen) <= held + 9
            await handle.stop()

        run(main)

    def test_before_it_has_begun_holds_it_from_its_first_wait(self) -> None:
        async def main() -> None:
            source = ticking(2)
            handle = (Stream(source) | ops.to_list()).start()
            handle.pause()
            await asyncio.sleep(50.0)
            assert source.given == 0
            handle.resume()
            assert await handle == [0, 1]

        run(main)

    def test_twice_is_once_and_so_is_resume(self) -> None:
        async def main() -> None:
            handle = (Stream(ticking(2)) | ops.to_list()).start()
            handle.resume()
            handle.pause()
            handle.pause()
            assert handle.paused
            handle.resume()
            handle.resume()
            assert await handle == [0, 1]
            handle.pause()
            assert await handle == [0, 1]

        run(main)

    def test_a_paused_job_can_be_cancelled(self) -> None:
        async def main() -> None:
            source = ticking(closing=2.0)
            handle = (Stream(source) | ops.drain()).start()
            await asyncio.sleep(1.5)
            handle.pause()
            await asyncio.sleep(5.0)
            with pytest.raises(TimeoutError):
                await within(1.0, handle)
            assert (handle.done, source.closed) == (True, 1)

        run(lambda: within(1000.0, main()))


class TestStop:
    @pytest.mark.parametrize("seconds", [0.0, 0.5, 1.0, 2.5])
    @pytest.mark.parametrize(
        "operator", [ops.take(99), ops.buffer(Suspend(2)), ops.merge(ticking()), ops.timeout(9.0)], ids=repr
    )
    def test_returns_when_all_is_closed(self, operator: Any, seconds: float) -> None:
        async def main() -> None:
            source = ticking(closing=5.0)
            handle = (Stream(source) | operator | ops.drain()).start()
            await asyncio.sleep(seconds)
            await handle.stop()
            assert handle.done
            assert source.closed == len(source.visits)
            assert now() == seconds + 5.0 * len(source.visits)
            with pytest.raises(StoppedError, match="was stopped"):
                await handle

        run(main)

    def test_before_it_has_begun_runs_nothing(self) -> None:
        async def main() -> None:
            source = ticking()
            handle = (Stream(source) | ops.drain()).start()
            await handle.stop()
            assert (source.given, source.closed) == (0, 0)
            with pytest.raises(StoppedError):
                await handle

        run(main)

    def test_before_it_has_begun_lets_go_of_those_who_fill_its_source(self) -> None:
        async def main() -> None:
            stream, emitter = push(Suspend(1))
            handle = (stream | ops.drain()).start()
            await handle.stop()
            assert emitter.closed

        run(main)

    def test_again_or_after_the_end_does_nothing(self) -> None:
        async def main() -> None:
            stopped = (Stream(ticking()) | ops.drain()).start()
            await stopped.stop()
            await stopped.stop()
            ended = (Stream([1]) | ops.to_list()).start()
            assert await ended == [1]
            await ended.stop()
            assert await ended == [1]

        run(main)

    @pytest.mark.parametrize("operator", [ops.take(99), ops.buffer(Suspend(2))], ids=repr)
    def test_ends_a_paused_job_too(self, operator: Any) -> None:
        async def main() -> None:
            source = ticking(closing=5.0)
            handle = (Stream(source) | operator | ops.drain()).start()
            await asyncio.sleep(1.5)
            handle.pause()
            await asyncio.sleep(9.0)
            await handle.stop()
            assert source.closed == 1
            with pytest.raises(StoppedError):
                await handle

        run(lambda: within(1000.0, main()))

    def test_ends_a_paused_job_whose_clean_up_does_not_wait(self) -> None:
        closed: list[bool] = []

        async def source() -> AsyncIterator[int]:
            try:
                await asyncio.sleep(99.0)
                yield 1
            finally:
                closed.append(True)

        async def main() -> None:
            handle = (Stream(source) | ops.drain()).start()
            await asyncio.sleep(1.0)
            handle.pause()
            await handle.stop()
            assert closed == [True]

        run(main)

    def test_from_two_tasks_at_once(self) -> None:
        async def main() -> None:
            source = ticking(closing=5.0)
            handle = (Stream(source) | ops.drain()).start()
            await asyncio.sleep(1.5)
            await asyncio.gather(handle.stop(), handle.stop())
            assert (handle.done, source.closed) == (True, 1)

        run(main)

    def test_an_error_while_closing_comes_out_of_await(self) -> None:
        async def dirty() -> AsyncIterator[int]:
            try:
                await asyncio.sleep(99.0)
                yield 1
            finally:
                raise OSError("clean-up")

        async def main() -> None:
            handle = (Stream(dirty) | ops.drain()).start()
            await asyncio.sleep(1.0)
            await handle.stop()
            with pytest.raises(OSError, match="clean-up"):
                await handle

        run(main)

    def test_does_not_take_over_a_cancellation_that_came_first(self) -> None:
        async def main() -> None:
            handle = (Stream(ticking()) | ops.drain()).start()
            with pytest.raises(TimeoutError):
                await within(1.5, handle)
            await handle.stop()
            with pytest.raises(asyncio.CancelledError):
                await handle

        run(main)

    def test_who_awaits_the_handle_is_not_cancelled_with_it(self) -> None:
        async def main() -> None:
            handle: Handle[None] = (Stream(ticking()) | ops.drain()).start()

            async def wait() -> str:
                try:
                    await handle
                except StoppedError:
                    return "stopped"
                return "ended"

            task = asyncio.ensure_future(wait())
            await asyncio.sleep(1.5)
            await handle.stop()
            assert await task == "stopped"
            assert task.cancelling() == 0

        run(main)


@pytest.mark.parametrize("operator", [ops.map(str), ops.buffer(Suspend(2))], ids=["one task", "a pump"])
def test_stopping_again_cuts_no_clean_up_short(operator: Any) -> None:
    closed: list[float] = []

    async def source() -> AsyncIterator[int]:
        try:
            while True:
                await asyncio.sleep(1.0)
                yield 1
        finally:
            await asyncio.sleep(2.0)
            closed.append(asyncio.get_running_loop().time())

    async def main() -> None:
        handle = (Stream(source) | operator | ops.drain()).start()
        await asyncio.sleep(1.5)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await handle.stop()
        await handle.stop()
        assert handle.done

    run(main)
    assert closed == [3.5]


@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
def test_a_source_that_closes_by_itself_is_let_alone(paused: bool) -> None:
    async def main() -> None:
        source = ticking(1, closing=5.0)
        handle = (Stream(source) | ops.to_list()).start()
        await asyncio.sleep(2.5)  # at 2, its end has come
        if paused:
            handle.pause()
        await handle.stop()
        assert (handle.done, source.closed, now()) == (True, 1, 7.0)

    run(lambda: within(1000.0, main()))


def test_a_job_that_the_end_of_the_program_has_cancelled_is_not_cancelled_again() -> None:
    async def main() -> None:
        source = ticking(closing=5.0)
        handle = (Stream(source) | ops.drain()).start()
        try:
            await asyncio.sleep(1.5)
        finally:
            await handle.stop()
            assert source.closed == len(source.visits)

    run(main, faults=Faults.SHUTDOWN)
