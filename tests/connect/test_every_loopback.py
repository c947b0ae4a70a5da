"""Each connector once in real time, over real sockets of this machine."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from streamkit import DropOldest, Gap, Stream, connect, ops
from streamkit.connect import Reconnect
from tests.connect.peers import Feed, Rooms, State, Talker
from tests.connect.test_every_fault import number, of_event, of_message, of_room

SOON = Reconnect(0.02, threshold=None)

CONNECTORS: dict[str, tuple[Any, Callable[[Any], Stream[Any]]]] = {
    "poll": (State, lambda peer: connect.poll(peer.url, 0.01, reconnect=SOON) | ops.map(number)),
    "events": (Feed, lambda peer: connect.events(peer.url, reconnect=SOON) | ops.map(of_event)),
    "websocket": (Talker, lambda peer: connect.websocket(peer.url, reconnect=SOON) | ops.map(of_message)),
    "socketio": (
        lambda port: Rooms(port, pings=0.05),
        lambda peer: (
            connect.socketio_events(peer.url, strategy=DropOldest(9), reconnect=SOON) | ops.map(of_room)
        ),
    ),
}


async def until(condition: Callable[[], bool], act: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(20.0):
        while not condition():
            await act()
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", CONNECTORS)
def test_it_reads_is_stopped_and_reads_again(name: str) -> None:
    make, connector = CONNECTORS[name]
    found: list[Any] = []
    sent = 0

    async def main() -> None:
        peer = make(port=0)

        async def send() -> None:
            nonlocal sent
            sent += 1
            await peer.send(sent)

        await peer.start()
        job = (connector(peer) | ops.for_each(found.append)).start()
        try:
            await until(lambda: bool(found), send)
            await peer.stop()
            mark = sent
            await peer.start()
            await until(lambda: newest() > mark, send)
        finally:
            await job.stop()
            await peer.stop()

    def newest() -> int:
        return max(each for each in found if not isinstance(each, Gap))

    asyncio.run(main())
    assert sum(isinstance(each, Gap) for each in found) == (name != "poll")
