"""What operators of RxPY make of the sources of these tests, in RxPY's own virtual time."""

from itertools import accumulate
from typing import Any

from reactivex.scheduler import VirtualTimeScheduler
from reactivex.subject import Subject

from tests.marbles import Noted

__all__ = ["emitted"]

LONG = 1e3
"""Seconds after which all has come: what is left waits for nothing."""


def emitted(operator: Any, gaps: list[float], ends: float = 0.0, *, fails: bool = False) -> Noted:
    """What `operator` emits, and when, over the numbers that ``gapped(gaps, ends)`` gives; then the end."""
    scheduler = VirtualTimeScheduler()
    source: Subject[int] = Subject()
    seen: Noted = []

    def note(value: Any) -> None:
        seen.append((scheduler.clock, value))

    source.pipe(operator).subscribe(note, note, lambda: note("|"), scheduler=scheduler)
    for number, time in enumerate(accumulate(gaps)):
        scheduler.schedule_absolute(time, lambda *_, number=number: source.on_next(number))
    over = sum(gaps) + ends
    if fails:
        scheduler.schedule_absolute(over, lambda *_: source.on_error(OSError("source")))
    else:
        scheduler.schedule_absolute(over, lambda *_: source.on_completed())
    scheduler.advance_to(over + LONG)
    return seen
