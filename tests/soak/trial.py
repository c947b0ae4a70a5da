"""One run of a pipeline under a plan, and all that is checked of it."""

import asyncio
import math
import sys
from dataclasses import replace
from itertools import count
from typing import Any
from unittest.mock import patch

from streamkit.testing import VirtualLoop, run
from tests.laws.lab import all_attached
from tests.soak.kit import STRANGELY, Kit, Plan, Visit
from tests.soak.line import Line, TieError, UndecidedError, Violation, leaves
from tests.soak.pipeline import Pipeline, made
from tests.soak.reading import Outcome, consume
from tests.soak.reference import Reference, TooMuchError
from tests.soak.values import Boom, label_of
from tests.soak.words import SINKS

__all__ = ["Outcome", "attempt", "tried"]

AGES = 1e6
"""Virtual seconds after which a run that has not ended hangs."""
MOST_STEPS = 100_000
AFTER = 100.0
"""Seconds in which all clean-ups have ended."""


def attempt(pipeline: Pipeline, plan: Plan, **named: Any) -> list[Outcome]:
    """Run `pipeline` once, or under as many schedules as `named` says; check each run, return them all."""
    outcomes: list[Outcome] = []

    async def main() -> None:
        outcomes.append(Outcome(Kit(plan, timed=pipeline.mode == "T")))
        with patch("streamkit._engine.compile.pace.perf_counter", count(0.0, plan.look).__next__):
            await tried(pipeline, plan, outcomes[-1])

    run(main, **named)
    return outcomes


async def tried(pipeline: Pipeline, plan: Plan, outcome: Outcome) -> None:
    """Run it, and raise `Violation` if it breaks a law."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    if plan.eager and sys.version_info >= (3, 12):
        loop.set_task_factory(asyncio.eager_task_factory)
    begin = loop.steps
    kit = outcome.kit
    task = loop.create_task(consume(pipeline, plan, outcome), name="consumer")
    interrupt(loop, task, plan, kit)
    loop.call_at_step(MOST_STEPS, spins)
    done, _ = await asyncio.wait([task], timeout=AGES)
    if not done:
        task.cancel()
        await asyncio.wait([task])
        if plan.hangs is None:
            raise Violation("it hangs: nothing happened any more")
    outcome.steps = loop.steps - begin
    if not task.cancelled() and task.exception() is not None:
        outcome.error = task.exception()
        outcome.ending = "error"
    elif not task.cancelled():
        outcome.ending = task.result()
    del task, done
    # nobody waits for what ``async for`` has left; and of a shutdown, the program waits for all tasks
    await asyncio.sleep(AFTER if plan.way == "bare" or plan.consumer[0] == "shutdown" else 0)
    for _ in range(3):  # what a callback of the end has to do yet
        await asyncio.sleep(0)
    check(pipeline, plan, outcome)


def spins() -> None:
    raise Violation(f"it is still running after {MOST_STEPS} steps of the loop")


def interrupt(loop: VirtualLoop, task: asyncio.Task[Any], plan: Plan, kit: Kit) -> None:
    """Have the run cancelled at the step that the plan says."""
    main = asyncio.current_task()

    def cancel() -> None:
        if not task.done():
            kit.fired["a cancellation"] += 1
            task.cancel()

    def shut_down() -> None:
        if task.done():
            return
        tasks = sorted(asyncio.all_tasks(loop) - {main}, key=lambda each: each.get_name())
        kit.random.shuffle(tasks)
        kit.fired["a shutdown"] += 1
        for each in tasks:
            each.cancel()

    match plan.consumer:
        case ("cancel", step, *later):
            for each in (step, *[step + more for more in later]):
                loop.call_at_step(each, cancel)
        case ("shutdown", step):
            loop.call_at_step(step, shut_down)
        case _:
            pass


# checking ------------------------------------------------------------------------------------


def check(pipeline: Pipeline, plan: Plan, outcome: Outcome) -> None:
    """All laws."""
    check_closed(pipeline, plan, outcome)
    check_told(plan, outcome)
    check_attached(plan, outcome)
    if outcome.kit.most > outcome.bound:
        raise Violation(f"{outcome.kit.most} items were inside, and the bound is {outcome.bound}")
    try:
        compare(pipeline, plan, outcome)
    except (UndecidedError, TieError, TooMuchError):
        outcome.undecided = True


def check_closed(pipeline: Pipeline, plan: Plan, outcome: Outcome) -> None:
    """Each source was closed once, in its own task; and nobody but the program has cut that short."""
    for visit in outcome.kit.visits:
        if visit.closed != 1:
            raise Violation(f"{visit.name} was closed {visit.closed} times")
        own = visit.task is not None and visit.task.get_name() not in {"consumer", "job"}
        spared = plan.consumer[0] not in {"cancel", "shutdown"} or (plan.consumer[0] == "cancel" and own)
        if spared and not visit.finished:
            raise Violation(f"the clean-up of {visit.name} did not finish")
        if visit.strangers and not follows_a_wait(visit, pipeline, plan, outcome):
            raise Violation("; ".join(visit.strangers))


def follows_a_wait(visit: Visit, pipeline: Pipeline, plan: Plan, outcome: Outcome) -> bool:
    """Whether a loop that was left without ``open`` may have closed it in another task.

    Where streams are read inside of others, in the reader's task, what follows the first clean-up that waits
    is closed by the task that finishes that one.
    """
    fused = made(pipeline, Kit(replace(plan, form="fused"), timed=outcome.kit.timed, notes=False))
    nests = any(link.declaration.nests for link in fused.links)
    left = plan.way == "bare" and outcome.ending != "end" and nests
    handed = [each for each in outcome.kit.visits if each.handed and each.task is visit.task]
    only = visit.strangers == [f"{visit.name} {STRANGELY}"]
    return left and only and any(each.rank < visit.rank for each in handed)


def check_told(plan: Plan, outcome: Outcome) -> None:
    """The error is the one that was raised, and not another with the same words."""
    error = outcome.error
    if isinstance(error, Boom) and not any(error is each for each in outcome.kit.errors.get(error.label, ())):
        raise Violation(f"the error is not the one that was raised: {error!r}")


def check_attached(plan: Plan, outcome: Outcome) -> None:
    """No error of a clean-up is lost: it is the error of the run, or hangs on it.

    But one that a source meets that is read ahead, if the consumer leaves before it comes to that.
    """
    if outcome.error is None or plan.consumer[0] != "end" or outcome.ahead:
        return
    told = [outcome.error, *all_attached(outcome.error)]
    for error in outcome.kit.dirt:
        if not any(each is error for each in told):
            raise Violation(f"{error!r} is lost: told were {told}")


def compare(pipeline: Pipeline, plan: Plan, outcome: Outcome) -> None:
    """What came out, and how it ended, with what the reference says."""
    kit = outcome.kit
    cut = is_cut(plan, outcome)
    if cut and plan.closing == "raises":
        compare_flushed(pipeline, plan, outcome)
        return
    reference = Reference(plan, kit.notes, kit.dropped, failures(plan, kit), outcome.label)
    line = pipeline.line(reference)
    if plan.way == "sink":
        if not cut:
            compare_result(pipeline, plan, line, outcome)
        return
    timed = pipeline.mode == "T" and plan.consumer[0] != "stall"
    expected = [*line.events] if timed else line.values
    got = outcome.got if timed else [value for _, value in outcome.got]
    if cut:
        if got != expected[: len(got)]:
            raise Violation(f"{got} is no beginning of {expected}")
        return
    late = plan.stubborn and line.error is None and outcome.label in failures(plan, kit)
    if late:  # who goes on when told to end may fail then
        compare_flushed(pipeline, plan, outcome)
    elif got != expected:
        raise Violation(f"{got} came out, and not {expected}")
    if (line.cut or line.end == math.inf) and not late:  # that error overtakes what is inside
        raise Violation(f"it ended ({outcome.label or 'end'}) where more had to come, after {got}")
    if (outcome.label or None) != line.error and not late:
        raise Violation(f"it ended with {outcome.error!r}, and not with {line.error}")


def compare_flushed(pipeline: Pipeline, plan: Plan, outcome: Outcome) -> None:
    """What came out of a run that the error of a clean-up may have ended: lists that were not full, too."""
    kit = outcome.kit
    reference = Reference(plan, kit.notes, kit.dropped, failures(plan, kit), flushes=True)
    expected = [*leaves(pipeline.line(reference).values)]
    got = [*leaves([value for _, value in outcome.got])]
    if got != expected[: len(got)]:
        raise Violation(f"{got} is no beginning of {expected}")


def failures(plan: Plan, kit: Kit) -> set[str]:
    """The errors that were raised; a shutdown makes sources fail, too."""
    return {*kit.errors} | ({"shutdown"} if plan.consumer[0] == "shutdown" else set())


def is_cut(plan: Plan, outcome: Outcome) -> bool:
    """Whether something else has ended the run than what the reference knows of."""
    if outcome.ending == "end" and "a cancellation" in outcome.kit.fired and not plan.stubborn:
        raise Violation("a cancellation was swallowed")
    cancelled = plan.consumer[0] in {"cancel", "shutdown"} and outcome.ending == "error"
    if plan.closing == "raises" and len(outcome.kit.errors) > 1:
        return True  # which of several errors is the first depends on the schedule
    own = outcome.label == "consumer" or outcome.label.startswith("clean-up")
    return outcome.ending == "cut" or cancelled or own


def compare_result(pipeline: Pipeline, plan: Plan, line: Line, outcome: Outcome) -> None:
    """What a sink has made of it, with what the reference makes of it."""
    ending, value = Reference(plan).result(pipeline.sink, line)
    settle = SINKS[pipeline.sink.word].settle
    got = outcome.label if outcome.ending == "error" else settle(outcome.result)
    if pipeline.sink.word == "sequence_equal" and outcome.kit.errors:
        raise UndecidedError("an error may be met or not, where two streams differ")
    late = plan.stubborn and ending == "end" and outcome.label in outcome.kit.errors
    told = [] if outcome.error is None else [label_of(each) for each in all_attached(outcome.error)]
    if ending == "error" and value in told and outcome.label == line.error:
        return  # the sink has failed at what was delivered after an error, and its own hangs on that
    if (outcome.ending, got) != (ending, value) and not late:
        raise Violation(
            f"{pipeline.sink.word}: {outcome.ending} {got!r} {outcome.error!r}, and not {ending} {value!r}"
        )
