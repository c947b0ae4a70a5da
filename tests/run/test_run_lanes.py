"""What a stage reads and writes by itself: lanes chosen, sent into, handed over; and timers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import (
    EMPTY,
    Channel,
    KeepLatest,
    Lane,
    Suspend,
    Timer,
)
from tests.run.staging import Source, check_blamed, notes, outcome, settled

LONG = 60.0


class TestChoose:
    def test_gives_the_first_lane_that_has_something(self) -> None:
        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            one, two = [run.feed(channel, text, otherwise=Suspend(9)) for text in ("ab", "12")]
            await settled()
            while (lane := await channel.choose(two, one)) is not None:
                assert lane.peek() == lane.peek()
                yield lane.take()
            assert (one.take(), one.peek(), one.exhausted) == (EMPTY, EMPTY, True)

        assert outcome(stage) == ["1", "2", "a", "b"]

    @pytest.mark.parametrize("until", [True, False])
    def test_ends_with_all_lanes_or_with_one(self, until: bool) -> None:
        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            short = run.feed(channel, "ab", otherwise=Suspend(1))
            long = run.feed(channel, Source(count=4), otherwise=Suspend(1))
            late = asyncio.get_running_loop().call_at(9.0, long.close)
            while lane := await channel.choose(long, short, until=short if until else None):
                yield lane.take()
            late.cancel()
            yield run.time()

        *items, end = outcome(stage)
        assert items[:3] == [0, "a", "b"]
        assert (items[3:], end) == (([], 0.0) if until else ([1, 2, 3], 9.0))

    @pytest.mark.parametrize("until", [True, False])
    def test_raises_an_error_after_what_is_held(self, until: bool) -> None:
        async def failing() -> AsyncIterator[str]:
            yield "a"
            await asyncio.sleep(0.5)
            raise OSError("source")

        found: list[Any] = []

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            one = run.feed(channel, failing, otherwise=Suspend(9))
            two = run.feed(channel, Source(), otherwise=Suspend(9))
            await asyncio.sleep(1.5)
            while lane := await channel.choose(two, one, until=one if until else None):
                found.append(lane.take())
            yield

        with pytest.raises(OSError, match="source") as caught:
            outcome(stage)
        assert found == [0, "a"]
        assert notes(caught.value) == []

    def test_of_wrong_lanes_says_what_to_write(self) -> None:
        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel, other = run.channel(), run.channel()
            lane, gone = channel.lane(Suspend(1)), channel.lane(Suspend(1))
            channel.retire(gone)
            with pytest.raises(TypeError, match=r"choose\(\) needs the lanes .* the preferred one first"):
                await channel.choose()
            with pytest.raises(TypeError, match=r"run\.feed\(\.\.\.\) or channel\.lane\(\.\.\.\) made"):
                await channel.choose([lane])
            for wrong in (other.lane(), gone):
                with pytest.raises(ValueError, match="of this channel made, and that was not retired"):
                    await channel.choose(lane, wrong)
                with pytest.raises(ValueError, match="of this channel made, and that was not retired"):
                    channel.retire(wrong)
            with pytest.raises(ValueError, match="until must be one of the lanes to choose from"):
                await channel.choose(lane, until=channel.lane())
            yield "checked"

        assert outcome(stage) == ["checked"]


class TestSend:
    def test_waits_for_room(self) -> None:
        sent: list[int] = []

        async def stage(run: Any, _: Any) -> AsyncIterator[int]:
            channel = run.channel()
            lane = channel.lane(Suspend(2))

            async def work() -> None:
                for number in range(6):
                    await lane.send(number)
                    sent.append(number)

            run.spawn(work, channel, lane)
            await asyncio.sleep(LONG)
            assert sent == [0, 1]
            async for item in channel:
                yield item

        assert outcome(stage) == [*range(6)]

    @pytest.mark.parametrize("waits", [True, False])
    def test_ends_with_the_stage(self, waits: bool) -> None:
        async def stage(run: Any, _: Any) -> AsyncIterator[int]:
            channel = run.channel()
            lane = channel.lane(Suspend(1) if waits else KeepLatest())

            async def work() -> None:
                while True:
                    await lane.send(0)
                    await asyncio.sleep(0)

            run.spawn(work, channel, lane)
            await channel.wait()
            yield channel.pop()

        assert outcome(stage) == [0]

    def test_a_second_task_that_would_wait_is_told(self) -> None:
        async def stage(run: Any, _: Any) -> AsyncIterator[int]:
            channel = run.channel()
            lane = channel.lane(Suspend(1))

            async def work() -> None:
                for number in range(3):
                    await lane.send(number)

            run.spawn(work, channel)
            run.spawn(work, channel)
            async for item in channel:
                yield item

        with pytest.raises(RuntimeError, match="make a lane for each writer"):
            outcome(stage)

    def test_a_lane_that_was_closed_takes_nothing_more(self) -> None:
        async def stage(run: Any, _: Any) -> AsyncIterator[int]:
            lane = run.channel().lane(Suspend(1))
            lane.close()
            with pytest.raises(RuntimeError, match="was closed"):
                await lane.send(1)
            yield 1

        assert outcome(stage) == [1]

    def test_a_lane_has_one_writer(self) -> None:
        async def stage(run: Any, source: Any) -> AsyncIterator[int]:
            channel = run.channel()
            lane = run.feed(channel, source, otherwise=Suspend(1))
            with pytest.raises(ValueError, match="lane must have no writer yet"):
                run.pump([1], into=lane)
            async for item in channel:
                yield item

        assert outcome(stage, "ab") == ["a", "b"]


class TestWaysOfReading:
    """They may be mixed: what one leaves, the next finds."""

    def test_take_after_wait(self) -> None:
        async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, source, otherwise=Suspend(1))
            while await channel.wait():
                yield lane.take()

        assert outcome(stage, "abc") == ["a", "b", "c"]

    def test_take_after_until_of_a_hand_over(self) -> None:
        async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, source)
            while True:
                await channel.until(lambda: lane.peek() is not EMPTY or lane.exhausted)
                if lane.exhausted:
                    return
                yield lane.take()

        assert outcome(stage, "abc") == ["a", "b", "c"]

    def test_in_turn_after_choose(self) -> None:
        async def slow() -> AsyncIterator[str]:
            for letter in "pqrs":
                yield letter
                await asyncio.sleep(1.0)

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            run.feed(channel, [1, 2], otherwise=Suspend(5))
            lane = run.feed(channel, slow, otherwise=Suspend(1))
            for _ in range(2):
                assert await channel.choose(lane) is lane
                yield lane.take()
            async for item in channel:
                yield item

        assert outcome(stage) == ["p", "q", 1, 2, "r", "s"]


class TestTimers:
    def test_call_when_it_is_time_unless_they_were_cancelled(self) -> None:
        called: list[float] = []

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            note = lambda: called.append(run.time())  # noqa: E731
            timers = [run.after(seconds, note, channel) for seconds in (3, 1.0, 2.0, 0)]
            assert all(isinstance(timer, Timer) for timer in timers)
            timers[1].cancel()
            timers[1].cancel()
            await asyncio.sleep(5.0)
            timers[0].cancel()
            assert not run._timers
            yield called

        assert outcome(stage) == [[0.0, 2.0, 3.0]]

    @pytest.mark.parametrize("clean_up", [0.0, 5.0])
    def test_end_with_the_stage_before_the_clean_up_of_its_sources(self, clean_up: float) -> None:
        source = Source(clean_up=clean_up)

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            run.feed(channel, source, otherwise=Suspend(1))
            await channel.wait()
            run.after(1.0, lambda: pytest.fail("it rang after the end"), channel)
            yield channel.pop()

        assert outcome(stage) == [0]

    def test_fail_the_stream_after_what_is_held_and_the_operator_is_blamed(self) -> None:
        found: list[Any] = []

        def ring() -> None:
            raise ValueError("rang")

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            run.feed(channel, Source(), otherwise=Suspend(9))
            run.after(1.5, ring, channel)
            await asyncio.sleep(3.0)
            async for item in channel:
                found.append(item)
            yield

        with pytest.raises(ValueError, match="rang") as caught:
            outcome(stage)
        assert found == [0, 1]
        check_blamed(caught.value)

    def test_that_end_an_iterator_or_return_an_awaitable_fail_with_what_to_write(self) -> None:
        async def work() -> None:
            pass

        def stage_that_calls(function: Any) -> Any:
            def stage(run: Any, _: Any) -> Channel:
                channel: Channel = run.channel()
                channel.lane()
                run.after(1.0, function, channel)
                return channel

            return stage

        tells = r"must return nothing to await, not .*: let it call run\.spawn\(\.\.\.\)\n"
        for function, text in ((lambda: next(iter([])), "StopIteration"), (lambda: work(), tells)):
            with pytest.raises((RuntimeError, TypeError), match=text) as caught:
                outcome(stage_that_calls(function))
            check_blamed(caught.value)

    def test_ten_thousand_that_are_set_anew_leave_nothing(self) -> None:
        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            timer = run.after(LONG, print, channel)
            for _ in range(10_000):
                timer.cancel()
                timer = run.after(LONG, print, channel)
                await asyncio.sleep(0)
            loop: Any = run.loop
            yield len(run._timers), len(loop._scheduled) < 1000

        assert outcome(stage) == [(1, True)]


class TestHandOver:
    def test_pulls_nothing_before_the_stage_waits(self) -> None:
        source = Source()
        seen: list[int] = []

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = channel.lane()
            assert isinstance(lane, Lane)
            run.pump(source, into=lane)
            for _ in range(3):
                await asyncio.sleep(LONG)
                seen.append(source.taken)
                assert await channel.until(lambda: False, run.time() + 2.0, asks=False) is False
                seen.append(source.taken)
                assert await channel.wait()
                yield channel.pop()

        assert outcome(stage) == [0, 1, 2]
        assert seen == [0, 0, 1, 1, 2, 2]

    def test_is_what_feed_makes_where_no_strategy_is_given(self) -> None:
        async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
            lane = run.feed(run.channel(), source)
            assert lane.strategy is None
            await asyncio.sleep(LONG)
            yield source_.taken

        source_ = Source()
        assert outcome(stage, source_) == [0]
