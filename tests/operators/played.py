"""Sources that do things at given times, the same in RxPY's virtual time and in ours."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st
from reactivex.testing import ReactiveTest, TestScheduler

from streamkit.testing import run

__all__ = ["Ending", "Timeline", "found", "in_rxpy", "timelines"]

STEP = 10.0
SUBSCRIBED = 200.0
"""When RxPY's test scheduler subscribes."""


class Failed(Exception):  # noqa: N818 - of a source
    """The error of a source; two of the same source are equal."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Failed) and self.args == other.args

    __hash__ = Exception.__hash__


class Ending(NamedTuple):
    """How a source, or what was made of it, has ended."""

    time: float
    error: Exception | None


class Timeline(NamedTuple):
    """What a source does, and when, counted from its first pull."""

    items: tuple[tuple[float, Any], ...]
    ending: Ending

    def source(self) -> Callable[[], AsyncIterator[Any]]:
        """It as a source of ours."""

        async def play() -> AsyncIterator[Any]:
            loop = asyncio.get_running_loop()
            begun = loop.time()
            for time, item in self.items:
                await asyncio.sleep(begun + time - loop.time())
                yield item
            await asyncio.sleep(begun + self.ending.time - loop.time())
            if self.ending.error is not None:
                raise self.ending.error

        return play

    def observable(self, scheduler: Any) -> Any:
        """It as an observable of RxPY."""

        messages = [ReactiveTest.on_next(time, item) for time, item in self.items]
        time, error = self.ending
        messages.append(
            ReactiveTest.on_completed(time) if error is None else ReactiveTest.on_error(time, error)
        )
        return scheduler.create_cold_observable(messages)

    @property
    def empty(self) -> bool:
        """Whether it ends without an item, and without an error."""
        return not self.items and self.ending.error is None


def found(stream: Any) -> Timeline:
    """What comes out of `stream`, in virtual time."""

    async def main() -> Timeline:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        items: list[tuple[float, Any]] = []
        error: Exception | None = None
        try:
            async for item in stream:
                items.append((loop.time() - begun, item))
        except Failed as failed:
            error = failed
        return Timeline(tuple(items), Ending(loop.time() - begun, error))

    return run(main)


def in_rxpy(make: Callable[..., Any], *sources: Timeline) -> Timeline:
    """What comes out of the observable that `make` makes of `sources`, in the virtual time of RxPY."""

    scheduler = TestScheduler()
    observables = [source.observable(scheduler) for source in sources]
    result = scheduler.start(lambda: make(*observables), subscribed=SUBSCRIBED, disposed=1e6)
    items: list[tuple[float, Any]] = []
    ending = Ending(float("inf"), None)
    for message in result.messages:
        time = message.time - SUBSCRIBED
        match message.value.kind:
            case "N":
                items.append((time, message.value.value))
            case "C":
                ending = Ending(time, None)
            case _:
                ending = Ending(time, message.value.exception)
    return Timeline(tuple(items), ending)


@st.composite
def timelines(draw: Any, least: int = 2, most: int = 3) -> list[Timeline]:
    """Several sources of which no two do something at the same time."""
    count = draw(st.integers(least, most))
    sizes = [draw(st.integers(0, 4)) for _ in range(count)]
    order = draw(st.permutations([number for number, size in enumerate(sizes) for _ in range(size + 1)]))
    times: list[list[float]] = [[] for _ in sizes]
    for place, number in enumerate(order, 1):
        times[number].append(place * STEP)
    made: list[Timeline] = []
    for number, moments in enumerate(times):
        *before, last = moments
        error = Failed(number) if draw(st.integers(0, 3)) == 0 else None
        items = tuple((time, f"{number}{place}") for place, time in enumerate(before))
        made.append(Timeline(items, Ending(last, error)))
    return made
