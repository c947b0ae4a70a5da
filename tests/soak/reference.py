"""The reference: what a pipeline gives, step by step, read by hand."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.soak.kit import Plan, inner_items
from tests.soak.line import CutError, Hand, Line, Opened, UndecidedError, Violation, by_hand, fits, leaves
from tests.soak.values import FUNCTIONS, Boom
from tests.soak.words import SINKS, WORDS, Pipe, Src, Step, Tactic, resolved
from tests.soak.words_of_buffers import Dropped

__all__ = ["Reference", "judged"]

MOST = 150
"""Items that a pipeline may have at any place; a case with more is drawn anew."""


class TooMuchError(Exception):
    """A pipeline has more items than a case should have."""


class Reference:
    """One reading of a pipeline, with the faults of a plan, and with what was noted of a run of it."""

    def __init__(
        self,
        plan: Plan | None = None,
        notes: dict[int, list[list[Any]]] | None = None,
        dropped: dict[int, list[list[Any]]] | None = None,
        fired: set[str] | None = None,
        met: str = "",
        flushes: bool = False,
    ) -> None:
        self.plan = plan or Plan()
        self.notes = notes
        """What came out of operators whose order is free; None where nothing ran: then in some order."""
        self.dropped = dropped or {}
        self.fired = fired or set()
        self.met = met
        """The error that the run has ended with."""
        self.flushes = flushes
        """Whether a stream that was cut may have ended with the error of a clean-up."""
        self.opened: Counter[int] = Counter()
        self.runs: Counter[int] = Counter()
        self.calls: dict[int, list[Any]] = {}
        """With which values the callback of each place was called."""

    # streams -------------------------------------------------------------------------------

    def stream(self, source: Src, steps: tuple[Step, ...]) -> Callable[[float], Line]:
        """What is read when the pipeline is opened at a time."""
        if not steps:
            return lambda at: self.read(source, at)
        before = self.stream(source, steps[:-1])
        return lambda at: self.after(steps[-1], before, at)

    def read(self, source: Src, at: float) -> Line:
        """The items of a source, up to where it fails or hangs."""
        self.opened[source.number] += 1
        count, error, hangs = len(source.gaps), None, False
        match self.plan.fails:
            case ("source", number, place, times) if number == source.number:
                if self.opened[number] <= times and place <= count:
                    count, error = place, f"source {number}"
            case _:
                pass
        if self.plan.hangs is not None and self.plan.hangs[0] == source.number:
            place = self.plan.hangs[1]
            if place <= count:
                count, error, hangs = place, None, True
        if self.plan.closing == "raises" and self.plan.style != "plain" and not hangs:
            error = (
                f"clean-up of source {source.number}"  # at the end, too; it comes instead of another error
            )
        times = [*source.gaps, source.end]
        moments = [at + sum(times[: place + 1]) for place in range(count + 1)]
        end = math.inf if hangs else moments[-1]
        return Line(tuple(zip(moments[:-1], source.items, strict=False)), end, error)

    def after(self, step: Step, before: Callable[[float], Line], at: float) -> Line:
        """What comes out of one operator."""
        word, hand = WORDS[step.word], Hand(at)
        side = At(self, hand)
        if word.kind == "hand":
            given = {key: resolved(each, step.place, side) for key, each in step.given.items()}
            return self.checked(by_hand(word.mean(Opened(hand, before), **given), hand))
        if word.kind == "timed":
            given = {key: resolved(each, step.place, side) for key, each in step.given.items()}
            return self.checked(word.mean(before, at, **given))
        line = before(at)
        run = self.runs[step.place]
        self.runs[step.place] += 1
        given = {key: resolved(each, step.place, side) for key, each in step.given.items()}
        lines = (word.broken if word.broken and (self.fired or line.error) else word.mean)(line, **given)
        if self.notes is None:
            return self.checked(some_order(lines, line))
        runs = self.notes.get(step.place, [])
        if not any(line.values for line in lines) and runs[run : run + 1] != [[]]:
            failed = judged(step, line, lines, [], self.fired, self.met)
            if failed.error is not None:  # before an item, and what notes that was not begun
                self.runs[step.place] -= 1
                return failed
        if run >= max(1, len(runs)):  # a stream that failed before all was opened has noted fewer
            raise UndecidedError("it was opened less often than it is read, and which note is of which?")
        noted = runs[run] if runs else []
        if self.flushes and not fits(noted, lines):
            return flushed(step, lines, noted)
        found = judged(step, line, lines, noted, self.fired, self.met)
        return replace(found, cut=False, error="clean-up") if found.cut and self.flushes else found

    @staticmethod
    def checked(line: Line) -> Line:
        if len(line.events) > MOST:
            raise TooMuchError
        coming = tuple([event for event in line.events if event[0] < math.inf])
        return line if len(coming) == len(line.events) else Line(coming, math.inf)

    def result(self, step: Step, line: Line) -> tuple[str, Any]:
        """What a sink makes of a line: ``end`` and its result, or ``error`` and a label; or ``cut``."""
        hand = Hand(0.0)
        side = At(self, hand)
        given = {key: resolved(each, step.place, side) for key, each in step.given.items()}
        try:
            return "end", SINKS[step.word].mean(hand.play(line), **given)
        except Boom as error:
            return "error", error.label
        except CutError:
            return "cut", None

    def found(self, place: int) -> list[Any]:
        """What came out behind an operator in the run that is read now."""
        runs = [] if self.notes is None else self.notes.get(place, [])
        run = self.runs[place] - 1
        return runs[run] if run < len(runs) else []


def judged(step: Step, line: Line, lines: list[Line], found: list[Any], fired: set[str], met: str) -> Line:
    """What was `found` behind an operator, if it is some order of `lines`, with the end that it must have.

    Of several errors that were raised, any may be the first: the one that was `met`, if it is one of them.
    """
    word = WORDS[step.word]
    ways = fits(found, lines)
    events = tuple([(0.0, value) for value in found])
    if not ways:
        shown = " and ".join(str(each.values) for each in lines)
        raise Violation(f"behind {step.word}: {found} is no order of {shown}")
    sizes = [len(each.events) for each in lines]
    labels = [each.error for each in lines if each.error in fired | {"EmptyStreamError"}]
    for label in sorted(labels, key=lambda label: label != met):
        ended = [place for place, each in enumerate(lines) if each.error == label]
        if not word.sure or any(all(way[place] == sizes[place] for place in ended) for way in ways):
            return Line(events, 0.0, label)
    unknown = any(each.cut or each.end == math.inf or each.error is not None for each in lines)
    if tuple(sizes) in ways and not unknown and (word.early or (not line.cut and line.end < math.inf)):
        # an error that is read ahead while a branch still takes its last item ends all, as any does
        branches = any(isinstance(each, Pipe) for each in step.given.values())
        ended_all = line.cut and branches and not word.sure and met in fired
        return Line(events, 0.0, met if ended_all else None)
    return Line(events, 0.0, cut=True)


def flushed(step: Step, lines: list[Line], found: list[Any]) -> Line:
    """What was `found` in a run that the error of a clean-up has ended: lists may end early."""
    events = tuple([(0.0, value) for value in found])
    contents = [Line(tuple([(0.0, each) for each in leaves(line.values)])) for line in lines]
    if not fits([*leaves(found)], contents):
        raise Violation(f"behind {step.word}: {found} is no order of {[line.values for line in lines]}")
    return Line(events, 0.0, "clean-up")


def some_order(lines: list[Line], line: Line) -> Line:
    """One of the orders of `lines`: one after the other."""
    events: list[tuple[float, Any]] = []
    for each in lines:
        events += each.events
        if each.error is not None:
            return Line(tuple(events), 0.0, each.error)
    return Line(tuple(events), line.end, cut=line.cut)


class At:
    """The reference as the side that arguments are resolved for, while a hand of the clock moves."""

    def __init__(self, reference: Reference, hand: Hand) -> None:
        self.reference = reference
        self.hand = hand

    def called(self, place: int, function: Callable[..., Any]) -> Callable[..., Any]:
        plan, calls = self.reference.plan, self.reference.calls.setdefault(place, [])

        def call(*arguments: Any) -> Any:
            calls.append(arguments[-1])
            if plan.fails[:2] == ("call", place) and arguments[-1] == plan.fails[2]:
                raise Boom(f"call {place}")
            return function(*arguments)

        return call

    def function(self, place: int, name: str) -> Callable[..., Any]:
        return self.called(place, FUNCTIONS[name])

    def inner(self, place: int) -> Callable[[Any], list[Any]]:
        return self.called(place, inner_items)

    def source(self, source: Src) -> "Given":
        return Given(self.hand, lambda at: self.reference.read(source, at))

    def drop(self, place: int) -> Dropped:
        runs = self.reference.dropped.get(place, [])
        run = self.reference.runs[place] - 1
        return Dropped(runs[run] if 0 <= run < len(runs) else [], self.reference.found(place))

    def tactic(self, place: int, tactic: Tactic) -> Tactic:
        return tactic

    def pipe(self, pipe: Pipe) -> Callable[[Line], Line]:
        def piped(line: Line) -> Line:
            for step in pipe.steps:
                line = self.reference.after(step, lambda at, line=line: line, self.hand.now)
            return line

        return piped


class Given(Opened):
    """A source among the arguments of an operator."""

    def line(self, at: float = 0.0) -> Line:
        """What it gives if it is opened at a time."""
        return self.stream(at)
