"""What an author of stages has: retire and stop, choose, send, timers, hand-over, and who is blamed."""

import asyncio
import gc
import re
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

import streamkit
from streamkit import (
    EMPTY,
    BufferStats,
    Channel,
    DropOldest,
    Inlet,
    KeepLatest,
    Lane,
    Operator,
    Sink,
    Stream,
    Suspend,
    Timer,
    attached,
    ops,
    stage,
)
from streamkit.testing import run as play
from tests import own
from tests.laws.account import check_sum

LONG = 60.0


def written(runs: Callable[..., Any], **options: Any) -> Operator[Any, Any]:
    """An operator that runs as `runs(run, source)`."""

    @stage(runs, **options)
    def written() -> Operator[Any, Any]:
        return Operator(written)

    return written()


def outcome(runs: Callable[..., Any], source: Any = ()) -> Any:
    """What comes out of the stage, in virtual time."""

    async def main() -> Any:
        return await (Stream(source) | written(runs) | ops.to_list())

    return play(main)


class Source:
    """Numbers, one every second; then it waits. It notes what was done to it."""

    def __init__(self, *, clean_up: float = 0.0, error: Exception | None = None, count: int = 3) -> None:
        self.clean_up = clean_up
        self.error = error
        self.count = count
        self.taken = self.closed = 0
        self.thrown: list[type[BaseException]] = []

    async def __call__(self) -> AsyncIterator[int]:
        try:
            for number in range(self.count):
                self.taken += 1
                yield number
                await asyncio.sleep(1.0)
            await asyncio.sleep(1e9)
        except BaseException as error:
            self.thrown.append(type(error))
            raise
        finally:
            await asyncio.sleep(self.clean_up)
            self.closed += 1
            if self.error is not None:
                raise self.error


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def notes(error: BaseException) -> list[str]:
    return [note for note in getattr(error, "__notes__", ()) if note.startswith("in ")]


HERE = re.escape(re.sub(r".*/tests/", "tests/", __file__.replace("\\", "/")))


def check_blamed(error: BaseException, name: str = "written") -> None:
    """One note, which names the operator and a line of this file."""
    (note,) = notes(error)
    assert re.fullmatch(rf"in {name}\(.*\) at .*{HERE}:\d+", note), note


class TestRetire:
    @pytest.mark.parametrize("seconds", [0.5, 9.5], ids=["full", "waiting"])
    @pytest.mark.parametrize("clean_up", [0.0, 3.0])
    def test_ends_the_writer_and_waits_for_its_clean_up(self, seconds: float, clean_up: float) -> None:
        source = Source(clean_up=clean_up)

        async def stage(run: Any, _: Any) -> AsyncIterator[float]:
            channel = run.channel()
            lane = run.feed(channel, source, otherwise=Suspend(1 if seconds < 1 else 9))
            await asyncio.sleep(seconds)
            assert lane.held
            before = run.time()
            await run.retire(lane)
            assert source.closed == 1
            assert channel.lanes == []
            assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]
            yield run.time() - before

        assert outcome(stage) == [clean_up]
        assert source.thrown == [GeneratorExit if seconds < 1 else asyncio.CancelledError]

    def test_of_a_writer_that_has_not_begun_reads_nothing(self) -> None:
        source = Source()

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            await run.retire(run.feed(channel, source))
            await run.stop(first := run.feed(channel, source))
            assert first.exhausted
            assert (run._tasks, run._writers) == ({}, {})
            yield source.taken

        assert outcome(stage) == [0]

    def test_of_a_writer_that_has_ended_only_drops(self) -> None:
        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, "abc", otherwise=Suspend(9))
            await settled()
            await run.stop(lane)
            assert len(lane.held) == 3
            await run.retire(lane)
            (stats,) = run.stats()
            yield stats.delivered, stats.dropped, await channel.wait()

        assert outcome(stage) == [(0, 3, False)]

    def test_raises_what_the_clean_up_of_the_source_does(self) -> None:
        source = Source(error=OSError("clean-up"))

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, source, otherwise=Suspend(1))
            await channel.wait()
            with pytest.raises(OSError, match="clean-up"):
                await run.retire(lane)
            other = run.feed(channel, "a", otherwise=Suspend(1))
            assert await channel.choose(other) is other
            yield other.take()

        assert outcome(stage) == ["a"]

    def test_fails_the_stage_that_does_not_catch_it_and_blames_nobody_but_the_source(self) -> None:
        outer = Stream([1, 2]) | ops.map(partial(asyncio.sleep, 1.5))
        with pytest.raises(OSError, match="clean-up") as caught:
            play(lambda: _collect(outer | own.switch_map(lambda _: Source(error=OSError("clean-up")))))
        assert notes(caught.value) == []

    def test_tells_errors_of_on_drop_and_of_the_clean_up(self) -> None:
        source = Source(error=OSError("clean-up"))

        def on_drop(item: int, reason: str) -> None:
            raise ValueError(item, reason)

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = channel.lane(DropOldest(1, on_drop=on_drop))
            run.pump(source, into=lane)
            await channel.wait()
            await run.retire(lane)
            yield

        with pytest.raises(ValueError, match="closed") as caught:
            outcome(stage)
        assert attached(caught.value) == (source.error,)
        assert source.closed == 1
        check_blamed(caught.value)

    def test_cancellation_of_a_stopped_writer_is_not_handed_to_its_source(self) -> None:
        """As that of a scope inside the source would be: it is closed."""
        source = Source()

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            lane = run.channel().lane(Suspend(1))
            run.pump(source, into=lane)
            await settled()
            await run.stop(lane)
            yield lane.take(), lane.exhausted

        assert outcome(stage) == [(0, True)]
        assert source.thrown == [GeneratorExit]

    def test_leaves_sums_and_no_objects(self) -> None:
        handles: list[Any] = []

        async def main() -> None:
            inner = Stream(range(9)) | ops.buffer(KeepLatest()) | ops.merge([])
            outer = Stream(range(100)) | ops.map(partial(asyncio.sleep, 1.0))
            job = outer | own.switch_map(lambda _: inner) | ops.for_each(lambda _: asyncio.sleep(0.7))
            handles.append(job.start())
            await handles[0]

        play(main)
        found: list[BufferStats] = handles[0].buffers()
        assert len(found) < 12
        for stats in found:
            check_sum(stats)
        assert sum(stats.offered for stats in found) > 300

    def test_keeps_neither_lanes_nor_tasks(self) -> None:
        seen: list[Any] = []

        async def stage(run: Any, _: Any) -> AsyncIterator[int]:
            channel = run.channel()
            for _ in range(100):
                lane = run.feed(channel, Source(), otherwise=Suspend(1))
                assert await channel.choose(lane) is lane
                yield lane.take()
                await run.retire(lane)
                seen.append((len(channel.lanes), len(channel._handing), len(run._tasks), len(run._writers)))
            (stats,) = run.stats()
            assert stats.delivered == 100
            check_sum(stats)

        assert outcome(stage) == [0] * 100
        assert set(seen) == {(0, 0, 0, 0)}

    def test_leaves_no_item_to_the_collector(self) -> None:
        class Item:
            pass

        async def source() -> AsyncIterator[Item]:
            while True:
                yield Item()

        async def stage(run: Any, _: Any) -> AsyncIterator[int]:
            channel = run.channel()
            for _ in range(10):
                lane = run.feed(channel, source, otherwise=Suspend(2))
                await channel.wait()
                await run.retire(lane)
                del lane
            yield sum(isinstance(each, Item) for each in gc.get_objects())

        gc.collect()
        gc.disable()
        try:
            assert outcome(stage) == [0]
        finally:
            gc.enable()


async def _collect(stream: Stream[Any]) -> list[Any]:
    return [item async for item in stream]


class TestStop:
    def test_leaves_what_is_held_and_no_cancellation_that_anyone_sees(self) -> None:
        source = Source()

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, source, otherwise=Suspend(9))
            await asyncio.sleep(1.5)
            await run.stop(lane)
            await run.stop(lane)
            task = asyncio.current_task()
            assert task is not None
            yield [item async for item in channel], task.cancelling(), source.closed

        assert outcome(stage) == [([0, 1], 0, 1)]

    def test_of_a_lane_that_nobody_writes_into_does_nothing(self) -> None:
        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            await run.stop(run.channel().lane(Suspend(1)))
            yield 1

        assert outcome(stage) == [1]

    def test_twice_at_once_cancels_once(self) -> None:
        source = Source(clean_up=2.0)

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, source, otherwise=Suspend(1))
            await channel.wait()
            await asyncio.gather(run.stop(lane), run.stop(lane))
            yield run.time(), source.closed

        assert outcome(stage) == [(2.0, 1)]

    @pytest.mark.parametrize("error", [None, OSError("clean-up")], ids=repr)
    @pytest.mark.parametrize("form", ["stop", "retire"])
    def test_a_consumer_that_is_cancelled_meanwhile_waits_for_the_clean_up(
        self, form: str, error: Exception | None
    ) -> None:
        source = Source(clean_up=5.0, error=error)

        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = run.feed(channel, source, otherwise=Suspend(1))
            await channel.wait()
            await getattr(run, form)(lane)
            yield

        async def main() -> None:
            task = asyncio.ensure_future(_collect(Stream([]) | written(stage)))
            await asyncio.sleep(1.0)
            assert not source.closed
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert task.cancelling() == 1
            assert asyncio.get_running_loop().time() == 5.0
            assert source.closed == 1
            assert source.thrown == [GeneratorExit]
            assert attached(caught.value) == (() if error is None else (error,))

        play(main)

    def test_by_the_writer_itself_is_refused(self) -> None:
        async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            lane = channel.lane(Suspend(1))

            async def work() -> None:
                await run.stop(lane)

            run.spawn(work, channel, lane)
            await channel.wait()
            yield

        with pytest.raises(RuntimeError, match="cannot stop itself: let its work return") as caught:
            outcome(stage)
        check_blamed(caught.value)


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

        for function, text in ((lambda: next(iter([])), "StopIteration"), (lambda: work(), r"run\.spawn\(")):
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


class TestWhoIsBlamed:
    """For an error of the stage itself, in each form; and of what it reads or calls."""

    def test_a_generator(self) -> None:
        async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
            async for item in run.open(source):
                yield item
                raise ValueError("own")

        with pytest.raises(ValueError, match="own") as caught:
            outcome(stage, "ab")
        check_blamed(caught.value)

    def test_a_generator_behind_another_stage_is_blamed_alone(self) -> None:
        async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
            yield 1
            raise ValueError("own")

        pipe = written(stage) | ops.merge([]) | own.prefer([]) | own.slow(1.0, print)
        with pytest.raises(ValueError, match="own") as caught:
            list(Stream([]) | pipe)
        check_blamed(caught.value)

    def test_a_function_that_returns_a_channel(self) -> None:
        def stage(run: Any, source: Any) -> Channel:
            raise ValueError("own")

        with pytest.raises(ValueError, match="own") as caught:
            outcome(stage)
        check_blamed(caught.value)

    def test_a_sink(self) -> None:
        async def result(run: Any, source: Any) -> None:
            raise ValueError("own")

        @stage(result)
        def sunk() -> Sink[Any, None]:
            return Sink(sunk)

        for job in (Stream("ab") | sunk(), Stream("ab") | ops.broadcast(sunk(), ops.count())):
            with pytest.raises(ValueError, match="own") as caught:
                job.run()
            check_blamed(caught.value, "sunk")

    @pytest.mark.parametrize("form", ["generator", "channel"])
    def test_a_spawned_task(self, form: str) -> None:
        async def failing() -> None:
            raise ValueError("own")

        def channel_of(run: Any, _: Any) -> Channel:
            channel: Channel = run.channel()
            run.spawn(failing, channel, channel.lane(Suspend(1)))
            return channel

        async def generator(run: Any, source: Any) -> AsyncIterator[Any]:
            async for item in channel_of(run, source):
                yield item

        with pytest.raises(ValueError, match="own") as caught:
            outcome(generator if form == "generator" else channel_of)
        check_blamed(caught.value)

    @pytest.mark.parametrize("way", ["pump", "open", "spawn", "makes", "channel"])
    def test_an_error_of_a_source_passes_through(self, way: str) -> None:
        async def failing() -> AsyncIterator[Any]:
            yield 1
            raise OSError("source")

        def makes() -> Any:
            raise OSError("source")

        async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
            channel = run.channel()
            if way == "open":
                async for item in run.open(source):
                    yield item
            elif way == "spawn":
                lane = channel.lane(Suspend(1))

                async def work() -> None:
                    async for item in run.open(source):
                        await lane.send(item)

                run.spawn(work, channel, lane)
            else:
                run.feed(channel, source)
            async for item in channel:
                yield item

        def filled(run: Any, source: Any) -> Channel:
            channel: Channel = run.channel()
            run.feed(channel, source)
            return channel

        with pytest.raises(OSError, match="source") as caught:
            outcome(filled if way == "channel" else stage, makes if way == "makes" else failing)
        assert notes(caught.value) == []

    def test_a_callback_that_ends_an_iterator(self) -> None:
        async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
            yield await run.call(lambda: next(iter([])))

        with pytest.raises(RuntimeError, match="raised StopIteration") as caught:
            outcome(stage)
        assert isinstance(caught.value.__cause__, StopIteration)
        check_blamed(caught.value)


@pytest.mark.parametrize("reader", ["task", "stage"])
def test_an_error_of_one_channel_is_not_lost_where_another_is_read(reader: str) -> None:
    """It has stopped the writers of both."""

    async def failing() -> AsyncIterator[int]:
        await asyncio.sleep(1.5)
        yield 1
        raise OSError("source")

    found: list[int] = []

    async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
        inner, out = run.channel(), run.channel()
        run.feed(inner, failing, otherwise=Suspend(9))
        if reader == "stage":
            run.feed(out, Source(), otherwise=Suspend(9))
        else:
            lane = out.lane(Suspend(1))

            async def work() -> None:
                async for item in inner:
                    await lane.send(item)

            run.spawn(work, out, lane)
        async for item in out:
            found.append(item)
        yield

    with pytest.raises(OSError, match="source") as caught:
        outcome(stage)
    assert notes(caught.value) == []
    assert found == ([0, 1] if reader == "stage" else [])


ANYTHING = object()
WRONG: dict[str, tuple[Callable[[Any, Any], Any], type[Exception], str]] = {
    "pump into": (lambda run, c: run.pump([], into=c), TypeError, r"channel\.lane\(strategy\) makes it"),
    "pump source": (lambda run, c: run.pump(1, into=c.lane()), TypeError, "source must be"),
    "feed channel": (lambda run, c: run.feed(c.lane(), []), TypeError, r"one that run\.channel\(\) made"),
    "feed source": (lambda run, c: run.feed(c, ANYTHING), TypeError, "source must be"),
    "feed strategy": (lambda run, c: run.feed(c, [], 3), TypeError, r"strategy such as Suspend\(16\)"),
    "feed otherwise": (lambda run, c: run.feed(c, [], Suspend(1), otherwise=1), TypeError, "otherwise must"),
    "open": (lambda run, c: run.open(3), TypeError, "source must be"),
    "lane": (lambda run, c: c.lane(Suspend), TypeError, r"such as Suspend\(capacity\), not the class"),
    "spawn work": (lambda run, c: run.spawn(settled(), c), TypeError, r"partial\(function, item\)"),
    "spawn channel": (lambda run, c: run.spawn(settled, None), TypeError, r"that run\.channel\(\) made"),
    "spawn lane": (lambda run, c: run.spawn(settled, c, c), TypeError, r"channel\.lane\(strategy\) made"),
    "after seconds": (lambda run, c: run.after("1", print, c), TypeError, "finite number of seconds"),
    "after negative": (lambda run, c: run.after(-1, print, c), ValueError, "of at least 0"),
    "after function": (lambda run, c: run.after(1, settled, c), TypeError, "must be a plain function"),
    "after called": (lambda run, c: run.after(1, None, c), TypeError, "function must be a callable"),
    "after channel": (lambda run, c: run.after(1, print, c.lane()), TypeError, r"run\.channel\(\) made"),
    "retire": (lambda run, c: run.retire(c), TypeError, r"run\.feed\(\.\.\.\) or channel\.lane"),
    "retire other": (lambda run, c: run.retire(Channel().lane()), ValueError, "this run's channels"),
    "until": (lambda run, c: c.choose(c.lane(), until=3), ValueError, "until must be one of the lanes"),
}


@pytest.mark.parametrize(("call", "error", "text"), WRONG.values(), ids=WRONG)
def test_a_wrong_argument_is_answered_with_what_to_write(call: Any, error: Any, text: str) -> None:
    async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
        result = call(run, run.channel())
        yield await result if asyncio.iscoroutine(result) else result

    with pytest.raises(error, match=text) as caught:
        outcome(stage)
    check_blamed(caught.value)


@pytest.mark.parametrize("name", ["Run", "Channel", "Lane", "Inlet", "Timer", "EMPTY"])
def test_what_annotations_need_is_at_the_front_door(name: str) -> None:
    assert name in streamkit.__all__
    assert Inlet is streamkit.Inlet
