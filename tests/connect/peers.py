"""What connectors are connected to in tests: servers of the libraries, in memory or on loopback."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import socketio
from aiohttp import web
from websockets.asyncio.server import Server, ServerConnection, broadcast, serve

from streamkit.connect import Sender
from streamkit.testing import ConnectorFault, Peer

__all__ = ["Feed", "Phone", "Rooms", "Site", "State", "Talker"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site(Peer):
    """A server of aiohttp's, at ``url``; `handle` answers every request."""

    def __init__(self, handle: Handler | None = None, port: int = 8080) -> None:
        self._handle = handle
        self._runner: web.AppRunner | None = None
        self.port = port
        self.requests: list[tuple[float, dict[str, str]]] = []
        """When each came, and its headers."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._noted)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        self.port = await listening(self._runner, self.port)

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def send(self, number: int) -> None:
        """Numbers are for kinds that send some."""

    async def _noted(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((asyncio.get_running_loop().time(), dict(request.headers)))
        return await self.answer(request)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        assert self._handle is not None
        return await self._handle(request)

    async def __aenter__(self) -> "Site":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


async def listening(runner: web.AppRunner, port: int) -> int:
    """Let `runner` listen at `port`, or at a free one; return which."""
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    await site.start()
    server: Any = site._server
    found: int = server.sockets[0].getsockname()[1]
    return found


class State(Site):
    """Answers with the newest number, which is not sent twice to who knows it."""

    def __init__(self, port: int = 8080) -> None:
        super().__init__(port=port)
        self.number = -1

    async def send(self, number: int) -> None:
        self.number = number

    async def answer(self, request: web.Request) -> web.StreamResponse:
        tag = f'"{self.number}"'
        if request.headers.get("If-None-Match") == tag or self.number < 0:
            return web.Response(status=304)
        return web.Response(text=json.dumps({"number": self.number}), headers={"ETag": tag})


class Feed(Site):
    """Server-sent events: each number is its own identifier; with `replays`, those that were missed, too."""

    def __init__(self, port: int = 8080, *, replays: bool = False) -> None:
        super().__init__(port=port)
        self._replays = replays
        self._past: list[int] = []
        self._open: set[web.StreamResponse] = set()
        self._over = asyncio.Event()

    async def start(self) -> None:
        self._over.clear()
        await super().start()

    async def stop(self) -> None:
        self._over.set()
        await super().stop()

    async def send(self, number: int) -> None:
        self._past.append(number)
        for response in [*self._open]:
            with suppress(ConnectionError):
                await response.write(self._event(number))

    @staticmethod
    def _event(number: int) -> bytes:
        return f"id: {number}\ndata: {number}\n\n".encode()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        last = request.headers.get("Last-Event-ID")
        missed: list[int] = []
        if self._replays and last is not None:
            if int(last) not in self._past:
                return web.Response(status=410)
            missed = self._past[self._past.index(int(last)) + 1 :]
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number in missed:
            await response.write(self._event(number))
        self._open.add(response)
        try:
            await self._over.wait()
        finally:
            self._open.discard(response)
        return response


class Talker(Peer):
    """A websocket server that sends each number to all who are there."""

    def __init__(self, port: int = 8080) -> None:
        self.port = port
        self._server: Server | None = None
        self._clients: set[ServerConnection] = set()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    async def start(self) -> None:
        self._server = await serve(
            self._client, "127.0.0.1", self.port, ping_interval=None, close_timeout=0.1
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def send(self, number: int) -> None:
        broadcast(self._clients, str(number))

    async def _client(self, connection: ServerConnection) -> None:
        self._clients.add(connection)
        try:
            await connection.wait_closed()
        finally:
            self._clients.discard(connection)


class Rooms(Peer):
    """A Socket.IO server that sends each number to all who are there, as an event."""

    def __init__(self, port: int = 8080, pings: float = 5.0) -> None:
        self.port = port
        self._pings = pings
        self._runner: web.AppRunner | None = None
        self.joined: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        server: Any = socketio.AsyncServer(async_mode="aiohttp", ping_interval=self._pings, ping_timeout=5)
        app = web.Application()
        server.attach(app)
        server.on("join", lambda _, name: self.joined.append(name))
        self.server = server
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        self.port = await listening(self._runner, self.port)

    async def stop(self) -> None:
        if self._runner is not None:
            await self.server.shutdown()
            await self._runner.cleanup()
            self._runner = None
            await asyncio.sleep(1.2 * self._pings)  # the library looks once more whether to send a ping

    async def send(self, number: int) -> None:
        await self.server.emit("number", number)


_SILENT = (ConnectorFault.HANGS, ConnectorFault.DRIP)


class Phone(Peer):
    """A client with callbacks, and what it is connected to, in one: it makes the faults itself."""

    def __init__(self) -> None:
        self._calls: list[Sender[int]] = []
        self._reached: list[Sender[int]] = []
        """Those that are not dead without knowing."""
        self._serving = False
        self._fault: ConnectorFault | None = None

    async def start(self) -> None:
        self._serving = True

    async def stop(self) -> None:
        self._serving = False
        self._drop("it was stopped")

    async def send(self, number: int) -> None:
        if self._fault not in _SILENT:
            for sender in [*self._reached]:
                sender.offer(number)

    def call(self, sender: Sender[int]) -> Callable[[], None]:
        """Connect; return what closes the connection."""
        if not self._serving or self._fault not in (None, ConnectorFault.HALF_OPEN, *_SILENT):
            raise ConnectionRefusedError("nobody answers")
        self._calls.append(sender)
        self._reached.append(sender)
        return lambda: self._calls.remove(sender)

    def strike(self, fault: ConnectorFault | None) -> bool:
        """Make a fault, but one of the clock."""
        if fault in (ConnectorFault.CLOCK_CHANGE, ConnectorFault.CLOCK_JUMP):
            return False
        ended, self._fault = self._fault, fault
        if fault is ConnectorFault.HALF_OPEN:
            self._reached.clear()
        elif fault is not None and fault not in _SILENT:
            self._drop("it was dropped")
        return (fault or ended) is not None

    def _drop(self, why: str) -> None:
        for sender in self._calls:
            sender.fail(why)
        self._reached.clear()
