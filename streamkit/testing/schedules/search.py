"""The search for a schedule in which a program fails: which are tried, and in which order.

First comes first in, first out; then every single park, for at most a quarter of all schedules; then a mix of
random walks, PCT, and two or three parks (see `streamkit.testing.schedules.orders`). With faults, each schedule
has one of them, or two, at a drawn step, and a quarter of all begins with faults alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeAlias

from streamkit._core.arguments import whole
from streamkit._core.errors import noted
from streamkit._core.show import told
from streamkit.testing.schedules.orders import Given, Order, Parks, drawn
from streamkit.testing.schedules.outcome import Outcome, ScheduleError, signature
from streamkit.testing.schedules.shrink import shrunk
from streamkit.testing.schedules.tokens import FIFO, Fault, Faults, Park, Schedule, parsed, token

__all__ = ["Exhaustive", "Once", "Search", "replayed"]

Once: TypeAlias = Callable[[Order, tuple[Fault, ...], bool], Outcome]
"""Runs the program once; if the last argument is true, its course has words."""

_OPPOSITE: Final = 2_432_902_008_176_639_999
"""The number of the permutation that turns up to 20 tasks round: 20! - 1."""


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

    def __init__(self, once: Once, schedules: int | Exhaustive, seed: int, faults: Faults) -> None:
        self._once = once
        self._schedules = schedules
        self._seed = seed
        self._faults = faults
        self._tried = 0

    def go(self) -> Any:
        """The result of the first run, if no schedule fails; else the error of the shrunk one, with a note."""
        first = self._try(Order(), ())
        if isinstance(self._schedules, Exhaustive):
            self._exhaust(first, self._schedules)
        elif self._faults and self._schedules == 1:
            for fault in self._each_fault(first):
                self._try(Order(), (fault,))
        else:
            for order, faults in self._several(first, self._schedules - 1):
                self._try(order, faults)
        return first.result

    def _try(self, order: Order, faults: tuple[Fault, ...]) -> Outcome:
        self._tried += 1
        outcome = self._once(order, faults, False)
        if outcome.error is not None:
            self._fail(outcome)
        return outcome

    # -- which are tried ------------------------------------------------------------------------

    def _several(self, first: Outcome, count: int) -> Iterator[tuple[Order, tuple[Fault, ...]]]:
        """So many schedules."""
        picks = len(first.course.counts)
        random = Random(f"{self._seed}")
        quarter = (count + 1) // 4
        left = count
        for fault in _some([*self._each_fault(first)], quarter, random):
            left -= 1
            yield Order(), (fault,)
        if not picks and not self._faults:
            return  # nothing is ever ready beside another, so all schedules are the same
        for pick in _some(range(picks), min(quarter, left), random):
            left -= 1
            yield Parks.at(pick), self._drawn_faults(first, random)
        for number in range(left):
            random = Random(f"{self._seed}/{number}")
            yield drawn(number, random, picks), self._drawn_faults(first, random)

    def _each_fault(self, first: Outcome) -> Iterator[Fault]:
        """A fault at each step of the first run; a shutdown in three orders."""
        random = Random(f"{self._seed}/orders")
        for step in range(1, first.callbacks + 1):
            if Faults.CANCEL in self._faults:
                yield Fault(Faults.CANCEL, step)
            if Faults.SHUTDOWN in self._faults:
                for order in (0, _OPPOSITE, random.randrange(_OPPOSITE)):
                    yield Fault(Faults.SHUTDOWN, step, order)

    def _drawn_faults(self, first: Outcome, random: Random) -> tuple[Fault, ...]:
        kinds = [kind for kind in (Faults.CANCEL, Faults.SHUTDOWN) if kind in self._faults]
        if not kinds or random.random() < 0.125:
            return ()
        if len(kinds) == 2 and random.random() < 0.75:
            del kinds[random.randrange(2)]
        steps = random.sample(range(1, max(first.callbacks, 2) + 1), len(kinds))
        order = random.randrange(_OPPOSITE)
        pairs = zip(kinds, sorted(steps), strict=True)
        return tuple(Fault(kind, step, order if kind is Faults.SHUTDOWN else 0) for kind, step in pairs)

    def _exhaust(self, first: Outcome, limits: Exhaustive) -> None:
        """Every schedule with at most so many parks; with faults, behind each fault."""
        stack: list[tuple[Schedule, Outcome]] = [(FIFO, first)]
        for fault in self._each_fault(first):
            self._bounded(limits)
            schedule = Schedule((), (fault,))
            stack.append((schedule, self._try(Order(), (fault,))))
        while stack:
            schedule, outcome = stack.pop()
            if len(schedule.switches) >= limits.switches:
                continue
            for park in _further(schedule, outcome):
                self._bounded(limits)
                longer = Schedule((*schedule.switches, park), schedule.faults)
                stack.append((longer, self._try(Given(longer), longer.faults)))

    def _bounded(self, limits: Exhaustive) -> None:
        if self._tried >= limits.most:
            raise ScheduleError(
                f"there are more than {limits.most} schedules with at most {limits.switches} switches, and no "
                "error in those that were tried: allow fewer switches, a higher most=, or take schedules=1000"
            )

    # -- what is done with one that fails -------------------------------------------------------

    def _fail(self, outcome: Outcome) -> None:
        """Raise the error of the smallest schedule that fails as this one did."""
        assert outcome.error is not None
        found = outcome.course.schedule
        if not found:
            noted(outcome.error, self._words(outcome, 0))
            raise outcome.error
        self._confirm(outcome)
        same = signature(outcome.error)

        def fails(order: Order, faults: tuple[Fault, ...]) -> Schedule | None:
            tried = self._once(order, faults, False)
            return tried.course.schedule if signature(tried.error) == same else None

        picks = len(outcome.course.counts)
        best = shrunk(found, fails, picks, Random(f"{self._seed}/shrink"))
        last = self._once(Given(best), best.faults, True)
        if last.error is None or signature(last.error) != same:
            raise ScheduleError(
                f"{_NOT}: a shrunk schedule failed, and did not when run again"
            ) from outcome.error
        noted(last.error, self._words(last, len(found)))
        raise last.error

    def _confirm(self, outcome: Outcome) -> None:
        """Run the schedule again, which has to take the same course."""
        found = outcome.course.schedule
        again = self._once(Given(found), found.faults, False)
        same = signature(again.error) == signature(outcome.error)
        if same and again.course.counts == outcome.course.counts:
            return
        error = ScheduleError(
            f"{_NOT}: schedule {self._tried} (seed {self._seed}) failed, and the same one again "
            f"{'failed on another course' if same else 'did not fail so'}. {_WHY}"
        )
        raise error from outcome.error

    def _words(self, outcome: Outcome, before: int) -> str:
        """The note on an error."""
        schedule = outcome.course.schedule
        if not schedule:
            return f"failed in the first schedule, first in, first out, as run(main) does (seed {self._seed})"
        now = len(schedule)
        size = f"{now} switches" if now != 1 else "1 switch"
        if before > now:
            size += f" (shrunk from {before})"
        lines = (
            f"failed in schedule {self._tried} of {self._total()}, seed {self._seed}; {size}:",
            *(f"  {words}" for words in outcome.course.words),
            f'again: run(main, replay="{token(schedule, outcome.course.check)}")',
        )
        return "\n".join(lines)

    def _total(self) -> object:
        if isinstance(self._schedules, Exhaustive):
            return f"those with at most {self._schedules.switches} switches"
        return self._schedules if self._schedules > 1 else "those with one fault"


_NOT: Final = "main is not deterministic"
_WHY: Final = (
    "Threads, files, and sets of objects (whose order is that of their addresses) make runs differ; "
    "`random` does not, each run draws the same from it"
)


def _some(items: Any, most: int, random: Random) -> list[Any]:
    """`items`, or `most` of them, in their order."""
    count = len(items)
    if count <= most:
        return list(items)
    return [items[place] for place in sorted(random.sample(range(count), max(most, 0)))]


def _further(schedule: Schedule, outcome: Outcome) -> Iterator[Park]:
    """The parks with which `schedule` may go on, behind those that it has."""
    parks = [switch for switch in schedule.switches if isinstance(switch, Park)]
    start = parks[-1].pick if parks else 0
    for pick in range(start, len(outcome.course.counts)):
        here = {park.candidate for park in parks if park.pick == pick}
        chosen = outcome.course.chosen[pick]
        # one of two candidates, or all but one, may be parked: to park the last changes nothing
        if chosen not in here and len(here) + 1 < outcome.course.counts[pick]:
            yield Park(pick, chosen)


def replayed(once: Once, text: str) -> Any:
    """The result of the schedule of a token; its error, or `ScheduleError` if it does not fit."""
    schedule, check = parsed(text)
    outcome = once(Given(schedule), schedule.faults, True)
    course = outcome.course
    missing = {*schedule.switches, *schedule.faults} - {*course.switches, *course.faults}
    if missing or course.check != check:
        where = "there is no place for some of its switches" if missing else "it came to other picks"
        error = ScheduleError(
            f"the schedule does not fit: {where}. Either main has changed since (or Python has another version), "
            f"or {_NOT}. {_WHY}" + (f". It ended with {told(outcome.error)}" if outcome.error else "")
        )
        raise error from outcome.error
    if outcome.error is not None:
        noted(outcome.error, "\n".join(("in this schedule:", *(f"  {words}" for words in course.words))))
        raise outcome.error
    return outcome.result
