"""Server-sent events: a response that does not end, and is asked for again when it does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from streamkit._core.arguments import flag, seconds
from streamkit._core.calls import answering
from streamkit._core.markers import Gap
from streamkit._core.show import shown
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.source import Recipe
from streamkit.connect.aiohttp.session import FAILURES, Rules, aiohttp, opened, refused, rules
from streamkit.connect.aiohttp.sse import EventParser, ServerEvent
from streamkit.connect.reconnect import EndOfFeed, Reconnect, linked
from streamkit.connect.status import HeartbeatLostError, public
from streamkit.sources.defer import using

if TYPE_CHECKING:
    from aiohttp import ClientSession

__all__ = ["events"]

_LARGEST: Final = 1024 * 1024
_OK: Final = 200
_NO_MORE: Final = 204
_UNKNOWN: Final = (400, 404, 409, 410, 412)
"""What a server answers that knows nothing of the event after which it is to go on."""


class _Feed:
    """One response, read event by event."""

    def __init__(self, response: Any, wish: _Wish, *, resumed: bool) -> None:
        self.resumed = resumed
        self._response = response
        self._wish = wish
        self._parser = EventParser(wish.last_id, wish.rules.largest)

    @property
    def least(self) -> float:
        return self._wish.least

    async def receive(self) -> ServerEvent:
        parser, content = self._parser, self._response.content
        while not parser.ready:
            try:
                chunk = await content.readany()
            except TimeoutError:
                raise HeartbeatLostError(f"nothing came for {self._wish.heartbeat:g} s") from None
            if not chunk and content.at_eof():
                raise aiohttp.ClientConnectionError("the server has ended the response")
            parser.feed(chunk)
            if parser.retry is not None:
                self._wish.least = parser.retry
        event = parser.ready.popleft()
        self._wish.last_id = event.id
        return event

    async def close(self) -> None:
        self._response.close()


class _Wish:
    """What one run asks for, and from where on."""

    def __init__(
        self, url: str, last_id: str, heartbeat: float | None, resumes: bool, rules: Rules, session: Any
    ) -> None:
        self.rules = rules
        self.last_id = last_id
        self.heartbeat = heartbeat
        self.least = 0.0
        self._url, self._resumes, self._session = url, resumes, session

    async def connect(self) -> _Feed:
        """Ask, and read the head of the response."""
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store", **self.rules.headers}
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        limits = aiohttp.ClientTimeout(total=None, sock_read=self.heartbeat)
        async with asyncio.timeout(self.rules.timeout):
            response = await self._session.get(self._url, headers=headers, timeout=limits)
        if response.status == _OK and response.content_type == "text/event-stream":
            return _Feed(response, self, resumed=self._resumes and bool(self.last_id))
        response.close()
        if response.status == _NO_MORE:
            raise EndOfFeed
        if response.status == _OK:
            raise aiohttp.ClientPayloadError(
                f"{public(self._url)} has no events, but {response.content_type}"
            )
        if response.status in _UNKNOWN:
            self.last_id = ""  # then nothing is resumed, and a gap tells of it
        raise refused(response)


@answering
def events(
    url: str,
    *,
    last_event_id: str = "",
    resumes: bool = False,
    heartbeat: float | None = 60.0,
    headers: Mapping[str, str] | None = None,
    timeout: float = 10.0,
    largest: int = _LARGEST,
    reconnect: Reconnect | None = None,
    session: ClientSession | None = None,
) -> Stream[ServerEvent | Gap]:
    """The events that a server sends (``text/event-stream``), on a connection that is made again.

        events(url)  --a--b------gap-c--

    >>> from streamkit import Gap, connect, ops
    >>> def is_event(item: object) -> bool:
    ...     return not isinstance(item, Gap)
    >>> news = connect.events("https://example.org/news") | ops.filter(is_event)

    Emits when: an event has come; and a `Gap` when the connection was made again.
    Waits when: none has come, or the consumer does: then the server is made to wait.
    Completes when: the server answers with status 204: nothing more will come.
    Closes when: it ends, or the consumer leaves; the connection is closed.

    It needs ``streamkit[http]``. A new connection asks for what follows the last event that has an identifier
    (``Last-Event-ID``). Not every server goes on there, so there is a `Gap` all the same, unless you say that
    it `resumes`; then there is one only if it does not know that event any more (status 400, 404, 409, 410
    or 412). A wait that the server asks for (``retry:``) is kept.

    Args:
        url: what is asked for, with GET.
        last_event_id: after which event the first connection begins, where a run before this one has ended.
        resumes: whether the server sends what was missed.
        heartbeat: seconds within which something must come, be it a comment, before the connection is taken
            for dead; None for no limit: then one whose other side is gone waits for ever.
        headers: sent with each request.
        timeout: seconds until the server answers.
        largest: characters of an event at most: one that is larger fails the stream.
        reconnect: how many failures are taken, and how long to wait after one.
        session: that of the user, which stays open; otherwise each run has one.

    Raises:
        ImportError: aiohttp is not installed.
        TypeError: an argument has the wrong type.
        ValueError: `url` is no URL of HTTP, or a number is out of range; when run: an event is too large.
        StatusError, OSError, aiohttp.ClientError: (when run) the last of too many failures in a row.
    """
    request = rules("events", url, headers, timeout, largest, session, reconnect)
    if not isinstance(last_event_id, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"last_event_id must be a text, not {shown(last_event_id)}")
    if any(each in last_event_id for each in "\0\r\n"):
        raise ValueError(f"last_event_id must be one line without a NUL, not {shown(last_event_id)}")
    flag("resumes", resumes)
    beat = None if heartbeat is None else seconds("heartbeat", heartbeat)

    def reading(session: Any) -> Any:
        wish = _Wish(url, last_event_id, beat, resumes, request, session)
        return linked(wish.connect, request.reconnect, FAILURES)

    def make() -> Stream[Any]:
        return using(partial(opened, session), reading)

    return Stream(Recipe("events", (public(url),), make))
