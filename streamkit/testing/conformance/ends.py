"""Law 3: a run never interrupts the clean-up of a source, however it is ended, and however often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from streamkit.testing.conformance.exits import MOST, consume, virtual_loop
from streamkit.testing.conformance.lab import Lab, play
from streamkit.testing.conformance.laws import Law, expect
from streamkit.testing.conformance.subject import Case, Subject
from streamkit.testing.conformance.visits import Visit

__all__ = [
    "End",
    "cancelled_again_and_again",
    "check",
    "ended",
    "shut_down_first_task_first",
    "shut_down_last_task_first",
]

End = Callable[[Lab, Subject, int], Awaitable[bool]]
"""How a run is ended, from a step of the loop on; whether it was still running then."""


def check(lab: Lab, reader: asyncio.Task[Any] | None, disturbed: list[Visit]) -> None:
    """Each clean-up has finished, unless the check itself has cancelled its task in the middle of it."""
    lab.check_clean()
    for visit in lab.visits:
        if visit.begun is not reader and visit not in disturbed:
            seen = f"the clean-up of {visit.source} was interrupted"
            expect(Law.CLOSE, visit.finished, "clean-up that goes to its end", seen)


def ended(subject: Subject, case: Case, end: End) -> None:
    """End runs with `end` at each step of the loop in turn."""
    for number in case.steps():
        lab = case.lab(count=3, kind="async" if subject.calls else "sync")

        async def main(lab: Lab = lab, number: int = number) -> bool:
            return await end(lab, subject, number)

        if not play(main) or number >= MOST:
            break


async def _again_and_again(lab: Lab, subject: Subject, number: int) -> bool:
    loop = virtual_loop()
    work = loop.create_task(consume(subject.built(lab)))
    cancels: list[bool] = []
    for later in range(number, number + MOST):
        loop.call_at_step(later, lambda: cancels.append(work.cancel()))
    await asyncio.wait([work])
    swallowed = work.cancelled() or not any(cancels)
    expect(Law.CANCELLATION, swallowed, "a task that is cancelled", "the cancellation was swallowed")
    check(lab, work, [])
    return any(cancels)


def _shut_down(order: int) -> End:
    async def shut(lab: Lab, subject: Subject, number: int) -> bool:
        loop = virtual_loop()
        main = asyncio.current_task()
        work = loop.create_task(consume(subject.built(lab)))
        disturbed: list[Visit] = []
        cancels: list[bool] = []

        def cancel_all() -> None:
            if work.done():  # what runs then is the end of the loop itself
                return
            disturbed.extend(visit for visit in lab.visits if visit.cleaned)
            tasks = sorted(asyncio.all_tasks(loop) - {main}, key=_age)
            for task in tasks[::order]:
                cancels.append(task.cancel())

        loop.call_at_step(number, cancel_all)
        await asyncio.wait([work])
        check(lab, None, disturbed)
        return any(cancels)

    return shut


def _age(task: asyncio.Task[Any]) -> tuple[int, str]:
    """Default names (``Task-7``) put tasks in the order in which they were made."""
    return len(task.get_name()), task.get_name()


def cancelled_again_and_again(subject: Subject, case: Case) -> None:
    """It is cancelled at a step and at each one after it, as a cancel scope does, at each step in turn."""
    ended(subject, case, _again_and_again)


def shut_down_first_task_first(subject: Subject, case: Case) -> None:
    """All tasks are cancelled at once, as ``asyncio.run`` does at its end, at each step in turn."""
    ended(subject, case, _shut_down(1))


def shut_down_last_task_first(subject: Subject, case: Case) -> None:
    """All tasks are cancelled at once, the youngest first, at each step in turn."""
    ended(subject, case, _shut_down(-1))
