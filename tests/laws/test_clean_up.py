"""Law 3: a run never interrupts the clean-up of a source, however it is ended, and however often."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import anyio
import pytest

from streamkit.testing import VirtualLoop
from tests.laws.lab import Lab, Sample, Visit, play
from tests.samples import SAMPLES
from tests.tiers import stride

MOST = 300
"""Steps of the loop that a sample takes at most."""


async def consume(built: Any) -> None:
    if not hasattr(built, "open"):
        await built
        return
    async with built.open() as items:
        async for _ in items:
            pass


def loop_of_tests() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def check(lab: Lab, reader: asyncio.Task[Any] | None, disturbed: list[Visit]) -> None:
    """Each clean-up has finished, unless the test itself has cancelled its task in the middle of it."""
    lab.check_clean()
    for visit in lab.visits:
        if visit.begun is not reader and visit not in disturbed:
            assert visit.finished, f"the clean-up of {visit.source} was interrupted"


# How a run is ended, from the step `number` on; whether it was still running then. ------------------------


async def cancelled_again_and_again(lab: Lab, sample: Sample, number: int) -> bool:
    """As a cancel scope of anyio does, and somebody who presses a key until the program ends."""
    loop = loop_of_tests()
    work = loop.create_task(consume(sample.built(lab)))
    cancels: list[bool] = []
    for later in range(number, number + MOST):
        loop.call_at_step(later, lambda: cancels.append(work.cancel()))
    await asyncio.wait([work])
    assert work.cancelled() or not any(cancels), "the cancellation was swallowed"
    check(lab, work, [])
    return any(cancels)


async def cancelled_by_a_scope(lab: Lab, sample: Sample, number: int) -> bool:
    with anyio.CancelScope() as scope:
        loop_of_tests().call_at_step(number, scope.cancel)
        await consume(sample.built(lab))
    check(lab, asyncio.current_task(), [])
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
    return scope.cancelled_caught


def shut_down(order: int) -> Callable[[Lab, Sample, int], Awaitable[bool]]:
    """As ``asyncio.run`` ends a program: all tasks are cancelled at once, in any order."""

    async def ended(lab: Lab, sample: Sample, number: int) -> bool:
        loop = loop_of_tests()
        main = asyncio.current_task()
        work = loop.create_task(consume(sample.built(lab)))
        disturbed: list[Visit] = []
        cancels: list[bool] = []

        def cancel_all() -> None:
            disturbed.extend(visit for visit in lab.visits if visit.cleaned)
            tasks = sorted(asyncio.all_tasks(loop) - {main}, key=lambda task: int(task.get_name()[5:]))
            for task in tasks[::order]:
                cancels.append(task.cancel())

        loop.call_at_step(number, cancel_all)
        await asyncio.wait([work])
        check(lab, None, disturbed)
        return any(cancels)

    return ended


ENDS = {
    "again and again": cancelled_again_and_again,
    "scope": cancelled_by_a_scope,
    "shut down, first task first": shut_down(1),
    "shut down, last task first": shut_down(-1),
}


@pytest.mark.spread
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
def test_no_end_interrupts_a_clean_up(sample: Sample, end: str) -> None:
    every = stride(3)  # another third of the steps for each sample
    for number in count(1 + SAMPLES.index(sample) % every, every):
        lab = Lab("turn", "async" if sample.calls else "sync", count=3)

        async def main(lab: Lab = lab, number: int = number) -> bool:
            return await ENDS[end](lab, sample, number)

        try:
            if not play(main):
                break
        except BaseException as error:
            error.add_note(f"ended at step {number}")
            raise
        assert number < MOST
