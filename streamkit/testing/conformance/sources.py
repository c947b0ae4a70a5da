"""`check_source`: the laws, for a source of your own."""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from streamkit._core.arguments import flag, iterable, whole
from streamkit._core.calls import answering
from streamkit._core.show import named, shown
from streamkit._engine.face.stream import Stream
from streamkit.operators.choose import take
from streamkit.testing.conformance import giving
from streamkit.testing.conformance.checks import Check
from streamkit.testing.conformance.exits import virtual_loop
from streamkit.testing.conformance.given import MOST_ITEMS, callables, error_class, refusals
from streamkit.testing.conformance.lab import Lab
from streamkit.testing.conformance.laws import Law, chosen
from streamkit.testing.conformance.operators import refusing
from streamkit.testing.conformance.overheard import overheard
from streamkit.testing.conformance.report import Report
from streamkit.testing.conformance.source import Again, SourceSubject, played
from streamkit.testing.conformance.trial import Trial, raised
from streamkit.testing.leaks import frozen

__all__ = ["SOURCE_CHECKS", "check_source"]

_TURN = ("turn",)


def _always(_: Any) -> str:
    return ""


def _failing(subject: Any) -> str:
    return "no error= says that it fails" if subject.error is None else ""


def _ending(subject: Any) -> str:
    return "" if subject.ends and subject.error is None else "it does not come to an end of its own"


SOURCE_CHECKS: tuple[Check, ...] = (
    Check(giving.waits_to_be_asked, (Law.DEMAND, Law.CLOSE), _always, _TURN),
    Check(giving.gives_its_items, (Law.ACCOUNTING, Law.CLOSE, Law.ERRORS), _always, _TURN),
    Check(giving.each_run_is_its_own, (Law.ACCOUNTING, Law.CLOSE, Law.ERRORS), _always, _TURN),
    Check(giving.fails_as_it_should, (Law.ERRORS, Law.CLOSE), _failing, _TURN),
    Check(giving.closed_after_each_item, (Law.CLOSE, Law.ERRORS), _always, _TURN),
    Check(giving.cancelled_at_every_step, (Law.CANCELLATION, Law.CLOSE, Law.ERRORS), _always, _TURN),
    Check(giving.closed_while_pending, (Law.CLOSE, Law.CANCELLATION, Law.ERRORS), _always, _TURN),
    Check(giving.lets_others_run, (Law.FAIRNESS, Law.ERRORS), _always, _TURN),
    Check(giving.lets_go, (Law.NOTHING_PINNED,), _ending, _TURN),
    Check(giving.gives_them_in_a_plain_for, (Law.ACCOUNTING, Law.CLOSE), _ending, ("ready",), real=True),
)
"""The checks of sources."""


@answering
def check_source(
    source: Any,
    *,
    expected: Iterable[Any] | None = None,
    ends: bool = True,
    error: type[Exception] | None = None,
    again: Again = Again.SAME,
    keeps: int = 0,
    threads: bool = False,
    callbacks: Sequence[Callable[..., Any]] = (),
    refuses: Mapping[str, Callable[[], object]] | None = None,
    laws: Iterable[Law] | Law = Law,
    every: int = 1,
    case: str | None = None,
) -> Report:
    """Check a source against the laws: wherever it stands in a pipe, and however its consumer leaves it.

    >>> from collections.abc import AsyncIterator
    >>> from streamkit.testing import check_source
    >>> async def letters() -> AsyncIterator[str]:
    ...     for letter in "abc":
    ...         yield letter
    >>> check_source(letters, expected="abc").broken
    ()

    - `source`: a callable that makes an iterable, an async iterable or a stream, for each run anew; or one of
      these that can be iterated again and again.
    - `expected`: the items that it gives; those of its first run, if not given.
    - `ends=False`: it gives more than these, or waits for ever. `error`: the class of what it fails with.
    - `again`: what a second run of one stream of it gives.
    - `keeps`: items that it keeps though its consumer has dropped them.
    - `threads`: it has threads, sockets or subprocesses of its own.
    - `callbacks`: functions, with which `source` is then called: each is also given as a coroutine function
      and as an object.
    - `refuses`, `laws`, `every`, `case`: as of `check_operator`.

    Raises `LawError`, an `AssertionError`, if a law is broken. `TypeError` and `ValueError` for arguments
    that are not allowed.
    """
    _check(error, again, ends=ends, threads=threads)
    if not ends and expected is None:
        raise TypeError("expected is needed where ends is False: the items that it gives first")
    whole("every", every, least=1)
    functions, refused_calls = callables(callbacks), refusals(refuses)
    subject = SourceSubject(
        named(source),
        _makes(source, functions),
        () if expected is None else tuple(iterable("expected", expected)),
        ends=ends,
        error=error,
        again=again,
        calls=bool(functions),
        threads=threads,
        keeps=whole("keeps", keeps, least=0, most=sys.maxsize),
    )
    checks = [*SOURCE_CHECKS, *(refusing(argument, call) for argument, call in refused_calls.items())]
    with frozen(), overheard():
        subject = _tried_out(subject, known=expected is not None)
        gc.collect()
    reasons = {
        Law.BOUND: "a source has no bound of its own",
        Law.ONE_TASK: "in which task a source runs is a matter of the stream",
        Law.AWAITABLES: "callbacks of a source are called by the source",
        Law.DEPTH: "a source takes no error of another",
    }
    if not refused_calls:
        reasons[Law.VALIDATION] = "no refuses= says which arguments are bad"
    trial = Trial(subject, checks, chosen(laws), every)
    return raised(trial.report(reasons) if case is None else trial.again(case))


def _check(error: object, again: object, *, ends: bool, threads: bool) -> None:
    flag("ends", ends)
    flag("threads", threads)
    if error is not None:
        error_class("error", error)
    if not isinstance(again, Again):
        raise TypeError(f"again must be one of {', '.join(map(str, Again))}, not {shown(again)}")


def _makes(source: Any, callbacks: Sequence[Callable[..., Any]]) -> Callable[[Lab], Stream[Any]]:
    given: Any = source
    if isinstance(given, Iterator | AsyncGenerator):
        raise TypeError(
            f"source must be a callable that makes one for each run, as it can be run once: {_shown(source)}"
        )
    if not callbacks:
        Stream[Any](source)  # what no stream can begin with is refused here
        return lambda lab: Stream(source)
    if not callable(source):
        raise TypeError(f"source must be a callable, where callbacks are given, not {shown(source)}")

    def make(lab: Lab) -> Stream[Any]:
        made: Any = source(*(lab.callback(function) for function in callbacks))
        return Stream(made)

    return make


def _shown(value: object) -> str:
    return shown(value)


def _tried_out(subject: SourceSubject, *, known: bool) -> SourceSubject:
    """`subject`, with what runs of it tell: its items, whether they compare, whether it waits."""
    passed: list[float] = []

    async def main() -> tuple[Any, ...]:
        loop = virtual_loop()
        try:
            found = await giving.outcome(subject, subject.make(Lab()) | take(MOST_ITEMS + 1))
        finally:
            passed.append(loop.time())
        return tuple(found)

    try:
        first, second = (played(subject, main, leaks=False) for _ in range(2))
    except Exception:  # what a check finds, and says better
        return replace(subject, waits=bool(passed and passed[0]))
    if len(first) > MOST_ITEMS:
        raise ValueError(f"source must end within {MOST_ITEMS} items; otherwise say ends=False and expected")
    alike = known or first == second or len(first) != len(second)
    return replace(subject, first=subject.first if known else first, waits=passed[0] > 0.0, compares=alike)
