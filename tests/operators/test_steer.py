"""valve, and the Valve that turns it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import StoppedError, Stream, Suspend, Valve, attached, ops
from streamkit.testing import VirtualLoop, run
from tests.marbles import ERROR, Noted, drawn, note, noted

STOP = ValueError("aborted")


@pytest.fixture
def valve() -> Valve:
    return Valve()


def aborting(valve: Valve) -> Callable[[], None]:
    return lambda: valve.abort(STOP)


class TestPause:
    def test_the_diagram(self, valve: Valve) -> None:
        stream = Stream(drawn("--a--b--c--d--e--f--|")) | ops.valve(valve)
        turns = {3.0: valve.pause, 12.0: valve.resume, 15.0: valve.drain}
        assert noted(stream, turns=turns) == [
            *((2.0, "a"), (12.0, "b"), (12.0, "c"), (12.0, "d"), (14.0, "e"), (15.0, "|")),
        ]

    def test_an_open_valve_passes_everything_on_as_it_comes(self, valve: Valve) -> None:
        stream = Stream(drawn("-a--b|")) | ops.valve(valve)
        assert noted(stream) == [(1.0, "a"), (4.0, "b"), (5.0, "|")]

    def test_the_source_stalls_with_one_item_in_hand(self, valve: Valve) -> None:
        pulled: list[int] = []

        async def main() -> None:
            stream = Stream(range(9)) | ops.tap(pulled.append) | ops.valve(valve)
            async with stream.open() as items:
                await asyncio.sleep(5.0)
                assert pulled == []
                assert await anext(items) == 0
                valve.pause()
                waiting = asyncio.ensure_future(anext(items))
                await asyncio.sleep(5.0)
                assert len(pulled) <= 2
                assert not waiting.done()
                valve.resume()
                assert await waiting == 1

        run(main)

    @given(
        st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=12),
        st.lists(st.integers(0, 2), max_size=12),
    )
    def test_nothing_passes_after_pause_returned_and_nothing_is_lost(
        self, turns: list[tuple[int, bool]], gaps: list[int]
    ) -> None:
        valve = Valve()
        early: list[Any] = []

        async def source() -> AsyncIterator[int]:
            for number, gap in enumerate(gaps):
                await asyncio.sleep(gap)
                yield number

        async def turning() -> None:
            for gap, pause in turns:
                await asyncio.sleep(gap)
                (valve.pause if pause else valve.resume)()
            valve.resume()

        async def main() -> None:
            passed: list[int] = []
            turner = asyncio.ensure_future(turning())
            async for item in Stream(source) | ops.valve(valve):
                if valve.paused:
                    early.append(item)
                passed.append(item)
            assert passed == list(range(len(gaps)))
            await turner

        run(main)
        assert early == []

    @pytest.mark.parametrize("steps", range(1, 12))
    def test_pause_holds_at_whatever_step_of_the_loop_it_comes(self, valve: Valve, steps: int) -> None:
        passed: list[int] = []

        async def consume() -> None:
            async for item in Stream(range(100)) | ops.merge([]) | ops.valve(valve):
                passed.append(item)

        async def main() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            at_pause: list[int] = []

            def pause() -> None:
                valve.pause()
                at_pause.append(len(passed))

            loop.call_at_step(steps, pause)
            consumer = asyncio.ensure_future(consume())
            await asyncio.sleep(9.0)
            assert at_pause == [len(passed)]
            valve.resume()
            await consumer

        run(main)
        assert passed == list(range(100))

    def test_pause_in_a_callback_before_the_valve_holds_the_very_item(self, valve: Valve) -> None:
        def pause_at_b(item: str) -> None:
            if item == "b":
                valve.pause()

        stream = Stream(drawn("-a-b-c|")) | ops.tap(pause_at_b) | ops.valve(valve)
        seen = noted(stream, turns={9.0: valve.resume})
        assert seen == [(1.0, "a"), (9.0, "b"), (9.0, "c"), (9.0, "|")]

    def test_pause_in_a_callback_behind_the_valve_holds_the_next(self, valve: Valve) -> None:
        stream = Stream("abc") | ops.valve(valve) | ops.tap(lambda item: item == "a" and valve.pause())
        assert noted(stream, turns={9.0: valve.resume}) == [*((0.0, "a"), (9.0, "b"), (9.0, "c"), (9.0, "|"))]

    def test_paused_before_the_run_the_source_is_not_begun(self, valve: Valve) -> None:
        valve.pause()
        begun: list[float] = []

        async def source() -> AsyncIterator[str]:
            begun.append(asyncio.get_running_loop().time())
            yield "a"

        stream = Stream(source) | ops.valve(valve)
        assert noted(stream, turns={7.0: valve.resume}) == [(7.0, "a"), (7.0, "|")]
        assert begun == [7.0]

    def test_the_end_waits_while_paused(self, valve: Valve) -> None:
        stream = Stream(drawn("-a-|")) | ops.valve(valve)
        assert noted(stream, turns={2.0: valve.pause, 8.0: valve.resume}) == [(1.0, "a"), (8.0, "|")]

    def test_twice_is_once(self, valve: Valve) -> None:
        stream = Stream(drawn("-a-b|")) | ops.valve(valve)
        turns = {2.0: valve.pause, 2.5: valve.pause, 7.0: valve.resume, 8.0: valve.resume}
        assert noted(stream, turns=turns) == [(1.0, "a"), (7.0, "b"), (7.0, "|")]

    def test_a_valve_that_is_turned_on_and_off_in_one_turn_loses_nothing(self, valve: Valve) -> None:
        def flutter() -> None:
            for _ in range(5):
                valve.pause()
                valve.resume()

        stream = Stream(drawn("-a-b-c|")) | ops.valve(valve)
        turns = {time / 2: flutter for time in range(14)}
        assert noted(stream, turns=turns) == [(1.0, "a"), (3.0, "b"), (5.0, "c"), (6.0, "|")]

    def test_a_consumer_that_leaves_while_paused_closes_the_source(self, valve: Valve) -> None:
        cleaned: list[float] = []

        async def main() -> None:
            stream = Stream(drawn("-a-b-c-", cleaned, takes=1.0)) | ops.valve(valve)
            handle = (stream | ops.drain()).start()
            await asyncio.sleep(2.0)
            valve.pause()
            await asyncio.sleep(3.0)
            await handle.stop()
            with pytest.raises(StoppedError):
                await handle
            [stats] = handle.buffers()
            assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (2, 1, 1, 0)
            assert cleaned == [6.0]

        run(main)

    def test_a_buffer_before_it_fills_while_paused(self, valve: Valve) -> None:
        pulled: list[str] = []
        stream = Stream(drawn("-a-bcde|")) | ops.tap(pulled.append) | ops.buffer(Suspend(2))

        def resume() -> None:
            assert pulled == ["a", "b", "c"]
            valve.resume()

        seen = noted(stream | ops.valve(valve), turns={2.0: valve.pause, 9.0: resume})
        assert seen == [(1.0, "a"), (9.0, "b"), (9.0, "c"), (9.0, "d"), (9.0, "e"), (9.0, "|")]


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


async def later(item: Any) -> Any:
    await asyncio.sleep(0)
    return item


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


class TestErrorsOfTheSource:
    def test_come_as_themselves_after_what_was_taken(self, valve: Valve) -> None:
        stream = Stream(drawn("-abX")) | ops.valve(valve)
        assert noted(stream) == [(1.0, "a"), (2.0, "b"), (3.0, ERROR)]

    def test_wait_while_paused(self, valve: Valve) -> None:
        stream = Stream(drawn("-abX")) | ops.buffer(Suspend(9)) | ops.valve(valve)
        assert noted(stream, turns={1.5: valve.pause, 9.0: valve.resume}) == [
            *((1.0, "a"), (9.0, "b"), (9.0, ERROR))
        ]


class TestSeveralRuns:
    def test_one_valve_turns_them_all(self, valve: Valve) -> None:
        async def main() -> list[Noted]:
            loop = asyncio.get_running_loop()
            loop.call_at(2.0, valve.pause)
            loop.call_at(9.0, valve.resume)
            loop.call_at(11.0, valve.drain)
            first = Stream(drawn("-a-b---------c|")) | ops.valve(valve)
            second = Stream(drawn("---x------y-z|")) | ops.valve(valve)
            return await asyncio.gather(note(first), note(second))

        assert run(main) == [
            [(1.0, "a"), (9.0, "b"), (11.0, "|")],
            [(9.0, "x"), (10.0, "y"), (11.0, "|")],
        ]

    def test_one_valve_may_stand_twice_in_a_stream(self, valve: Valve) -> None:
        stream = Stream(drawn("-a-b-c-d|")) | ops.valve(valve) | ops.map(str.upper) | ops.valve(valve)
        turns = {2.0: valve.pause, 6.0: valve.resume, 6.5: valve.drain}
        assert noted(stream, turns=turns) == [(1.0, "A"), (6.0, "B"), (6.0, "C"), (6.5, "|")]

    def test_abort_ends_them_all_with_the_same_error(self, valve: Valve) -> None:
        async def main() -> list[Noted]:
            asyncio.get_running_loop().call_at(2.0, valve.abort, STOP)
            streams = [Stream(drawn(marbles)) | ops.valve(valve) for marbles in ("-a-", "---b", "-c-")]
            return await asyncio.gather(*map(note, streams))

        assert run(main) == [[(1.0, "a"), (2.0, STOP)], [(2.0, STOP)], [(1.0, "c"), (2.0, STOP)]]

    def test_one_run_that_has_ended_is_forgotten(self, valve: Valve) -> None:
        stream = Stream("ab") | ops.valve(valve)
        for _ in range(3):
            assert list(stream) == ["a", "b"]
            valve.pause()
            valve.resume()
        assert list(Stream("c") | ops.valve(valve)) == ["c"]

    def test_runs_in_several_threads_are_turned_together(self, valve: Valve) -> None:
        found: dict[int, Noted] = {}
        first = threading.Barrier(4)

        def work(number: int) -> None:
            async def source() -> AsyncIterator[int]:
                yield number
                await asyncio.get_running_loop().create_future()

            async def main() -> None:
                async for item in Stream(source) | ops.valve(valve):
                    found[number] = [(0.0, item)]
                    first.wait(5.0)
                found[number].append((0.0, "|"))

            asyncio.run(main())

        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        first.wait(5.0)
        valve.drain()
        for thread in threads:
            thread.join(5.0)
        assert found == {number: [(0.0, number), (0.0, "|")] for number in range(3)}


class TestThreads:
    def test_every_turn_may_come_from_another_thread(self, valve: Valve) -> None:
        async def in_thread(turn: Callable[[], None]) -> None:
            await asyncio.to_thread(turn)

        async def main() -> None:
            passed: list[str] = []
            stream = Stream(drawn("-a-b-c-d-")) | ops.valve(valve)
            handle = (stream | ops.for_each(passed.append)).start()
            await asyncio.sleep(2.0)
            await in_thread(valve.pause)
            await asyncio.sleep(4.0)
            assert passed == ["a"]
            await in_thread(valve.resume)
            await asyncio.sleep(0.5)
            assert passed == ["a", "b", "c"]
            await in_thread(valve.drain)
            await handle
            assert passed == ["a", "b", "c"]

        run(main)

    def test_abort_from_another_thread(self, valve: Valve) -> None:
        async def main() -> None:
            stream = Stream(drawn("-a-")) | ops.valve(valve)
            handle = (stream | ops.drain()).start()
            await asyncio.sleep(3.0)
            await asyncio.to_thread(valve.abort, STOP)
            with pytest.raises(ValueError, match="aborted"):
                await handle
            assert asyncio.get_running_loop().time() == 3.0

        run(main)

    def test_a_thread_that_turns_it_all_the_time_loses_nothing(self, valve: Valve) -> None:
        done = threading.Event()

        def flutter() -> None:
            while not done.is_set():
                valve.pause()
                valve.resume()

        async def main() -> list[int]:
            try:
                return [item async for item in Stream(range(300)) | ops.map(later) | ops.valve(valve)]
            finally:
                done.set()

        thread = threading.Thread(target=flutter)
        thread.start()
        try:
            assert asyncio.run(main()) == list(range(300))
        finally:
            done.set()
            thread.join()


class TestValve:
    def test_says_what_it_is(self, valve: Valve) -> None:
        assert (repr(valve), valve.paused, valve.ended) == ("<Valve open>", False, False)
        valve.pause()
        assert (repr(valve), valve.paused, valve.ended) == ("<Valve paused>", True, False)
        valve.drain()
        assert (repr(valve), valve.paused, valve.ended) == ("<Valve drained>", False, True)
        valve.abort(STOP)
        assert (repr(valve), valve.paused, valve.ended) == ("<Valve aborted>", False, True)

    def test_empty(self, valve: Valve) -> None:
        assert noted(Stream(drawn("---|")) | ops.valve(valve)) == [(3.0, "|")]

    @pytest.mark.parametrize("control", [None, True, Valve, "open"])
    def test_no_valve(self, control: Any) -> None:
        with pytest.raises(TypeError) as caught:
            ops.valve(control)
        assert str(caught.value) == f"control must be a Valve, not {control!r}"
