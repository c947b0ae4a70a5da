"""sample, where a signal says when."""

import asyncio
from itertools import accumulate
from typing import Any

import pytest
import reactivex
from hypothesis import given, strategies as st
from reactivex import operators as of

from streamkit import Stream, ops
from streamkit.testing import run
from tests.marbles import ERROR, drawn, noted
from tests.operators.pacing import balanced, consumed, gapped, stopped
from tests.operators.virtual import emitted

GAPS = st.lists(st.integers(1, 30).map(lambda eighths: eighths / 8), max_size=9)
ENDLESS = 1e5


class TestSignal:
    def test_the_diagram(self) -> None:
        signal = Stream(drawn("---x-x--x-x-x---------"))
        stream = Stream(drawn("--a-b-c-----------d---|")) | ops.sample(signal=signal)
        assert noted(stream) == [(3.0, "a"), (5.0, "b"), (8.0, "c"), (22.0, "d"), (22.0, "|")]

    @given(GAPS, GAPS)
    def test_is_that_of_rxpy_where_a_signal_comes_at_the_end(
        self, gaps: list[float], signals: list[float]
    ) -> None:
        """There the last item waits for one."""
        signals = [
            gap + (0.0 if place else 1 / 16) for place, gap in enumerate(signals)
        ]  # never with an item
        over = sum(gaps) + 1 / 8
        seen = noted(Stream(gapped(gaps, 1 / 8)) | ops.sample(signal=gapped(signals, ENDLESS)))
        ticks = [reactivex.timer(time) for time in (*accumulate(signals), over)]
        theirs = of.sample(reactivex.merge(*ticks, reactivex.never()))
        assert seen == emitted(theirs, gaps, 1 / 8 - 1 / 32)

    def test_signals_without_an_item_pass_nothing_on(self) -> None:
        stream = Stream(drawn("a----b---|")) | ops.sample(signal=drawn("-xxx---xx"))
        assert noted(stream) == [(1.0, "a"), (7.0, "b"), (9.0, "|")]

    def test_a_signal_that_came_before_the_item_does_not_count(self) -> None:
        stream = Stream(drawn("-a----c---|")) | ops.sample(signal=drawn("--x-x---x-"))
        assert noted(stream, 5.0) == [(2.0, "a"), (8.0, "c"), (10.0, "|")]

    def test_a_consumer_that_was_busy_gets_the_latest_when_it_asks(self) -> None:
        stream = Stream(drawn("a-b-c-d-----|")) | ops.sample(signal=drawn("-x-x--------"))
        assert noted(stream, 7.5) == [(1.0, "a"), (8.5, "d"), (12.0, "|")]

    def test_after_the_end_of_the_signal_the_last_item_comes_at_the_end(self) -> None:
        stream = Stream(drawn("a-b-c-d-----|")) | ops.sample(signal=drawn("-x|"))
        assert noted(stream) == [(1.0, "a"), (12.0, "d"), (12.0, "|")]

    def test_an_error_of_either_comes_after_the_latest(self) -> None:
        stream = Stream(drawn("a-X")) | ops.sample(signal=drawn("---x"))
        assert noted(stream) == [(2.0, "a"), (2.0, ERROR)]
        stream = Stream(drawn("a----|")) | ops.sample(signal=drawn("--X"))
        assert noted(stream) == [(2.0, "a"), (2.0, ERROR)]

    def test_the_signal_is_closed_with_the_source(self) -> None:
        cleaned: list[float] = []
        assert noted(Stream(drawn("a---|")) | ops.sample(signal=drawn("-x--------", cleaned)))[-1] == (
            4.0,
            "|",
        )
        assert cleaned == [4.0]

    def test_all_is_counted(self) -> None:
        stream = Stream(gapped([1.0] * 20)) | ops.sample(signal=gapped([2.5] * 99))
        got, stats, error = consumed(stream, lambda _: 0.5)
        assert error is None
        assert balanced(stats)
        assert (stats.offered, stats.delivered) == (20, len(got))
        dropped: list[tuple[Any, str]] = []
        operator = ops.sample(
            signal=drawn("--x--x----"), on_drop=lambda item, why: dropped.append((item, why))
        )
        stats = stopped(Stream(drawn("-a-bc---")) | operator, 9.0)
        assert balanced(stats)
        assert dropped == [("b", "full"), ("c", "closed")]

    def test_is_counted_beside_the_source(self) -> None:
        async def main() -> None:
            stream = Stream(gapped([1.0] * 4)) | ops.sample(signal=gapped([0.75] * 99))
            handle = (stream | ops.drain()).start()
            await handle
            assert all(balanced(stats) for stats in handle.buffers())
            assert [stats.offered for stats in handle.buffers()] == [4, 5]

        run(main)


class TestBadArguments:
    def test_both(self) -> None:
        with pytest.raises(ValueError, match=r"seconds must be left out where signal is given, not 1\.0"):
            ops.sample(1.0, signal=[1])  # type: ignore[call-overload]

    def test_neither(self) -> None:
        with pytest.raises(TypeError, match="seconds must be a finite number of seconds above 0, not None"):
            ops.sample()  # type: ignore[call-overload]

    def test_a_stream_as_seconds(self) -> None:
        with pytest.raises(TypeError, match=r"write sample\(signal=\.\.\.\)"):
            ops.sample(Stream([1]))  # type: ignore[call-overload]

    @pytest.mark.parametrize("value", [3, None, asyncio.Event()])
    def test_no_signal(self, value: Any) -> None:
        with pytest.raises(TypeError, match="signal must be an iterable, an async iterable, or a callable"):
            ops.sample(signal=value)


def test_an_error_of_the_signal_itself_is_passed_on() -> None:
    class Odd:
        @property
        def __class__(self) -> Any:
            raise TypeError("odd")

    with pytest.raises(TypeError, match=r"^odd$"):
        ops.sample(signal=Odd())  # type: ignore[call-overload]
