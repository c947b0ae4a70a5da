"""Law 7: a pipeline whose items are always ready lets the event loop breathe. And the clock of checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from typing import Any

from streamkit._engine.compile import pace
from streamkit.testing.conformance.exits import consume, virtual_loop
from streamkit.testing.conformance.lab import Feed, Lab, play
from streamkit.testing.conformance.laws import Law, expect
from streamkit.testing.conformance.subject import Case, Subject
from streamkit.testing.conformance.visits import Visit

__all__ = ["AT_ONCE", "CountingLab", "breathes", "clock", "taken_at_once"]

AT_ONCE = 2
"""Items that may be taken in one iteration where each look at the clock says that it is time to breathe."""


@contextmanager
def clock(seconds: float) -> Generator[None, None, None]:
    """Let each look of a loop at the clock be `seconds` later than the one before.

    How long a loop ran is no matter of real time here: a check comes out the same on a busy machine.
    """
    module: Any = pace
    before: Callable[[], float] = module.perf_counter
    module.perf_counter = count(0.0, seconds).__next__
    try:
        yield
    finally:
        module.perf_counter = before


class CountingLab(Lab):
    """A lab that counts how many steps each source took in one iteration of the loop."""

    at_once: Counter[tuple[int, int]]

    def __init__(self, style: str = "turn", kind: str = "sync", **given: Any) -> None:
        super().__init__(style, kind, **given)
        self.at_once = Counter()

    def visit(self, source: Feed) -> Visit:
        found = super().visit(source)
        step = found.step

        def counted(where: str) -> None:
            self.at_once[id(found), virtual_loop().steps] += 1
            step(where)

        found.step = counted  # type: ignore[method-assign]
        return found


def taken_at_once(subject: Subject, case: Case) -> tuple[int, int]:
    """How many items of one source were taken in one iteration of the loop at most; and all that were."""
    most = 60 if case.most is None else case.most
    lab = CountingLab(case.style, case.kind, count=most)
    play(lambda: consume(subject.built(lab)))
    return max(lab.at_once.values(), default=0), lab.taken


def breathes(subject: Subject, case: Case) -> None:
    """Every item is ready, and each look at the clock says that it is time to let others run."""
    with clock(1.0):
        found, _ = taken_at_once(subject, case)
    seen = f"{found} in one iteration of the event loop"
    expect(Law.FAIRNESS, found <= AT_ONCE, f"{AT_ONCE} items of a source at once", seen)
