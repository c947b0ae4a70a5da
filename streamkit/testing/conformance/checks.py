"""The checks of operators and sinks: what each tries, with which sources and callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from streamkit.testing.conformance import (
    awaitables,
    demand,
    ends,
    errors,
    exits,
    keeping,
    letting,
    outcomes,
    pacing,
    variables,
)
from streamkit.testing.conformance.lab import KINDS, Lab
from streamkit.testing.conformance.laws import Law
from streamkit.testing.conformance.subject import Case, Subject
from streamkit.testing.conformance.visits import STYLES

__all__ = ["CHECKS", "EXITS", "STREAM_EXITS", "Check", "Exit"]

Exit = Callable[[Subject, Case], None]
Applies = Callable[[Subject], str]
"""Why a check says nothing of what is checked; empty if it does."""


def always(_: Subject) -> str:
    """It applies to everything."""
    return ""


def of_streams(subject: Subject) -> str:
    """It applies to operators."""
    return "it is a sink" if subject.sink else ""


def of_streams_apart(subject: Subject) -> str:
    """It applies to operators that do not read a stream inside of another, in the same task.

    Of clean-ups inside of each other, what follows the first that waits is left to the task that finishes it.
    """
    if subject.sink:
        return of_streams(subject)
    nests = any(link.declaration.nests for link in subject.built(Lab()).links)
    return "it reads streams inside of another, in the task of its consumer" if nests else ""


def of_callbacks(subject: Subject) -> str:
    """It applies to what calls a callback."""
    return "" if subject.calls else "it is given no callbacks= to call"


def of_sinks_that_call(subject: Subject) -> str:
    """It applies to sinks with a callback."""
    return of_callbacks(subject) if subject.sink else "it is no sink"


def of_bounds(subject: Subject) -> str:
    """It applies to what declares a bound, or keeps nothing as a result."""
    if subject.bound(subject.built(Lab())) == float("inf"):
        return "it declares no bound: with @step or @stage, a contract does; otherwise say holds="
    return _keeps_a_result(subject) if subject.sink else ""


def of_keepers(subject: Subject) -> str:
    """It applies to what keeps no result, and no keys, until its end."""
    if not subject.sink and subject.needs == demand.MANY:
        return "it passes nothing on before its source has ended"
    found = _keeps_a_result(subject)
    parts: Any = subject.built(Lab()).explain().parts
    keys = any(part.keys for part in parts)
    return found or ("its contract says that it keeps keys" if keys else "")


def _keeps_a_result(subject: Subject) -> str:
    kept = [part.result for part in subject.built(Lab()).explain().parts if part.result]
    return f"its contract says that it keeps {kept[0]}" if kept else ""


def of_lossless(subject: Subject) -> str:
    """It applies to operators that deliver what they hold when a source fails."""
    if subject.catches or not subject.lossless or subject.at_end:
        return "it does not deliver what it holds when its source fails"
    return of_streams(subject)


def of_pipes_that_fail(subject: Subject) -> str:
    """It applies to what calls callbacks, and goes not on after an error."""
    return "it goes on after an error" if subject.catches else of_callbacks(subject)


def of_untimed(subject: Subject) -> str:
    """It applies to operators whose result does not depend on time."""
    depends = subject.timed or (subject.ordered and not subject.steady)
    return "what it passes on depends on time" if depends else of_streams(subject)


def of_one_run(subject: Subject) -> str:
    """It applies to what goes not on after an error of its source."""
    return ""


Finds = tuple[Law, ...]
_CLOSING: Finds = (Law.CLOSE, Law.ERRORS, Law.CANCELLATION, Law.ONE_TASK)


@dataclass(frozen=True)
class Check:
    """One check: what it tries, which laws it may find broken, the first above all, and in which cases."""

    run: Callable[[Any, Case], None]
    finds: Finds
    applies: Callable[[Any], str] = always
    styles: tuple[str, ...] = STYLES
    kinds: tuple[str, ...] | None = None
    """The kinds of callbacks that it tries; None: those of what is checked."""
    counts: tuple[int | None, ...] = (None,)
    """Items that its sources have at most; None: as many as it needs."""
    whole: bool = False
    """Whether it is about all items that were given: then no case with fewer is looked for."""
    real: bool = False
    """Whether it runs in real time, where a run that hangs would hang the check."""

    @property
    def name(self) -> str:
        """The name of its function."""
        return self.run.__name__

    @property
    def words(self) -> str:
        """What it tries, in a sentence."""
        return (self.run.__doc__ or "").strip().splitlines()[0]

    def cases(self, subject: Any, every: int = 1, first: int = 1) -> Iterator[Case]:
        """The cases of it."""
        kinds = self.kinds or subject.kinds
        for style in self.styles:
            for kind in kinds if subject.calls else ("sync",):
                for most in self.counts:
                    yield Case(style, kind, most, every=every, first=first)


_READY = ("plain", "ready")
_NO_CLOCK = ("plain", "ready", "turn")
"""A plain ``for`` runs in real time."""
_ASYNC = ("async",)
_FEW = (None, 0, 1)
"""Many items, none and one."""

STREAM_EXITS: tuple[Check, ...] = (
    Check(exits.bare_loop, _CLOSING, of_streams),
    Check(exits.bare_break, _CLOSING, of_streams_apart),
    Check(exits.break_open, _CLOSING, of_streams),
    Check(exits.break_late, _CLOSING, of_streams),
    Check(exits.consumer_error, (Law.ERRORS, Law.CLOSE, Law.ONE_TASK), of_streams),
    Check(exits.pull_pending, _CLOSING, of_streams),
    Check(letting.collected_in_a_cycle, _CLOSING, of_streams),
    Check(letting.closed_twice, _CLOSING, of_streams),
    Check(letting.closed_in_another_thread, _CLOSING, of_streams, _NO_CLOCK, real=True),
    Check(letting.polled, (Law.CANCELLATION, Law.CLOSE, Law.ONE_TASK), of_streams),
)
EXITS: tuple[Check, ...] = (
    Check(exits.exhaust, _CLOSING, counts=_FEW),
    Check(exits.source_error, (Law.ERRORS, Law.CLOSE, Law.ONE_TASK), counts=_FEW),
    Check(exits.callback_error, (Law.ERRORS, Law.CLOSE, Law.ONE_TASK), of_callbacks),
    Check(
        exits.cancelled_at_every_step, (Law.CANCELLATION, Law.CLOSE, Law.ERRORS, Law.ONE_TASK), kinds=_ASYNC
    ),
    Check(
        exits.cancelled_twice_at_every_step,
        (Law.CANCELLATION, Law.CLOSE, Law.ERRORS, Law.ONE_TASK),
        styles=("turn",),
        kinds=_ASYNC,
    ),
    Check(exits.hanging, (Law.CLOSE, Law.CANCELLATION, Law.ERRORS, Law.ONE_TASK)),
    Check(exits.never_pulled, (Law.DEMAND, Law.CLOSE)),
    Check(exits.blocking, (Law.CLOSE, Law.ERRORS), styles=_NO_CLOCK, counts=_FEW, real=True),
)
_ENDS: tuple[Check, ...] = tuple(
    Check(end, (Law.CLOSE, Law.CANCELLATION, Law.ONE_TASK, Law.ERRORS), styles=("turn",), kinds=_ASYNC)
    for end in (
        ends.cancelled_again_and_again,
        ends.shut_down_first_task_first,
        ends.shut_down_last_task_first,
    )
)
_TOLD: Finds = (Law.ERRORS, Law.CLOSE, Law.CANCELLATION, Law.ONE_TASK)
CHECKS: tuple[Check, ...] = (
    Check(demand.stalled_consumer, (Law.DEMAND,), of_streams),
    Check(demand.stalled_callback, (Law.DEMAND,), of_sinks_that_call, kinds=_ASYNC),
    Check(demand.bounded, (Law.BOUND,), of_bounds, styles=("turn",), kinds=_ASYNC),
    *STREAM_EXITS,
    *EXITS,
    *_ENDS,
    Check(errors.held_comes_first, (Law.ERRORS,), of_lossless),
    Check(errors.end_of_an_iterator, (Law.ERRORS, Law.CLOSE, Law.ONE_TASK), of_callbacks, _READY),
    Check(errors.clean_up_fails_after_a_callback, _TOLD, of_pipes_that_fail, ("plain", "turn")),
    Check(errors.clean_up_fails_after_a_break, _TOLD, of_streams, ("plain", "turn", "clock")),
    Check(errors.clean_up_fails_after_the_consumer, _TOLD, of_streams, ("plain", "turn", "clock")),
    Check(errors.clean_up_fails_after_a_cancellation, _TOLD, of_streams, ("plain", "turn", "clock")),
    Check(errors.nothing_is_thrown_in, (Law.ERRORS,), of_streams, ("ready",)),
    Check(variables.sees_variables, (Law.ONE_TASK, Law.CLOSE)),
    Check(pacing.breathes, (Law.FAIRNESS,), styles=_READY),
    Check(outcomes.same_at_any_pace, (Law.ACCOUNTING,), of_untimed, ("ready", "turn", "clock")),
    Check(outcomes.accounts_add_up, (Law.ACCOUNTING,)),
    Check(awaitables.each_kind, (Law.AWAITABLES,), of_callbacks, ("plain", "turn"), KINDS[1:]),
    Check(awaitables.mixed_results, (Law.AWAITABLES,), of_callbacks, ("plain", "turn"), ("sync",)),
    Check(errors.recursion_error, (Law.DEPTH, Law.CLOSE), of_one_run),
    Check(keeping.kept_by_a_stalled_run, (Law.NOTHING_PINNED,), of_keepers, ("turn", "ready")),
    Check(keeping.nothing_of_a_run, (Law.NOTHING_PINNED,), of_streams, ("turn",)),
)
