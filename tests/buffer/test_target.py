"""What tasks send to: where they wait, how they are let go, and what becomes of their errors."""

import asyncio
from typing import Any

import pytest

from streamkit import Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit.testing import run


def full_lane() -> Lane:
    lane = Channel().lane(Suspend(1))
    lane.put("first")
    return lane


class TestSend:
    def test_of_another_task_is_an_error_while_one_waits(self) -> None:
        async def main() -> None:
            lane = full_lane()
            one = asyncio.create_task(lane.send("second"))
            await asyncio.sleep(1.0)
            with pytest.raises(RuntimeError) as raised:
                await lane.send("third")
            assert str(raised.value) == "another task waits in send(): make a lane for each writer"
            assert lane.take() == "first"
            await one
            assert lane.take() == "second"

        run(main)

    def test_into_a_closed_lane_is_an_error(self) -> None:
        async def main() -> None:
            lane = full_lane()
            lane.close()
            with pytest.raises(RuntimeError) as raised:
                await lane.send("late")
            assert str(raised.value) == "this lane was closed: nothing more can be sent"
            assert (lane.stats().offered, lane.take()) == (1, "first")

        run(main)

    def test_that_is_cancelled_leaves_the_lane_to_others(self) -> None:
        async def main() -> None:
            lane = full_lane()
            one = asyncio.create_task(lane.send("second"))
            await asyncio.sleep(1.0)
            one.cancel()
            with pytest.raises(asyncio.CancelledError):
                await one
            other = asyncio.create_task(lane.send("third"))
            await asyncio.sleep(1.0)
            assert lane.take() == "first"
            await other
            assert (lane.take(), lane.stats().offered) == ("third", 2)

        run(main)


class TestRescue:
    @pytest.mark.parametrize("makes_room", [False, True])
    def test_one_that_swallows_a_cancellation_waits_on_unless_there_is_room(self, makes_room: bool) -> None:
        async def main() -> None:
            lane, seen = full_lane(), list[BaseException]()

            async def rescue(error: asyncio.CancelledError) -> None:
                seen.append(error)
                if makes_room:
                    lane.take()

            task = asyncio.create_task(lane.room(rescue))
            await asyncio.sleep(1.0)
            task.cancel()
            await asyncio.sleep(1.0)
            assert [type(error) for error in seen] == [asyncio.CancelledError]
            assert task.done() is makes_room
            lane.take()
            await asyncio.wait_for(task, 1.0)

        run(main)

    def test_one_that_raises_it_ends_the_wait(self) -> None:
        async def main() -> None:
            lane = full_lane()

            async def rescue(error: asyncio.CancelledError) -> None:
                raise LookupError from error

            task = asyncio.create_task(lane.room(rescue))
            await asyncio.sleep(1.0)
            task.cancel()
            with pytest.raises(LookupError):
                await task
            assert lane.writer is None

        run(main)


def test_the_first_error_of_writers_counts_and_the_others_hang_on_it() -> None:
    async def main() -> None:
        channel: Any = Channel()
        lane = channel.lane(Suspend(1))
        lane.put("held")
        for error in (ValueError("first"), KeyError("second"), LookupError("third")):
            channel.fail(error)
        assert await channel.wait()
        assert channel.pop() == "held"
        with pytest.raises(ValueError, match="first") as raised:
            await channel.wait()
        notes = " ".join(raised.value.__notes__)
        assert "second" in notes
        assert "third" in notes

    run(main)
