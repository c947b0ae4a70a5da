"""Lanes: candidates are those that asyncio, too, may run next."""

import asyncio

from streamkit.testing.schedules.tokens import Rank
from tests.testing.schedules.exploring import explored, steps_of_tasks, waiters
from tests.testing.schedules.programs import Main


def test_steps_of_tasks_are_free() -> None:
    assert explored(steps_of_tasks).course.counts[:2] == [3, 3]  # the second time, with a plain callback


def test_waiters_are_free() -> None:
    assert 3 in explored(waiters).course.counts


async def plain() -> None:
    loop = asyncio.get_running_loop()
    for _ in range(3):
        loop.call_soon(int)
    await asyncio.sleep(0)


def test_plain_callbacks_and_who_lets_them_go_first_are_no_choice() -> None:
    assert explored(plain).course.counts == []


def beside_plain(*, before: bool) -> Main:
    """A task that is made ready by the step that calls a plain callback, before that or behind it."""

    async def nothing() -> None: ...

    async def main() -> None:
        task = asyncio.create_task(nothing()) if before else None
        asyncio.get_running_loop().call_soon(int)
        await (task or asyncio.create_task(nothing()))

    return main


def test_a_task_is_free_against_plain_callbacks() -> None:
    """The task against the callback; then main, which the task wakes, against it."""
    assert explored(beside_plain(before=True)).course.counts == [2, 2]


def test_a_task_goes_behind_those_that_its_waker_has_called_before() -> None:
    assert explored(beside_plain(before=False)).course.counts == []


async def one_future() -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    async def wait() -> None:
        await future

    tasks = [asyncio.create_task(wait())]
    await asyncio.sleep(0)
    future.add_done_callback(id)
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(wait()), asyncio.create_task(wait())]
    await asyncio.sleep(1.0)
    future.set_result(None)
    await asyncio.wait(tasks)


def test_callbacks_of_one_future_are_in_order_but_for_tasks() -> None:
    counts = explored(one_future).course.counts
    # the first steps of two tasks; the first waiter; the callback; two waiters, and what comes of them
    assert counts[0] == 2
    assert max(counts[1:]) == 3


def timers(*, apart: bool) -> Main:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_at(3.0, int)
        if apart:
            await asyncio.sleep(1.0)
        loop.call_at(3.0, int)
        await asyncio.sleep(5.0)

    return main


def test_timers_of_one_time_are_free_if_they_were_set_apart() -> None:
    assert explored(timers(apart=False)).course.counts == []
    assert explored(timers(apart=True)).course.counts == [2]


async def cancelled_timer() -> None:
    loop = asyncio.get_running_loop()
    second = loop.call_at(1.0, int)
    loop.call_at(1.0, second.cancel)
    loop.call_soon(int).cancel()
    await asyncio.sleep(2.0)


def test_what_was_cancelled_is_no_choice() -> None:
    assert explored(cancelled_timer).course.counts == []


async def itself() -> None:
    """A callback that calls itself soon does not keep tasks from going on, whichever goes first."""
    loop, left = asyncio.get_running_loop(), 50

    def again() -> None:
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(lambda: again())

    again()
    for _ in range(3):
        await asyncio.create_task(asyncio.sleep(0))
    assert left


def test_a_callback_that_calls_itself_is_last() -> None:
    explored(itself, Rank(0, 1), Rank(1, 0))
    explored(itself, *(Rank(lane, lane % 2) for lane in range(5)))


async def itself_as_an_object() -> None:
    """The same, of a callback that is neither a function nor a method."""
    loop, left = asyncio.get_running_loop(), 50

    class Again:
        def __call__(self) -> None:
            nonlocal left
            left -= 1
            if left:
                loop.call_soon(self)

    Again()()
    for _ in range(3):
        await asyncio.create_task(asyncio.sleep(0))
    assert left


def test_an_object_that_calls_itself_is_last_too() -> None:
    explored(itself_as_an_object, Rank(0, 1), Rank(1, 0))
    explored(itself_as_an_object, *(Rank(lane, lane % 2) for lane in range(5)))
