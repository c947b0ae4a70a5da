"""Shrinking: a failing case with fewer operators, items and faults, which still fails in the same way."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.soak.kit import Plan
from tests.soak.line import TieError, UndecidedError
from tests.soak.pipeline import Pipeline
from tests.soak.reference import TooMuchError
from tests.soak.words import SINKS, Pipe, Src, Step

__all__ = ["failure_of", "shrunk"]

PLAIN = Plan()
MOST_TRIES = 400
OF_A_WAY = {"stop", "pause", "give up"}
"""What only the consumer of a job can do, or one that pulls by ``anext``."""

Try = Callable[[Pipeline, Plan], object]


def failure_of(work: Try, pipeline: Pipeline, plan: Plan) -> BaseException | None:
    """The error of a run, if it breaks a law."""
    try:
        pipeline.line()
        work(pipeline, plan)
    except (TooMuchError, TieError, UndecidedError):
        return None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        return error
    return None


def shrunk(
    work: Try, pipeline: Pipeline, plan: Plan, error: BaseException
) -> tuple[Pipeline, Plan, BaseException]:
    """The smallest case that is found, and its failure."""
    kind, tries = _kind(error), 0
    changed = True
    while changed:
        changed = False
        for smaller, milder in (*_smaller(pipeline, plan), *_milder(pipeline, plan)):
            tries += 1
            if tries > MOST_TRIES:
                return pipeline, plan, error
            found = failure_of(work, smaller, milder)
            if found is not None and _kind(found) == kind:
                pipeline, plan, error, changed = smaller, milder, found, True
                break
    return pipeline, plan, error


def _kind(error: BaseException) -> str:
    """The type of a failure, and the begin of what it says."""
    return f"{type(error).__name__}: {str(error)[:12]}"


def _smaller(pipeline: Pipeline, plan: Plan) -> Iterator[tuple[Pipeline, Plan]]:
    """The case with an operator less, or with fewer items."""
    for place in range(len(pipeline.steps)):
        yield pipeline.without(place), plan
    for place, step in enumerate(pipeline.steps):
        for other in _fewer(step):
            steps = (*pipeline.steps[:place], other, *pipeline.steps[place + 1 :])
            yield replace(pipeline, steps=steps), plan
    for source in _fewer(pipeline.source):
        yield replace(pipeline, source=source), plan
    if plan.way == "sink" and pipeline.sink.word != "to_list":
        yield replace(pipeline, sink=Step("to_list", pipeline.sink.place)), plan
    assert "to_list" in SINKS


def _fewer(value: Any) -> Iterator[Any]:
    """`value` with fewer items in one of its sources, fewer sources, or fewer steps inside."""
    match value:
        case Src() if value.gaps:
            yield replace(value, gaps=value.gaps[: len(value.gaps) // 2])
            yield replace(value, gaps=value.gaps[:-1])
        case Step():
            for key, given in value.given.items():
                for other in _fewer(given):
                    yield replace(value, given={**value.given, key: other})
        case Pipe() if len(value.steps) > 1:
            for place in range(len(value.steps)):
                yield Pipe(value.steps[:place] + value.steps[place + 1 :])
        case tuple() if value and isinstance(value[0], Src):
            if len(value) > 1:
                yield value[:-1]
            for place, each in enumerate(value):
                for other in _fewer(each):
                    yield (*value[:place], other, *value[place + 1 :])
        case _:
            return


def _milder(pipeline: Pipeline, plan: Plan) -> Iterator[tuple[Pipeline, Plan]]:
    """The case with a fault less."""
    for name in (
        "form",
        "way",
        "style",
        "calls",
        "fails",
        "hangs",
        "closing",
        "stubborn",
        "consumer",
        "eager",
        "seed",
    ):
        default = getattr(PLAIN, name)
        if getattr(plan, name) != default and not (name == "way" and plan.consumer[0] in OF_A_WAY):
            yield pipeline, replace(plan, **{name: default})
    if plan.consumer[2:]:
        yield pipeline, replace(plan, consumer=plan.consumer[:2])
    if plan.consumer[1:] and plan.consumer[1] > 1:
        for less in (plan.consumer[1] // 2, plan.consumer[1] - 1):
            yield pipeline, replace(plan, consumer=(plan.consumer[0], less, *plan.consumer[2:]))
