"""valve: drain and abort."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import Stream, Suspend, Valve, attached, ops
from streamkit.testing import VirtualLoop, run
from tests.marbles import ERROR, drawn, noted
from tests.operators.valves import STOP, aborting, later


class TestDrain:
    def test_the_source_is_closed_what_was_taken_passes_and_the_stream_completes(self, valve: Valve) -> None:
        cleaned: list[float] = []
        stream = Stream(drawn("-abcdefgh", cleaned)) | ops.buffer(Suspend(3)) | ops.valve(valve)
        seen = noted(stream, 6.0, turns={5.0: valve.drain})
        assert seen == [(1.0, "a"), (7.0, "b"), (7.0, "c"), (7.0, "d"), (7.0, "|")]
        assert cleaned == [5.0]

    @pytest.mark.parametrize("takes", [0.0, 2.0])
    def test_a_source_that_hangs_is_closed_and_its_clean_up_runs(self, valve: Valve, takes: float) -> None:
        cleaned: list[float] = []
        stream = Stream(drawn("-a-", cleaned, takes=takes)) | ops.valve(valve)
        assert noted(stream, turns={5.0: valve.drain}) == [(1.0, "a"), (5.0 + takes, "|")]
        assert cleaned == [5.0 + takes]

    def test_while_paused_what_was_taken_passes(self, valve: Valve) -> None:
        cleaned: list[float] = []
        stream = Stream(drawn("-a-b-c-d|", cleaned)) | ops.valve(valve)
        assert noted(stream, turns={2.0: valve.pause, 6.0: valve.drain}) == [
            *((1.0, "a"), (6.0, "b"), (6.0, "|"))
        ]
        assert cleaned == [6.0]
        assert not valve.paused

    def test_in_a_callback_before_the_valve_lets_the_very_item_pass(self, valve: Valve) -> None:
        def drain_at_b(item: str) -> None:
            if item == "b":
                valve.drain()

        cleaned: list[float] = []
        stream = Stream(drawn("-a-b-c|", cleaned)) | ops.tap(drain_at_b) | ops.valve(valve)
        assert noted(stream) == [(1.0, "a"), (3.0, "b"), (3.0, "|")]
        assert cleaned == [3.0]

    def test_in_a_callback_behind_the_valve_that_item_is_the_last(self, valve: Valve) -> None:
        cleaned: list[float] = []
        stream = Stream(drawn("-a-b-c|", cleaned)) | ops.valve(valve)
        drained = stream | ops.tap(lambda item: item == "b" and valve.drain())
        assert noted(drained) == [(1.0, "a"), (3.0, "b"), (3.0, "|")]
        assert cleaned == [3.0]

    def test_before_the_run_the_source_is_not_begun(self, valve: Valve) -> None:
        valve.drain()
        cleaned: list[float] = []
        assert noted(Stream(drawn("-a|", cleaned)) | ops.valve(valve)) == [(0.0, "|")]
        assert cleaned == []

    def test_after_the_run_changes_nothing_but_the_next(self, valve: Valve) -> None:
        stream = Stream("ab") | ops.valve(valve)
        assert list(stream) == ["a", "b"]
        valve.drain()
        assert list(stream) == []

    def test_what_stands_behind_it_completes_as_usual(self, valve: Valve) -> None:
        job = Stream(drawn("-abc-")) | ops.valve(valve) | ops.batch(2) | ops.to_list()

        async def main() -> list[list[str]]:
            asyncio.get_running_loop().call_at(5.0, valve.drain)
            return await job

        assert run(main) == [["a", "b"], ["c"]]

    def test_an_error_of_the_clean_up_is_told(self, valve: Valve) -> None:
        async def source() -> AsyncIterator[str]:
            try:
                yield "a"
                await asyncio.get_running_loop().create_future()
            finally:
                raise ERROR

        seen = noted(Stream(source) | ops.valve(valve), turns={5.0: valve.drain})
        assert seen == [(0.0, "a"), (5.0, ERROR)]

    def test_resume_and_pause_after_it_change_nothing(self, valve: Valve) -> None:
        valve.drain()
        valve.pause()
        assert not valve.paused
        assert list(Stream("ab") | ops.valve(valve)) == []
        valve.resume()
        assert list(Stream("ab") | ops.valve(valve)) == []

    def test_a_source_that_ends_by_itself_when_it_is_cancelled_is_no_error(self, valve: Valve) -> None:
        async def source() -> AsyncIterator[str]:
            yield "a"
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                return

        seen = noted(Stream(source) | ops.valve(valve), turns={5.0: valve.drain})
        assert seen == [(0.0, "a"), (5.0, "|")]

    def test_stages_before_it_are_closed_with_the_source(self, valve: Valve) -> None:
        cleaned: list[float] = []
        stream = Stream(drawn("-abc-", cleaned)) | ops.map(later, concurrency=3) | ops.merge(drawn("--x-"))
        seen = noted(stream | ops.valve(valve), turns={6.0: valve.drain})
        assert sorted(item for _, item in seen) == ["a", "b", "c", "x", "|"]
        assert seen[-1] == (6.0, "|")
        assert cleaned == [6.0]

    def test_while_the_consumer_is_busy(self, valve: Valve) -> None:
        cleaned: list[float] = []
        stream = Stream(drawn("-a-b-c|", cleaned)) | ops.valve(valve)
        seen = noted(stream, 9.0, turns={5.0: valve.drain})
        assert seen[0] == (1.0, "a")
        assert seen[-1] == (10.0, "|")
        assert cleaned == [5.0]

    def test_neither_a_task_nor_an_item_is_left_at_whatever_step_it_comes(self) -> None:
        for steps in range(1, 16):
            valve = Valve()
            pulled: list[int] = []

            async def main(valve: Valve = valve, pulled: list[int] = pulled, steps: int = steps) -> None:
                loop = asyncio.get_running_loop()
                assert isinstance(loop, VirtualLoop)
                loop.call_at_step(steps, valve.drain)
                stream = Stream(range(100)) | ops.map(later) | ops.tap(pulled.append) | ops.valve(valve)
                assert [item async for item in stream] == pulled

            run(main)
            assert len(pulled) < 100


class TestAbort:
    def test_ends_with_the_error_at_once(self, valve: Valve) -> None:
        cleaned: list[float] = []
        stream = Stream(drawn("-a-----b|", cleaned)) | ops.valve(valve)
        seen = noted(stream, turns={4.0: aborting(valve)})
        assert seen == [(1.0, "a"), (4.0, STOP)]
        assert cleaned == [4.0]

    def test_what_is_held_is_dropped_and_counted(self, valve: Valve) -> None:
        async def main() -> None:
            stream = Stream(drawn("-abcd-")) | ops.buffer(Suspend(9)) | ops.valve(valve)
            asyncio.get_running_loop().call_at(1.5, valve.pause)
            asyncio.get_running_loop().call_at(6.0, valve.abort, STOP)
            seen: list[str] = []
            handle = (stream | ops.for_each(seen.append)).start()
            with pytest.raises(ValueError, match="aborted"):
                await handle
            [stats] = handle.buffers()
            assert seen == ["a"]
            assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (4, 1, 3, 0)

        run(main)

    def test_while_paused(self, valve: Valve) -> None:
        stream = Stream(drawn("-a-b-c|")) | ops.valve(valve)
        assert noted(stream, turns={2.0: valve.pause, 5.0: aborting(valve)}) == [(1.0, "a"), (5.0, STOP)]
        assert not valve.paused

    def test_before_the_run_the_source_is_not_begun(self, valve: Valve) -> None:
        valve.abort(STOP)
        cleaned: list[float] = []
        assert noted(Stream(drawn("-a|", cleaned)) | ops.valve(valve)) == [(0.0, STOP)]
        assert cleaned == []

    def test_after_the_run_changes_nothing_but_the_next(self, valve: Valve) -> None:
        stream = Stream("ab") | ops.valve(valve)
        assert list(stream) == ["a", "b"]
        valve.abort(STOP)
        with pytest.raises(ValueError, match="aborted"):
            list(stream)

    def test_in_a_callback_before_the_valve(self, valve: Valve) -> None:
        stream = Stream(drawn("-a-b|")) | ops.tap(lambda item: item == "b" and valve.abort(STOP))
        assert noted(stream | ops.valve(valve)) == [(1.0, "a"), (3.0, STOP)]

    def test_in_a_callback_behind_the_valve(self, valve: Valve) -> None:
        stream = Stream(drawn("-a-b|")) | ops.valve(valve) | ops.tap(lambda _: valve.abort(STOP))
        assert noted(stream) == [(1.0, "a"), (1.0, STOP)]

    def test_the_first_error_counts(self, valve: Valve) -> None:
        valve.abort(STOP)
        valve.abort(KeyError("second"))
        valve.drain()
        assert noted(Stream("ab") | ops.valve(valve)) == [(0.0, STOP)]

    def test_after_drain_while_the_rest_passes_it_ends_at_once(self, valve: Valve) -> None:
        stream = Stream(drawn("-abcd-")) | ops.buffer(Suspend(9)) | ops.valve(valve)
        seen = noted(stream, 6.0, 6.0, turns={5.0: valve.drain, 8.0: aborting(valve)})
        assert seen == [(1.0, "a"), (7.0, "b"), (13.0, STOP)]

    def test_an_error_of_the_clean_up_hangs_on_it(self, valve: Valve) -> None:
        stop = ValueError("aborted")

        async def source() -> AsyncIterator[str]:
            try:
                yield "a"
                await asyncio.get_running_loop().create_future()
            finally:
                raise ERROR

        seen = noted(Stream(source) | ops.valve(valve), turns={5.0: lambda: valve.abort(stop)})
        assert seen == [(0.0, "a"), (5.0, stop)]
        assert attached(stop) == (ERROR,)

    @pytest.mark.parametrize("stopping", [StopIteration(), StopAsyncIteration()])
    def test_an_error_that_python_takes_for_an_end_ends_no_stream_silently(
        self, valve: Valve, stopping: Exception
    ) -> None:
        valve.abort(stopping)
        error = noted(Stream("ab") | ops.valve(valve))[-1][1]
        assert isinstance(error, RuntimeError)
        assert error.__cause__ is stopping

    @pytest.mark.parametrize("error", [None, "stop", ValueError])
    def test_no_error(self, valve: Valve, error: Any) -> None:
        with pytest.raises(TypeError) as caught:
            valve.abort(error)
        assert str(caught.value) == f"error must be an exception, not {error!r}"
        assert not valve.ended


@pytest.mark.parametrize("wanted", ["drain", "abort"])
def test_a_pump_that_is_ended_before_it_has_begun_closes_its_lane(wanted: str) -> None:
    tap = Valve()

    async def source() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(1.0)
            yield number

    async def main() -> None:
        def factory(loop: Any, coroutine: Any, **named: Any) -> Any:
            """As if another thread steered the valve just when the task was made."""
            task = asyncio.Task(coroutine, loop=loop, **named)
            if getattr(coroutine, "__qualname__", "") == "Tasks._watched":
                call = tap.drain if wanted == "drain" else lambda: tap.abort(OSError("aborted"))
                thread = threading.Thread(target=call)
                thread.start()
                thread.join()
            return task

        asyncio.get_running_loop().set_task_factory(factory)
        job = Stream(source) | ops.valve(tap) | ops.to_list()
        if wanted == "drain":
            assert await job == []
        else:
            with pytest.raises(OSError, match="aborted"):
                await job

    run(main)
