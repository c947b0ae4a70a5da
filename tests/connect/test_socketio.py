"""Socket.IO: what is an item, how it joins, and what becomes of refusals and of consumers that leave."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from streamkit import Backoff, DropOldest, Fail, Suspend, connect, ops
from streamkit.connect import Reconnect, SocketEvent, StatusError
from streamkit.testing import on_network
from tests.connect.peers import Rooms, Site

SOON = Reconnect(Backoff(1.0, factor=1.0, jitter=0.0))


async def heard(peer: Rooms, count: int, **options: Any) -> list[Any]:
    given = {"strategy": DropOldest(10), "reconnect": SOON, **options}
    return await (connect.socketio_events(peer.url, **given) | ops.take(count) | ops.to_list())


def test_events_have_names_arguments_and_namespaces() -> None:
    async def main() -> None:
        peer = Rooms()
        await peer.start()
        peer.server.on("connect", lambda *_: None, namespace="/b")

        async def emit() -> None:
            await asyncio.sleep(1.0)
            await peer.server.emit("none")
            await peer.server.emit("two", (1, {"x": b"bytes"}))
            await peer.server.emit("three", [3], namespace="/b")

        emitting = asyncio.create_task(emit())
        found = await heard(peer, 3, namespaces=["/", "/b"])
        assert found == [
            SocketEvent("none"),
            SocketEvent("two", 1, {"x": b"bytes"}),
            SocketEvent("three", [3], namespace="/b"),
        ]
        await emitting
        await peer.stop()

    on_network(main)


@pytest.mark.parametrize("transports", [["polling"], ["websocket"]])
def test_a_consumer_leaves_at_once_whatever_the_transport(transports: list[str]) -> None:
    async def main() -> None:
        peer = Rooms()
        await peer.start()
        sending = asyncio.create_task(asyncio.sleep(1.0))
        sending.add_done_callback(lambda _: asyncio.ensure_future(peer.send(7)))
        loop = asyncio.get_running_loop()
        assert await heard(peer, 1, options={"transports": transports}) == [SocketEvent("number", 7)]
        assert loop.time() <= 3.0
        await peer.stop()
        await asyncio.sleep(20.0)  # the server waits longer for who has left

    on_network(main)


def test_a_refusal_says_when_to_come_again_and_is_told_with_its_status() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(
            status=429, headers={"Retry-After": "20"}, text="{}", content_type="application/json"
        )

    async def main() -> None:
        async with Site(answer) as site:
            with pytest.raises(StatusError, match="status 429"):
                await heard(Rooms(), 1, reconnect=Reconnect(0.1, threshold=3))
            assert [when for when, _ in site.requests] == [0.0, 20.0, 40.0]

    on_network(main)


def test_a_defect_in_on_connect_ends_it_and_nothing_is_left() -> None:
    async def main() -> None:
        peer = Rooms()
        await peer.start()

        def defect(_: Any) -> None:
            raise LookupError("defect")

        with pytest.raises(LookupError):
            await heard(peer, 1, on_connect=defect)
        await peer.stop()

    on_network(main)


def test_wrong_arguments_are_told_at_the_call() -> None:
    events: Any = connect.socketio_events
    for words, more in (
        ("url must be", {"url": "ws://x"}),
        ("strategy must be one that does not wait", {"strategy": Suspend(3)}),
        ("on_connect must be", {"on_connect": 3}),
        ("namespaces must be texts", {"namespaces": "/chat"}),
        ("namespaces must be texts", {"namespaces": []}),
        ("namespaces must be", {"namespaces": 3}),
        ("timeout must be", {"timeout": -1.0}),
        ("options must be", {"options": [1]}),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            events(**{"url": "http://x/", "strategy": Fail(3), **more})
    stream = events("http://user:word@x/y?key=1", strategy=Fail(3))
    assert str(stream.explain()).startswith("socketio_events('http://x/y?...', strategy=Fail(capacity=3))")
