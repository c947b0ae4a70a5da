"""Sources that ask a server again and again: what it has now."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import AsyncIterator, Mapping
from functools import partial
from math import floor
from random import random
from typing import TYPE_CHECKING, Any, Final

from streamkit._core.arguments import flag, number, seconds, whole
from streamkit._core.calls import answering
from streamkit._core.markers import DROPPED
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.source import Recipe
from streamkit._stages.timetable import reach
from streamkit.connect.aiohttp.session import FAILURES, NOT_MODIFIED, Reply, Rules, answer, opened, rules
from streamkit.connect.reconnect import Course, Reconnect
from streamkit.connect.status import public
from streamkit.operators.choose import filter as filter_items
from streamkit.operators.transform import map as map_items
from streamkit.sources.defer import using

if TYPE_CHECKING:
    from aiohttp import ClientSession

__all__ = ["poll"]

_LARGEST: Final = 64 * 1024 * 1024


class _Poller:
    """One run: when the next request is due, and what the last answers have said."""

    def __init__(
        self, url: str, interval: float, jitter: float, conditional: bool, overlap: int, rules: Rules
    ) -> None:
        self._url, self._interval, self._jitter = url, interval, jitter
        self._conditional, self._overlap, self._rules = conditional, overlap, rules
        self._known: dict[str, str] = {}
        """What says to the server which answer was seen last."""
        self._not_before = 0.0

    def replies(self, session: Any) -> Stream[Any]:
        """The answers, of as many requests at once as may overlap."""
        course = Course(self._rules.reconnect)
        asked = Stream(self._due) | map_items(partial(self._ask, session, course), concurrency=self._overlap)
        return asked | filter_items(_came)

    async def _due(self) -> AsyncIterator[int]:
        """A number whenever a request is due: at whole multiples of the interval, less those missed."""
        loop = get_running_loop()
        begun, index = loop.time(), 0
        while True:
            due = begun + (index + self._jitter * random()) * self._interval
            while loop.time() < (when := max(due, self._not_before)):
                await reach(loop, when)
            index = max(index + 1, floor((loop.time() - begun) / self._interval) + 1)
            yield index

    async def _ask(self, session: Any, course: Course, _: int) -> Any:
        try:
            reply = await answer(session, self._url, {**self._rules.headers, **self._known}, self._rules)
        except FAILURES as error:
            self._not_before = get_running_loop().time() + await course.failed(error)
            return DROPPED
        course.succeeded()
        if reply.status == NOT_MODIFIED:
            return DROPPED
        if self._conditional:
            said = {"If-None-Match": reply.headers.get("ETag")}
            said["If-Modified-Since"] = reply.headers.get("Last-Modified")
            self._known = {name: value for name, value in said.items() if value is not None}
        return reply


def _came(reply: Any) -> bool:
    return reply is not DROPPED


@answering
def poll(
    url: str,
    interval: float,
    *,
    jitter: float = 0.0,
    overlap: int = 1,
    conditional: bool = True,
    headers: Mapping[str, str] | None = None,
    timeout: float = 8.0,
    largest: int = _LARGEST,
    reconnect: Reconnect | None = None,
    session: ClientSession | None = None,
) -> Stream[Reply]:
    """What a server answers, asked every so many seconds, when it is something new.

        poll(url, 5.0)  a----b---------c----

    >>> from streamkit import connect, ops
    >>> prices = connect.poll("https://example.org/prices", 5.0) | ops.map(lambda reply: reply.json())

    Emits when: an answer has come whose status is one of success. The first request is made at once, the
        others at whole multiples of `interval`.
    Waits when: no request is due or answered, or the consumer does; requests that were due meanwhile are
        left out, but for one.
    Completes when: it never does.
    Closes when: the consumer leaves: requests under way are cancelled.

    It needs ``streamkit[http]``. A status of failure, a body that breaks off and a server that is away are
    failures, which `reconnect` counts in a row; the stream goes on until there are too many. Where a failure
    asks for a longer wait than `interval`, as ``Retry-After`` may, nothing is asked before that.

    An item is a `Reply`; ``reply.at`` is the time of the server. There is no `Gap` after failures: what is
    polled is a state, and what it was between two requests is not seen anyway.

    Args:
        url: what is asked for, with GET.
        interval: seconds from one request to the next.
        jitter: how much later a request may be, at random, as a part of the interval, from 0.0 to 1.0: so
            that many who poll do not ask at once.
        overlap: requests that may be under way at once, where answers take longer than `interval`. Their
            answers come in the order of the requests; as many are held.
        conditional: ask with ``If-None-Match`` and ``If-Modified-Since``, where the last answer has an
            ``ETag`` or a ``Last-Modified``; an answer that nothing is new (304) is no item.
        headers: sent with each request.
        timeout: seconds for one request, with its body.
        largest: bytes of a body at most; a larger one is a failure.
        reconnect: how many failures are taken, and how long to wait after one.
        session: that of the user, which stays open; otherwise each run has one.

    Raises:
        ImportError: aiohttp is not installed.
        TypeError: an argument has the wrong type.
        ValueError: `url` is no URL of HTTP, or a number is out of range.
        StatusError, OSError, aiohttp.ClientError: (when run) the last of too many failures in a row.
    """
    request = rules("poll", url, headers, timeout, largest, session, reconnect)
    seconds("interval", interval)
    part = number("jitter", jitter, least=0)
    if part > 1:
        raise ValueError(f"jitter must be a number from 0 to 1, not {jitter!r}")
    overlap = whole("overlap", overlap, least=1)
    settings = (url, float(interval), part, flag("conditional", conditional), overlap, request)

    def make() -> Stream[Any]:
        return using(partial(opened, session), _Poller(*settings).replies)

    options = {"overlap": overlap} if overlap > 1 else {}
    return Stream(Recipe("poll", (public(url), interval), make, **options))
