"""valve: several runs at one Valve, threads, and the Valve as a value."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import Stream, Valve, ops
from streamkit.testing import run
from tests.marbles import Noted, drawn, note, noted
from tests.operators.valves import STOP, later


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
