"""What became of the deliveries of random pipes, interrupted in random ways."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

from streamkit import ops
from streamkit.testing import run
from tests.run.random_pipes import Plan, World
from tests.tiers import stride

HOURS = 300.0
"""Seconds of virtual time, within which each pipe ends."""
SEEDS = 280
"""So many pipes are drawn in the full tier."""


async def _whole(job: Any, w: World) -> None:
    await asyncio.wait_for(_awaited(job.start()), HOURS)


async def _awaited(job: Any) -> Any:
    return await job


def _interrupted(seed: int, way: str) -> Callable[[Any, World], Any]:
    r = Random(seed)
    step, seconds = r.randint(1, 90), r.choice([0.0, 0.0, 0.1, 0.5])

    async def interrupted(job: Any, w: World) -> None:
        handle = job.start()
        for _ in range(step):
            if handle.done:
                break
            await asyncio.sleep(seconds)
        if way == "cancelled":
            outer = asyncio.ensure_future(_awaited(handle))
            await asyncio.sleep(0)
            outer.cancel()
            with suppress(asyncio.CancelledError):
                await outer
            await handle.stop()
        elif way == "stopped":
            await handle.stop()
        elif way == "paused":
            handle.pause()
            await asyncio.sleep(r.choice([0, 1]))
            handle.resume()
        elif way == "limits":
            for limit in w.limits:
                limit.set(r.randint(1, 5))
        elif way == "slots":
            for slot in w.slots:
                if not handle.done:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(slot.replace(ops.map(w.slow) | ops.batch(2)), 100)
                    await asyncio.sleep(r.choice([0, 0.5]))
                    with suppress(TimeoutError):
                        await asyncio.wait_for(slot.replace(ops.tap(w.see)), 100)
        if way in ("cancelled", "stopped"):
            with suppress(Exception, asyncio.CancelledError):
                await handle
            raise ValueError("interrupted")
        await asyncio.wait_for(_awaited(handle), HOURS)

    return interrupted


def _outcome(w: World) -> list[str]:
    told = [f"late: {w.late}"] if w.late else []
    for trial in w.trials[: w.sources]:
        if wrong := trial.wrong():
            told.append(wrong)
        told += [f"count of {each.message}: {each.count}" for each in trial.deliveries if each.count < 0]
    return told


def check(plan: Plan, seed: int) -> list[str]:
    """What is wrong with runs of this plan."""
    told: list[str] = []

    def play(
        work: Callable[[Any, World], Any], where: str, failing: int = 0, due: Any = None
    ) -> tuple[World, bool]:
        w, job = plan.world(failing, due)
        inexact = plan.inexact(job)

        async def main() -> bool:
            try:
                await work(job, w)
            except TimeoutError:
                told.append(f"{where}: hangs")
                return False
            except ValueError:
                return False
            return True

        whole = run(main)
        told.extend(f"{where}: {each}" for each in _outcome(w))
        if whole and not inexact:
            for trial in w.trials[: w.sources]:
                if trial.open or trial.failed or len(trial.handed) < len(trial.items):
                    told.append(f"{where}: left {trial.open}, {trial.failed}, of {len(trial.handed)}")
        return w, whole

    first, _ = play(_whole, "whole")
    due = [trial.left for trial in first.trials] if plan.steady else None
    r = Random(seed)
    for _ in range(4):
        way = r.choice(["cancelled", "stopped"])
        play(_interrupted(at := r.randrange(10**6), way), f"{way} {at}", due=due)
    for way in ("paused", *(["limits"] if first.limits else []), *(["slots"] if first.slots else [])):
        play(_interrupted(at := r.randrange(10**6), way), f"{way} {at}")
    for _ in range(4):
        if first.calls:
            call = r.randint(1, first.calls)
            _, whole = play(_whole, f"error at call {call}", call)
            if not whole and due is not None:
                play(_whole, f"error at call {call}, due", call, due)
    return told


def test_nothing_is_acknowledged_early_or_lost_by_random_pipes() -> None:
    told: list[str] = []
    for seed in range(0, SEEDS, stride(35)):
        plan = Plan.drawn(seed)
        told += [f"{seed}: {plan}: {each}" for each in check(plan, seed)]
    assert not told, "\n".join(told)
