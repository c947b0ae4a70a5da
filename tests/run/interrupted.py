"""Runs of one pipe over a durable source: whole, cancelled at every step, and with an error at every call."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from streamkit import Stream
from streamkit.testing import run as running
from tests.run.calling import Piped, work
from tests.run.ledger import Trial
from tests.tiers import examples

FAR = 400
"""Steps of the event loop that no pipe here needs."""
CANCELS = 70
"""At so many of them a pipe is cancelled: at each, if there are no more; in the default tier at some."""
REST = 20
"""Those in which all has ended that was cancelled."""


def everywhere(
    piped: Piped, *, exact: bool = True, lossy: bool = False, seconds: float = 0.0, threads: bool = False
) -> None:
    """See that nothing is acknowledged before all that is made of it has left, nor twice, nor never.

    It is not `exact` where the pipe ends by itself while it has something in hand: that is handed back.
    """

    def run(work: Callable[[], Any]) -> Any:
        return asyncio.run(work()) if threads else running(work)

    due, calls = run(lambda: _due(piped))
    if lossy:  # what is dropped is a matter of time, which goes another way there
        first = Trial()
        run(lambda: _whole(piped, first, seconds))
        due = first.left
    told: list[str] = []

    def look(trial: Trial, where: str) -> None:
        if wrong := trial.wrong():
            told.append(f"{where}: {wrong}")

    trial = Trial(due=due)
    steps = run(lambda: _whole(piped, trial, seconds))
    look(trial, "whole")
    if exact and (trial.open or trial.failed):
        told.append(f"whole: left open: {trial.open}, failed: {trial.failed}")
    for step in range(1, steps + 1, 1 + steps // examples(CANCELS)):
        trial = Trial(due=due)
        run(lambda at=step, of=trial: _cancelled(piped, of, at, seconds))
        look(trial, f"cancelled at step {step}")
    for call in range(1, calls + 1):
        trial = Trial(due=due)
        run(lambda at=call, of=trial: _failed(piped, of, at))
        look(trial, f"error at call {call}")
    assert not told, "\n".join(told)


async def _due(piped: Piped) -> tuple[Counter[int], int]:
    """What comes out of the pipe where nothing acknowledges anything, and how many calls that takes."""
    trial = Trial()
    waits, calls = work(piped, trial, Stream(_handed(trial)))
    await waits
    return trial.left, calls.many


async def _handed(trial: Trial) -> AsyncIterator[int]:
    """The items, as the ledger hands them out."""
    for item in trial.items:
        yield item


async def _whole(piped: Piped, trial: Trial, seconds: float) -> int:
    """Run to the end; about how many steps of the event loop, or of so many seconds, that takes."""
    waits, _ = work(piped, trial, trial.stream())
    task = asyncio.ensure_future(_awaited(waits))
    steps = 0
    while not task.done() and steps < FAR:
        await asyncio.sleep(seconds)
        steps += 1
    await task
    return steps


async def _cancelled(piped: Piped, trial: Trial, step: int, seconds: float) -> None:
    waits, _ = work(piped, trial, trial.stream())
    task = asyncio.ensure_future(_awaited(waits))
    for _ in range(step):
        await asyncio.sleep(seconds)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    for _ in range(REST):  # of an ``async for`` that is left, what waits is closed behind it
        await asyncio.sleep(0)


async def _failed(piped: Piped, trial: Trial, call: int) -> None:
    waits, _ = work(piped, trial, trial.stream(), failing=call)
    with suppress(ValueError):
        await waits


async def _awaited(waits: Any) -> Any:
    return await waits
