"""The network in memory: what asyncio's own clients and servers see of it, in virtual time."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import pytest

from streamkit.testing import on_network
from streamkit.testing.connector.network import NetworkLoop
from streamkit.testing.connector.wire import Manner

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


def network() -> Any:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, NetworkLoop)
    return loop.network


async def echo(reader: Reader, writer: Writer) -> None:
    while line := await reader.readline():
        await asyncio.sleep(1.0)
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def gone(writer: Writer) -> None:
    writer.close()
    await writer.wait_closed()


def test_streams_meet_at_a_port_and_time_is_virtual() -> None:
    async def main() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        (port,) = [each.getsockname()[1] for each in server.sockets]
        reader, writer = await asyncio.open_connection("example.org", port)
        writer.write(b"a\nb\n")
        writer.write_eof()
        assert await reader.read() == b"A\nB\n"
        assert asyncio.get_running_loop().time() == 2.0
        await gone(writer)
        with pytest.raises(OSError, match="bind"):
            await asyncio.start_server(echo, "127.0.0.1", port)
        for _ in range(2):
            server.close()
        assert not server.is_serving()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        assert not network().wires
        assert len(network().dials) == 2

    on_network(main)


def test_sockets_are_connected_in_it_too_and_tls_is_refused() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(echo, "127.0.0.1", 1234)
        later = await asyncio.start_server(echo, "127.0.0.1", 1235, start_serving=False)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", 1235)
        await later.start_serving()
        later.close()
        assert later.get_loop() is loop
        (found,) = await loop.getaddrinfo("example.org", 1234)
        sock = socket.socket(found[0], found[1])
        await loop.sock_connect(sock, found[4])
        reader, writer = await asyncio.open_connection(sock=sock)
        writer.write(b"x\n")
        assert await reader.readline() == b"X\n"
        await gone(writer)
        for call in (
            asyncio.open_connection("127.0.0.1", 1234, ssl=True),
            asyncio.start_server(echo, "127.0.0.1", 1, ssl=True),
        ):
            with pytest.raises(RuntimeError, match="has no TLS"):
                await call
        server.close()

    on_network(main)


def test_who_writes_is_held_up_by_who_does_not_read() -> None:
    written = 0

    async def flood(_: Reader, writer: Writer) -> None:
        nonlocal written
        for _ in range(100):
            writer.write(b"x" * 10_000)
            await writer.drain()
            written += 10_000
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(flood, "127.0.0.1", 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", 1, limit=1000)
        await asyncio.sleep(1.0)
        assert written < 200_000
        assert len(await reader.read()) == 1_000_000
        await gone(writer)
        server.close()

    on_network(main)


@pytest.mark.parametrize("manner", Manner)
def test_a_wire_carries_in_its_manner(manner: Manner) -> None:
    async def main() -> tuple[bytes, float]:
        async def speak(reader: Reader, writer: Writer) -> None:
            with suppress(ConnectionResetError):
                await reader.readline()
                writer.write(b"HTTP/1.1 200 OK\r\n\r\nbody")
                await writer.drain()
                writer.close()

        network().manner = manner
        server = await asyncio.start_server(speak, "127.0.0.1", 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", 1)
        writer.write(b"GET\n")
        try:
            async with asyncio.timeout(100.0):
                found = await reader.read()
        except TimeoutError:
            found = b"nothing"
        network().reset()
        writer.close()
        server.close()
        await asyncio.sleep(0)
        return found, asyncio.get_running_loop().time()

    assert (
        on_network(main)
        == {
            Manner.WELL: (b"HTTP/1.1 200 OK\r\n\r\nbody", 0.0),
            Manner.NOTHING: (b"nothing", 100.0),
            Manner.DRIP: (b"HTTP/1.1 200 OK\r\n\r\nbody", 24.0),
            Manner.CUT: (b"HTTP/1.1 200 OK\r\n\r\nbo", 0.0),
        }[manner]
    )


def test_a_reset_is_an_error_on_both_sides_and_a_drip_is_mended() -> None:
    async def main() -> None:
        ends: list[Any] = []

        async def speak(reader: Reader, writer: Writer) -> None:
            writer.write(b"abc")
            try:
                await reader.read()
            except ConnectionResetError as error:
                ends.append(error)

        network().manner = Manner.DRIP
        server = await asyncio.start_server(speak, "127.0.0.1", 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", 1)
        await asyncio.sleep(1.5)
        network().mend()
        assert await reader.readexactly(3) == b"abc"
        assert asyncio.get_running_loop().time() == 1.5
        network().reset()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        await asyncio.sleep(0)
        assert len(ends) == 1
        server.close()
        writer.close()

    on_network(main)


class Noting(asyncio.Protocol):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def connection_made(self, transport: Any) -> None:
        self.told.append("made")
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def eof_received(self) -> None:
        self.told.append("eof")

    def connection_lost(self, error: Exception | None) -> None:
        self.told.append(error)


def test_its_transports_do_what_those_of_asyncio_do() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        servers: list[Noting] = []

        def make() -> Noting:
            servers.append(Noting())
            return servers[-1]

        server = await loop.create_server(make, "127.0.0.1", 1)
        for last in ("close", "abort"):
            transport, client = await loop.create_connection(Noting, "127.0.0.1", 1)
            here, there = transport.get_extra_info("peername"), servers[-1]
            assert (here, transport.get_protocol()) == (("127.0.0.1", 1), client)
            there.transport.pause_reading()
            assert not there.transport.is_reading()
            transport.writelines([b"a", b"", b"b"])
            transport.set_write_buffer_limits(high=10)
            assert transport.get_write_buffer_size() == 2 < transport.get_write_buffer_limits()[1]
            await asyncio.sleep(1.0)
            assert there.told == ["made"]
            there.transport.resume_reading()
            await asyncio.sleep(1.0)
            other = Noting()
            transport.set_protocol(other)
            for _ in range(2):
                getattr(transport, last)()
                transport.write(b"late")
                transport.write_eof()
            assert transport.is_closing()
            await asyncio.sleep(1.0)
            assert there.told == ["made", b"ab", "eof", None]
            assert other.told == [None]
        server.close()
        assert not network().wires

    on_network(main)
