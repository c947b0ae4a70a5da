"""Channels by themselves: whose lanes they have, what is said of others, by which clock they count."""

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from streamkit import DropOldest, Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.clock import clock_of, wall_clock_of
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned
from streamkit.testing import run


def channel() -> Channel:
    return Channel(clock=lambda: 0.0)


def in_rounds(made: Channel) -> Lane:
    """A lane that is read in rounds, by a loop, and holds something."""
    lane, _ = made.lane(Suspend(9)), made.lane(Suspend(9))
    for each in made.lanes:
        for number in range(4):
            each.put(number)
    next(made.drained(8))
    return lane


def retired(made: Channel) -> Lane:
    lane = made.lane(Suspend(1))
    made.retire(lane)
    return lane


OTHER = "lane must be one that channel.lane(...) of this channel made, and that was not retired, not "


class TestLanesThatAreNot:
    @pytest.mark.parametrize(
        ("made", "error", "words"),
        [
            (
                in_rounds,
                RuntimeError,
                "retire(lane) is for readers that take items with take(), pop() or choose()",
            ),
            (lambda made: channel().lane(Suspend(1)), ValueError, OTHER),
            (
                lambda made: 3,
                TypeError,
                "lane must be one that run.feed(...) or channel.lane(...) made, not 3",
            ),
        ],
    )
    def test_cannot_be_retired(
        self, made: Callable[[Channel], Any], error: type[Exception], words: str
    ) -> None:
        of = channel()
        lane = made(of)
        with pytest.raises(error) as raised:
            of.retire(lane)
        assert str(raised.value).startswith(words)
        assert words == OTHER or str(raised.value) == words

    def test_or_chosen(self) -> None:
        async def main() -> list[str]:
            of, said = Channel(), list[str]()
            lane = of.lane(Suspend(1))
            for chosen, until in (((), None), ((retired(of),), None), ((lane,), 3), ((lane, 3), None)):
                with pytest.raises((TypeError, ValueError)) as raised:
                    await of.choose(*chosen, until=until)
                said.append(str(raised.value))
            return said

        none, gone, until, other = run(main)
        assert none == "choose() needs the lanes to choose from, the preferred one first"
        assert gone.startswith(OTHER + "<streamkit._engine.buffer.lane.Lane")
        assert until == "until must be one of the lanes to choose from, not 3"
        assert other == "lane must be one that run.feed(...) or channel.lane(...) made, not 3"

    def test_or_made(self) -> None:
        with pytest.raises(TypeError, match=r"^strategy must be a strategy such as .*, not 3"):
            channel().lane(cast("Any", 3))

    def test_or_retired_again(self) -> None:
        of = channel()
        lane = retired(of)
        with pytest.raises(ValueError, match="was not retired"):
            of.retire(lane)
        assert (lane.closed, of.lanes, of.over) == (False, [], True)


def test_it_bears_its_own_name_or_that_of_who_asks() -> None:
    of = channel()
    of.lane(Suspend(1))
    retired(of)
    assert [(each.operator, each.strategy) for each in of.stats()] == [("", Suspend(1))] * 2
    assert {each.operator for each in of.stats("hold")} == {"hold"}
    of.name = "push"
    assert {each.operator for each in of.stats("hold")} == {"push"}


def test_a_lane_by_itself_is_the_first() -> None:
    assert Lane(channel(), Suspend(1)).stats().place == 0


def test_an_error_of_on_drop_is_raised_where_the_lane_is_retired() -> None:
    def fails(item: Any, why: str) -> None:
        raise LookupError(item, why)

    of = channel()
    lane = of.lane(DropOldest(1, on_drop=fails))
    lane.put("item")
    with pytest.raises(LookupError, match="'item', 'closed'"):
        of.retire(lane)


def test_who_waits_for_one_that_was_left_is_told_so_or_cancelled_if_that_is_to_come() -> None:
    async def main() -> list[type[BaseException]]:
        of, told = Channel(), list[type[BaseException]]()
        of.lane(Suspend(1))
        of.leave()

        async def wait(*, cancelled: bool) -> None:
            task = asyncio.current_task()
            if cancelled and task is not None:
                task.cancel()
            try:
                await of.change()
            except (Abandoned, asyncio.CancelledError) as error:
                told.append(type(error))

        for cancelled in (False, True):
            await asyncio.wait([asyncio.create_task(wait(cancelled=cancelled))])
        return told

    assert run(main) == [Abandoned, asyncio.CancelledError]


def test_its_iterator_is_one_until_it_ends() -> None:
    async def main() -> None:
        of = Channel()
        lane, first = of.lane(Suspend(9)), aiter(of)
        lane.put(1)
        assert aiter(of) is first
        assert await anext(first) == 1
        lane.put(2)
        async for item in of:
            assert item == 2
            break
        lane.close()
        assert [item async for item in first] == []
        assert aiter(of) is not first

    run(main)


class TestClocks:
    def test_of_a_usual_loop_is_that_of_the_machine(self) -> None:
        loop = asyncio.new_event_loop()
        assert clock_of(loop) is time.monotonic
        assert wall_clock_of(loop) is time.time
        loop.close()

    def test_of_another_is_its_own(self) -> None:
        async def main() -> None:
            loop: Any = asyncio.get_running_loop()
            assert clock_of(loop) == loop.time
            assert wall_clock_of(loop) == loop.wall_time
            before = clock_of(loop)(), wall_clock_of(loop)()
            await asyncio.sleep(3.0)
            assert (clock_of(loop)() - before[0], wall_clock_of(loop)() - before[1]) == (3.0, 3.0)

        run(main)

    def test_of_one_whose_kind_has_none_is_its_own(self) -> None:
        bare: Any = SimpleNamespace(time=lambda: 7.0)
        assert (clock_of(bare)(), wall_clock_of(bare)) == (7.0, time.time)
