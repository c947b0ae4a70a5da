"""Faults: main is cancelled, and the program ended, at every step: what does not stand that is found."""

import asyncio
from collections.abc import AsyncGenerator
from itertools import permutations
from math import factorial

import pytest
from hypothesis import given, strategies as st

from streamkit.testing import DeadlockError, Faults, LeakError, run
from streamkit.testing.schedules.faults import OPPOSITE, permuted
from tests.testing.schedules.test_search import failure, token_in

BOTH = Faults.CANCEL | Faults.SHUTDOWN


@given(st.integers(0, 5), st.integers(0, 10**30))
def test_each_number_is_a_permutation(count: int, number: int) -> None:
    items = [*range(count)]
    smallest, found = permuted(items, number)
    assert sorted(found) == items == [*range(count)]
    assert smallest < factorial(count)
    assert permuted(items, smallest) == (smallest, found)


def test_all_permutations_have_a_number() -> None:
    found = [tuple(permuted([*range(4)], number)[1]) for number in range(24)]
    assert sorted(found) == sorted(permutations(range(4)))
    for count in range(1, 21):
        assert permuted([*range(count)], OPPOSITE)[1] == [*range(count)][::-1]


class Noted:
    """What programs have seen, run after run."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    async def main(self) -> None:
        """Three steps."""
        at = "before"
        try:
            await asyncio.sleep(1.0)
            at = "between"
            await asyncio.sleep(1.0)
            at = "after"
        finally:
            self.ends.append(at)


def test_main_is_cancelled_at_every_step_in_turn() -> None:
    noted = Noted()
    run(noted.main, faults=Faults.CANCEL)
    # First without; then: before it begins, where it notes nothing; a timer and a step for each of its waits;
    # and when it has ended, but the loop has not.
    assert noted.ends == ["after", "before", "before", "between", "between", "after"]


def test_without_faults_the_result_is_that_of_main() -> None:
    async def main() -> str:
        await asyncio.sleep(1.0)
        return "result"

    assert run(main, faults=BOTH) == "result"
    assert run(main, schedules=30, seed=1, faults=BOTH) == "result"
    assert run(main, faults=Faults(0)) == "result"


def test_what_ignores_a_cancellation_may_return() -> None:
    async def main() -> str:
        try:
            await asyncio.sleep(1.0)
        except asyncio.CancelledError:
            return "cancelled"
        return "slept"

    assert run(main, faults=Faults.CANCEL) == "slept"


def test_another_error_than_cancelled_is_a_failure() -> None:
    async def main() -> None:
        try:
            await asyncio.sleep(1.0)
        except asyncio.CancelledError:
            raise LookupError("in the clean-up") from None

    error, note = failure(main, faults=Faults.CANCEL, seed=1)
    assert isinstance(error, LookupError)
    assert note.splitlines()[:2] == [
        "failed in schedule 3, seed 1 (1 switch):",
        "  callback 2, time 1: main is cancelled",
    ]
    again, _ = failure(main, replay=token_in(note))
    assert isinstance(again, LookupError)


def test_a_main_that_cancels_itself_fails() -> None:
    """Only a cancellation of ours is a right end."""

    async def main() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(main, faults=Faults.CANCEL)


async def left_when_cancelled() -> None:
    task = asyncio.create_task(asyncio.sleep(1.0))
    await asyncio.sleep(0.5)
    await asyncio.shield(task)


def test_what_is_left_by_a_cancelled_main_is_found() -> None:
    for options in ({}, {"schedules": 50}):
        error, note = failure(left_when_cancelled, seed=1, faults=Faults.CANCEL, **options)
        assert isinstance(error, LeakError)
        assert "main is cancelled" in note
        assert "!cancel@" in token_in(note)
        assert "(1 switch" in note


def test_what_hangs_when_cancelled_is_found() -> None:
    async def main() -> None:
        try:
            await asyncio.sleep(1.0)
        finally:
            await asyncio.Event().wait() if asyncio.current_task().cancelling() else None  # type: ignore[union-attr]

    error, _ = failure(main, faults=Faults.CANCEL, seed=1)
    assert isinstance(error, DeadlockError)


def test_a_fault_and_a_switch_that_belong_together() -> None:
    """Cancelled, it fails only if its two tasks have ended the wrong way round."""

    async def main() -> None:
        said = list[int]()

        async def say(number: int) -> None:
            said.append(number)

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(say(0))
                group.create_task(say(1))
                await asyncio.sleep(1.0)
        except asyncio.CancelledError:
            assert said != [1, 0]
            raise

    run(main, faults=Faults.CANCEL)
    run(main, schedules=200, seed=1)
    error, note = failure(main, schedules=200, seed=1, faults=BOTH)
    assert isinstance(error, AssertionError)
    assert "(2 switches" in note
    again, _ = failure(main, replay=token_in(note))
    assert isinstance(again, AssertionError)


# shutdown --------------------------------------------------------------------------------------------


def test_a_shutdown_cancels_all_tasks_in_many_orders() -> None:
    orders = set[str]()

    async def main() -> None:
        ended = list[str]()

        async def wait(name: str) -> None:
            try:
                await asyncio.sleep(1.0)
            except asyncio.CancelledError:
                ended.append(name)
                raise

        tasks = [asyncio.create_task(wait(name)) for name in "abc"]
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            ended.append("-")
            raise
        finally:
            await asyncio.wait(tasks)
            orders.add("".join(ended))

    run(main, faults=Faults.SHUTDOWN, seed=1)
    assert {"-abc", "cba-", ""} <= orders
    run(main, schedules=100, faults=Faults.SHUTDOWN, seed=1)
    assert len(orders) > 20


def test_what_a_shutdown_cancels_is_waited_for() -> None:
    """Main may be gone first, as `asyncio.run` waits for all; what is made meanwhile is nobody's."""

    async def clean_up() -> None:
        try:
            await asyncio.sleep(1.0)
        finally:
            await asyncio.sleep(2.0)

    async def main() -> None:
        task = asyncio.create_task(clean_up())
        await asyncio.wait([task])

    run(main, faults=Faults.SHUTDOWN)
    with pytest.raises(LeakError, match=r"task .*clean_up"):
        run(main, faults=Faults.CANCEL)

    async def begins_anew() -> None:
        try:
            await asyncio.sleep(1.0)
        except asyncio.CancelledError:
            begins_anew.task = asyncio.create_task(asyncio.sleep(9.0))  # type: ignore[attr-defined]
            raise

    with pytest.raises(LeakError, match=r"task .*sleep"):
        run(begins_anew, faults=Faults.SHUTDOWN)


def test_a_shutdown_closes_generators() -> None:
    closed = list[str]()

    async def numbers() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            closed.append("closed")

    async def main() -> None:
        main.generator = numbers()  # type: ignore[attr-defined]
        async for _ in main.generator:  # type: ignore[attr-defined]
            await asyncio.sleep(1.0)

    with pytest.raises(LeakError, match="async generator"):
        run(main, faults=Faults.CANCEL)
    closed.clear()
    run(main, faults=Faults.SHUTDOWN)
    assert {*closed} == {"closed"}


def test_what_is_cancelled_twice_is_found() -> None:
    """In one order, a shutdown cancels a task that another one is just cancelling."""

    async def child() -> None:
        try:
            await asyncio.sleep(5.0)
        except asyncio.CancelledError:
            saved.append(False)
            await asyncio.sleep(1.0)  # cut short by a second cancellation
            saved.append(True)
            raise

    saved = list[bool]()

    async def main() -> None:
        saved[:] = [True]
        task = asyncio.create_task(child())
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait([task])
            assert saved[-1]
            raise

    run(main, faults=Faults.CANCEL)
    error, note = failure(main, faults=Faults.SHUTDOWN, seed=1)
    assert isinstance(error, AssertionError)
    assert "the program ends, and cancels task" in note


def test_an_error_that_nobody_sees_in_a_shutdown_is_found() -> None:
    async def child() -> None:
        try:
            await asyncio.sleep(5.0)
        except asyncio.CancelledError:
            raise LookupError("nobody sees this") from None

    async def main() -> None:
        task = asyncio.create_task(child())
        await asyncio.wait([task])
        assert task.exception() is None

    with pytest.raises(LeakError, match="never retrieved"):
        run(main, faults=Faults.SHUTDOWN)


def test_a_run_that_is_cancelled_by_a_fault_may_leave_something_where_that_is_allowed() -> None:
    async def main() -> None:
        await asyncio.sleep(1.0)

    assert run(main, schedules=20, seed=1, faults=Faults.CANCEL, leaks=False) is None
