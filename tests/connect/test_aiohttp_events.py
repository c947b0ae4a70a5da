"""Server-sent events: the format, where a new connection begins, and when it is made."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from streamkit import Backoff, Gap, connect, ops
from streamkit.connect import HeartbeatLostError, Reconnect, ServerEvent, StatusError
from streamkit.connect.aiohttp.sse import EventParser
from streamkit.testing import on_network
from tests.connect.peers import Site

SOON = Backoff(1.0, factor=1.0, jitter=0.0)

TEXTS: list[tuple[bytes, list[tuple[str, str, str]]]] = [
    (b"data: a\n\n", [("message", "a", "")]),
    (b"data: a\ndata:b\ndata\n\n", [("message", "a\nb\n", "")]),
    (b"event: add\ndata: 1\nid: 7\n\ndata: 2\n\n", [("add", "1", "7"), ("message", "2", "7")]),
    (b"\xef\xbb\xbfdata: with a mark\r\n\r\n", [("message", "with a mark", "")]),
    (b"data: a\r\rdata: b\r\r", [("message", "a", ""), ("message", "b", "")]),
    (b": comment\n\nevent: nothing\n\ndata: x\n\n", [("message", "x", "")]),
    (b"id: 1\n\ndata: x\nid\n\n", [("message", "x", "")]),  # an empty identifier unsets it
    (b"id: 1\ndata: x\nid: 2\x003\n\n", [("message", "x", "1")]),  # one with NUL is none
    (b"data:  two spaces\nother: y\n\n", [("message", " two spaces", "")]),
    (b"data: not whole", []),
    ("data: ü€\n\n".encode(), [("message", "ü€", "")]),
    (b"data: \xff\n\n", [("message", "\ufffd", "")]),
]


def test_the_format_is_read_however_it_is_cut() -> None:
    for text, expected in TEXTS:
        for size in (1, 2, 3, len(text)):
            parser = EventParser("", 100)
            for at in range(0, len(text), size):
                parser.feed(text[at : at + size])
            found = [(each.event, each.data, each.id) for each in parser.ready]
            assert found == expected, (text, size)


def test_the_wait_that_a_server_asks_for_and_what_is_too_large() -> None:
    for text, seconds in ((b"retry: 1500\n", 1.5), (b"retry: 1.5\n", None), (b"retry: \xc2\xb2\n", None)):
        parser = EventParser("", 100)
        parser.feed(text)
        assert parser.retry == seconds
    for text in (b"data: " + b"x" * 99, b"data: xxxxxxxxxx\n" * 9):
        with pytest.raises(ValueError, match="more than 100 characters"):
            EventParser("", 100).feed(text)


def test_comments_that_keep_a_connection_alive_are_no_part_of_an_event() -> None:
    parser = EventParser("", 100)
    for _ in range(100):
        parser.feed(b":alive\nretry: 10\n")
    parser.feed(b"data: a\n\n")
    assert [each.data for each in parser.ready] == ["a"]


def site(*responses: Any) -> tuple[Site, list[str | None]]:
    """A site that answers with one of these after the other: bytes, a status, or what writes by itself."""
    left, asked = [*responses], list[str | None]()

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Last-Event-ID"))
        now = left.pop(0)
        if isinstance(now, int):
            return web.Response(status=now)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if isinstance(now, bytes):
            await response.write(now)
        else:
            async for chunk in now():
                await response.write(chunk)
        return response

    return Site(answer), asked


async def heard(served: Site, **options: Any) -> list[Any]:
    async with served:
        return await (connect.events(served.url, **{"reconnect": Reconnect(SOON), **options}) | ops.to_list())


def test_a_new_connection_begins_after_the_last_event_until_the_server_ends_it() -> None:
    async def main() -> None:
        served, asked = site(b"id: 1\ndata: a\n\ndata: b\n\n", 503, b"id: 2\ndata: c\n\n", 204)
        first, second, gap, third = await heard(served)
        assert (first, second, third) == (
            ServerEvent("message", "a", "1"),
            ServerEvent("message", "b", "1"),
            ServerEvent("message", "c", "2"),
        )
        assert asked == [None, "1", "1", "2"]
        assert gap.reason == "ClientConnectionError: the server has ended the response"
        assert (gap.until - gap.since).total_seconds() == 2.0

    on_network(main)


def test_what_resumes_has_a_gap_only_where_the_server_knows_nothing_of_it() -> None:
    async def main() -> None:
        served, asked = site(b"id: 6\ndata: a\n\n", b"id: 7\ndata: b\n\n", 410, b"data: c\n\n", 204)
        found = await heard(served, last_event_id="5", resumes=True)
        assert [each if isinstance(each, Gap) else each.data for each in found][:2] == ["a", "b"]
        assert isinstance(found[2], Gap)
        assert asked == ["5", "6", "7", None, None]

    on_network(main)


def test_a_wait_that_the_server_asks_for_is_kept() -> None:
    async def main() -> None:
        served, _ = site(b"retry: 20000\n\ndata: a\n\n", b"data: b\n\n", 204)
        await heard(served)
        assert [when for when, _ in served.requests] == [0.0, 20.0, 40.0]

    on_network(main)


def test_silence_is_a_failure_and_a_comment_is_none() -> None:
    async def beating() -> AsyncIterator[bytes]:
        for _ in range(4):
            await asyncio.sleep(9.0)
            yield b": still here\n"
        await asyncio.sleep(11.0)

    async def main() -> None:
        served, _ = site(beating, 204)
        reasons: list[Exception] = []
        rules = Reconnect(SOON, on_retry=lambda error, *_: reasons.append(error))
        assert await heard(served, heartbeat=10.0, reconnect=rules) == []
        assert [type(each) for each in reasons] == [HeartbeatLostError]
        assert [when for when, _ in served.requests] == [0.0, 47.0]

    on_network(main)


def test_what_is_no_feed_and_what_refuses_fails_it_in_the_end() -> None:
    async def html(_: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    async def main() -> None:
        once = Reconnect(threshold=1)
        for served, error in ((Site(html), aiohttp.ClientPayloadError), (site(403)[0], StatusError)):
            with pytest.raises(error):
                await heard(served, reconnect=once)
        with pytest.raises(ValueError, match="more than 5 characters"):
            await heard(site(b"data: 123456\n\n")[0], largest=5)

    on_network(main)


def test_a_slow_consumer_makes_the_server_wait_and_is_not_taken_for_silence() -> None:
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 1
            yield b"data: " + b"x" * 9_990 + b"\n\n"

    async def main() -> None:
        served, _ = site(flood, 204)
        async with served, connect.events(served.url, heartbeat=5.0).open() as events:
            first = await anext(events)
            await asyncio.sleep(100.0)
            assert sent < 100
            rest = [each async for each in events]
        assert isinstance(first, ServerEvent)
        assert sum(isinstance(each, ServerEvent) for each in rest) == 199

    on_network(main)


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: connect.events("x"), "url must be"),
    (lambda: connect.events("http://x/", last_event_id=5), "last_event_id must be a text"),  # type: ignore[arg-type]
    (lambda: connect.events("http://x/", last_event_id="a\r\nb"), "last_event_id must be one line"),
    (lambda: connect.events("http://x/", heartbeat=0.0), "heartbeat must be"),
    (lambda: connect.events("http://x/", resumes=1), "resumes must be"),  # type: ignore[arg-type]
]


def test_wrong_arguments_are_told_at_the_call() -> None:
    for make, words in WRONG:
        with pytest.raises((TypeError, ValueError), match=words):
            make()
