"""What a stage cuts off: a lane that it reads no more. Who waits for its writer is the end of the run."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import DropOldest, Stream, Suspend, attached, ops
from streamkit.testing import run
from tests.run.staging import Source, check_blamed, outcome, settled, written


def test_nobody_waits_for_the_clean_up_but_the_end_of_the_run() -> None:
    source = Source(clean_up=3.0)

    async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
        channel = run.channel()
        lane = run.feed(channel, source, otherwise=Suspend(9))
        await asyncio.sleep(0.5)
        run.cut(lane)
        await settled()
        assert source.thrown == [asyncio.CancelledError]
        assert lane.exhausted, "it holds what it has held"
        yield run.time()

    async def main() -> tuple[list[float], float]:
        made = await (Stream(()) | written(stage) | ops.to_list())
        return made, asyncio.get_running_loop().time()

    assert run(main) == ([0.5], 3.5)
    assert source.closed == 1


def test_what_was_held_counts_as_closed_and_is_told_of() -> None:
    dropped: list[tuple[Any, str]] = []

    async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
        channel = run.channel()
        strategy = DropOldest(9, on_drop=lambda item, why: dropped.append((item, why)))
        lane = run.feed(channel, Source(), strategy)
        await asyncio.sleep(1.5)
        run.cut(lane)
        yield [each.dropped for each in channel.stats()]

    assert outcome(stage) == [[2]]
    assert dropped == [(0, "closed"), (1, "closed")]


def test_what_the_clean_up_raises_is_raised_at_the_end() -> None:
    source = Source(error=OSError("clean-up"), clean_up=1.0)
    made: list[int] = []

    async def stage(run: Any, _: Any) -> AsyncIterator[int]:
        channel = run.channel()
        run.cut(run.feed(channel, source, otherwise=Suspend(1)))
        lane = run.feed(channel, source, otherwise=Suspend(1))
        await channel.wait()
        run.cut(lane)
        yield 1
        await asyncio.sleep(5.0)
        yield 2

    async def main() -> None:
        async for item in Stream(()) | written(stage):
            made.append(item)

    with pytest.raises(OSError, match="clean-up"):
        run(main)
    assert made == [1, 2]


def test_it_hangs_on_an_error_of_the_stage() -> None:
    async def stage(run: Any, _: Any) -> AsyncIterator[int]:
        channel = run.channel()
        lane = run.feed(channel, Source(error=OSError("clean-up")), otherwise=Suspend(1))
        await channel.wait()
        run.cut(lane)
        raise ValueError("stage")
        yield 0

    with pytest.raises(ValueError, match="stage") as caught:
        outcome(stage)
    assert [str(each) for each in attached(caught.value)] == ["clean-up"]


def test_an_error_of_on_drop_is_raised_at_the_end_in_the_name_of_the_operator() -> None:
    def refuse(item: Any, why: str) -> None:
        raise OSError("on_drop")

    async def stage(run: Any, _: Any) -> AsyncIterator[int]:
        channel = run.channel()
        lane = run.feed(channel, "abc", DropOldest(9, on_drop=refuse))
        await channel.wait()
        run.cut(lane)
        goes_on.append(True)
        yield 1

    goes_on = list[bool]()
    with pytest.raises(OSError, match="on_drop") as caught:
        outcome(stage)
    assert goes_on
    check_blamed(caught.value, file="staging.py")


def test_lanes_are_cut_off_one_by_one_without_end_and_nothing_is_kept_of_them() -> None:
    async def stage(run: Any, _: Any) -> AsyncIterator[int]:
        channel = run.channel()
        for _ in range(300):
            lane = run.feed(channel, Source(), otherwise=Suspend(1))
            await channel.wait()
            run.cut(lane)
            await settled()
        yield len(channel.lanes) + len(run._writers) + len(run._tasks) + len(run._cut) + len(run._dismissed)

    assert outcome(stage) == [0]


def test_a_lane_of_another_channel_is_refused() -> None:
    async def stage(run: Any, _: Any) -> AsyncIterator[int]:
        channel = run.channel()
        lane = channel.lane(Suspend(1))
        run.cut(lane)
        with pytest.raises(ValueError, match="that was not retired"):
            run.cut(lane)
        yield 1

    assert outcome(stage) == [1]
