"""What is said where a run is used wrongly, word by word: whoever reads it must know what to write."""

import sys
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit._core.show import shown
from streamkit.testing import run as play
from tests.files import over
from tests.run.ledger import Trial
from tests.run.staging import outcome, settled, written


class _Named:
    def __repr__(self) -> str:
        return "named"


NAMED: Any = _Named()
"""Nothing that any argument may be."""


async def waits() -> None:
    await settled()


def works_twice(run: Any, lane: Any) -> None:
    for _ in range(2):
        run.spawn(waits, lane.channel, lane)


CHANNEL = "channel must be the one that run.channel() made, which an error is to fail, not named"
STRATEGY = "must be a strategy such as Suspend(16) or DropOldest(16), not named"
WRONG: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "work": (
        lambda run, lane: run.spawn(NAMED, lane.channel),
        "work must make what is awaited, as partial(function, item) does, and not be it: named",
    ),
    "channel of a task": (lambda run, lane: run.spawn(waits, NAMED), CHANNEL),
    "channel of a timer": (lambda run, lane: run.after(0, print, NAMED), CHANNEL),
    "lane of a task": (
        lambda run, lane: run.spawn(waits, lane.channel, NAMED),
        "lane must be one that channel.lane(strategy) made, not named",
    ),
    "lane with a writer": (
        works_twice,
        "lane must have no writer yet: {lane} has one, so make another lane",
    ),
    "seconds": (
        lambda run, lane: run.after(NAMED, print, lane.channel),
        "seconds must be a finite number of seconds of at least 0, not named",
    ),
    "function": (
        lambda run, lane: run.after(0, NAMED, lane.channel),
        "function must be a callable, not named",
    ),
    "coroutine function": (
        lambda run, lane: run.after(0, waits, lane.channel),
        f"function must be a plain function, not the coroutine function {shown(waits)}",
    ),
    "into": (
        lambda run, lane: run.pump([], into=NAMED),
        "into must be a lane, as channel.lane(strategy) makes it, not named",
    ),
    "channel to feed": (
        lambda run, lane: run.feed(NAMED, []),
        "channel must be one that run.channel() made, not named",
    ),
    "strategy": (lambda run, lane: run.feed(lane.channel, [], NAMED), f"strategy {STRATEGY}"),
    "otherwise": (lambda run, lane: run.feed(lane.channel, [], otherwise=NAMED), f"otherwise {STRATEGY}"),
    "lane to retire": (
        lambda run, lane: run.retire(NAMED),
        "lane must be one that run.feed(...) or channel.lane(...) made, not named",
    ),
    "source": (
        lambda run, lane: run.open(NAMED),
        "source must be an iterable, an async iterable, or a callable that makes one, not named",
    ),
}


@over(WRONG)
def test_of_what_a_run_is_asked(which: str) -> None:
    call, words = WRONG[which]

    async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
        lane = run.channel().lane(Suspend(1))
        with pytest.raises((TypeError, ValueError)) as raised:
            await call(run, lane)
        yield str(raised.value), words.format(lane=shown(lane))

    ((said, expected),) = outcome(stage)
    assert said == expected


def test_of_a_lane_of_another_run() -> None:
    async def stage(run: Any, source: Any) -> AsyncIterator[Any]:
        async def other(another: Any, _: Any) -> AsyncIterator[Any]:
            lane = another.channel().lane(Suspend(1))
            with pytest.raises(ValueError, match="channels") as raised:
                await run.retire(lane)
            yield str(raised.value), f"lane must be one of this run's channels, not {shown(lane)}"

        async for item in run.open(Stream([1]) | written(other)):
            yield item

    ((said, expected),) = outcome(stage)
    assert said == expected


def test_of_a_task_that_stops_itself() -> None:
    async def stage(run: Any, _: Any) -> AsyncIterator[str]:
        channel = run.channel()
        lane = channel.lane(Suspend(1))

        async def stops() -> None:
            with pytest.raises(RuntimeError) as raised:
                await run.stop(lane)
            await lane.send(str(raised.value))

        run.spawn(stops, channel, lane)
        async for item in channel:
            yield item

    assert outcome(stage) == ["a task cannot stop itself: let its work return"]


def test_of_what_stages_and_timers_return() -> None:
    def returns(run: Any, _: Any) -> Any:
        return NAMED

    async def rings(run: Any, _: Any) -> AsyncIterator[Any]:
        channel = run.channel()
        channel.lane(Suspend(1))
        run.after(0.0, lambda: made, channel)
        async for item in channel:
            yield item

    made = waits()
    words = f"what a timer calls must return nothing to await, not {shown(made)}: let it call run.spawn(...)"
    for stage, said in [(returns, "a stage must return what run.channel() made, not named"), (rings, words)]:
        with pytest.raises(TypeError) as raised:
            outcome(stage)
        assert str(raised.value) == said


def test_of_trio(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Callable[[Stream[Any]], Any]] = [
        aiter,
        lambda stream: (stream | ops.to_list()).__await__().send(None),
        lambda stream: stream.open().__aenter__().send(None),
    ]
    here = SimpleNamespace(lowlevel=SimpleNamespace(in_trio_run=lambda: True))
    for stream in (Stream([1]), Stream(list), Stream([1]) | ops.buffer(Suspend(1)) | ops.map(abs)):
        found = (stream | ops.to_list()).run()  # of a shape that is known, the loop is not asked for again
        for ask in asked:
            with monkeypatch.context() as patched, pytest.raises(RuntimeError) as raised:
                patched.setitem(sys.modules, "trio", here)
                ask(stream)
            assert str(raised.value) == (
                "streamkit runs on asyncio, and here trio runs: run it with asyncio.run(main()), or "
                "anyio.run(main, backend='asyncio')"
            )
        monkeypatch.setitem(sys.modules, "trio", here)
        assert (stream | ops.to_list()).run() == found  # asyncio runs within it
        monkeypatch.delitem(sys.modules, "trio")


BEHIND: dict[str, tuple[Callable[[], Any], str]] = {
    "with_latest_from": (
        lambda: ops.with_latest_from(Trial().stream()),
        "passes on items of its other sources again and again: only the first may be durable",
    ),
    "repeat": (
        lambda: ops.repeat(2),
        "runs its source anew, whose deliveries of before are open still: write on_error=Retry(...) instead",
    ),
}
"""Operators that cannot follow deliveries, with why."""


@over(BEHIND)
def test_of_what_stands_behind_a_durable_source(which: str) -> None:
    make, why = BEHIND[which]
    with pytest.raises(TypeError) as raised:
        Trial().stream() | make()
    assert f" {why}: " in str(raised.value)


def test_of_others_that_are_not_durable_nothing_is_said() -> None:
    assert Trial().stream() | ops.with_latest_from(Stream([1]))


def test_of_a_durable_source_whose_items_nobody_follows() -> None:
    async def main() -> None:
        for opens in (lambda: Trial().stream().open(), lambda: aiter(Trial().stream())):
            with pytest.raises(TypeError) as raised:
                opens()
            assert str(raised.value) == (
                "reader() acknowledges an item when it has left the pipe: read it by a sink, such as "
                "for_each(...), or by async for, which says so by asking for the next"
            )

    play(main)
