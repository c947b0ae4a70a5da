"""The client's side of websockets: what is an item, what is a failure, and what the heartbeat sees."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedOK

from streamkit import DROPPED, Backoff, connect, ops
from streamkit.connect import Reconnect, StatusError
from streamkit.testing import on_network

SOON = Backoff(1.0, factor=1.0, jitter=0.0)
URL = "ws://127.0.0.1:8080/feed"
Handler = Callable[[ServerConnection], Awaitable[None]]


async def heard(handler: Handler, count: int | None = None, **options: Any) -> list[Any]:
    async with serve(handler, "127.0.0.1", 8080, ping_interval=None, close_timeout=0.1):
        stream = connect.websocket(URL, **{"reconnect": Reconnect(SOON), **options})
        return await (stream | (ops.take(count) if count else ops.map(lambda item: item)) | ops.to_list())


async def three(connection: ServerConnection) -> None:
    for number in ("1", b"2", "3"):
        await connection.send(number)


def test_messages_are_texts_and_bytes_and_a_normal_end_may_be_the_end() -> None:
    async def main() -> None:
        assert await heard(three, ends=True) == ["1", b"2", "3"]
        found = await heard(three, 4)
        assert found[:3] == ["1", b"2", "3"]
        assert found[3].reason.startswith(ConnectionClosedOK.__name__)

    on_network(main)


def test_a_message_is_parsed_by_what_may_wait_and_leave_it_out() -> None:
    async def parse(message: str | bytes) -> Any:
        await asyncio.sleep(0.5)
        found = json.loads(message)
        return DROPPED if found == 2 else found

    async def main() -> None:
        assert await heard(three, ends=True, parse=parse) == [1, 3]
        with pytest.raises(json.JSONDecodeError):
            await heard(three, parse=lambda message: json.loads(str(message) + "x"))

    on_network(main)


def test_a_connection_that_is_lost_in_on_connect_is_a_failure_and_a_defect_is_an_error() -> None:
    calls = 0

    async def lost(connection: Any) -> None:
        nonlocal calls
        calls += 1
        if calls < 3:
            connection.transport.abort()
            await connection.send("x")

    def defect(_: Any) -> None:
        raise LookupError("defect")

    async def main() -> None:
        assert await heard(three, ends=True, on_connect=lost) == ["1", b"2", "3"]
        assert calls == 3
        with pytest.raises(LookupError):
            await heard(three, on_connect=defect)

    on_network(main)


def test_a_server_that_refuses_says_when_to_come_again() -> None:
    times: list[float] = []

    def process(connection: ServerConnection, _: Any) -> Any:
        times.append(asyncio.get_running_loop().time())
        if len(times) < 3:
            response = connection.respond(429, "later")
            response.headers["Retry-After"] = response.headers["retry-after"] = "20"
            return response
        return None

    async def main() -> None:
        async with serve(three, "127.0.0.1", 8080, process_request=process):
            stream = connect.websocket(URL, ends=True, reconnect=Reconnect(SOON))
            assert len(await (stream | ops.to_list())) == 3
            once = connect.websocket(f"{URL}?key=1", reconnect=Reconnect(threshold=1))
            times.clear()
            with pytest.raises(StatusError, match=r"status 429 of ws://127.0.0.1:8080/feed\?\.\.\., asked"):
                await (once | ops.drain())

    on_network(main)


def test_a_consumer_that_is_slow_is_no_server_that_is_dead() -> None:
    """It makes the server wait, which so cannot answer pings in time: none are sent meanwhile."""

    async def flood(connection: ServerConnection) -> None:
        for number in range(100):
            await connection.send(f"{number} {'x' * 10_000}")

    async def main() -> None:
        async def slow(item: Any) -> None:
            found.append(item)
            await asyncio.sleep(5.0 if len(found) > 90 else 0.0)

        found: list[Any] = []
        async with serve(flood, "127.0.0.1", 8080, ping_interval=None, compression=None):
            stream = connect.websocket(URL, heartbeat=2.0, ends=True)
            await (stream | ops.for_each(slow))
        assert [int(each.split()[0]) for each in found] == [*range(100)]

    on_network(main)


def test_a_silent_server_that_answers_pings_is_alive() -> None:
    async def quiet(connection: ServerConnection) -> None:
        await asyncio.sleep(1000.0)
        await connection.send("at last")

    async def main() -> None:
        assert await heard(quiet, ends=True, heartbeat=10.0) == ["at last"]

    on_network(main)


def test_options_reach_the_library_but_for_pings() -> None:
    async def echo(connection: ServerConnection) -> None:
        assert connection.request is not None
        await connection.send(connection.request.headers["X-Key"])

    async def main() -> None:
        assert await heard(echo, ends=True, options={"additional_headers": {"X-Key": "k"}}) == ["k"]

    on_network(main)


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: connect.websocket("http://x/"), "url must be"),
    (lambda: connect.websocket(3), "url must be"),  # type: ignore[call-overload]
    (lambda: connect.websocket("ws://x/", parse=3), "parse must be"),  # type: ignore[call-overload]
    (lambda: connect.websocket("ws://x/", on_connect=3), "on_connect must be"),  # type: ignore[call-overload]
    (lambda: connect.websocket("ws://x/", heartbeat=-1.0), "heartbeat must be"),
    (lambda: connect.websocket("ws://x/", ends=1), "ends must be"),  # type: ignore[call-overload]
    (lambda: connect.websocket("ws://x/", options={"ping_interval": 1}), "options must not have 'ping_in"),
    (lambda: connect.websocket_server(3, 0, strategy=None), "host must be"),  # type: ignore[arg-type]
    (lambda: connect.websocket_server("", -1, strategy=None), "port must be"),  # type: ignore[arg-type]
    (lambda: connect.websocket_server("", 0, strategy=3), "strategy must be"),  # type: ignore[arg-type]
]


def test_wrong_arguments_are_told_at_the_call() -> None:
    for make, words in WRONG:
        with pytest.raises((TypeError, ValueError), match=words):
            make()


def test_it_says_what_it_is() -> None:
    stream = connect.websocket("wss://user:word@example.org/feed?key=1")
    assert str(stream.explain()).startswith("websocket('wss://example.org/feed?...')")
