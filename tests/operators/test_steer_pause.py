"""valve: pause and resume, and errors of the source."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import StoppedError, Stream, Suspend, Valve, ops
from streamkit.testing import VirtualLoop, run
from tests.marbles import ERROR, drawn, noted


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


class TestErrorsOfTheSource:
    def test_come_as_themselves_after_what_was_taken(self, valve: Valve) -> None:
        stream = Stream(drawn("-abX")) | ops.valve(valve)
        assert noted(stream) == [(1.0, "a"), (2.0, "b"), (3.0, ERROR)]

    def test_wait_while_paused(self, valve: Valve) -> None:
        stream = Stream(drawn("-abX")) | ops.buffer(Suspend(9)) | ops.valve(valve)
        assert noted(stream, turns={1.5: valve.pause, 9.0: valve.resume}) == [
            *((1.0, "a"), (9.0, "b"), (9.0, ERROR))
        ]
