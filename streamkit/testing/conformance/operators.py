"""`check_operator` and `check_sink`: all laws, for an operator or a sink of your own."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from streamkit._core.arguments import iterable, whole
from streamkit._core.calls import answering
from streamkit._core.errors import EmptyStreamError
from streamkit._core.markers import ABSENT
from streamkit._engine.face.stream import Pipe
from streamkit.testing.conformance.checks import CHECKS, Check
from streamkit.testing.conformance.demand import measured
from streamkit.testing.conformance.given import (
    MOST_OTHERS,
    Given,
    callables,
    checked,
    listed,
    makes,
    name_of,
    refusals,
    shaped,
    tried_out,
    unfollowed,
)
from streamkit.testing.conformance.laws import Law, chosen
from streamkit.testing.conformance.outcomes import comes_out_as_expected, refused
from streamkit.testing.conformance.overheard import overheard
from streamkit.testing.conformance.report import Report
from streamkit.testing.conformance.scheduled import Scheduled
from streamkit.testing.conformance.subject import Case, Subject
from streamkit.testing.conformance.trial import Trial, raised
from streamkit.testing.leaks import frozen
from streamkit.testing.schedules import Exhaustive

__all__ = ["check_operator", "check_sink", "refusing"]

_FOLLOWING = frozenset({"bounded", "kept_by_a_stalled_run", "held_comes_first"})
"""The checks that look at which items are alive."""
_CLOSING = (Law.CLOSE, Law.ONE_TASK, Law.CANCELLATION, Law.ERRORS)
_WAITING = ("turn", "clock")
_ASYNC = ("async",)


@answering
def check_operator(
    operator: Pipe | Callable[..., Any],
    *,
    items: Iterable[Any] | None = None,
    expected: Iterable[Any] | None = None,
    callbacks: Sequence[Callable[..., Any]] = (),
    others: int = 0,
    refuses: Mapping[str, Callable[[], object]] | None = None,
    laws: Iterable[Law] | Law = Law,
    needs: int | None = None,
    lookahead: int | None = None,
    holds: int | None = None,
    catches: bool = False,
    lossless: bool = True,
    ordered: bool = True,
    timed: bool = False,
    on_empty: type[Exception] = EmptyStreamError,
    every: int = 1,
    schedules: int | Exhaustive = 1,
    seed: int | None = None,
    case: str | None = None,
) -> Report:
    """Check an operator against the laws: with sources of every pace, and consumers of every kind.

    It is run many hundred times in virtual time: read to its end, left, closed, cancelled at each step of
    the loop, with sources and callbacks that fail, hang, or fail in their clean-up. Returns what was tested.

    >>> from streamkit import ops
    >>> from streamkit.testing import Law, check_operator
    >>> laws = [Law.ERRORS, Law.ACCOUNTING]
    >>> check_operator(lambda: ops.take(2), items="abc", expected="ab", laws=laws).broken
    ()

    - `operator`: an operator; a callable without arguments that makes one, for each run anew; or a function
      of a stream: an async generator function, or one that returns a stream.
    - `items`: what sources give, over and over; numbers from 0 on, if not given. Copied, to be followed.
    - `expected`: what comes out of `items`, once.
    - `callbacks`, `others`: functions, and a number of other sources, at most 100. `operator` is called with
      them: each callback as a plain function, a coroutine function, an object and more; and so many sources.
    - `refuses`: the names of arguments, and for each a call with a bad one, that must raise and name it.
    - `laws`: which of them to test.
    - `needs`: how many items it takes for the first that it passes on; measured, if not given.
    - `lookahead`, `holds`: what it reads ahead and holds, in items, if it declares no contract.
    - `catches`: it goes on after an error of its source. `lossless=False`: what it holds is dropped then.
      `ordered=False`: what comes out has several orders. `timed`: what comes out depends on time.
    - `on_empty`: what it may fail with where its source has too few items.
    - `every`: of the steps of the event loop, each so many-th is tried. 1 tries them all.
    - `schedules`, `seed`: as of `run`: it is read, cancelled and shut down in so many orders.
    - `case`: the one case to run again that a report has named.

    Raises `LawError`, an `AssertionError`, if a law is broken. An error of the operator with a plain list of
    `items` is raised as it is. `TypeError` and `ValueError` for arguments that are not allowed.
    """
    subject, given = _subject(
        operator,
        "operator",
        items,
        callbacks,
        others,
        {
            "needs": needs,
            "lookahead": lookahead,
            "holds": holds,
            "catches": catches,
            "lossless": lossless,
            "ordered": ordered,
            "timed": timed,
            "on_empty": on_empty,
        },
    )
    if subject.sink:
        raise TypeError(f"operator must not end in a sink, so write check_sink; not {subject.name}")
    checks = [*CHECKS, *_scheduled(schedules, seed)]
    if expected is not None:
        checks.append(_expecting([*iterable("expected", expected)], given))
    return _report(subject, checks, given, refuses, chosen(laws), every, case)


@answering
def check_sink(
    sink: Pipe | Callable[..., Any],
    *,
    items: Iterable[Any] | None = None,
    expected: object = ABSENT,
    callbacks: Sequence[Callable[..., Any]] = (),
    others: int = 0,
    refuses: Mapping[str, Callable[[], object]] | None = None,
    laws: Iterable[Law] | Law = Law,
    needs: int | None = None,
    lookahead: int | None = None,
    holds: int | None = None,
    ordered: bool = True,
    on_empty: type[Exception] = EmptyStreamError,
    every: int = 1,
    schedules: int | Exhaustive = 1,
    seed: int | None = None,
    case: str | None = None,
) -> Report:
    """Check a sink against the laws, as `check_operator` does an operator; `expected` is its result.

    >>> from streamkit import ops
    >>> from streamkit.testing import Law, check_sink
    >>> check_sink(ops.sum, items=[1, 2], expected=3, laws=[Law.ERRORS, Law.ACCOUNTING]).broken
    ()

    `sink` is a sink, a callable without arguments that makes one, or a function of a stream that returns a
    job. Raises `LawError`, an `AssertionError`, if a law is broken. `TypeError` and `ValueError` for
    arguments that are not allowed.
    """
    subject, given = _subject(
        sink,
        "sink",
        items,
        callbacks,
        others,
        {
            "needs": 1 if needs is None else needs,
            "lookahead": lookahead,
            "holds": holds,
            "ordered": ordered,
            "on_empty": on_empty,
        },
    )
    if not subject.sink:
        raise TypeError(f"sink must end a stream, so write check_operator; not {subject.name}")
    checks = [*CHECKS, *_scheduled(schedules, seed)]
    if expected is not ABSENT:
        checks.append(_expecting([expected], given))
    return _report(subject, checks, given, refuses, chosen(laws), every, case)


def _subject(
    operator: Any,
    argument: str,
    items: Iterable[Any] | None,
    callbacks: Sequence[Callable[..., Any]],
    others: int,
    known: dict[str, Any],
) -> tuple[Given, list[Any] | None]:
    given = listed(items)
    shape = shaped(given)
    functions = callables(callbacks)
    make = makes(operator, argument, functions, whole("others", others, least=0, most=MOST_OTHERS), shape)
    subject = Given(name_of(operator, make), make, shape, calls=bool(functions), **checked(known))
    with frozen(), overheard():
        subject = tried_out(subject, 4 if given is None else len(given))
        if subject.needs is None and not subject.sink:
            subject = replace(subject, needs=measured(subject))
        gc.collect()  # what a broken operator has left tells of it in here
    return subject, given


def _scheduled(schedules: int | Exhaustive, seed: int | None) -> list[Check]:
    """The checks of other orders, if there are to be some."""
    if not isinstance(schedules, Exhaustive):
        whole("schedules", schedules, least=1)
    if seed is not None:
        whole("seed", seed)
    if schedules == 1:
        return []
    pack = Scheduled(schedules, seed)
    return [
        Check(pack.read_in_any_order, _CLOSING, styles=_WAITING, kinds=_ASYNC),
        Check(pack.fails_in_any_order, (Law.ERRORS, *_CLOSING), styles=_WAITING, kinds=_ASYNC),
        Check(pack.cancelled_in_any_order, (Law.CANCELLATION, *_CLOSING), styles=("turn",), kinds=_ASYNC),
        Check(pack.shut_down_in_any_order, _CLOSING, styles=("turn",), kinds=_ASYNC),
    ]


def _expecting(expected: list[Any], given: list[Any] | None) -> Check:
    if given is None:
        raise TypeError("expected needs items, of which it comes")
    count = len(given)

    def as_expected(subject: Subject, case: Case) -> None:
        """It is read to its end: what comes out is what was expected."""
        comes_out_as_expected(subject, case, expected, count)

    return Check(as_expected, (Law.ACCOUNTING,), whole=True)


def _report(
    subject: Given,
    checks: list[Check],
    given: list[Any] | None,
    refuses: Mapping[str, Callable[[], object]] | None,
    laws: tuple[Law, ...],
    every: int,
    case: str | None,
) -> Report:
    whole("every", every, least=1)
    refused_calls = refusals(refuses)
    reasons: dict[Law, str] = {}
    if why := unfollowed(given):
        checks = [check for check in checks if check.name not in _FOLLOWING]
        reasons = dict.fromkeys((Law.BOUND, Law.NOTHING_PINNED), why)
    if not refused_calls:
        reasons[Law.VALIDATION] = "no refuses= says which arguments are bad"
    for argument, call in refused_calls.items():
        checks.append(refusing(argument, call))
    trial = Trial(subject, checks, laws, every)
    return raised(trial.report(reasons) if case is None else trial.again(case))


def refusing(argument: str, call: Callable[[], object]) -> Check:
    """The check of a call with a bad argument."""

    def refuses(subject: Subject, case: Case) -> None:
        """It is called with a bad argument."""
        refused(argument, call)

    return Check(refuses, (Law.VALIDATION,), styles=("plain",), kinds=("sync",))
