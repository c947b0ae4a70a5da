"""Steps: one clock for all pumps that a reader steps, so that others run in time (law 7); and places."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, cast

import pytest

import streamkit
from streamkit import Stream, ops
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.driven import LATE, PARKED
from streamkit._engine.run.driver import Driver
from streamkit._engine.run.drives import Drives
from streamkit._engine.run.steps import Steps
from streamkit.testing import run

COST = 0.001
"""Seconds that an item of a slow source takes."""
NAME: ContextVar[str] = ContextVar("NAME", default="around")


class Clock:
    """The seconds that items have cost, and the longest that no other task has run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: self.now)

    async def slow(self, count: int) -> AsyncIterator[int]:
        for number in range(count):
            self.now += COST
            yield number

    async def gap(self, job: Any) -> float:
        gaps: list[float] = []

        async def beat() -> None:
            while True:
                before = self.now
                await asyncio.sleep(0)
                gaps.append(self.now - before)

        beside = asyncio.create_task(beat())
        await asyncio.sleep(0)
        await job
        beside.cancel()
        return max(gaps)


PIPES: dict[str, Callable[[Clock], Stream[Any]]] = {
    "a row of a hundred": lambda clock: streamkit.zip(*[clock.slow(3) for _ in range(100)]),
    "far ahead, in rows": lambda clock: streamkit.zip(*[clock.slow(90) for _ in range(40)], lookahead=90),
    "far ahead, in turn": lambda clock: (
        Stream(range(40)) | ops.flat_map(lambda _: clock.slow(90), concurrency=40, lookahead=90)
    ),
    "streams that bring nothing": lambda clock: (
        Stream(range(40))
        | ops.flat_map(lambda _: Stream(clock.slow(90)) | ops.filter(lambda _: False), concurrency=40)
    ),
}


@pytest.mark.parametrize("lookahead", [1, 4, 16])
def test_sources_that_were_quick_and_become_slow_are_noticed_after_as_many_items_whatever_is_held(
    monkeypatch: pytest.MonkeyPatch, lookahead: int
) -> None:
    clock = Clock(monkeypatch)

    async def tires() -> AsyncIterator[int]:
        for number in range(100):
            clock.now += COST if number >= 80 else 0.0
            yield number

    rows = streamkit.zip(*[tires() for _ in range(40)], lookahead=lookahead)
    assert run(lambda: clock.gap(rows | ops.drain())) < 0.06


@pytest.mark.parametrize("pipe", PIPES)
def test_a_hundred_slow_sources_hold_up_nobody(monkeypatch: pytest.MonkeyPatch, pipe: str) -> None:
    clock = Clock(monkeypatch)
    assert run(lambda: clock.gap(PIPES[pipe](clock) | ops.drain())) < 0.06


def test_a_reader_that_pops_lets_others_run_beside_a_stream_that_brings_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    monkeypatch.setattr(Channel, "drained", lambda self, most: iter([self.pop() for _ in range(bool(most))]))

    async def main() -> float:
        rare = Stream(lambda: clock.slow(200)) | ops.filter(lambda number: number == 199)
        return await clock.gap(
            Stream([1]) | ops.flat_map(lambda _: rare, concurrency=2) | ops.filter(bool) | ops.drain()
        )

    assert run(main) < 0.06


class Pump(Driver):
    """One that does what it is told when it is stepped, and notes that."""

    def __init__(self, reader: Steps, number: int, told: list[Any], does: Any = PARKED) -> None:
        super().__init__(0, cast(Any, SimpleNamespace(noted=lambda size: None, held=())), reader.clock)
        self.ready = True
        self.task = asyncio.current_task()
        self.stopped = bool
        self.there = lambda *_: self.does()
        self._number, self._told_to, self._does = number, told, does

    def does(self) -> Any:
        self._told_to.append(self._number)
        if isinstance(self._does, Exception):
            raise self._does
        return self._does


class Reader(Steps):
    def __init__(self) -> None:
        super().__init__(asyncio.get_running_loop())
        self.went_on: list[Driver] = []
        self.filled = 0

    def goes_on(self, driver: Driver) -> None:
        self.went_on.append(driver)

    def _fill(self) -> None:
        super()._fill()
        self.filled += 1


class TestSteps:
    """Where pumps fail, or are late: how many of those behind them are left for when others have run."""

    @pytest.mark.parametrize(("waiting", "expected"), [(LATE, 1), (OSError("gone"), 0), (None, 0)])
    def test_how_many_are_left(self, waiting: Any, expected: int) -> None:
        async def main() -> None:
            for left in (1, 2, 9):  # pumps before the clock is looked at
                reader, stepped = Reader(), list[int]()
                reader.clock.left = reader.clock.size = reader.clock.most = left
                does = [PARKED, PARKED, waiting, PARKED]
                pumps = [Pump(reader, number, stepped, each) for number, each in enumerate(does)]
                assert reader.step(pumps) == expected
                assert stepped == ([0, 1, 2, 3] if waiting is None else [0, 1, 2])
                assert reader.failed == isinstance(waiting, Exception)
                assert reader.went_on == ([pumps[2]] if waiting is LATE else [])
                assert reader.clock.late == (waiting is LATE)
                assert reader.step(pumps) == (4 if waiting is LATE else 0)

        run(main)

    def test_all_that_are_ready_are_stepped_once_with_looks_at_the_clock_between(self) -> None:
        async def main() -> None:
            reader, stepped, home = Reader(), list[int](), asyncio.current_task()
            pumps = [Pump(reader, number, stepped) for number in range(8)]
            pumps[2].ready = False
            pumps[4].stopped = lambda: True
            other = pumps[6].task = asyncio.create_task(asyncio.sleep(0))
            pumps[6].there = lambda *_: stepped.append(asyncio.current_task() is other and 6) or PARKED
            assert reader.step(pumps) == 0
            assert stepped == [0, 1, 3, 5, 6, 7]
            assert asyncio.current_task() is home
            reader.clock.left = 9
            assert reader.step(pumps[:4]) == 0
            assert reader.clock.left == 5
            await other

        run(main)

    def test_lanes_are_filled_up_once_before_the_clock_begins_anew(self) -> None:
        async def main() -> None:
            reader = Reader()
            reader.clock.tires()
            reader.fill()
            reader.fill()
            reader.rested()
            assert reader.clock.late  # others are still to run
            await asyncio.sleep(0)
            assert (reader.filled, reader.clock.late) == (1, False)
            reader.fill()
            reader.stop()
            reader.fill()
            reader.clock.tires()
            reader.rested()
            assert not reader.clock.late
            await asyncio.sleep(0)
            await reader.rest()
            assert reader.filled == 1
            assert reader.step([Pump(reader, 0, stepped := list[int]())]) == 0
            assert stepped == []

        run(main)

    def test_a_reader_of_many_lanes_lets_others_run_when_many_pumps_have_ended(self) -> None:
        async def main() -> None:
            drives = Drives(asyncio.get_running_loop())
            drives.clock.size = 64
            for _ in range(2):
                told = list[bool]()
                for _ in range(16):
                    told.append(drives.tired)
                    ends = [
                        Pump(drives, number, [], StopIteration() if not number else None)
                        for number in range(3)
                    ]
                    assert drives.step(ends) == 0
                assert (any(told), drives.tired) == (False, True)
                drives.rested()
                assert not drives.tired
            drives.clock.tires()
            assert drives.tired

        run(main)


class TestPlaces:
    def test_as_many_streams_are_in_flight_as_there_are_places_at_once(self) -> None:
        async def waits(number: int) -> AsyncIterator[int]:
            await asyncio.sleep(1.0)
            yield number

        async def main() -> float:
            everything = Stream(range(1000)) | ops.flat_map(waits, concurrency=1000) | ops.to_list()
            assert sorted(await everything) == [*range(1000)]
            return asyncio.get_running_loop().time()

        assert run(main) == 1.0

    def test_also_beside_streams_that_are_ready_and_none_is_ahead(self) -> None:
        begun = set[int]()

        async def endless(number: int) -> AsyncIterator[int]:
            begun.add(number)
            while True:
                yield number

        async def main() -> list[int]:
            flat = ops.flat_map(endless, concurrency=200)
            return await (Stream(range(200)) | flat | ops.take(1000) | ops.to_list())

        came = run(main)
        assert len(begun) == 200
        counts = [came.count(number) for number in range(200)]
        assert max(counts) - min(counts) <= 2

    def test_streams_that_never_wait_share_tasks_and_no_context(self) -> None:
        seen: list[tuple[Any, str]] = []

        async def ready(number: int) -> AsyncIterator[int]:
            seen.append((asyncio.current_task(), NAME.get()))
            NAME.set(f"{number}")
            yield number
            assert (asyncio.current_task(), NAME.get()) == (seen[number][0], f"{number}")

        async def main() -> None:
            await (Stream(range(100)) | ops.flat_map(ready, concurrency=4) | ops.drain())
            assert asyncio.all_tasks() == {asyncio.current_task()}

        run(main)
        assert {name for _, name in seen} == {"around"}
        assert len({task for task, _ in seen}) <= 8

    def test_but_not_after_one_has_waited_or_left_a_cancellation(self) -> None:
        tasks: list[Any] = []

        async def stream(number: int) -> AsyncIterator[int]:
            task = asyncio.current_task()
            assert task is not None
            assert not task.cancelling()
            tasks.append(task)
            yield number
            if number % 3 == 0:
                await asyncio.sleep(0)
            if number % 3 == 1:
                task.cancel()

        async def main() -> None:
            await (Stream(range(9)) | ops.flat_map(stream, concurrency=2) | ops.drain())

        run(main)
        ended = [task for number, task in enumerate(tasks) if number % 3 < 2]
        for task in {*ended}:
            last = max(number for number, each in enumerate(tasks) if each is task)
            assert [number for number, each in enumerate(tasks) if each is task and number % 3 < 2] == [last]

    def test_nor_after_one_that_waited_first_though_its_reader_steps_it_to_its_end(self) -> None:
        tasks: list[Any] = []

        async def stream(number: int) -> AsyncIterator[int]:
            await asyncio.sleep(0)
            for each in range(3):
                yield each
            tasks.append(asyncio.current_task())

        async def main() -> None:
            await (Stream(range(9)) | ops.flat_map(stream, concurrency=2) | ops.drain())

        run(main)
        assert len({*tasks}) == 9
