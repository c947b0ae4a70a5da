"""A network in memory, on virtual time: what connects by the event loop, and what serves there, meet in it.

The clients and servers of libraries run on it as they are: those of aiohttp and websockets, and whatever uses
``asyncio.open_connection``. All hosts are this one; TLS is refused.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from streamkit._core.calls import answering
from streamkit.testing.clock import VirtualLoop
from streamkit.testing.connector.wire import Manner, Wire
from streamkit.testing.leaks import Watch
from streamkit.testing.outside import aside

__all__ = ["Network", "NetworkLoop", "on_network"]

T = TypeVar("T")

_HOST: Final = "127.0.0.1"
_FIRST_PORT: Final = 49_152

Factory = Callable[[], Any]


class _Named:
    """What a server shows of its socket."""

    family = socket.AF_INET

    def __init__(self, port: int) -> None:
        self._port = port

    def getsockname(self) -> tuple[str, int]:
        return _HOST, self._port


class Listener:
    """A server in the network."""

    def __init__(self, network: Network, port: int, factory: Factory) -> None:
        self._network = network
        self.port = port
        self.factory = factory
        self.sockets: tuple[_Named, ...] = (_Named(port),)

    def close(self) -> None:
        self.sockets = ()
        if self.is_serving():
            del self._network.listeners[self.port]

    def is_serving(self) -> bool:
        return self._network.listeners.get(self.port) is self

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._network.loop

    async def start_serving(self) -> None:
        self._network.listeners[self.port] = self

    async def wait_closed(self) -> None:
        """Connections are closed by whoever serves them."""


class Network:
    """Servers by their ports, and the connections between them and their clients."""

    def __init__(self, loop: NetworkLoop) -> None:
        self.loop = loop
        self.listeners: dict[int, Listener] = {}
        self.wires: dict[Wire, None] = {}
        self.dials: list[float] = []
        """When somebody has tried to connect."""
        self.refuses: bool = False
        self.answers: Factory | None = None
        """Makes the protocol that new connections meet in place of the server's."""
        self.manner: Manner = Manner.WELL
        """That of new connections."""
        self.dialled: Callable[[], object] | None = None
        """Called when somebody tries to connect."""

    def listen(self, factory: Factory, port: int) -> Listener:
        """A server at `port`, or at a free one."""
        port = port or next(each for each in range(_FIRST_PORT, 65_536) if each not in self.listeners)
        if port in self.listeners:
            raise OSError(98, f"error while attempting to bind on address ('{_HOST}', {port})")
        return Listener(self, port, factory)

    def dial(self, port: int) -> Factory:
        """What makes the server's side of a connection to `port`.

        Raises:
            ConnectionRefusedError: there is no server, or the network refuses.
        """
        self.dials.append(self.loop.time())
        if self.dialled is not None:
            self.dialled()
        listener = self.listeners.get(port)
        if self.refuses or listener is None:
            raise ConnectionRefusedError(111, f"Connect call failed ('{_HOST}', {port})")
        return self.answers or listener.factory

    def connect(self, client: Factory, server: Factory, port: int) -> tuple[asyncio.Transport, Any]:
        """A connection; the transport and the protocol of the client's side."""
        protocol = client()
        wire = Wire(protocol, server(), (_HOST, port), self._ended)
        wire.manner = self.manner
        self.wires[wire] = None
        wire.begin()
        return wire.client, protocol

    def reset(self) -> None:
        """Every connection is gone."""
        for wire in [*self.wires]:
            wire.reset()

    def sever(self) -> None:
        """Every connection has come to a clean end."""
        for wire in [*self.wires]:
            wire.sever()

    def mend(self) -> None:
        """The network is as it was. Connections that are dead stay dead."""
        self.refuses, self.answers, self.manner = False, None, Manner.WELL
        for wire in [*self.wires]:
            wire.mend()

    def _ended(self, wire: Wire) -> None:
        self.wires.pop(wire, None)


class NetworkLoop(VirtualLoop):
    """An event loop in virtual time, whose sockets are those of a network in memory."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.network: Network = Network(self)
        self._calling: dict[int, tuple[Factory, int]] = {}
        """Servers and ports to which real sockets would be connected, by the numbers of these."""

    def jump(self, seconds: float) -> None:
        """Let time pass in which nothing ran, as when the machine sleeps."""
        self._now += seconds

    async def create_connection(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **more: Any
    ) -> Any:
        if more.get("ssl"):
            raise RuntimeError("create_connection: the network in memory has no TLS")
        sock = more.get("sock")
        if sock is None:
            server = self.network.dial(port)
        else:
            server, port = self._calling.pop(sock.fileno())
            sock.close()
        await asyncio.sleep(0)
        return self.network.connect(protocol_factory, server, port)

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Note where `sock` is to be connected: nothing of the system is asked."""
        self._calling[sock.fileno()] = self.network.dial(address[1]), address[1]

    async def create_server(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **more: Any
    ) -> Any:
        if more.get("ssl"):
            raise RuntimeError("create_server: the network in memory has no TLS")
        listener = self.network.listen(protocol_factory, port or 0)
        if more.get("start_serving", True):
            await listener.start_serving()
        return listener

    async def getaddrinfo(self, host: Any, port: Any, **more: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (_HOST, int(port or 0)))]


@answering
def on_network(main: Callable[[], Coroutine[Any, Any, T]], *, threads: bool = False) -> T:
    """Run a coroutine on virtual time, with a network in memory; nothing may be left when it ends.

    >>> import asyncio
    >>> from streamkit.testing import on_network
    >>> async def main() -> bytes:
    ...     async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    ...         await asyncio.sleep(3600.0)
    ...         writer.write(b"hello")
    ...         writer.close()
    ...     server = await asyncio.start_server(greet, "127.0.0.1", 8080)
    ...     reader, writer = await asyncio.open_connection("example.org", 8080)
    ...     found = await reader.read()
    ...     writer.close()
    ...     server.close()
    ...     await writer.wait_closed()
    ...     return found
    >>> on_network(main)
    b'hello'

    Servers and clients of libraries meet in it as they are, if they connect and serve by the event loop. All
    hosts are this one; TLS is refused.

    Args:
        main: an async function without arguments.
        threads: whether other threads may wake the loop, as in `run`.

    Raises:
        LeakError: something was left behind.
    """
    with aside():
        runner = asyncio.Runner(loop_factory=lambda: NetworkLoop(threads=threads))
        with Watch(runner) as watch:
            watch.generators_from_now_on()
            return runner.run(main())
