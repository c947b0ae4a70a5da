"""Visits: what was done to a source of a test, each time that it was iterated.

>>> from streamkit import Stream, ops
>>> from streamkit.testing import FaultySource
>>> source = FaultySource("abc")
>>> (Stream(source) | ops.take(2) | ops.to_list()).run()
['a', 'b']
>>> visit = source.visit
>>> visit.asked, visit.given, visit.closed, visit.ended
(2, 2, 1, False)
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

__all__ = ["Beyond", "Visit", "check_visits", "now_in"]

T = TypeVar("T")


def now_in() -> asyncio.Task[Any] | None:
    """The task that runs; None in a callback of the loop, and where no loop runs."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _name(task: asyncio.Task[Any] | None) -> str:
    return "no task" if task is None else f"task {task.get_name()!r}"


@dataclass(eq=False)
class Visit:
    """One iteration of a source: how often it was asked, what it gave, how it was left.

    It begins with the first pull: an iterator that was made and never asked is no visit.
    """

    number: int = 0
    """1 for the first visit of a source."""
    task: asyncio.Task[Any] | None = field(default=None, repr=False)
    """The task that made the first pull. It has to make the others too, and to close."""
    asked: int = 0
    """How often it was asked for an item: those that it gave, and the pull that ended, failed or waits."""
    given: int = 0
    """How many items it gave."""
    cancelled: int = 0
    """How many cancellations reached it, also while it cleaned up."""
    closing: int = 0
    """How often its clean-up began."""
    closed: int = 0
    """How often its clean-up came to its end, with or without an error."""
    ended: bool = False
    """Whether it came to its own end, or to its own error: it was not left before."""
    asked_after_end: int = 0
    """How often it was asked again then. It is noted where the source has something to give after its end."""
    wrongs: list[str] = field(default_factory=list[str])
    """What was done to it that no pipe may do, in words."""

    def begin(self, visits: "list[Visit]") -> None:
        """Note the first pull: this is one more of the `visits`."""
        visits.append(self)
        self.number = len(visits)
        self.task = now_in()

    def step(self, what: str) -> None:
        """Note a wrong if this is another task than that of the first pull."""
        task = now_in()
        if task is not self.task:
            self.wrongs.append(f"{what} in {_name(task)}, but the first pull was in {_name(self.task)}")

    def thrown(self, error: BaseException) -> None:
        """Note what was thrown into the source where it had given an item. Only a cancellation may be."""
        if isinstance(error, asyncio.CancelledError):
            self.cancelled += 1
        elif not isinstance(error, GeneratorExit):
            self.wrongs.append(f"{type(error).__name__} was thrown into it")

    def faults(self) -> list[str]:
        """What speaks against the pipe that made this visit; nothing once it was closed as it should be."""
        found = list(self.wrongs)
        if self.closing == 0:
            never = "it was never asked for an item" if self.number == 0 else "it was never closed"
            found.append(never)
        elif self.closed == 0:
            found.append("its clean-up began and did not end")
        if self.closing > 1:
            found.append(f"it was cleaned up {self.closing} times")
        return found


def check_visits(source: object, visits: Sequence[Visit]) -> None:
    """Raise `AssertionError` if one of the `visits` was not closed once, in the task that began it."""
    told = [f"visit {visit.number}: {fault}\n    {visit}" for visit in visits for fault in visit.faults()]
    if told:
        raise AssertionError("\n  ".join((f"{source!r} was not used as a source may be:", *told)))


class Beyond(AsyncIterator[T]):
    """An iterator that does not keep to its end: it does something else when it is asked again."""

    def __init__(
        self, items: AsyncGenerator[T, None], visit: Visit, more: Callable[[], Awaitable[T]]
    ) -> None:
        self._items = items
        self._visit = visit
        self._more = more

    async def __anext__(self) -> T:
        visit = self._visit
        if not visit.ended:
            return await self._items.__anext__()
        visit.step("a pull after the end")
        visit.asked_after_end += 1
        return await self._more()

    async def aclose(self) -> None:
        await self._items.aclose()
