"""Cases: a pipeline by its number, its trials, what came of them, and failures as they are told."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from random import Random

from streamkit.testing import DeadlockError, LeakError
from tests.soak.kit import Plan
from tests.soak.pipeline import Pipeline, drawn
from tests.soak.plans import plans
from tests.soak.shrink import failure_of, shrunk
from tests.soak.trial import Outcome, attempt

__all__ = ["PLANS", "Failure", "Tally", "each_case", "tried_case"]

PLANS = 16
"""Trials of a pipeline."""
SCHEDULES = 4
"""Of every second trial."""


@dataclass
class Tally:
    """What was counted."""

    cases: int = 0
    runs: int = 0
    schedules: int = 0
    """Runs in another order than first come, first served."""
    offered: int = 0
    delivered: int = 0
    dropped: int = 0
    seconds: float = 0.0
    """Of processor time."""
    undecided: int = 0
    """Runs of which the reference does not know what was right; the laws were checked."""
    faults: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    """Failures, by kind."""

    def add(self, other: "Tally") -> None:
        for each in fields(self):
            mine, others = getattr(self, each.name), getattr(other, each.name)
            setattr(self, each.name, mine + others)

    def note(self, outcomes: list[Outcome]) -> None:
        self.runs += len(outcomes)
        self.schedules += len(outcomes) - 1
        for outcome in outcomes:
            self.offered += outcome.kit.offered
            self.delivered += len(outcome.got)
            self.dropped += outcome.dropped
            self.undecided += outcome.undecided
            self.faults += outcome.kit.fired


@dataclass(frozen=True)
class Failure:
    """A law that a case has broken, with the smallest case that was found to break it."""

    seed: int
    case: int
    kind: str
    text: str

    def __str__(self) -> str:
        return (
            f"FAILED ({self.kind}) case {self.case} of seed {self.seed}\n{self.text}\n"
            f"  again: python -m tests.soak --seed {self.seed} --case {self.case}"
        )


def kind_of(error: BaseException) -> str:
    """What the failure is called in the figures."""
    words = str(error)
    if isinstance(error, LeakError) or "left behind" in words or "was closed 0 times" in words:
        return "leak"
    if isinstance(error, DeadlockError) or "hangs" in words or "still running" in words:
        return "hang"
    if "is no beginning" in words or "is no order" in words or "came out, and not" in words:
        return "lost, doubled or out of order"
    return "other"


def each_case(seed: int, number: int, mode: str | None = None) -> tuple[Pipeline, Random]:
    """The pipeline of a case, and what the trials are drawn with."""
    random = Random(f"{seed}/{number}")
    return drawn(random, mode), random


def tried_case(
    seed: int, number: int, tally: Tally, *, mode: str | None = None, trials: int = PLANS, tries: bool = True
) -> Iterator[Failure]:
    """Try a case; yield what fails, made small, if it `tries` that."""
    pipeline, random = each_case(seed, number, mode)
    tally.cases += 1
    steps = [1]
    """Of the loop, that the first run takes, in which nothing goes wrong."""
    for place, plan in enumerate(_trials(random, pipeline, number, steps, trials)):
        work = _work(SCHEDULES if place % 2 else 1, number)
        try:
            outcomes = work(pipeline, plan)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            yield _failed(seed, number, pipeline, plan, error, work, tries=tries)
            tally.kinds[kind_of(error)] += 1
            return
        tally.note(outcomes)
        steps[0] = max(steps[0], outcomes[0].steps) if place == 0 else steps[0]


def _trials(random: Random, pipeline: Pipeline, number: int, steps: list[int], trials: int) -> Iterator[Plan]:
    """The plans of a case: nothing goes wrong in the first, which says how long a run is."""
    yield Plan(seed=number)
    yield from plans(random, pipeline, steps[0], trials)


def _work(schedules: int, seed: int) -> Callable[[Pipeline, Plan], list[Outcome]]:
    if schedules == 1:
        return attempt
    return lambda pipeline, plan: attempt(pipeline, plan, schedules=schedules, seed=seed)


def _failed(
    seed: int,
    number: int,
    pipeline: Pipeline,
    plan: Plan,
    error: BaseException,
    work: Callable[[Pipeline, Plan], list[Outcome]],
    *,
    tries: bool,
) -> Failure:
    kind = kind_of(error)
    if tries:
        if failure_of(attempt, pipeline, plan) is not None:
            work = attempt
        pipeline, plan, error = shrunk(work, pipeline, plan, error)
    notes = getattr(error, "__notes__", ())
    faults = {each.name: getattr(plan, each.name) for each in fields(Plan)}
    lines = [
        f"  {pipeline}" + (f" | {pipeline.sink.word}" if plan.way == "sink" else ""),
        f"  {', '.join(f'{name}={value!r}' for name, value in faults.items())}",
        *[f"  {line}" for line in f"{type(error).__name__}: {error}".splitlines()],
        *[f"  {line}" for note in notes for line in note.splitlines()],
    ]
    return Failure(seed, number, kind, "\n".join(lines))
