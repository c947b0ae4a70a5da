"""The queue: first in, first out without an order; candidates are those that asyncio, too, may run next."""

import asyncio
import contextvars
import gc
import re
import sys
import weakref
from collections.abc import Coroutine
from random import Random
from typing import Any

import pytest

from streamkit.testing import LivelockError, VirtualLoop
from streamkit.testing.schedules.orders import Followed, Order, drawn
from streamkit.testing.schedules.ready import Ready
from streamkit.testing.schedules.tokens import Park, Rank, Take
from tests.testing.schedules.correct import CORRECT
from tests.testing.schedules.correct_anyio import ANYIO
from tests.testing.schedules.exploring import course, explored, steps_of_tasks, waiters
from tests.testing.schedules.piped import PIPED
from tests.testing.schedules.programs import Main
from tests.testing.schedules.wrong import WRONG

PyTask: Any = vars(asyncio.tasks)["_PyTask"]


def logging(log: list[object], main: Main) -> Main:
    """`main`, which notes each step of a task, and each change of what a context variable says."""

    async def traced() -> None:
        loop = asyncio.get_running_loop()

        def made(loop: asyncio.AbstractEventLoop, coroutine: Any, **named: Any) -> asyncio.Task[Any]:
            log.append(("made", named_of(coroutine)))
            return asyncio.Task(step_by_step(coroutine), loop=loop, **named)

        async def step_by_step(coroutine: Coroutine[Any, Any, Any]) -> Any:
            return await _Traced(coroutine, log)

        loop.set_task_factory(made)
        await main()

    return traced


def named_of(coroutine: Any) -> str:
    """`aclose()` of a generator has no name."""
    return getattr(coroutine, "__qualname__", type(coroutine).__name__)


class _Traced:
    """Awaits a coroutine, and logs each of its steps."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], log: list[object]) -> None:
        self.coroutine = coroutine
        self.log = log

    def __await__(self) -> Any:
        error: BaseException | None = None
        while True:
            self.log.append(named_of(self.coroutine))
            try:
                waits_for = self.coroutine.send(None) if error is None else self.coroutine.throw(error)
            except StopIteration as stop:
                return stop.value
            try:
                yield waits_for
            except BaseException as thrown:
                error = thrown
            else:
                error = None


SEVERAL_CANCELLED = {
    *("task_group_fails", "queue", "anyio_task_group", "anyio_fails"),
    *("zip_ends_with_the_shortest", "concurrent_map_left", "an_error_closes_all"),
}
"""Where tasks are cancelled together: the order in which asyncio runs them may be that of their addresses."""
FIXED = [main for main in (*CORRECT, *ANYIO, *PIPED) if main.__name__ not in SEVERAL_CANCELLED]


@pytest.mark.parametrize("main", FIXED, ids=lambda main: main.__name__)
def test_without_switches_it_is_first_in_first_out(main: Main) -> None:
    """Each task makes the same steps, in the same order, as in asyncio's own queue."""
    logs: list[list[object]] = [[], []]
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(logging(logs[0], main)())
    explored(logging(logs[1], main))
    assert logs[0] == logs[1]
    assert logs[0]


def test_it_does_what_a_queue_of_asyncio_does() -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop: Any = runner.get_loop()
        ready = Ready(loop, Order())
        assert not ready
        handles = [loop.call_soon(print) for _ in range(3)]
        assert ready
        assert len(ready) == 3
        assert [*ready] == handles
        assert ready.popleft() is handles[0]
        ready.clear()
        assert not ready
        with pytest.raises(IndexError):
            ready.popleft()


def test_a_park_is_for_good_and_the_later_is_the_lower() -> None:
    said = list[str]()

    async def say(name: str) -> None:
        said.append(name)

    async def main() -> None:
        await asyncio.gather(*map(say, "abc"))

    for switches, expected in (
        ((), "abc"),
        ((Park(0, 0),), "bca"),
        ((Park(0, 1),), "acb"),
        ((Park(0, 0), Park(0, 1)), "cab"),
        ((Take(0, 2),), "cab"),
        ((Take(0, 1), Take(1, 1)), "bca"),
        ((Rank(4, 2), Rank(3, 1)), "cba"),
    ):
        said.clear()
        course = explored(main, *switches).course
        assert "".join(said) == expected
        assert {*course.switches} == {*switches}


@pytest.mark.parametrize("main", [*WRONG, *PIPED], ids=lambda main: main.__name__)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.spread
def test_each_course_can_be_followed_by_parks(main: Main, seed: int) -> None:
    """That of a random walk, and of ranks."""
    for number in range(3):
        first = course(main, drawn(number, Random(seed), 20))
        again = course(main, Followed(first.chosen))
        assert (again.counts, again.chosen) == (first.counts, first.chosen)
        assert all(isinstance(switch, Park) for switch in again.switches)


def test_nothing_is_passed_over_for_ever() -> None:
    """Two that wake each other: the third, parked, comes in the end."""
    turns = 0

    async def main() -> None:
        nonlocal turns
        event = asyncio.Event()

        async def third() -> None:
            event.set()

        async def wake() -> None:
            nonlocal turns
            while not event.is_set():
                turns += 1
                await asyncio.create_task(nothing())

        async def nothing() -> None: ...

        await asyncio.gather(third(), wake())

    explored(main, Park(0, 0))
    assert 200 < turns < 600


def test_a_run_without_an_end_is_ended() -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(0)

    with pytest.raises(
        LivelockError, match=r"(?s)main has not ended after 1000 callbacks.*main \(test_ready"
    ):
        explored(main, limit=1000)


# on and off ------------------------------------------------------------------------------------------


def test_clean_up_is_no_choice_and_what_is_run_after_it_is_one() -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        ready = Ready(runner.get_loop(), Order())
        with ready.exploring():
            runner.run(steps_of_tasks())
        callbacks, first = ready.callbacks, len(ready.course.counts)
        assert first
        runner.run(steps_of_tasks())  # as a clean-up is
        assert (ready.callbacks, len(ready.course.counts)) == (callbacks, first)
        with ready.exploring():
            runner.run(steps_of_tasks())
        assert len(ready.course.counts) == 2 * first
        assert ready.callbacks > callbacks


# kinds of tasks, and what is kept alive --------------------------------------------------------------


def with_factory(factory: Any) -> Main:
    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(factory)
        await waiters()

    return main


def test_tasks_written_in_python() -> None:
    main = with_factory(lambda loop, coroutine, **named: PyTask(coroutine, loop=loop, **named))
    assert explored(main).course.counts == explored(waiters).course.counts


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are there since Python 3.12")
def test_eager_tasks() -> None:
    eager: Any = vars(asyncio)["eager_task_factory"]
    course = explored(with_factory(eager)).course
    assert 3 in course.counts
    assert len(course.counts) < len(explored(waiters).course.counts), "their first steps are no choice"


def test_tasks_cancelled_together_go_on_in_the_order_they_were_made() -> None:
    """A set of tasks, such as a task group has, is in the order of addresses."""
    ended = list[int]()

    async def wait(number: int) -> None:
        try:
            await asyncio.sleep(9.0)
        finally:
            ended.append(number)

    async def main() -> None:
        tasks = [asyncio.create_task(wait(number)) for number in range(4)]
        await asyncio.sleep(1.0)
        for place in (2, 0, 3):
            tasks[place].cancel()
        asyncio.get_running_loop().call_soon(ended.append, 9)
        tasks[1].cancel()
        await asyncio.wait(tasks)

    explored(main)
    assert ended == [0, 2, 3, 9, 1]


class Thing:
    def method(self) -> None: ...


def test_nothing_is_kept_alive() -> None:
    """Neither a callback that has run, nor a task, its result and its context."""
    variable = contextvars.ContextVar[Thing]("variable")

    async def task() -> Thing:
        variable.set(thing := Thing())
        things.append(weakref.ref(thing))
        await asyncio.sleep(0)
        return thing

    things = list["weakref.ref[Thing]"]()

    async def main() -> None:
        thing = Thing()
        things[:] = [weakref.ref(thing)]
        asyncio.get_running_loop().call_soon(thing.method)
        del thing
        await asyncio.create_task(task())
        await asyncio.gather(task(), task())
        await asyncio.sleep(0)
        gc.collect(1)
        assert [each() for each in things] == [None] * 4

    explored(main)
    explored(main, Park(0, 0), Park(1, 0))


def test_what_goes_first_at_one_pick_is_told_with_those_that_wait() -> None:
    words = explored(steps_of_tasks, Take(0, 1), Take(1, 0), telling=True).course.words
    assert len(words) == 2
    assert re.search(r"steps_of_tasks\S* goes before \S.*step", words[0])
    assert words[1].endswith("goes before all others")


def test_what_goes_first_from_its_beginning_on_is_told_with_its_rank() -> None:
    words = explored(steps_of_tasks, Rank(1, 1), telling=True).course.words
    assert len(words) == 1
    assert words[0].endswith(" goes before all of a lower rank than 1, from here on")
