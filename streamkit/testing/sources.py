"""Faulty sources: they fail, hang, drip, go on after their end, close badly, and note what is done to them.

A pipe is right when it deals with each of them as it promises. Here is the test of one that tries again:

>>> from streamkit import Stream, ops
>>> from streamkit.testing import FaultySource, run
>>> source = FaultySource("abc", at=2, error=OSError("gone"), times=1)
>>> (Stream(source) | ops.retry(attempts=3) | ops.to_list()).run()
['a', 'b', 'a', 'b', 'c']
>>> source.check()                                  # each visit was closed once, in the task that began it
>>> [visit.given for visit in source.visits], source.given, source.closed
([2, 3], 5, 2)
"""

import asyncio
import math
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Sized,
)
from enum import Enum
from typing import Any, Generic, TypeVar

from streamkit._core.arguments import flag, iterable, seconds, whole
from streamkit._core.show import shown
from streamkit.testing.visits import Beyond, Visit, check_visits

__all__ = ["AfterEnd", "FaultySource", "as_error", "fresh"]

T = TypeVar("T")

Error = BaseException | type[BaseException]


class AfterEnd(Enum):
    """What a source does that is asked again after its end, or after its error. A pipe should not ask.

    >>> from streamkit.testing import AfterEnd, FaultySource
    >>> FaultySource("abc", after_end=AfterEnd.ITEMS)
    FaultySource('abc', after_end=AfterEnd.ITEMS)
    """

    END = "says again that it has ended, as generators do"
    ITEMS = "gives its items again"
    ERROR = "raises a RuntimeError"
    HANG = "never answers"

    def __repr__(self) -> str:
        return str(self)


class FaultySource(AsyncIterable[T], Generic[T]):
    """A source of `items` with the faults that its arguments say, and a record of what was done to it.

    It is an async iterable that can be iterated often, also by several at once: each `Visit` begins with the
    first item. Without any fault it gives its items at once, each time, and ends.

    Args:
        items: a collection, such as a list, a range or a string; each visit goes through it anew.
        every: it drips: seconds that it waits before each item and before its end. 0.0 waits for one turn of
            the event loop. None, the default, never waits.
        at: how many items it gives before it fails or hangs. None, the default: all.
        error: what it raises there: an exception, or a class of exceptions, of which each visit gets its own.
        hangs: it waits there for ever.
        times: how many of its first visits fail or hang. None, the default: all.
        after_end: what it does when it is asked again after its end, or after its error.
        close_seconds: how long its clean-up takes; ``math.inf``: for ever.
        close_error: what its clean-up raises at the end.
        ignores_cancel: how many cancellations of a visit it catches while it waits, to wait anew.

    Raises:
        TypeError, ValueError: an argument is wrong, or says when to fail but not how.

    >>> import asyncio
    >>> from streamkit import Stream, ops
    >>> from streamkit.testing import FaultySource, run
    >>> source = FaultySource(range(9), every=1.0, close_seconds=5.0)
    >>> async def main() -> float:
    ...     async for number in Stream(source) | ops.take(3):
    ...         pass
    ...     return asyncio.get_running_loop().time()
    >>> run(main)
    8.0
    >>> visit = source.visit
    >>> visit.asked, visit.given, visit.closed, visit.ended
    (3, 3, 1, False)
    """

    visits: list[Visit]
    """Each iteration of it, in the order in which they began."""

    def __init__(
        self,
        items: Iterable[T],
        *,
        every: float | None = None,
        at: int | None = None,
        error: Error | None = None,
        hangs: bool = False,
        times: int | None = None,
        after_end: AfterEnd = AfterEnd.END,
        close_seconds: float = 0.0,
        close_error: Error | None = None,
        ignores_cancel: int = 0,
    ) -> None:
        self._items = _again(items)
        self._every = None if every is None else seconds("every", every, positive=False)
        self._at = None if at is None else _within(at, items)
        self._error = None if error is None else as_error("error", error)
        self._hangs = flag("hangs", hangs)
        self._times = None if times is None else whole("times", times, least=1)
        self._after_end = _after_end(after_end)
        self._close_seconds = (
            close_seconds
            if close_seconds == math.inf
            else seconds("close_seconds", close_seconds, positive=False)
        )
        self._close_error = None if close_error is None else as_error("close_error", close_error)
        self._ignores_cancel = whole("ignores_cancel", ignores_cancel, least=0)
        self.visits = []
        _check_fault(error, hangs, at=at, times=times)

    @property
    def visit(self) -> Visit:
        """The latest visit; an `AssertionError`, if there was none."""
        if not self.visits:
            raise AssertionError(f"{self!r} was never asked for an item")
        return self.visits[-1]

    @property
    def given(self) -> int:
        """How many items it gave, in all visits."""
        return sum(visit.given for visit in self.visits)

    @property
    def closed(self) -> int:
        """How many of its visits were closed: their clean-up has come to its end."""
        return sum(visit.closed > 0 for visit in self.visits)

    def check(self) -> None:
        """Raise `AssertionError` if a visit was not closed once, in the task that began it."""
        check_visits(self, self.visits)

    def __aiter__(self) -> AsyncIterator[T]:
        visit = Visit()
        items = self._visited(visit)
        if self._after_end is AfterEnd.END:
            return items
        return Beyond(items, visit, self._beyond(visit))

    async def _visited(self, visit: Visit) -> AsyncGenerator[T, None]:
        visit.begin(self.visits)
        try:
            for item in self._items:
                await self._before(visit)
                visit.given += 1
                try:
                    yield item
                except BaseException as error:
                    visit.thrown(error)
                    raise
                visit.step("a pull")
            await self._before(visit, last=True)
            visit.ended = True
        finally:
            await self._clean_up(visit)

    async def _before(self, visit: Visit, *, last: bool = False) -> None:
        """What it does before an item or, at `last`, before its end."""
        visit.asked += 1
        every = self._every
        if every is not None:
            await self._wait(visit, lambda: asyncio.sleep(every))
        if not (last if self._at is None else visit.given == self._at):
            return
        if self._times is not None and visit.number > self._times:
            return
        if self._hangs:
            await self._wait(visit, _for_ever)
        if self._error is not None:
            visit.ended = True
            raise fresh(self._error)

    async def _wait(self, visit: Visit, waiting: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await waiting()
            except asyncio.CancelledError:
                visit.cancelled += 1
                if visit.cancelled > self._ignores_cancel:
                    raise
            else:
                return

    async def _clean_up(self, visit: Visit) -> None:
        visit.step("the clean-up")
        visit.closing += 1
        try:
            if self._close_seconds == math.inf:
                await _for_ever()
            elif self._close_seconds:
                await asyncio.sleep(self._close_seconds)
        except asyncio.CancelledError:
            visit.cancelled += 1
            raise
        visit.closed += 1
        if self._close_error is not None:
            raise fresh(self._close_error)

    def _beyond(self, visit: Visit) -> Callable[[], Awaitable[T]]:
        """What answers a pull after the end."""
        again: Iterator[T] = iter(self._items)

        async def more() -> T:
            if self._after_end is AfterEnd.HANG:
                await self._wait(visit, _for_ever)
            if self._after_end is AfterEnd.ERROR:
                raise RuntimeError(f"{self!r} was asked for an item after its end")
            for item in again:
                return item
            raise StopAsyncIteration

        return more

    def __repr__(self) -> str:
        said = {
            "every": self._every,
            "at": self._at,
            "error": self._error,
            "hangs": self._hangs or None,
            "times": self._times,
            "after_end": None if self._after_end is AfterEnd.END else self._after_end,
            "close_seconds": self._close_seconds or None,
            "close_error": self._close_error,
            "ignores_cancel": self._ignores_cancel or None,
        }
        options = [f"{name}={shown(value)}" for name, value in said.items() if value is not None]
        return f"FaultySource({', '.join([shown(self._items), *options])})"


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


# checks of arguments ----------------------------------------------------------------------------


def _again(items: Iterable[T]) -> Iterable[T]:
    if isinstance(items, Iterator):
        raise TypeError(
            f"items must be a collection that each visit can go through, not the iterator {shown(items)}"
        )
    return iterable("items", items)


def _within(at: int, items: Iterable[Any]) -> int:
    found = whole("at", at, least=0)
    if isinstance(items, Sized) and found > len(items):
        raise ValueError(f"at must be at most the number of items, {len(items)}, not {found}")
    return found


def _check_fault(error: object, hangs: bool, *, at: object, times: object) -> None:
    if hangs and error is not None:
        raise ValueError(f"a source that hangs never raises error={shown(error)}: give one of the two")
    for name, value in (("at", at), ("times", times)):
        if value is not None and not hangs and error is None:
            raise ValueError(f"{name}={shown(value)} says when it fails: give error= or hangs=True too")


def _after_end(value: AfterEnd) -> AfterEnd:
    if not isinstance(value, AfterEnd):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"after_end must be one of {', '.join(map(str, AfterEnd))}, not {shown(value)}")
    return value


def as_error(name: str, value: Error) -> Error:
    """Return `value` if a source can raise it."""
    given: Any = value
    kind: Any = given if isinstance(given, type) else type(given)
    if not issubclass(kind, BaseException):
        raise TypeError(f"{name} must be an exception, or a class of exceptions, not {shown(value)}")
    if issubclass(kind, StopIteration | StopAsyncIteration | GeneratorExit):
        raise ValueError(f"{name} must be an error that a source can raise, not {shown(value)}")
    return value


def fresh(error: Error) -> BaseException:
    """The exception itself, or a new one of the class."""
    return error() if isinstance(error, type) else error
