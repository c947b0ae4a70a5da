"""What a stage dismisses: the task that writes into a lane begins to end, and nobody waits for it yet."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import Suspend, attached
from tests.run.staging import Source, outcome, settled


@pytest.mark.parametrize("clean_up", [0.0, 3.0])
def test_begins_to_end_the_writer_and_stop_waits_for_it(clean_up: float) -> None:
    source = Source(clean_up=clean_up)

    async def stage(run: Any, _: Any) -> AsyncIterator[float]:
        channel = run.channel()
        lane = run.feed(channel, source, otherwise=Suspend(9))
        await asyncio.sleep(0.5)
        run.dismiss(lane)
        run.dismiss(lane)
        await settled()
        assert source.thrown == [asyncio.CancelledError]
        before = run.time()
        await run.stop(lane)
        assert source.closed == 1
        assert lane.take() == 0
        yield run.time() - before

    assert outcome(stage) == [clean_up]


def test_of_a_writer_that_has_not_begun_reads_nothing() -> None:
    source = Source()

    async def stage(run: Any, _: Any) -> AsyncIterator[int]:
        lane = run.feed(run.channel(), source)
        run.dismiss(lane)
        await settled()
        await run.stop(lane)
        assert (run._tasks, run._writers, run._dismissed) == ({}, {}, {})
        yield source.taken

    assert outcome(stage) == [0]


@pytest.mark.parametrize("seconds", [0.0, 5.0], ids=["before", "after"])
def test_what_the_clean_up_raises_is_raised_by_stop(seconds: float) -> None:
    source = Source(error=OSError("clean-up"), clean_up=1.0)

    async def stage(run: Any, _: Any) -> AsyncIterator[str]:
        channel = run.channel()
        lane = run.feed(channel, source, otherwise=Suspend(1))
        await channel.wait()
        run.dismiss(lane)
        await asyncio.sleep(seconds)
        with pytest.raises(OSError, match="clean-up"):
            await run.retire(lane)
        other = run.feed(channel, "a", otherwise=Suspend(1))
        assert await channel.choose(other) is other
        yield other.take()

    assert outcome(stage) == ["a"]


@pytest.mark.parametrize("seconds", [0.0, 5.0], ids=["before", "after"])
def test_what_it_raises_comes_at_the_end_where_nobody_stops(seconds: float) -> None:
    source = Source(error=OSError("clean-up"), clean_up=1.0)

    async def stage(run: Any, _: Any) -> AsyncIterator[int]:
        channel = run.channel()
        lane = run.feed(channel, source, otherwise=Suspend(1))
        await channel.wait()
        run.dismiss(lane)
        await asyncio.sleep(seconds)
        yield lane.take()

    with pytest.raises(OSError, match="clean-up"):
        outcome(stage)


def test_what_it_raises_hangs_on_the_error_of_the_stage() -> None:
    source = Source(error=OSError("clean-up"), clean_up=1.0)

    async def stage(run: Any, _: Any) -> AsyncIterator[int]:
        channel = run.channel()
        lane = run.feed(channel, source, otherwise=Suspend(1))
        await channel.wait()
        run.dismiss(lane)
        raise ValueError
        yield lane.take()

    with pytest.raises(ValueError) as caught:  # noqa: PT011 - what is attached is looked at
        outcome(stage)
    assert attached(caught.value) == (source.error,)


def test_of_a_writer_that_has_ended_does_nothing() -> None:
    async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
        channel = run.channel()
        lane = run.feed(channel, "a", otherwise=Suspend(9))
        await settled()
        run.dismiss(lane)
        await run.stop(lane)
        yield lane.take()

    assert outcome(stage) == ["a"]
