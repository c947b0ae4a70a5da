"""What carriers with a server share: calls to one that is away are made again; passwords are not shown."""

from __future__ import annotations

import asyncio
import re
from asyncio import CancelledError, Task
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, Protocol, TypeVar

from streamkit._core.arguments import whole
from streamkit._core.backoff import Backoff
from streamkit._core.errors import CarrierAwayError, noted
from streamkit._core.show import shown, told
from streamkit._engine.run.shelter import hide

__all__ = [
    "Patience",
    "Served",
    "name_argument",
    "partitions_argument",
    "unless_cancelled",
    "url_argument",
    "without_password",
]

T = TypeVar("T")

_PAUSES: Final = Backoff(0.02, most=1.0, jitter=0.5)
_PARTITIONS: Final = 255
_GRACE: Final = 1.0
"""Seconds that a call which was cancelled may go on, so that what it did on the server can be undone."""


class Served(Protocol):
    """A carrier with a server, as its connection sees it."""

    @property
    def name(self) -> str: ...

    @property
    def patience(self) -> float: ...


class Patience:
    """How long calls to one server are tried again, and how many had to be."""

    def __init__(self, server: object, seconds: float) -> None:
        self.seconds = seconds
        self.retries: int = 0
        self._server = server

    async def call(self, call: Callable[[], Awaitable[T]], away: Callable[[Exception], bool]) -> T:
        """What `call()` gives. If it fails because the server is `away`, it is made again.

        Raises `CarrierAwayError`, with the last error as its cause, when the server stays away for too long.
        """
        loop = asyncio.get_running_loop()
        until: float | None = None
        pauses = iter(_PAUSES)
        while True:
            try:
                return await call()
            except Exception as error:
                if not away(error):
                    raise
                now = loop.time()
                until = until or now + self.seconds
                if now >= until:
                    raise CarrierAwayError(
                        f"{self._server!r} has not answered for {self.seconds:g} s: {told(error)}"
                    ) from error
            self.retries += 1
            await asyncio.sleep(min(next(pauses), max(0.0, until - now)))


async def unless_cancelled(
    call: Coroutine[Any, Any, T], undo: Callable[[T], Awaitable[object]] | None = None
) -> T:
    """What `call` gives. If this is cancelled, `call` goes on to its end, and what the server did is undone.

    However often it is cancelled, and when the program ends, too: half a call leaves what nobody knows of.
    """
    task = asyncio.ensure_future(call)
    _hide(task)
    try:
        return await asyncio.shield(task)
    except CancelledError as cancelled:
        ending = asyncio.ensure_future(_ended(task, undo))
        _hide(ending)
        while not ending.done():
            with suppress(CancelledError):
                await asyncio.wait([ending])
        if (failed := ending.exception()) is not None:  # a lease that is left ends by itself
            noted(cancelled, f"what it had done could not be undone: {told(failed)}")
        raise


async def _ended(task: Task[T], undo: Callable[[T], Awaitable[object]] | None) -> None:
    await asyncio.wait([task], timeout=_GRACE)
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_GRACE)
    elif not task.cancelled() and task.exception() is None and undo is not None:
        async with asyncio.timeout(_GRACE):
            await undo(task.result())


def _hide(task: Task[Any]) -> None:
    if not task.done():  # pragma: no branch - an eager task may be
        hide(task)


def name_argument(
    name: str,
    pattern: str = r"[^\ud800-\udfff]+",
    allowed: str = "a text that is not empty, without lone surrogates",
) -> str:
    """Return `name`, if a carrier may have it."""
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"name must be a text, not {shown(name)}")
    if not re.fullmatch(pattern, name, re.DOTALL):
        raise ValueError(f"name must be {allowed}, not {shown(name)}")
    return name


def partitions_argument(partitions: int) -> int:
    """Return `partitions`, if a carrier may have so many: each costs a look when it is claimed."""
    return whole("partitions", partitions, least=1, most=_PARTITIONS)


def url_argument(url: str, *schemes: str) -> str:
    """Return `url`, if it has one of the `schemes`."""
    ways = ", ".join(f"{each}://" for each in schemes)
    if not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"url must be a text that begins with one of {ways}; not {shown(url)}")
    if url.partition("://")[0] not in schemes:
        raise ValueError(f"url must begin with one of {ways}; not {shown(without_password(url))}")
    return url


def without_password(url: str) -> str:
    """`url`, as it may be shown."""
    return re.sub(r"(?<=//)([^/@]*:)?[^/@:]+(?=@)", r"\1***", url)
