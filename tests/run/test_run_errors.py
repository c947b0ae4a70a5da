"""Errors of a stage, of its tasks and timers, and of its wrong arguments."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import streamkit
from streamkit import (
    BufferOverflowError,
    Channel,
    Fail,
    Failed,
    Inlet,
    Sink,
    Stream,
    Suspend,
    ops,
    stage,
)
from tests import own
from tests.run.staging import Source, check_blamed, notes, outcome, settled, written


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
            check_blamed(caught.value, "sunk", __file__)

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

    def test_a_buffer_that_the_stage_has_taken_over(self) -> None:
        async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
            lane = run.feed(run.channel(), source)
            async for item in lane.channel:
                yield item
                await settled()

        with pytest.raises(BufferOverflowError) as caught:
            outcome(stage, Stream(range(9)) | ops.buffer(Fail(2)))
        check_blamed(caught.value, "buffer", __file__)

    def test_a_buffer_of_the_stages_own(self) -> None:
        async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
            lane = run.feed(run.channel(), source, otherwise=Fail(2))
            async for item in lane.channel:
                yield item
                await settled()

        with pytest.raises(BufferOverflowError) as caught:
            outcome(stage, range(9))
        check_blamed(caught.value)

    def test_a_callback_that_ends_an_iterator(self) -> None:
        async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
            yield await run.call(lambda: next(iter([])))

        with pytest.raises(RuntimeError, match="raised StopIteration") as caught:
            outcome(stage)
        assert isinstance(caught.value.__cause__, StopIteration)
        check_blamed(caught.value)


def test_what_an_error_of_a_callback_came_of_stays_with_it() -> None:
    def fails(number: int) -> None:
        try:
            _ = 1 // number
        except ZeroDivisionError:
            raise ValueError("made of it")  # noqa: B904 - the context is what is looked at

    async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
        with pytest.raises(ValueError, match="made of it") as raised:
            await run.call(fails, 0)
        yield type(raised.value.__context__), raised.value.__suppress_context__

    assert outcome(stage) == [(ZeroDivisionError, False)]


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


def test_an_end_that_a_sink_raises_is_none() -> None:
    async def _ends(run: Any, source: Any) -> None:
        async for _ in run.open(source):
            raise StopAsyncIteration

    @stage(_ends)
    def ends() -> Sink[Any, None]:
        return Sink(ends)

    with pytest.raises(RuntimeError, match=r"^ends\(\) raised StopAsyncIteration") as caught:
        (Stream([1]) | ends()).run()
    assert isinstance(caught.value.__cause__, StopAsyncIteration)


def test_an_error_of_a_source_that_a_stage_has_left_is_raised_where_that_ends_by_itself() -> None:
    async def source() -> AsyncIterator[int]:
        yield 0
        await asyncio.sleep(1.0)
        raise OSError("late")

    async def stage(run: Any, inlet: Any) -> AsyncIterator[Any]:
        channel = run.channel()
        run.feed(channel, inlet)
        await channel.wait()
        yield channel.pop()
        channel.leave()
        await asyncio.sleep(2.0)

    with pytest.raises(OSError, match="late"):
        outcome(stage, source)


def test_the_traceback_of_an_error_shows_where_it_was_raised_and_none_of_the_clean_up() -> None:
    def fails(item: int) -> int:
        raise ValueError(item)

    def names(error: BaseException) -> list[str]:
        return [frame.name for frame in traceback.extract_tb(error.__traceback__)]

    with pytest.raises(ValueError, match="1") as caught:
        list(Stream([1]) | ops.map(fails))
    assert "leave" not in names(caught.value)
    assert names(caught.value)[-1] == "fails"
    (made,) = Stream([1]) | ops.map(fails) | ops.materialize()
    assert isinstance(made, Failed)
    assert names(made.error) == ["fails"]
