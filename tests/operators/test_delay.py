"""delay and delay_start."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st
from reactivex import operators as of

from streamkit import DropOldest, Stream, Suspend, ops, push
from streamkit.testing import run
from tests.marbles import ERROR, drawn, note, noted
from tests.operators.pacing import balanced, consumed, gapped, stopped
from tests.operators.virtual import emitted

GAPS = st.lists(st.integers(0, 30).map(lambda eighths: eighths / 8), max_size=9)
ENDS = st.integers(0, 20).map(lambda eighths: eighths / 8)
SECONDS = st.sampled_from([0.5, 1.0, 3.0, 60.0])
MAKES: dict[str, Callable[..., Any]] = {"delay": ops.delay, "delay_start": ops.delay_start}
every = pytest.mark.parametrize("name", MAKES)


class TestDelay:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--a-b---c-|")) | ops.delay(5.0)
        assert noted(stream) == [(7.0, "a"), (9.0, "b"), (13.0, "c"), (15.0, "|")]

    @given(GAPS, ENDS, SECONDS)
    def test_is_that_of_rxpy(self, gaps: list[float], ends: float, seconds: float) -> None:
        seen = noted(Stream(gapped(gaps, ends)) | ops.delay(seconds))
        assert seen == emitted(of.delay(seconds), gaps, ends)

    @given(GAPS, ENDS, SECONDS)
    def test_unlike_in_rxpy_an_error_comes_after_the_items_that_are_on_their_way(
        self, gaps: list[float], ends: float, seconds: float
    ) -> None:
        async def failing() -> AsyncIterator[int]:
            async for item in gapped(gaps, ends)():
                yield item
            raise ERROR

        *items, (when, error) = noted(Stream(failing) | ops.delay(seconds))
        assert items == noted(Stream(gapped(gaps)) | ops.delay(seconds))[:-1]
        assert (when, error) == (max([sum(gaps) + ends, *(time for time, _ in items)]), ERROR)
        theirs = emitted(of.delay(seconds), gaps, ends, fails=True)
        assert theirs[-1] == (sum(gaps) + ends, ERROR)
        assert len(theirs) <= len(items) + 1

    def test_a_full_lookahead_holds_the_source_up_until_the_next_item_leaves(self) -> None:
        stream = Stream(drawn("abcd|")) | ops.delay(5.0, lookahead=2)
        assert noted(stream) == [(5.0, "a"), (6.0, "b"), (10.0, "c"), (11.0, "d"), (15.0, "|")]

    def test_no_more_than_lookahead_is_pulled(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            stream = Stream(range(99)) | ops.tap(pulled.append) | ops.delay(1.0, lookahead=3)
            async with stream.open() as items:
                await asyncio.sleep(9.0)
                assert pulled == []
                assert await anext(items) == 0
                await asyncio.sleep(9.0)
                assert pulled == [0, 1, 2, 3]

        run(main)

    def test_a_late_consumer_gets_what_is_due_at_once(self) -> None:
        stream = Stream(drawn("abc-----d|")) | ops.delay(2.0)
        assert noted(stream, 5.0) == [(2.0, "a"), (7.0, "b"), (7.0, "c"), (10.0, "d"), (11.0, "|")]

    def test_a_thousand_items_keep_their_spacing(self) -> None:
        seen = noted(Stream(gapped([0.37] * 1000)) | ops.delay(99.0, lookahead=300))
        wants = noted(Stream(gapped([0.37] * 1000)))
        assert [time for time, _ in seen] == [time + 99.0 for time, _ in wants]

    def test_another_strategy_is_a_buffer_before_it(self) -> None:
        stream = Stream(drawn("abcdefg|")) | ops.buffer(DropOldest(1)) | ops.delay(5.0, lookahead=1)
        assert [item for _, item in noted(stream)] == ["a", "f", "g", "|"]

    def test_is_counted_as_any_buffer(self) -> None:
        got, stats, error = consumed(Stream(gapped([1.0] * 9)) | ops.delay(4.0), lambda _: 0.5)
        assert (got, error) == ([*range(9)], None)
        assert balanced(stats)
        assert (stats.offered, stats.delivered, stats.held_at_most) == (9, 9, 5)

    def test_what_is_on_its_way_at_an_early_end_is_dropped(self) -> None:
        cleaned: list[float] = []
        stats = stopped(Stream(drawn("-a-b-c-", cleaned)) | ops.delay(3.0), 6.0)
        assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (3, 1, 2, 0)
        assert cleaned == [6.0]

    @pytest.mark.parametrize(
        ("value", "kind"),
        [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError), (None, TypeError)],
    )
    def test_no_lookahead(self, value: Any, kind: type[Exception]) -> None:
        with pytest.raises(kind, match="lookahead must be a whole number of at least 1, not"):
            ops.delay(1.0, lookahead=value)


class TestDelayStart:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("--a-b|")) | ops.delay_start(5.0)
        assert noted(stream) == [(7.0, "a"), (9.0, "b"), (10.0, "|")]

    @given(GAPS, ENDS, SECONDS)
    def test_is_delay_subscription_of_rxpy(self, gaps: list[float], ends: float, seconds: float) -> None:
        seen = noted(Stream(gapped(gaps, ends)) | ops.delay_start(seconds))
        assert seen == emitted(of.delay_subscription(seconds), gaps, ends)

    def test_the_source_is_opened_when_the_time_is_over_and_read_when_asked(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            stream = Stream(range(9)) | ops.tap(pulled.append) | ops.delay_start(2.0)
            async with stream.open() as items:
                await asyncio.sleep(9.0)
                first = asyncio.ensure_future(anext(items))
                await asyncio.sleep(1.9)
                assert pulled == []
                assert await first == 0
                assert asyncio.get_running_loop().time() == 11.0
                await asyncio.sleep(9.0)
                assert pulled == [0]
                assert await anext(items) == 1

        run(main)

    def test_an_error_of_the_source_comes_as_itself(self) -> None:
        assert noted(Stream(drawn("aX")) | ops.delay_start(5.0)) == [(5.0, "a"), (6.0, ERROR)]

    def test_a_consumer_that_leaves_before_opens_nothing(self) -> None:
        cleaned: list[float] = []

        async def main() -> None:
            async with (Stream(drawn("a|", cleaned)) | ops.delay_start(5.0)).open() as items:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(2.0):
                        await anext(items)

        run(main)
        assert cleaned == []

    def test_what_is_sent_meanwhile_waits_in_the_buffer_of_the_source(self) -> None:
        async def main() -> list[tuple[float, Any]]:
            stream, emitter = push(Suspend(4), of=str)
            seen = asyncio.ensure_future(note(stream | ops.delay_start(3.0)))
            await asyncio.sleep(1.0)
            for letter in "abc":
                emitter.offer(letter)
            emitter.close()
            return await seen

        assert run(main) == [(3.0, "a"), (3.0, "b"), (3.0, "c"), (3.0, "|")]


class TestBoth:
    @every
    def test_empty(self, name: str) -> None:
        assert noted(Stream([]) | MAKES[name](4.0)) == [(4.0, "|")]

    @every
    @pytest.mark.parametrize("seconds", [0, -1, 0.0, -0.5, float("inf"), float("nan"), 10**400])
    def test_no_time(self, name: str, seconds: float) -> None:
        with pytest.raises(ValueError, match="seconds must be a finite number of seconds above 0"):
            MAKES[name](seconds)

    @every
    @pytest.mark.parametrize("seconds", [True, "1", None, [1.0], Stream([1])])
    def test_no_number(self, name: str, seconds: Any) -> None:
        with pytest.raises(TypeError, match="seconds must be a finite number of seconds above 0, not"):
            MAKES[name](seconds)
