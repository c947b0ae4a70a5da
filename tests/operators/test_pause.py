"""pause_while."""

import asyncio
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import KeepLatest, Stream, ops, push
from streamkit.testing import run
from tests.marbles import ERROR, Noted, drawn, note, noted
from tests.operators.pacing import balanced, gapped

GAPS = st.lists(st.integers(0, 30).map(lambda eighths: eighths / 8), max_size=9)
TURNS = st.lists(st.integers(1, 30).map(lambda eighths: eighths / 8), max_size=9)


def said(marbles: str, cleaned: list[float] | None = None) -> Stream[bool]:
    """A signal drawn with T and F."""
    return Stream(drawn(marbles, cleaned)) | ops.map("T".__eq__)


def held_up(gaps: list[float], turns: list[float]) -> Noted:
    """What comes out where the signal is turned on, off and so on at `turns`, worked out without it.

    The consumer is never busy, so each item is asked for when the one before it has left.
    """
    times = [turn + 1 / 16 for turn in accumulate(turns)]
    pauses = [*zip(times[::2], [*times[1::2], times[-1]] if len(times) % 2 else times[1::2], strict=True)]
    left = 0.0
    seen: Noted = []
    for number, gap in enumerate(gaps):
        left = next((end for begin, end in pauses if begin <= left + gap < end), left + gap)
        seen.append((left, number))
    return [*seen, (left, "|")]


class TestPauseWhile:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--a--b--------c--|")) | ops.pause_while(said("----T------F------"))
        assert noted(stream) == [(2.0, "a"), (11.0, "b"), (14.0, "c"), (17.0, "|")]

    @given(GAPS, TURNS)
    def test_no_item_passes_in_a_pause_and_none_is_lost(self, gaps: list[float], turns: list[float]) -> None:
        times = [turn + (0.0 if place else 1 / 16) for place, turn in enumerate(turns)]
        signal = Stream(gapped(times)) | ops.map(lambda number: number % 2 == 0)
        assert noted(Stream(gapped(gaps)) | ops.pause_while(signal)) == held_up(gaps, turns)

    def test_the_source_is_not_pulled_in_a_pause(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            signal, switch = push(KeepLatest(), of=bool)
            stream = Stream(range(99)) | ops.tap(pulled.append) | ops.pause_while(signal)
            async with stream.open() as items:
                assert await anext(items) == 0
                assert pulled == [0]
                switch.offer(True)
                await asyncio.sleep(1.0)
                following = asyncio.ensure_future(anext(items))
                await asyncio.sleep(9.0)
                assert pulled == [0]
                switch.offer(False)
                assert await following == 1
                assert pulled == [0, 1]

        run(main)

    def test_any_item_of_the_signal_is_true_or_false(self) -> None:
        signal = Stream(drawn("-a-b|")) | ops.map({"a": [0], "b": []}.__getitem__)
        assert noted(Stream(drawn("--x--|")) | ops.pause_while(signal)) == [(3.0, "x"), (5.0, "|")]

    def test_the_end_of_the_signal_ends_the_pause(self) -> None:
        assert noted(Stream(drawn("--x--|")) | ops.pause_while(said("-T-|"))) == [(3.0, "x"), (5.0, "|")]
        assert list(Stream("ab") | ops.pause_while([True])) == ["a", "b"]
        assert list(Stream("ab") | ops.pause_while([])) == ["a", "b"]

    def test_an_item_that_was_asked_for_waits_for_the_end_of_the_pause_and_the_end_does_not(self) -> None:
        stream = Stream(drawn("--x|")) | ops.pause_while(said("-T------F-"))
        assert noted(stream) == [(8.0, "x"), (8.0, "|")]
        stream = Stream(drawn("--|")) | ops.pause_while(said("-T------F-"))
        assert noted(stream) == [(2.0, "|")]

    def test_an_error_ends_the_pause_and_comes_after_the_item_in_hand(self) -> None:
        assert noted(Stream(drawn("-x---")) | ops.pause_while(said("T--X"))) == [(3.0, "x"), (3.0, ERROR)]
        assert noted(Stream(drawn("--X")) | ops.pause_while(said("-T-"))) == [(2.0, ERROR)]

    def test_an_error_of_the_truth_of_an_item_is_named(self) -> None:
        class Unclear:
            def __bool__(self) -> bool:
                raise ERROR

        seen = noted(Stream(drawn("-x-")) | ops.pause_while([Unclear()]))
        assert seen[-1][1] is ERROR
        assert any(note.startswith("in pause_while(") for note in ERROR.__notes__)
        del ERROR.__notes__

    def test_both_are_closed_when_one_ends_or_the_consumer_leaves(self) -> None:
        cleaned: list[float] = []
        noted(Stream(drawn("a--|", cleaned)) | ops.pause_while(said("-F--------", cleaned)))
        assert cleaned == [3.0, 3.0]

        async def main() -> None:
            stream = Stream(drawn("-a-", cleaned)) | ops.pause_while(said("T-", cleaned))
            async with stream.open() as items:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(5.0):
                        await anext(items)

        cleaned.clear()
        run(main)
        assert cleaned == [5.0, 5.0]

    def test_signals_are_counted(self) -> None:
        async def main() -> None:
            signal = Stream(gapped([1.0] * 9)) | ops.map(lambda number: number % 2)
            handle = (Stream(gapped([1.25] * 9)) | ops.pause_while(signal) | ops.drain()).start()
            await handle
            assert all(balanced(stats) for stats in handle.buffers())
            assert [(stats.offered, stats.delivered) for stats in handle.buffers()] == [(9, 9), (9, 9)]

        run(main)

    def test_pushed_from_outside(self) -> None:
        async def main() -> list[tuple[float, Any]]:
            signal, switch = push(KeepLatest(), of=bool)
            loop = asyncio.get_running_loop()
            loop.call_at(1.5, switch.offer, True)
            loop.call_at(7.5, switch.offer, False)
            return await note(Stream(drawn("-a-b-c|")) | ops.pause_while(signal))

        assert run(main) == [(1.0, "a"), (7.5, "b"), (7.5, "c"), (7.5, "|")]

    @pytest.mark.parametrize("value", [3, None, True])
    def test_no_signal(self, value: Any) -> None:
        with pytest.raises(TypeError, match="signal must be an iterable, an async iterable, or a callable"):
            ops.pause_while(value)

    def test_an_event_cannot_tell_when_it_is_cleared(self) -> None:
        with pytest.raises(TypeError, match=r"signal must be a stream .*, write ops\.valve\(Valve\(\)\)"):
            ops.pause_while(asyncio.Event())  # type: ignore[arg-type]
