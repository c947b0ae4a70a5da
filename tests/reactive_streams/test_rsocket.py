"""A stream behind a real rsocket server, read through a real rsocket client, over loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from rsocket.helpers import create_future, single_transport_provider
from rsocket.payload import Payload
from rsocket.request_handler import BaseRequestHandler
from rsocket.rsocket_client import RSocketClient
from rsocket.rsocket_server import RSocketServer
from rsocket.transports.tcp import TransportTCP

from streamkit import Stream, ops
from streamkit.reactive_streams import StreamPublisher, from_publisher, to_processor, to_publisher

SECONDS = 10.0
"""What hangs fails after this long; nothing here waits for time to pass."""


class Server:
    """Publishes numbers, and notes how far its streams were pulled and which of them were closed."""

    def __init__(self) -> None:
        self.pulled: list[int] = []
        self.closed = 0
        self.publishers: list[StreamPublisher[Any]] = []

    def numbers(self, count: int) -> Iterator[Payload]:
        try:
            for number in range(count):
                self.pulled.append(number)
                yield Payload(b"%d" % number)
            if count == 13:
                raise LookupError("no thirteenth")
        finally:
            self.closed += 1

    def handler(self) -> BaseRequestHandler:
        server = self

        class Handler(BaseRequestHandler):
            async def request_stream(self, payload: Payload) -> Any:
                stream = Stream(lambda: server.numbers(int(payload.data)))
                publisher = to_publisher(stream)
                server.publishers.append(publisher)
                if not payload.metadata:
                    return publisher
                processor = to_processor(ops.take(3))
                publisher.subscribe(processor)
                return processor

            async def request_response(self, payload: Payload) -> Any:
                return create_future(payload)

        return Handler()


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[RSocketClient]:
    """A client of `server`, on a free port of loopback."""
    sessions: list[RSocketServer] = []

    def session(*connection: Any) -> None:
        sessions.append(RSocketServer(TransportTCP(*connection), handler_factory=server.handler))

    listening = await asyncio.start_server(session, "127.0.0.1", 0)
    try:
        connection = await asyncio.open_connection(*listening.sockets[0].getsockname())
        transport = single_transport_provider(TransportTCP(*connection))
        async with RSocketClient(transport) as client:
            yield client
        for each in sessions:
            await each.close()
    finally:
        listening.close()
        await listening.wait_closed()


async def settled(client: RSocketClient) -> None:
    """Both sides have done all that was under way: frames keep their order, so an answer is behind them."""
    for _ in range(3):
        await client.request_response(Payload(b"there?"))


def talk(conversation: Callable[[RSocketClient, Server], Awaitable[None]]) -> None:
    async def main() -> None:
        server = Server()
        async with asyncio.timeout(SECONDS), connected(server) as client:
            await conversation(client, server)

    asyncio.run(main())


def test_a_stream_arrives_whole() -> None:
    async def conversation(client: RSocketClient, server: Server) -> None:
        numbers = from_publisher(client.request_stream(Payload(b"50")), lookahead=8)
        job = numbers | ops.map(lambda payload: int(payload.data)) | ops.to_list()
        assert await job == [*range(50)]
        await server.publishers[0].wait_closed()
        assert server.closed == 1

    talk(conversation)


def test_the_demand_of_the_reader_holds_the_server() -> None:
    async def conversation(client: RSocketClient, server: Server) -> None:
        async with from_publisher(client.request_stream(Payload(b"1000000")), lookahead=4).open() as items:
            for taken, requested in ((1, 4), (2, 6), (3, 6), (4, 8)):
                assert int((await anext(aiter(items))).data) == taken - 1
                await settled(client)
                assert server.pulled == [*range(requested)], f"after {taken} items were taken"
        await server.publishers[0].wait_closed()
        assert server.closed == 1
        assert len(server.pulled) == 8

    talk(conversation)


def test_an_error_of_the_server_reaches_the_reader() -> None:
    async def conversation(client: RSocketClient, server: Server) -> None:
        got: list[int] = []
        numbers = from_publisher(client.request_stream(Payload(b"13")), lookahead=2)
        with pytest.raises(Exception, match="no thirteenth"):
            await (numbers | ops.map(lambda payload: int(payload.data)) | ops.for_each(got.append))
        assert got == [*range(13)]

    talk(conversation)


def test_a_processor_stands_between_a_stream_and_its_client() -> None:
    async def conversation(client: RSocketClient, server: Server) -> None:
        numbers = from_publisher(client.request_stream(Payload(b"1000", b"first three")), lookahead=8)
        assert await (numbers | ops.map(lambda payload: bytes(payload.data)) | ops.to_list()) == [
            b"0",
            b"1",
            b"2",
        ]
        await server.publishers[0].wait_closed()
        assert server.closed == 1

    talk(conversation)
