"""Every connector is left at every step of the event loop: it ends, and nothing of it is left."""

import asyncio
from typing import Any

import engineio.base_client
import pytest
from websockets.asyncio.client import connect as dial
from websockets.exceptions import WebSocketException

from streamkit import Stream, Suspend, connect, ops
from streamkit.testing import on_network
from streamkit.testing.connector import NetworkLoop
from tests.connect.test_every_fault import CONNECTORS

MOST = 100


async def left_at(step: int, work: Any) -> bool:
    """Whether `work` was done before it was cancelled, at the step."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, NetworkLoop)
    task = asyncio.ensure_future(work)
    loop.call_at_step(step, task.cancel)
    begun = loop.time()
    await asyncio.wait([task])
    assert loop.time() - begun < 15.0
    if task.cancelled():
        return False
    task.result()
    return True


async def ended(network: Any) -> None:
    """Servers may look later whether those are there who have left."""
    network.reset()
    await asyncio.sleep(30.0)


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_source_is_left_at_every_step(name: str) -> None:
    connector, make, _ = CONNECTORS[name]

    async def read(stream: Stream[Any]) -> None:
        await (stream | ops.take(2) | ops.drain())

    async def main(step: int) -> bool:
        loop: Any = asyncio.get_running_loop()
        peer = make()
        await peer.start()

        async def send() -> None:
            for number in range(4):
                await peer.send(number)
                await asyncio.sleep(1.0)

        sending = asyncio.create_task(send())
        done = await left_at(step, read(connector(peer)))
        await sending
        await peer.stop()
        await ended(loop.network)
        return done

    steps = next(step for step in range(1, MOST) if on_network(lambda step=step: main(step)))  # type: ignore[misc]
    assert steps > 10
    assert not engineio.base_client.connected_clients


def test_a_server_is_left_at_every_step() -> None:
    async def serve() -> None:
        items = Stream(range(3)) | ops.delay(0.5)
        await (items | connect.websocket_server("127.0.0.1", 8080, strategy=Suspend(1)))

    async def call() -> None:
        await asyncio.sleep(0.1)
        try:
            async with dial("ws://127.0.0.1:8080") as client:
                async for _ in client:
                    pass
        except (OSError, WebSocketException):
            return  # it was left before

    async def main(step: int) -> bool:
        loop: Any = asyncio.get_running_loop()
        calling = asyncio.create_task(call())
        done = await left_at(step, serve())
        await calling
        await ended(loop.network)
        return done

    steps = next(step for step in range(1, MOST) if on_network(lambda step=step: main(step)))  # type: ignore[misc]
    assert steps > 10
