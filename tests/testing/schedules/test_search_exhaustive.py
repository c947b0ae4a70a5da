"""Depth first: every schedule with so many switches, each once, as counted by hand and by brute force."""

import asyncio
from itertools import permutations, product
from math import factorial

import pytest

from streamkit import Stream, ops
from streamkit.testing import Exhaustive, Faults, ScheduleError, VirtualLoop, run
from streamkit.testing.schedules.orders import Given
from streamkit.testing.schedules.ready import Ready
from streamkit.testing.schedules.tokens import Schedule, Take
from tests.testing.schedules.programs import Main
from tests.testing.schedules.wrong import WRONG


class Talk:
    """A program of tasks that say their names so many times; what was said in each run."""

    def __init__(self, *times: int) -> None:
        self.times = times
        self.heard: list[str] = []

    async def main(self) -> None:
        said = list[str]()

        async def nothing() -> None: ...

        async def say(name: str, times: int) -> None:
            for number in range(times):
                if number:
                    await asyncio.create_task(nothing())
                said.append(name)

        await asyncio.gather(*(say(name, times) for name, times in zip("abcd", self.times, strict=False)))
        self.heard.append("".join(said))

    def explore(self, switches: int) -> list[str]:
        self.heard = []
        run(self.main, schedules=Exhaustive(switches=switches))
        return self.heard


@pytest.mark.parametrize(("count", "switches"), [(2, 1), (3, 3)])
def test_every_order_of_tasks_is_found(count: int, switches: int) -> None:
    """A park puts one of them last, and so sorts them as a bubble sort does."""
    talk = Talk(*[1] * count)
    assert {*talk.explore(switches)} == {"".join(each) for each in permutations("abcd"[:count])}
    assert len({*talk.explore(switches - 1)}) < factorial(count)


def test_no_switch_is_one_run() -> None:
    assert Talk(1, 1).explore(0) == ["ab"]


def test_one_switch_is_a_run_for_each_pick() -> None:
    talk = Talk(2, 2)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        ready = Ready(runner.get_loop(), Given(Schedule()))
        with ready.exploring():
            runner.run(talk.main())
    assert len(talk.explore(1)) == 1 + len(ready.course.counts)


def everything(main: Main) -> int:
    """How many schedules there are at all, by brute force: each candidate at each pick."""
    count, stack = 0, [tuple[Take, ...]()]
    while stack:
        takes = stack.pop()
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            ready = Ready(runner.get_loop(), Given(Schedule(takes)))
            with ready.exploring():
                runner.run(main())
        count += 1
        for pick in range(takes[-1].pick + 1 if takes else 0, len(ready.course.counts)):
            stack += [(*takes, Take(pick, other)) for other in range(1, ready.course.counts[pick])]
    return count


def test_what_parks_find_is_what_there_is() -> None:
    """Beside all schedules of a small program: parks find each thing that can be said."""
    talk = Talk(2, 1, 1)
    count = everything(talk.main)
    everywhere = {*talk.heard}
    assert len(everywhere) == 12, "the places of b and c among four"
    assert count > 12
    assert {*talk.explore(3)} == everywhere


def test_counts_of_pipelines_do_not_change_by_themselves() -> None:
    """So that a change of the rules of the queue is noticed."""
    found = {}
    for name, switches in product(("zip", "map"), (1, 2)):
        runs = 0

        async def main(name: str = name) -> None:
            nonlocal runs
            runs += 1
            if name == "zip":
                await (Stream(lambda: iter(range(4))) | ops.zip(lambda: iter(range(4))) | ops.to_list())
            else:
                await (Stream(range(4)) | ops.map(after, concurrency=2) | ops.to_list())

        run(main, schedules=Exhaustive(switches=switches))
        found[name, switches] = runs
    assert found == {("zip", 1): 5, ("zip", 2): 12, ("map", 1): 5, ("map", 2): 11}


async def after(number: int) -> int:
    await asyncio.sleep(1.0)
    return number


def test_what_is_wrong_is_found() -> None:
    with pytest.raises(AssertionError) as caught:
        run(WRONG["lock_forgotten"], schedules=Exhaustive(switches=2), seed=5)
    note = caught.value.__notes__[-1]
    assert "of those with at most 2 switches, seed 5 (" in note


def test_too_many_are_told() -> None:
    talk = Talk(3, 3, 3)
    with pytest.raises(
        ScheduleError, match=r"^there are more than 50 schedules with at most 3 switches, and none"
    ):
        run(talk.main, schedules=Exhaustive(switches=3, most=50))
    assert len(talk.heard) == 50


def test_with_faults_each_step_is_cancelled_in_each_schedule() -> None:
    cancelled = list[str]()

    async def main() -> None:
        said = list[str]()

        async def say(name: str) -> None:
            said.append(name)

        try:
            async with asyncio.TaskGroup() as group:
                for name in "ab":
                    group.create_task(say(name))
        except asyncio.CancelledError:
            cancelled.append("".join(said))
            raise

    run(main, schedules=Exhaustive(switches=1), faults=Faults.CANCEL)
    assert {*cancelled} == {"a", "b", "ab", "ba"}


@pytest.mark.parametrize(("name", "value"), [("switches", -1), ("switches", 1.5), ("most", 0), ("most", "9")])
def test_limits_are_checked(name: str, value: object) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{name} must be a whole number of at least"):
        Exhaustive(**{name: value})  # type: ignore[arg-type]
