"""What operators of RxPY make of the sources of these tests, in RxPY's own virtual time."""

from itertools import accumulate
from typing import Any

import reactivex
from reactivex.disposable import CompositeDisposable
from reactivex.scheduler import VirtualTimeScheduler

from tests.marbles import ERROR, Noted

__all__ = ["emitted"]

LONG = 1e3
"""Seconds after which all has come."""


def emitted(operator: Any, gaps: list[float], ends: float = 0.0, *, fails: bool = False) -> Noted:
    """What `operator` emits, and when, over the numbers that ``gapped(gaps, ends)`` gives; then the end.

    The observable is cold, as that source is. If it `fails`, it does so where it would end.
    """
    scheduler = VirtualTimeScheduler()
    seen: Noted = []

    def note(value: Any) -> None:
        seen.append((scheduler.clock, value))

    def subscribe(observer: Any, _: Any) -> Any:
        timers = [
            scheduler.schedule_relative(time, lambda *_, number=number: observer.on_next(number))
            for number, time in enumerate(accumulate(gaps))
        ]
        end = (lambda *_: observer.on_error(ERROR)) if fails else (lambda *_: observer.on_completed())
        return CompositeDisposable(*timers, scheduler.schedule_relative(sum(gaps) + ends, end))

    reactivex.create(subscribe).pipe(operator).subscribe(note, note, lambda: note("|"), scheduler=scheduler)
    scheduler.advance_to(LONG)
    return seen
