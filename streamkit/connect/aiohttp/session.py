"""Sessions of aiohttp: the user's or one of the run's own, and one answer of a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from streamkit._core.arguments import mapping, seconds, whole
from streamkit._core.show import shown
from streamkit._core.value import Record, Value
from streamkit.connect.reconnect import Reconnect, reconnect_argument, wall_clock
from streamkit.connect.status import StatusError, date_header, public, retry_after

try:
    import aiohttp as _aiohttp
except ImportError:  # pragma: no cover - an extra, which the tests have
    aiohttp: Any = None
else:
    aiohttp = _aiohttp

__all__ = [
    "FAILURES",
    "NOT_MODIFIED",
    "Refusals",
    "Reply",
    "Rules",
    "aiohttp",
    "answer",
    "http_url",
    "opened",
    "refused",
    "rules",
]

FAILURES: tuple[type[Exception], ...] = (
    OSError,
    StatusError,
    *(() if aiohttp is None else (aiohttp.ClientError,)),
)
"""What may be over when it is tried again; `TimeoutError` is an `OSError`."""
_OK = 300
NOT_MODIFIED = 304


class Reply(Value):
    """What a server has answered, with a status of success."""

    url: str
    """Where it came from, after redirects."""
    status: int
    """The status, such as 200."""
    headers: Mapping[str, str]
    """The headers; a name is found however it is written."""
    body: bytes
    """The body, as it is."""
    at: datetime | None
    """What time the server had, in UTC, by its ``Date``; None if it did not say."""
    charset: str
    """How text in it is encoded."""

    def __init__(self, url: str, status: int, headers: Mapping[str, str], body: bytes, charset: str) -> None:
        at = date_header(headers.get("Date"))
        self._made_of(url=url, status=status, headers=headers, body=body, at=at, charset=charset)

    def text(self) -> str:
        """The body as text."""
        return self.body.decode(self.charset)

    def json(self) -> Any:
        """What the body says in JSON."""
        return json.loads(self.text())

    def __repr__(self) -> str:
        return f"<Reply {self.status} of {public(self.url)}, {len(self.body)} bytes>"


class Rules(Record):
    """What all sources over HTTP are told of their requests."""

    headers: Mapping[str, str]
    timeout: float
    largest: int
    session: Any
    reconnect: Reconnect


def http_url(url: object) -> str:
    """Return the argument ``url`` if it is one of HTTP."""
    if not isinstance(url, str):
        raise TypeError(f"url must be a text such as 'https://example.org/feed', not {shown(url)}")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url must be a text such as 'https://example.org/feed', not {shown(url)}")
    return url


def rules(
    name: str,
    url: object,
    headers: Mapping[str, str] | None,
    timeout: float,
    largest: int,
    session: object,
    reconnect: Reconnect | None,
) -> Rules:
    """The arguments that all sources over HTTP have, checked."""
    if aiohttp is None:  # pragma: no cover - it is among the tools of the tests
        raise ImportError(f"{name}() needs aiohttp: install streamkit[http]")
    http_url(url)
    if session is not None and not isinstance(session, aiohttp.ClientSession):
        raise TypeError(f"session must be a ClientSession of aiohttp, not {shown(session)}")
    return Rules(
        headers={} if headers is None else dict(mapping("headers", headers)),
        timeout=seconds("timeout", timeout),
        largest=whole("largest", largest, least=1),
        session=session,
        reconnect=reconnect_argument(reconnect),
    )


def opened(session: Any) -> Any:
    """What is entered for a session: of the user's, which stays open, or one that is closed with the run."""
    return aiohttp.ClientSession() if session is None else nullcontext(session)


def refused(response: Any) -> StatusError:
    """The error that says what `response` answers in place of success."""
    asked = retry_after(response.headers, wall_clock()())
    return StatusError(response.status, public(str(response.url)), asked)


def _conditional(headers: Mapping[str, str]) -> bool:
    """Whether a server may answer that nothing is new."""
    return any(name.lower() in ("if-none-match", "if-modified-since") for name in headers)


async def answer(session: Any, url: str, headers: Mapping[str, str], rules: Rules) -> Reply:
    """Ask once.

    Raises:
        StatusError: the status is neither one of success, nor 304 where that was asked for.
        TimeoutError: the body was not there in time.
        aiohttp.ClientError: the server cannot be reached, or its answer is broken or too large.
    """
    async with asyncio.timeout(rules.timeout), session.get(url, headers=headers) as response:
        if response.status >= _OK and not (response.status == NOT_MODIFIED and _conditional(headers)):
            raise refused(response)
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > rules.largest:
                raise aiohttp.ClientPayloadError(
                    f"the body of {public(url)} has more than {rules.largest} bytes"
                )
        charset = _known(response.charset)
        return Reply(str(response.url), response.status, response.headers, bytes(body), charset)


def _known(charset: str | None) -> str:
    """`charset`, if it is one of text that Python knows; what a server says may be anything."""
    try:
        "a".encode(charset or "utf-8")
    except (LookupError, ValueError):
        return "utf-8"
    return charset or "utf-8"


class Refusals:
    """A session for a library that tells of no headers: it notes what a server has refused last.

    It closes the responses that the library leaves open where it is interrupted.
    """

    def __init__(self) -> None:
        self.last: StatusError | None = None
        """What the server has refused last, if that was its last answer."""
        self._open: list[Any] = []
        traces = aiohttp.TraceConfig()
        traces.on_request_end.append(self._note)
        self.session: Any = aiohttp.ClientSession(trace_configs=[traces])

    async def _note(self, _session: Any, _context: Any, ended: Any) -> None:
        response = ended.response
        self.last = refused(response) if response.status >= _OK else None
        self._open = [each for each in (*self._open, response) if each.connection is not None]

    async def close(self) -> None:
        """Close the session, and what is open still."""
        for response in self._open:
            response.close()
        await self.session.close()
