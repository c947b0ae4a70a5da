"""Connections that are made again: how long to wait, how many failures to take, and what may be missing then.

Every connector that holds a connection is read by `linked`: it has a `Link` for each connection, and `linked`
counts failures, waits, calls the hooks, and puts a `Gap` where items may be missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from streamkit._core.arguments import callback, seconds, whole
from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.backoff import Backoff, backoff_argument, waits
from streamkit._core.calls import answering
from streamkit._core.errors import noted
from streamkit._core.markers import Gap
from streamkit._core.show import shown, told
from streamkit._core.value import Value
from streamkit._engine.buffer.clock import wall_clock_of
from streamkit._engine.run.leave import combine
from streamkit._engine.run.shelter import sheltered

__all__ = [
    "Course",
    "EndOfFeed",
    "Link",
    "Reconnect",
    "close_after",
    "linked",
    "reconnect_argument",
    "settled",
    "wall_clock",
]

T_co = TypeVar("T_co", covariant=True)

OnThreshold: TypeAlias = Callable[[Exception, int], object]
OnRetry: TypeAlias = Callable[[Exception, int, float], object]

_BACKOFF: Final = Backoff(0.5, most=30.0)


class Reconnect(Value):
    """What a connector does when its connection fails: how long it waits, and how many failures it takes.

    >>> from streamkit import Backoff
    >>> from streamkit.connect import Reconnect
    >>> Reconnect(Backoff(1.0, most=60.0), threshold=3, on_threshold=print).threshold
    3

    Failures are counted in a row: something that is received ends the row, and so does a connection that has
    lasted. A clean end by the server is a failure, too, if it is not the end of the feed.

    Args:
        backoff: seconds before the next attempt, or a `Backoff`. Where a server says when to come again
            (``Retry-After``), it is not asked sooner.
        threshold: how many failures in a row are too many: the stream then fails with the last of them. None
            for no limit.
        on_threshold: called in place of that, with the error and how many there were, once in a row; the
            stream goes on. What it raises ends the stream.
        on_retry: called with the error, how many there were, and the seconds to the next attempt, before
            that.
        reset_after: seconds that a connection must last to end the row, if nothing is received.
        longest: seconds that ``Retry-After``, or ``retry:`` of an event, is obeyed at most: what asks for
            more is asked again then.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: a number is not finite, or too small; or there is an `on_threshold` without a threshold.
    """

    backoff: float | Backoff
    threshold: int | None
    on_threshold: OnThreshold | None
    on_retry: OnRetry | None
    reset_after: float
    longest: float

    @answering
    def __init__(
        self,
        backoff: float | Backoff = _BACKOFF,
        *,
        threshold: int | None = 10,
        on_threshold: OnThreshold | None = None,
        on_retry: OnRetry | None = None,
        reset_after: float = 60.0,
        longest: float = 3600.0,
    ) -> None:
        if on_threshold is not None:
            callback("on_threshold", on_threshold)
            if threshold is None:
                raise ValueError("threshold must be given where there is an on_threshold")
        if on_retry is not None:
            callback("on_retry", on_retry)
        self._made_of(
            backoff=backoff_argument(backoff),
            threshold=None if threshold is None else whole("threshold", threshold, least=1),
            on_threshold=on_threshold,
            on_retry=on_retry,
            reset_after=seconds("reset_after", reset_after),
            longest=seconds("longest", longest),
        )


def reconnect_argument(value: Reconnect | None) -> Reconnect:
    """Return the argument ``reconnect`` if it is a `Reconnect`; the usual one if it is None."""
    if value is None:
        return Reconnect()
    if not isinstance(value, Reconnect):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"reconnect must be a Reconnect, such as Reconnect(threshold=3), not {shown(value)}")
    return value


async def settled(made: Any) -> Any:
    """What a callback has returned, awaited if it is awaitable."""
    return await pending(made) if is_awaitable(made) else made


def wall_clock() -> Callable[[], float]:
    """The seconds since the year 1970, by the clock on the wall of the loop that runs."""
    return wall_clock_of(asyncio.get_running_loop())


def _date(seconds_since_1970: float) -> datetime:
    return datetime.fromtimestamp(seconds_since_1970, UTC)


class Course:
    """The failures of one run, in a row, and since when items may be missing."""

    def __init__(self, reconnect: Reconnect) -> None:
        self._reconnect = reconnect
        self._time = asyncio.get_running_loop().time
        self._wall = wall_clock()
        self._waits = waits(reconnect.backoff)
        self._opened: float | None = None
        """When the connection was made that is there."""
        self._since = 0.0
        self._reason = ""
        self.failures: int = 0

    def succeeded(self) -> None:
        """Something was received: the row has ended."""
        if self.failures:
            self.failures = 0
            self._waits = waits(self._reconnect.backoff)

    def received(self) -> None:
        """An item has come on the connection."""
        self.succeeded()
        self._since = self._wall()

    def opened(self, *, resumed: bool) -> Gap | None:
        """A connection was made. Return what to put into the stream if items may be missing."""
        self._opened, now = self._time(), self._wall()
        since, reason, self._since, self._reason = self._since, self._reason, now, ""
        if not reason or resumed:
            return None
        return Gap(None, reason, since=_date(since), until=_date(now))

    def closed(self, late: Exception) -> None:
        """What was lost could not be closed either; the gap says so."""
        self._reason = f"{self._reason}; and as it was closed, {told(late)}"

    async def failed(self, error: Exception, least: float = 0.0) -> float:
        """Count a failure; return the seconds until the next attempt; the server wants `least`.

        Raises:
            Exception: `error` itself, if it is one too many.
        """
        rules = self._reconnect
        if self._opened is not None:
            if self._time() - self._opened >= rules.reset_after:
                self.succeeded()
            self._opened, self._reason = None, told(error)
        self.failures += 1
        if self.failures == rules.threshold:
            if rules.on_threshold is None:
                noted(error, f"this was failure {self.failures} in a row")
                raise error
            await settled(rules.on_threshold(error, self.failures))
        asked: float = min(max(getattr(error, "retry_after", 0.0), least), rules.longest)
        wait = max(next(self._waits), asked)
        if rules.on_retry is not None:
            await settled(rules.on_retry(error, self.failures, wait))
        return wait


class EndOfFeed(Exception):  # noqa: N818 - it is no error
    """The server has said that nothing more will come. No error: `linked` ends then."""


class Link(Protocol[T_co]):
    """One connection, made; `linked` reads and closes it."""

    @property
    def resumed(self) -> bool:
        """Whether the server goes on where the last connection has ended: so nothing is missing."""
        ...

    @property
    def least(self) -> float:
        """Seconds that the server wants to pass before the next connection."""
        ...

    async def receive(self) -> T_co:
        """The next item.

        Raises:
            EndOfFeed: the feed has ended.
        """
        ...

    async def close(self) -> None:
        """Close the connection, whatever its state; for transports that fail then, too."""
        ...


async def _closed(link: Any) -> None:
    """Close `link` to the end: a cancellation meanwhile waits, or what half is closed would stay so."""
    await sheltered(link.close(), asyncio.get_running_loop())


async def close_after(error: BaseException, link: Any) -> None:
    """Close `link`, after `error`; what that raises hangs on it."""
    try:
        await _closed(link)
    except BaseException as late:
        combine(error, late)
    finally:
        del error  # its traceback may have this frame: they would keep each other


async def linked(
    connect: Callable[[], Awaitable[Link[Any]]], reconnect: Reconnect, errors: tuple[type[Exception], ...]
) -> AsyncIterator[Any]:
    """What comes on connections that `connect` makes, one after the other; `errors` are those of failures.

    Others, such as those of a user's callback, end it.
    """
    course = Course(reconnect)
    while True:
        try:
            link = await connect()
        except EndOfFeed:
            return
        except errors as error:
            wait = await course.failed(error)
        else:
            again = None
            try:
                if (gap := course.opened(resumed=link.resumed)) is not None:
                    yield gap
                while True:
                    try:
                        item = await link.receive()
                    except EndOfFeed:
                        break
                    except errors as error:
                        again = await course.failed(error, link.least)
                        break
                    course.received()
                    yield item
                    del item  # nothing is held while it waits for the next
            except BaseException as error:  # one failure too many, a defect, or the consumer leaves
                await close_after(error, link)
                raise
            if again is None:
                await _closed(link)
                return
            try:
                await _closed(link)
            except errors as late:
                course.closed(late)
            wait = again
            del link
        await asyncio.sleep(wait)
