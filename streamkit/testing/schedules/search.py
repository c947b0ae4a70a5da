"""The search for a schedule in which a program fails: which are tried, and in which order.

First comes first in, first out; then every single park, for at most a quarter of all schedules; then a mix of
random walks, PCT, and two to five parks (see `streamkit.testing.schedules.orders`). With faults, a quarter
of all has nothing but one fault, and most others have one, or two, at a drawn step.

>>> Exhaustive(switches=0)
Exhaustive(switches=0, most=10000)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol, TypeVar

from streamkit._core.arguments import whole
from streamkit._core.errors import noted
from streamkit._core.show import told
from streamkit.testing.schedules.course import Course
from streamkit.testing.schedules.faults import OPPOSITE, Fault, Faults
from streamkit.testing.schedules.orders import Given, Order, Parks, drawn
from streamkit.testing.schedules.outcome import Outcome, ScheduleError, signature
from streamkit.testing.schedules.ready import LIMIT
from streamkit.testing.schedules.shrink import RUNS, shrunk
from streamkit.testing.schedules.tokens import FIFO, Park, Schedule, parsed, token

__all__ = ["Exhaustive", "Once", "Search", "replayed"]

T = TypeVar("T")

Tried = tuple[Order, tuple[Fault, ...]]

_SHRINKING: Final = 2_000_000
"""How many callbacks shrinking may take in all."""
_FEWEST_RUNS: Final = 30
_LEAST: Final = 20_000
_MORE: Final = 100
"""How many callbacks a run may take: this, and so many times what the first one took."""


class Once(Protocol):
    """Runs the program once, for at most `most` callbacks; with `telling`, its course has words."""

    def __call__(
        self, order: Order, faults: tuple[Fault, ...] = (), *, most: int = LIMIT, telling: bool = False
    ) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Exhaustive:
    """All schedules with at most so many switches, for `schedules=`: depth first, up to `most` of them.

    A switch is a place where a task, which would go on first, waits until all others wait, too.

    Raises `ScheduleError` where there are more than `most`.

    >>> import asyncio
    >>> from streamkit.testing import Exhaustive, run
    >>> async def main() -> None:
    ...     await asyncio.gather(asyncio.sleep(1.0), asyncio.sleep(1.0))
    >>> run(main, schedules=Exhaustive(switches=1))
    """

    switches: int = 2
    most: int = 10_000

    def __post_init__(self) -> None:
        whole("switches", self.switches, least=0)
        whole("most", self.most, least=1)


class Search:
    """One search, over `schedules` of a program that `once` runs."""

    def __init__(
        self, once: Once, schedules: int | Exhaustive, seed: int, faults: Faults, call: str = "run(main, "
    ) -> None:
        self._once = once
        self._schedules = schedules
        self._seed = seed
        self._faults = faults
        self._call = call
        self._tried = 0
        self._most = LIMIT
        self._picks = 0
        """As many as the longest run had: where others go first, it may be more than in the first."""

    def go(self) -> Any:
        """The result of the first run, if no schedule fails; else the error of a shrunk one is raised."""
        __tracebackhide__ = True  # pytest shows the frames of `main`, not ours
        first = self._try(Order(), ())
        self._most = min(_LEAST + _MORE * first.callbacks, LIMIT)
        if isinstance(self._schedules, Exhaustive):
            self._exhaust(first, self._schedules)
        elif self._schedules == 1:
            for fault in self._each_fault(first):
                self._try(Order(), (fault,))
        else:
            for order, faults in self._several(first, self._schedules - 1):
                self._try(order, faults)
        return first.result

    def _try(self, order: Order, faults: tuple[Fault, ...]) -> Outcome:
        __tracebackhide__ = True
        self._tried += 1
        outcome = self._once(order, faults, most=self._most)
        if outcome.error is not None:
            self._fail(outcome)
        self._picks = max(self._picks, len(outcome.course.counts))
        return outcome

    # -- which are tried ------------------------------------------------------------------------

    def _several(self, first: Outcome, count: int) -> Iterator[Tried]:
        """So many schedules, beside the first."""
        picks = len(first.course.counts)
        if not picks and not self._faults:
            return  # nothing is ever ready beside another, so all schedules are the same
        random = Random(f"{self._seed}")
        quarter = (count + 1) // 4
        faulty = _some([*self._each_fault(first)], quarter, random)
        parked = _some(range(picks), quarter, random)
        for fault in faulty:
            yield Order(), (fault,)
        for pick in parked:
            yield Parks.at(pick), self._drawn_faults(first, random)
        for number in range(count - len(faulty) - len(parked)):
            random = Random(f"{self._seed}/{number}")
            yield drawn(number, random, min(self._picks, _LONGER * picks)), self._drawn_faults(first, random)

    def _each_fault(self, first: Outcome) -> Iterator[Fault]:
        """A fault at each step of the first run; a shutdown in three orders."""
        random = Random(f"{self._seed}/orders")
        for step in range(1, first.callbacks + 1):
            if Faults.CANCEL in self._faults:
                yield Fault(Faults.CANCEL, step)
            if Faults.SHUTDOWN in self._faults:
                for order in (0, OPPOSITE, random.randrange(OPPOSITE)):
                    yield Fault(Faults.SHUTDOWN, step, order)

    def _drawn_faults(self, first: Outcome, random: Random) -> tuple[Fault, ...]:
        """Mostly one fault, at any step; of both kinds, sometimes both."""
        kinds = [kind for kind in (Faults.CANCEL, Faults.SHUTDOWN) if kind in self._faults]
        if not kinds or random.random() < _NO_FAULT:
            return ()
        if len(kinds) > 1 and random.random() >= _BOTH_FAULTS:
            kinds = [random.choice(kinds)]
        steps = sorted(random.randint(1, first.callbacks) for _ in kinds)
        order = random.randrange(OPPOSITE)
        return tuple(
            Fault(kind, step, order if kind is Faults.SHUTDOWN else 0)
            for kind, step in zip(kinds, steps, strict=True)
        )

    def _exhaust(self, first: Outcome, limits: Exhaustive) -> None:
        """Every schedule with at most so many parks; with faults, each of them before any parks."""
        stack: list[tuple[Schedule, Course]] = [(FIFO, first.course)]
        for fault in self._each_fault(first):
            stack.append((Schedule((), (fault,)), self._bounded(limits, Order(), (fault,))))
        while stack:
            schedule, course = stack.pop()
            if len(schedule.switches) < limits.switches:
                for park in _further(schedule, course):
                    longer = Schedule((*schedule.switches, park), schedule.faults)
                    stack.append((longer, self._bounded(limits, Given(longer), longer.faults)))

    def _bounded(self, limits: Exhaustive, order: Order, faults: tuple[Fault, ...]) -> Course:
        if self._tried >= limits.most:
            raise ScheduleError(
                f"there are more than {limits.most} schedules with at most {limits.switches} switches, and "
                "none of those that were tried fails: allow fewer, a higher most=, or take schedules=1000"
            )
        return self._try(order, faults).course

    # -- what is done with one that fails -------------------------------------------------------

    def _fail(self, outcome: Outcome) -> None:
        """Raise the error of the smallest schedule that fails as this one did."""
        __tracebackhide__ = True
        error = outcome.error
        assert error is not None
        found = outcome.course.schedule
        if self._tried == 1:
            noted(error, f"failed in the first schedule, in the order of asyncio (seed {self._seed})")
            raise error
        self._confirm(found, outcome)
        same = signature(error)

        def fails(order: Order, faults: tuple[Fault, ...]) -> Course | None:
            tried = self._once(order, faults, most=self._most)
            return tried.course if signature(tried.error) == same else None

        runs = max(_FEWEST_RUNS, min(RUNS, _SHRINKING // outcome.callbacks))
        best = shrunk(outcome.course, fails, Random(f"{self._seed}/shrink"), runs)
        last = self._once(Given(best), best.faults, most=self._most, telling=True)
        if not best or last.error is None or signature(last.error) != same:
            raise ScheduleError(f"{_NOT}: a shrunk schedule fails now and then. {_WHY}") from error
        noted(last.error, self._words(last, len(found)))
        raise last.error

    def _confirm(self, found: Schedule, outcome: Outcome) -> None:
        """Run the schedule again, which has to take the same course."""
        again = self._once(Given(found), found.faults, most=self._most)
        same = signature(again.error) == signature(outcome.error)
        if same and again.course.counts == outcome.course.counts:
            return
        differs = "came to other picks" if same else f"ended with {_ending(again)}"
        error = ScheduleError(
            f"{_NOT}: schedule {self._tried} (seed {self._seed}) ended with {_ending(outcome)}, and the "
            f"same one, run again, {differs}. {_WHY}"
        )
        raise error from outcome.error

    def _words(self, outcome: Outcome, before: int) -> str:
        """The note on an error."""
        schedule = outcome.course.schedule
        now = len(schedule)
        size = "1 switch" if now == 1 else f"{now} switches"
        if before > now:
            size += f", shrunk from {before}"
        lines = (
            f"failed in schedule {self._tried}{self._of()}, seed {self._seed} ({size}):",
            *(f"  {words}" for words in outcome.course.words),
            f'again: {self._call}replay="{token(schedule, outcome.course.check)}")',
        )
        return "\n".join(lines)

    def _of(self) -> str:
        if isinstance(self._schedules, Exhaustive):
            return f" of those with at most {self._schedules.switches} switches"
        return f" of {self._schedules}" if self._schedules > 1 else ""


_LONGER: Final = 4
"""How many times as many picks as the first run has are drawn from, if others were so long."""
_NO_FAULT: Final = 0.125
"""How many schedules have none."""
_BOTH_FAULTS: Final = 0.25

_NOT: Final = "main is not deterministic"
_WHY: Final = (
    "Threads, files, and sets of objects (whose order is that of their addresses) make runs differ; "
    "`random` does not, each run draws the same from it"
)


def _ending(outcome: Outcome) -> str:
    return "no error" if outcome.error is None else told(outcome.error)


def _some(items: Sequence[T], most: int, random: Random) -> list[T]:
    """`items`, or `most` of them, in their order."""
    if len(items) <= most:
        return [*items]
    return [items[place] for place in sorted(random.sample(range(len(items)), most))]


def _further(schedule: Schedule, course: Course) -> Iterator[Park]:
    """The parks with which `schedule` may go on, behind those that it has."""
    parks = [switch for switch in schedule.switches if isinstance(switch, Park)]
    start = parks[-1].pick if parks else 0
    for pick in range(start, len(course.counts)):
        here = {park.candidate for park in parks if park.pick == pick}
        chosen = course.chosen[pick]
        # one of two candidates, or all but one, may be parked: to park the last changes nothing
        if chosen not in here and len(here) + 1 < course.counts[pick]:
            yield Park(pick, chosen)


def replayed(once: Once, text: str) -> Any:
    """The result of the schedule of a token; its error, or `ScheduleError` if it does not fit."""
    __tracebackhide__ = True
    schedule, check = parsed(text)
    outcome = once(Given(schedule), schedule.faults, telling=True)
    course = outcome.course
    missing = {*schedule.switches, *schedule.faults} - {*course.switches, *course.faults}
    if missing or course.check != check:
        where = "there is no place for some of its switches" if missing else "its picks are other ones"
        error = ScheduleError(
            f"the schedule does not fit: {where}, and it ended with {_ending(outcome)}. Main has changed "
            f"since (or Python has), or {_NOT}. {_WHY}"
        )
        raise error from outcome.error
    if outcome.error is not None:
        noted(outcome.error, "\n".join(("in this schedule:", *(f"  {words}" for words in course.words))))
        raise outcome.error
    return outcome.result
