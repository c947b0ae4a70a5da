"""The end of a flow within one deadline, and what is told of it."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

import streamkit
from streamkit import Hub, Job, Limit, Stream, Suspend, ops
from streamkit.flow import Child, Flow, Intensity, Left, Scope
from streamkit.live import Slot
from streamkit.testing import run
from tests.files import over
from tests.flow.jobs import Log, end, fails, lasts
from tests.tiers import examples

LATE = 0.05


async def stuck(_: object) -> Any:
    await asyncio.Event().wait()


def test_children_finish_what_is_inside_in_order() -> None:
    log = Log()

    def child(name: str, *after: str) -> Child:
        return Child(name, log.job(name, lasts(), closing=1.0), after=after)

    async def main() -> None:
        inner = Flow(child("b"), child("c"))
        handle = Flow(child("d", "in"), child("a"), Child("in", inner, after=["a"])).start()
        await asyncio.sleep(1.0)
        report = await handle.stop()
        assert report.ok
        assert report.ended == ("flow/a", "flow/in/b", "flow/in/c", "flow/d")
        assert report.seconds == 4.0
        await handle
        await asyncio.sleep(9.0)
        assert handle.report() == report

    run(main)
    assert [each for each in log.seen if each[1].endswith("closes")] == [
        *((1.0, "a closes"), (2.0, "b closes"), (3.0, "c closes"), (4.0, "d closes"))
    ]


def test_one_that_takes_long_holds_up_the_others_for_its_share_only() -> None:
    """Three children have 9 seconds: the second is told after 3, the third after 6."""
    told: list[tuple[float, str]] = []

    def child(name: str) -> Child:
        async def source() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.Event().wait()
            finally:
                told.append((asyncio.get_running_loop().time(), name))

        return Child(name, lambda: Stream(source) | ops.buffer(Suspend(4)) | ops.for_each(stuck))

    async def main() -> None:
        handle = Flow(*[child(name) for name in "abc"]).start()
        await asyncio.sleep(2.5)
        report = await handle.stop(9.0)
        assert report.cancelled == ("flow/a", "flow/b", "flow/c")
        assert report.seconds == 9.0
        await handle

    run(main)
    assert told == [(2.5, "a"), (5.5, "b"), (8.5, "c")]


def test_what_one_child_reads_of_another_is_not_lost() -> None:
    async def later(number: int) -> int:
        await asyncio.sleep(0.5)
        return number

    async def main(*, paused: bool) -> None:
        hub: Hub[int] = Hub(Suspend(4))
        read: list[int] = []
        written: list[int] = []

        async def write(number: int) -> None:
            await asyncio.sleep(0.3)
            written.append(number)

        def poller() -> Job[int]:
            numbers = streamkit.interval(0.2) | ops.map(later, concurrency=4)
            return numbers | ops.tap(read.append) | hub.sink()

        flow = Flow(
            Child("poller", poller),
            Child("writer", lambda: hub.stream() | ops.for_each(write), after=["poller"]),
        )
        handle = flow.start()
        await asyncio.sleep(5.0)
        if paused:
            handle["writer"].pause()
        assert (await handle.stop()).ok
        assert len(read) > 15
        assert written == read

    run(lambda: main(paused=False))
    run(lambda: main(paused=True))


def test_the_report_names_operators_and_how_many_they_held() -> None:
    child = Child("a", lambda: streamkit.interval(0.01) | ops.buffer(Suspend(8)) | ops.for_each(stuck))

    async def main() -> None:
        handle = Flow(Child("in", Flow(child))).start()
        await asyncio.sleep(1.0)
        report = await handle.stop(1.0)
        assert report.left == (
            Left(path="flow/in/a", operator="buffer(Suspend(capacity=8))", count=8),
            Left(path="flow/in/a", operator="for_each(stuck)", count=1),
        )
        assert (report.cancelled, report.ok) == (("flow/in/a",), False)
        await handle

    run(main)


async def first_is_stuck(number: int) -> int:
    return int(await stuck(number)) if number == 0 else number


async def seventh_is_stuck(number: int) -> int:
    return int(await stuck(number)) if number == 6 else number


async def three(first: int) -> AsyncIterator[int]:
    for number in range(3):
        yield first + number
    await stuck(3)


def two(number: int) -> Stream[int]:
    return Stream([number, number + 1])


def threes(first: int) -> Stream[int]:
    return Stream(three(first)) | ops.concat_map(three)


def worked_on(first: int) -> Stream[int]:
    return Stream(three(first)) | ops.map(stuck, concurrency=2)


@over(
    [
        (ops.map(stuck), {"map(stuck)": 1}),
        (ops.map(stuck, concurrency=4), {"map(stuck, concurrency=4)": 4}),
        (ops.map(stuck, concurrency=Limit(3)), {"map(stuck, concurrency=Limit(3))": 3}),
        (ops.map(stuck, concurrency=2, lookahead=3), {"map(stuck, concurrency=2, lookahead=3)": 5}),
        # results that wait for their turn
        (ops.map(first_is_stuck, concurrency=4), {"map(first_is_stuck, concurrency=4)": 4}),
        (
            ops.map(first_is_stuck, concurrency=4, ordered=False) | ops.map(stuck),
            {"map(first_is_stuck, concurrency=4, ordered=False)": 4, "map(stuck)": 1},
        ),
        (ops.map(str, concurrency=2) | ops.tap(stuck), {"map(str, concurrency=2)": 2, "tap(stuck)": 1}),
        (ops.flat_map(three, concurrency=1), {"flat_map(three, concurrency=1)": 1}),
        (ops.flat_map(three, concurrency=3), {"flat_map(three, concurrency=3)": 3}),
        # three streams, and an item in the lane of each
        (
            ops.flat_map(three, concurrency=3) | ops.map(stuck),
            {"flat_map(three, concurrency=3)": 6, "map(stuck)": 1},
        ),
        (ops.flat_map(stuck, concurrency=2), {"flat_map(stuck, concurrency=2)": 2}),
        # in one loop: the streams are open while it waits for what is behind them
        (
            ops.concat_map(three) | ops.flat_map(two, concurrency=1) | ops.map(stuck),
            {"concat_map(three)": 1, "flat_map(two, concurrency=1)": 1, "map(stuck)": 1},
        ),
        (ops.concat_map(threes), {"concat_map(threes)": 1, "concat_map(three)": 1}),
        (
            ops.flat_map(threes, concurrency=2),
            {"flat_map(threes, concurrency=2)": 2, "concat_map(three)": 2},
        ),
        (
            ops.flat_map(worked_on, concurrency=2),
            {"flat_map(worked_on, concurrency=2)": 2, "map(stuck, concurrency=2)": 4},
        ),
        (ops.switch_map(three), {"switch_map(three)": 1}),
        (ops.exhaust_map(three) | ops.map(stuck), {"exhaust_map(three)": 2, "map(stuck)": 1}),
        # two streams, and the items found that wait for a place
        (ops.take(1) | ops.expand(three, concurrency=2), {"expand(three, concurrency=2)": 2 + 5}),
        # streams that have ended are not open
        (ops.take(1) | ops.switch_map(two) | ops.skip(1) | ops.map(stuck), {"map(stuck)": 1}),
        (
            ops.take(1) | ops.flat_map(two, concurrency=2) | ops.skip(1) | ops.map(stuck),
            {"map(stuck)": 1},
        ),
        (
            ops.map(seventh_is_stuck) | ops.batch(4) | ops.batch(3),
            {"map(seventh_is_stuck)": 1, "batch(4)": 2, "batch(3)": 1},
        ),
        # what a batch passes on at the end of its source is held no more
        (ops.take(3) | ops.batch(4) | ops.batch(2) | ops.map(stuck), {"map(stuck)": 1}),
        (Slot(ops.map(stuck)), {"map(stuck)": 1}),
        (ops.filter(lambda _: False), None),
    ],
    named=lambda each: str(each[0]),
)
def test_the_report_counts_calls_and_what_steps_keep(case: tuple[Any, dict[str, int] | None]) -> None:
    pipe, expected = case

    async def main() -> dict[str, int]:
        handle = Flow(Child("a", lambda: streamkit.interval(0.01) | pipe | ops.drain())).start()
        await asyncio.sleep(1.0)
        report = await handle.stop(1.0)
        await handle
        left = {each.operator: each.count for each in report.left}
        assert len(left) == len(report.left)
        return left

    assert run(main) == (expected or {})


def test_one_that_fails_when_it_is_stopped_is_told_and_the_rest_goes_on() -> None:
    log = Log()
    children = [
        Child("a", log.job("a", lasts(), deaf=1.0)),
        Child("b", log.job("b", lasts(), closing_error=OSError("broken"))),
        Child("c", log.job("c", fails(1.5))),
    ]

    async def main() -> None:
        handle = Flow(*children, on_error=log.fault, scope=Scope.ALL).start()
        await asyncio.sleep(1.0)
        report = await handle.stop(5.0)
        assert [(fault.path, str(fault.error)) for fault in report.faults] == [("flow/b", "broken")]
        assert (report.ended, report.ok) == (("flow/a", "flow/b", "flow/c"), False)
        await handle

    run(main)
    assert log.told() == [("flow/b", "STOP")]


def test_the_deadline_holds_for_a_flow_that_has_failed_and_ends_already() -> None:
    """Its children are cancelled one by one; at the deadline, those that are left are, all at once."""
    log = Log()
    children = [Child(name, log.job(name, lasts(), closing=5.0)) for name in "abc"]
    failing = Child("d", log.job("d", fails(1.0)))
    inner = Flow(*children, Child("in", Flow(*children)), failing, intensity=Intensity(0, seconds=1.0))

    async def main() -> None:
        handle = Flow(Child("inner", inner), on_error=log.fault).start()
        await asyncio.sleep(2.0)
        report = await handle.stop(1.0)
        assert len(report.closing) == 6
        await handle

    run(main)
    closes = [(time, what) for time, what in log.seen if what.endswith("closes")]
    assert closes[0] == (1.0, "c closes")
    assert sorted(closes[1:]) == [(3.0, f"{name} closes") for name in "aabbc"]


def test_a_second_stop_can_only_shorten_the_time() -> None:
    log = Log()

    async def main() -> None:
        children = [Child(name, log.job(name, lasts(), deaf=100.0)) for name in "ab"]
        handle = Flow(*children, Child("in", Flow(*children))).start()
        await asyncio.sleep(1.0)
        first = asyncio.create_task(handle.stop(50.0))
        await asyncio.sleep(1.0)
        second = asyncio.create_task(handle.stop(99.0))
        await asyncio.sleep(1.0)
        assert (await handle.stop(0.0)).seconds == 2.0
        assert (await first).cancelled == (await second).cancelled
        assert len((await first).cancelled) == 4

    run(main)


def test_who_stops_it_may_give_up_and_the_flow_ends_all_the_same() -> None:
    log = Log()

    async def main() -> float:
        handle = Flow(Child("a", log.job("a", lasts(), deaf=10.0))).start()
        await asyncio.sleep(1.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await handle.stop(5.0)
        await handle
        return asyncio.get_running_loop().time()

    assert run(main) == 6.0


def test_in_every_order_no_child_has_two_lives_and_the_end_is_the_end() -> None:
    """Failures, a child that is stopped and started, and the end come in one moment."""

    async def main() -> None:
        alive: set[str] = set()

        def child(name: str, *after: str, seconds: float = 1.0) -> Child:
            async def source() -> AsyncIterator[int]:
                assert name not in alive
                alive.add(name)
                try:
                    await asyncio.sleep(seconds)
                    raise OSError(name)
                    yield 1
                finally:
                    await asyncio.sleep(0)
                    alive.remove(name)

            return Child(name, lambda: Stream(source) | ops.drain(), backoff=1.0, after=after)

        flow = Flow(
            *(child("a"), child("b", "a"), Child("in", Flow(child("c"), scope=Scope.ALL)), child("d", "b")),
            scope=Scope.REST,
            intensity=Intensity(1000, seconds=60.0),
            on_error=lambda fault: None,
        )
        handle = flow.start()

        async def steer() -> None:
            await asyncio.sleep(1.0)
            await handle["d"].stop(0.0)
            await handle["d"].start()

        async def stop() -> None:
            await asyncio.sleep(3.0)
            await handle.stop(0.0)
            await handle
            assert not alive

        await asyncio.gather(steer(), stop())

    run(main, schedules=40, seed=1)


@pytest.mark.parametrize("deadline", [-1.0, float("inf"), "soon"])
def test_a_wrong_deadline_is_refused(deadline: float) -> None:
    async def main() -> None:
        handle = Flow(Child("a", Log().job("a", lasts()))).start()
        await asyncio.sleep(1.0)
        with pytest.raises((ValueError, TypeError), match="deadline must be a finite number"):
            await handle.stop(deadline)
        await end(handle)

    run(main)


def a_flow(random: Random, log: Log, depth: int = 0) -> Flow:
    """Of jobs that finish their one item late, or never, and close slowly."""
    children: list[Child] = []
    for number in range(random.randint(1, 4)):
        name = f"{depth}{number}"
        job = log.job(
            name,
            *[fails(random.uniform(0.1, 9.0)) for _ in range(random.choice([0, 0, 3]))],
            lasts(),
            closing=random.choice([0.0, 0.0, random.uniform(0.0, 9.0)]),
            closing_error=random.choice([None, None, OSError("broken")]),
            deaf=random.choice([0.0, random.uniform(0.0, 9.0), 1e5]),
        )
        make = a_flow(random, log, depth + 1) if depth < 2 and random.random() < 0.4 else job
        children.append(Child(name, make, backoff=random.uniform(0.1, 5.0)))
    return Flow(*children, scope=random.choice([*Scope]), on_error=log.fault)


@pytest.mark.parametrize("part", range(4))
def test_a_stop_is_never_late(part: int) -> None:
    """Whatever children do, and whenever it comes; each child is told of once, and all closes in the end."""
    for seed in range(part, examples(400), 4):
        random, log = Random(seed), Log()
        flow = a_flow(random, log)
        deadline = random.choice([0.0, 0.001, 1.0, random.uniform(0.0, 20.0)])

        async def main() -> None:
            handle = flow.start()  # noqa: B023 - it is called here
            await asyncio.sleep(random.choice([0.0, random.uniform(0.0, 15.0)]))  # noqa: B023
            begun = asyncio.get_running_loop().time()
            report = await handle.stop(deadline)  # noqa: B023
            assert asyncio.get_running_loop().time() - begun <= deadline + LATE  # noqa: B023
            told = [*report.ended, *report.cancelled, *report.closing]
            assert len({*told}) == len(told)
            await handle
            after = handle.report()
            assert not after.closing
            assert {*after.cancelled} == {*report.cancelled, *report.closing}

        run(main)
