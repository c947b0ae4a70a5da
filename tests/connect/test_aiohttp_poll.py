"""Polling over HTTP: when requests are made, what they say, and what is an item."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from streamkit import Backoff, Stream, connect, ops
from streamkit.connect import Reconnect, StatusError
from streamkit.testing import on_network
from tests.connect.peers import Handler, Site

SOON = Backoff(0.5, factor=1.0, jitter=0.0)


async def polled(answer: Handler, interval: float, count: int, **options: Any) -> tuple[list[Any], Site]:
    async with Site(answer) as site:
        stream = connect.poll(site.url, interval, **options)
        return await (stream | ops.take(count) | ops.to_list()), site


def times(site: Site) -> list[float]:
    return [when for when, _ in site.requests]


def numbered(**headers: str) -> Handler:
    number = -1

    async def answer(_: web.Request) -> web.Response:
        nonlocal number
        number += 1
        return web.Response(text=json.dumps(number), headers=headers)

    return answer


def test_an_item_has_what_the_server_has_answered() -> None:
    async def main() -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(body="ü".encode("latin-1"), content_type="text/plain", charset="latin-1")

        (reply,), site = await polled(answer, 1.0, 1, headers={"X-Key": "k"})
        assert (reply.status, reply.text(), reply.url) == (200, "ü", site.url)
        assert reply.headers["content-type"] == "text/plain; charset=latin-1"
        assert repr(reply) == "<Reply 200 of http://127.0.0.1:8080/, 1 bytes>"
        assert site.requests[0][1]["X-Key"] == "k"

    on_network(main)


def test_requests_keep_to_multiples_of_the_interval_and_leave_missed_ones_out() -> None:
    async def main() -> None:
        async with Site(numbered()) as site:

            async def slow(_: Any) -> None:
                await asyncio.sleep(2.5 if len(site.requests) == 2 else 0.1)

            await (connect.poll(site.url, 1.0) | ops.take(5) | ops.for_each(slow))
            assert [round(each, 6) for each in times(site)] == [0.0, 1.0, 3.5, 4.0, 5.0]

    on_network(main)


def test_nothing_new_is_no_item_and_is_asked_for_by_tag_and_date() -> None:
    stamp = "Sun, 06 Nov 1994 08:49:37 GMT"

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")))
        if len(asked) in (2, 3):
            return web.Response(status=304)
        more = {"ETag": f'"{len(asked)}"', "Last-Modified": stamp} if len(asked) == 1 else {}
        return web.Response(text=str(len(asked)), headers=more)

    asked: list[Any] = []
    for conditional in (True, False):
        asked = []

        async def main(conditional: bool = conditional) -> list[str]:
            replies, _ = await polled(answer, 1.0, 3, conditional=conditional)
            return [reply.text() for reply in replies]

        assert on_network(main) == ["1", "4", "5"]
        known = ('"1"', stamp) if conditional else (None, None)
        # what the fourth answer leaves unsaid is not asked for again
        assert asked == [(None, None), known, known, known, (None, None)]


def test_answers_that_overlap_come_in_the_order_of_their_requests() -> None:
    async def main() -> list[str]:
        async def answer(_: web.Request) -> web.Response:
            mine = len(site.requests)
            await asyncio.sleep(2.5 if mine == 1 else 0.1)
            return web.Response(text=str(mine))

        async with Site(answer) as site:
            return await (
                connect.poll(site.url, 1.0, overlap=2).map(lambda reply: reply.text()).take(3) | ops.to_list()
            )

    assert on_network(main) == ["1", "2", "3"]


def test_a_server_that_asks_for_a_wait_is_not_asked_sooner() -> None:
    statuses = [429, 503, 200]

    async def answer(_: web.Request) -> web.Response:
        status = statuses.pop(0)
        return web.Response(status=status, headers={"Retry-After": "30"} if status > 200 else {})

    async def main() -> list[float]:
        _, site = await polled(answer, 1.0, 1, reconnect=Reconnect(SOON))
        return times(site)

    assert on_network(main) == [0.0, 30.0, 60.0]


@pytest.mark.parametrize("kind", ["too large", "cut", "redirected in a circle", "missing"])
def test_failures_are_counted_and_the_last_is_raised(kind: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if kind == "too large":
            return web.Response(body=b"x" * 11)
        if kind == "redirected in a circle":
            return web.Response(status=302, headers={"Location": "/"})
        if kind == "missing":
            return web.Response(status=404)
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await response.write(b"x")
        assert request.transport is not None
        request.transport.close()
        return response

    errors = {"missing": StatusError, "redirected in a circle": aiohttp.TooManyRedirects}

    async def main() -> None:
        with pytest.raises(errors.get(kind, aiohttp.ClientPayloadError)) as caught:
            await polled(answer, 1.0, 1, largest=10, reconnect=Reconnect(SOON, threshold=2))
        assert caught.value.__notes__ == ["this was failure 2 in a row"]

    on_network(main)


def test_a_session_of_the_user_stays_open_and_jitter_is_less_than_the_interval() -> None:
    async def main() -> None:
        async with aiohttp.ClientSession(headers={"X-Mine": "yes"}) as session:
            _, site = await polled(numbered(), 10.0, 20, session=session, jitter=0.5)
            assert not session.closed
            assert site.requests[0][1]["X-Mine"] == "yes"
            late = [when - 10.0 * index for index, when in enumerate(times(site))]
            assert 0.0 <= min(late) < max(late) <= 5.0

    on_network(main)


def test_each_run_is_another_and_says_what_it_is() -> None:
    stream: Stream[Any] = connect.poll("http://user:word@127.0.0.1:8080/?key=1", 5.0, overlap=2)
    assert str(stream.explain()).startswith("poll('http://127.0.0.1:8080/?...', 5.0, overlap=2)")

    async def main() -> list[list[str]]:
        async with Site(numbered()):
            both = [stream.map(lambda reply: reply.text()).take(1) | ops.to_list() for _ in range(2)]
            return [await each for each in both]

    assert on_network(main) == [["0"], ["1"]]


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: connect.poll(3, 1.0), "url must be a text"),  # type: ignore[arg-type]
    (lambda: connect.poll("ftp://x/", 1.0), "url must be a text"),
    (lambda: connect.poll("http://", 1.0), "url must be a text"),
    (lambda: connect.poll("http://x/", 0.0), "interval must be"),
    (lambda: connect.poll("http://x/", 1.0, jitter=1.5), "jitter must be"),
    (lambda: connect.poll("http://x/", 1.0, jitter=-0.1), "jitter must be"),
    (lambda: connect.poll("http://x/", 1.0, overlap=0), "overlap must be"),
    (lambda: connect.poll("http://x/", 1.0, timeout=float("nan")), "timeout must be"),
    (lambda: connect.poll("http://x/", 1.0, largest=0), "largest must be"),
    (lambda: connect.poll("http://x/", 1.0, headers=[1]), "headers must be"),  # type: ignore[arg-type]
    (lambda: connect.poll("http://x/", 1.0, session="s"), "session must be"),  # type: ignore[arg-type]
    (lambda: connect.poll("http://x/", 1.0, reconnect=3), "reconnect must be"),  # type: ignore[arg-type]
    (lambda: connect.poll("http://x/", 1.0, conditional=1), "conditional must be"),  # type: ignore[arg-type]
]


def test_wrong_arguments_are_told_at_the_call() -> None:
    for make, words in WRONG:
        with pytest.raises((TypeError, ValueError), match=words):
            make()


@pytest.mark.parametrize("charset", ["unheard-of", "hex", "latin-1", "utf-16"])
def test_a_charset_that_nobody_knows_does_not_end_the_stream(charset: str) -> None:
    async def said(_request: web.Request) -> web.Response:
        return web.Response(
            body="a".encode("utf-16" if charset == "utf-16" else "ascii"),
            headers={"Content-Type": f"text/plain; charset={charset}"},
        )

    async def main() -> str:
        async with Site(said) as site:
            return await (connect.poll(site.url, 1.0) | ops.map(lambda reply: reply.text()) | ops.first())

    assert on_network(main) == "a"
