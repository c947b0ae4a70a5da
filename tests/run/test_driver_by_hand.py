"""Drivers, stepped by hand: what a reader and the task of a pump make of all that the pump may do."""

import asyncio
import traceback
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from types import SimpleNamespace
from typing import Any

import pytest

from streamkit._engine.buffer.driven import DrivenLane, idle, late
from streamkit._engine.run.driver import Driver, Worker, _levels
from streamkit._engine.run.pump import Clock
from streamkit.testing import run
from tests.run.staging import settled

NAME: ContextVar[str] = ContextVar("NAME", default="reader")
parks: Any = DrivenLane.parking


class Driven:
    """A pump of `work`, its driver and its task; and what its lane is told."""

    def __init__(
        self,
        work: Callable[[list[Any]], Coroutine[Any, Any, None]],
        clock: Clock | None = None,
        kind: Any = Driver,
    ) -> None:
        self.seen: list[Any] = []
        """What the pump has done."""
        self.held: list[int] = []
        self.told: list[Any] = []
        self.lane: Any = SimpleNamespace(
            held=self.held,
            noted=lambda size: self.told.append(("noted", size)),
            brought=lambda before: self.told.append(("brought", before)),
            ended=lambda: self.told.append("ended"),
            channel=SimpleNamespace(drives=None, error=None),
        )
        if kind is Worker:
            self.lane.channel.drives = SimpleNamespace(context=copy_context(), failed=False)
        self.driver = self.lane.driver = kind(1, self.lane, clock)
        self.driver.make = lambda: work(self.seen)
        self.task = self.driver.begin(self._steps())

    async def _steps(self) -> None:
        await self.driver


def by_hand(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run(main)
    assert not _levels


@pytest.mark.parametrize("ends", ["drive", "wake"])
def test_a_reader_steps_it_before_its_task_has_begun(ends: str) -> None:
    async def pump(seen: list[Any]) -> None:
        NAME.set("pump")
        for number in range(3):
            seen.append((number, asyncio.current_task(), NAME.get()))
            await parks

    async def main() -> None:
        driven = Driven(pump)
        home = asyncio.current_task()
        assert driven.driver.parked
        for _ in range(3):
            assert not driven.driver.drive()
            assert driven.driver.parked
        assert asyncio.current_task() is home
        assert NAME.get() == "reader"
        assert driven.seen == [(number, driven.task, "pump") for number in range(3)]
        await settled()
        assert (len(driven.seen), driven.told) == (3, [])  # its task leaves it to the reader
        getattr(driven.driver, ends)()
        assert not driven.driver.parked
        await driven.task
        assert driven.told == [("noted" if ends == "drive" else "brought", 0), "ended"]

    by_hand(main)


def test_its_task_steps_it_when_it_is_woken() -> None:
    async def pump(seen: list[Any]) -> None:
        for number in range(3):
            seen.append(number)
            await parks

    async def main() -> None:
        driven = Driven(pump)
        driven.driver.wake()  # it has not begun
        await settled()
        assert driven.seen == [0]
        for number in (1, 2):
            assert driven.driver.parked
            driven.driver.wake()
            assert not driven.driver.parked  # it is its task's now
            driven.driver.wake()
            await asyncio.sleep(0)  # it has just parked again, and can be woken
            assert driven.seen == [*range(number + 1)]
        driven.driver.wake()
        await driven.task
        assert driven.told == [("brought", 0)] * 4 + ["ended"]

    by_hand(main)


def test_what_it_waits_for_goes_to_its_task() -> None:
    async def main() -> None:
        async def pump(seen: list[Any]) -> None:
            await parks
            seen.append(await future)
            driven.held.append(1)
            await parks
            seen.append("more")

        future = asyncio.get_running_loop().create_future()
        driven = Driven(pump)
        assert not driven.driver.drive()
        assert not driven.driver.drive()
        assert not driven.driver.parked
        await settled()
        assert driven.seen == []
        future.set_result("waited")
        await settled()
        assert driven.seen == ["waited"]
        assert driven.told == [("noted", 0), ("brought", 0)]
        assert driven.driver.parked
        assert not driven.driver.drive()
        await driven.task
        assert driven.seen == ["waited", "more"]
        assert driven.told[2:] == [("noted", 1), "ended"]

    by_hand(main)


def test_its_task_may_come_to_wait_by_itself() -> None:
    async def main() -> None:
        async def pump(seen: list[Any]) -> None:
            await parks
            seen.append(await future)

        future = asyncio.get_running_loop().create_future()
        driven = Driven(pump)
        await settled()
        driven.driver.wake()
        await settled()
        assert not driven.driver.ready
        future.set_result("waited")
        await driven.task
        assert driven.seen == ["waited"]

    by_hand(main)


def test_it_is_left_alone_while_an_error_of_another_is_not_told_of() -> None:
    async def pump(seen: list[Any]) -> None:
        await parks
        seen.append("on")

    async def main() -> None:
        driven = Driven(pump)
        await settled()
        channel = driven.lane.channel
        channel.drives = SimpleNamespace(failed=True)
        driven.driver.wake()
        await settled()
        assert driven.seen == []
        assert driven.driver.parked
        channel.error = OSError("told of")
        driven.driver.wake()
        await driven.task
        assert driven.seen == ["on"]

    by_hand(main)


@pytest.mark.parametrize("driven_to_it", [False, True])
def test_an_error_is_its_tasks(driven_to_it: bool) -> None:
    async def pump(_: list[Any]) -> None:
        await parks
        raise LookupError("gone")

    async def main() -> None:
        driven = Driven(pump)
        assert not driven.driver.drive()
        if driven_to_it:
            assert driven.driver.drive()
            assert driven.driver.ended
        else:
            await settled()
            driven.driver.wake()
        with pytest.raises(LookupError, match="gone") as raised:
            await driven.task
        names = [frame.name for frame in traceback.extract_tb(raised.tb)]
        assert "drive" not in names
        assert names[-1] == "pump"
        assert driven.driver.ended is driven_to_it
        assert driven.told[-1] == "ended"

    by_hand(main)


@pytest.mark.parametrize("clocked", [False, True])
def test_one_that_lets_others_run(clocked: bool) -> None:
    async def pump(seen: list[Any]) -> None:
        seen.append(1)
        await late
        seen.append(2)
        await late
        seen.append(3)

    async def main() -> None:
        clock = Clock() if clocked else None
        driven = Driven(pump, clock)
        assert not driven.driver.drive()
        assert driven.driver.parked is clocked  # its reader goes on with it
        if clock is not None:
            assert clock.late
            assert not driven.driver.drive()
            assert not driven.driver.drive()
            assert driven.seen == [1, 2, 3]
        await driven.task
        assert driven.seen == [1, 2, 3]

    by_hand(main)


def test_one_that_is_idle_ends_its_task() -> None:
    async def pump(seen: list[Any]) -> None:
        seen.append("idle")
        await idle

    async def main() -> None:
        driven = Driven(pump)
        await driven.task
        assert (driven.seen, driven.told) == (["idle"], [("brought", 0), "ended"])

    by_hand(main)


def test_one_that_is_cancelled_before_it_has_begun() -> None:
    async def pump(seen: list[Any]) -> None:
        seen.append("begun")

    async def main() -> None:
        driven = Driven(pump)
        driven.task.cancel("word")
        assert not driven.driver.parked
        with pytest.raises(asyncio.CancelledError, match="word"):
            await driven.task
        assert (driven.seen, driven.told) == ([], [("brought", 0), "ended"])

    by_hand(main)


@pytest.mark.parametrize("where", ["parked", "waiting", "told", "late", "told late"])
def test_one_that_is_cancelled_hears_of_it_where_it_is_and_may_go_on(where: str) -> None:
    async def main() -> None:
        async def pump(seen: list[Any]) -> None:
            await parks
            try:
                await {"parked": parks, "late": late, "told late": late}.get(where, future)
            except asyncio.CancelledError as error:
                seen.append(error.args)
            await parks
            seen.append("on")

        future = asyncio.get_running_loop().create_future()
        driven = Driven(pump)
        assert not driven.driver.drive()
        assert not driven.driver.drive()
        if not where.startswith("told"):  # its task has not heard of it yet
            await settled() if where != "late" else await asyncio.sleep(0)
        driven.task.cancel("word")
        assert not driven.driver.parked
        await settled()
        assert driven.seen == [("word",)]
        assert future.cancelled() is (where in ("waiting", "told"))
        driven.driver.wake()
        await driven.task
        assert driven.seen == [("word",), "on"]

    by_hand(main)


def test_one_that_is_closed_while_it_is_parked_is_closed_with_its_task() -> None:
    async def pump(seen: list[Any]) -> None:
        try:
            await parks
        finally:
            seen.append("closed")

    async def main() -> None:
        driven = Driven(pump)
        assert not driven.driver.drive()
        await settled()
        driven.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await driven.task
        assert (driven.seen, driven.told[-1]) == (["closed"], "ended")

    by_hand(main)


def test_the_lane_of_another_pump_is_left_alone() -> None:
    async def pump(_: list[Any]) -> None:
        await parks

    async def main() -> None:
        driven = Driven(pump)
        driven.lane.driver = None
        await settled()
        driven.driver.wake()
        await driven.task
        assert "ended" not in driven.told

    by_hand(main)
