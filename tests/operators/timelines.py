"""Streams drawn at random in time, as ours and as RxPY's, to compare what comes out of both, and when."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from reactivex import Observable
from reactivex.testing import ReactiveTest, TestScheduler

from tests.marbles import noted

__all__ = ["FailedError", "Timeline", "Timelines", "ours", "theirs", "timelines"]

LAST = 10**6


class FailedError(Exception):
    """How a timeline fails."""


@dataclass(frozen=True)
class Timeline:
    """Items, and how many seconds each comes after the one before; and the end, as long after the last."""

    items: tuple[tuple[int, Any], ...]
    end: int
    fails: bool = False

    async def stream(self) -> AsyncIterator[Any]:
        for seconds, item in self.items:
            await asyncio.sleep(seconds)
            yield item
        await asyncio.sleep(self.end)
        if self.fails:
            raise FailedError

    def observable(self, scheduler: TestScheduler) -> Observable[Any]:
        messages, time = [], 0
        for seconds, item in self.items:
            time += seconds
            messages.append(ReactiveTest.on_next(time, item))
        time += self.end
        end = ReactiveTest.on_error(time, FailedError()) if self.fails else ReactiveTest.on_completed(time)
        return scheduler.create_cold_observable([*messages, end])


@dataclass(frozen=True)
class Timelines:
    """A timeline of the numbers of those that its items stand for."""

    outer: Timeline
    inner: tuple[Timeline, ...]


@st.composite
def timelines(draw: st.DrawFn, *, fails: bool = True) -> Timelines:
    """Some of each. Inner ones may fail, and if it `fails`, the outer.

    The outer has something at hundreds of seconds only, the inner never: nothing happens at once.
    """
    count = draw(st.integers(0, 6))
    gaps = draw(st.lists(st.integers(1, 4), min_size=count + 1, max_size=count + 1))
    outer = Timeline(
        tuple([(100 * gap, number) for number, gap in enumerate(gaps[:-1])]),
        100 * gaps[-1],
        fails and draw(st.integers(0, 5)) == 0,
    )
    inner: list[Timeline] = []
    for number in range(count):
        size = draw(st.integers(0, 4))
        gaps = draw(st.lists(st.integers(1, 3), min_size=size + 1, max_size=size + 1))
        gaps = [100 * gap for gap in gaps]
        gaps[0] += 1 + 7 * number
        items = tuple([(gap, (number, item)) for item, gap in enumerate(gaps[:-1])])
        inner.append(Timeline(items, gaps[-1], draw(st.integers(0, 7)) == 0))
    return Timelines(outer, tuple(inner))


def ours(stream: Any) -> list[tuple[float, Any]]:
    """When each item came, and the end: "|", or "X" for an error."""
    return [(time, "X" if isinstance(item, FailedError) else item) for time, item in noted(stream)]


def theirs(make: Callable[[TestScheduler], Observable[Any]]) -> list[tuple[float, Any]]:
    """The same of an observable, from the moment at which it is subscribed to."""
    scheduler, begin = TestScheduler(), 1000
    seen = scheduler.start(lambda: make(scheduler), created=1, subscribed=begin, disposed=LAST)
    found: list[tuple[float, Any]] = []
    for message in seen.messages:
        value: Any = message.value
        item = value.value if value.kind == "N" else "X" if value.kind == "E" else "|"
        found.append((message.time - begin, item))
    return found
