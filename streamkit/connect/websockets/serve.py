"""A websocket server: what a stream gives, to all clients that are there, each at its own pace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from streamkit._core.arguments import callback, flag, seconds, whole
from streamkit._core.contract import Contract
from streamkit._core.errors import BufferOverflowError
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Sink
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run
from streamkit.connect.reconnect import settled
from streamkit.connect.websockets.library import CLOSING, exceptions, needed, options_argument, server
from streamkit.operators.insert import start_with
from streamkit.operators.until import take_until
from streamkit.sinks.effects import drain, for_each
from streamkit.sources.hub import Hub
from streamkit.sources.waiting import from_awaitable

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

__all__ = ["websocket_server"]

_FAILED, _LEAVING, _SLOW = 1011, 1001, 1013


def _text(item: Any) -> str | bytes:
    return item if isinstance(item, (str, bytes)) else json.dumps(item)


class _Fan:
    """The clients of one run."""

    def __init__(self, strategy: Strategy, encode: Callable[[Any], Any], latest: bool) -> None:
        self.hub: Hub[Any] = Hub(strategy)
        self.fails = strategy.fails
        self._encode = encode
        self._latest = latest
        self._first: tuple[Any, ...] = ()
        """What a client gets when it comes."""
        self._clients: set[Any] = set()
        self._left = asyncio.Event()

    async def give(self, item: Any) -> None:
        """Send `item` to all clients, once each has room, as the strategy says."""
        message = await settled(self._encode(item))
        if self._latest:
            self._first = (message,)
        if self.fails:
            self.hub.offer(message)  # with no client it is refused: then it is for nobody
        else:
            await self.hub.send(message)

    async def client(self, connection: ServerConnection) -> None:
        """Send to one client until it leaves, or the stream ends."""
        self._clients.add(connection)
        gone = from_awaitable(partial(_gone, connection))
        try:
            items = self.hub.stream() | start_with(*self._first)
            with suppress(exceptions.ConnectionClosed):  # it has left while something was sent
                await (items | take_until(gone) | for_each(connection.send))
        except BufferOverflowError:
            await connection.close(_SLOW, "too slow")
        finally:
            self._clients.discard(connection)
            self._left.set()

    async def served(self) -> None:
        """Wait until every client has got what is held for it."""
        while self._clients:
            self._left.clear()
            await self._left.wait()

    async def closed(self, listening: Any, code: int) -> None:
        """Close the server and its clients. Connections of clients that do not answer in time are cut."""
        listening.close(code=code)
        try:
            async with asyncio.timeout(CLOSING):
                await listening.wait_closed()
        except TimeoutError:
            for connection in self._clients:
                connection.transport.abort()
            await listening.wait_closed()


async def _gone(connection: ServerConnection) -> bool:
    """Wait until a client leaves. What it sends is thrown away, or its pings would wait behind it."""
    try:
        async for _ in connection:
            pass
    except exceptions.ConnectionClosed:
        return True
    return True


async def _open(
    fan: _Fan,
    listening: Any,
    on_listening: Callable[[Any], object] | None,
    closing: float,
    feed: Callable[[], Awaitable[int]],
) -> int:
    """Await `feed` while the server listens; in the end clients are closed as it has come to that.

    No context manager: that of contextlib sets the traceback of a user's error, which may refuse it.
    """
    # without clients, and when the last has left, items are for nobody, and nobody waits; or fails
    nobody = None if fan.fails else (fan.hub.stream() | drain()).start()
    code = _FAILED
    try:
        if on_listening is not None:
            await settled(on_listening([each.getsockname() for each in listening.sockets]))
        sent = await feed()
        fan.hub.close()
        code = _LEAVING
        with suppress(TimeoutError):  # those who are too slow are closed as they are
            async with asyncio.timeout(closing):
                await fan.served()
        return sent
    except asyncio.CancelledError:
        code = _LEAVING
        raise
    finally:
        fan.hub.close()
        try:
            await fan.closed(listening, code)
        finally:
            if nobody is not None:
                await nobody


async def _serve(
    run: Run,
    source: Inlet[Any],
    *,
    host: str | None,
    port: int,
    strategy: Strategy,
    encode: Callable[[Any], Any] | None,
    on_listening: Callable[[Any], object] | None,
    latest: bool,
    closing: float,
    options: Mapping[str, Any] | None,
    serve: Callable[..., Any] | None,
) -> int:
    fan = _Fan(strategy, _text if encode is None else encode, latest)
    listen = server.serve if serve is None else serve
    listening = await listen(fan.client, host, port, **{"close_timeout": CLOSING, **(options or {})})

    async def feed() -> int:
        sent = 0
        async for item in run.open(source):
            await run.call(fan.give, item)
            sent += 1
            del item
        return sent

    return await _open(fan, listening, on_listening, closing, feed)


@stage(_serve, pumps=False, contract=Contract(result="what is held for each client"))
def websocket_server(
    host: str | None,
    port: int,
    *,
    strategy: Strategy,
    encode: Callable[[Any], Any] | None = None,
    on_listening: Callable[[list[Any]], object] | None = None,
    latest: bool = False,
    closing: float = 10.0,
    options: Mapping[str, Any] | None = None,
    serve: Callable[..., Any] | None = None,
) -> Sink[Any, int]:
    """A sink that sends each item to every client of a websocket server, which is there while the job runs.

    >>> from streamkit import DropOldest, connect
    >>> async def main() -> None:
    ...     prices = connect.poll("https://example.org/prices", 5.0).map(lambda reply: reply.text())
    ...     await (prices | connect.websocket_server("127.0.0.1", 8000, strategy=DropOldest(100)))

    Completes when: the source does, and every client has got what is held for it; connections are closed
        with code 1000. The result is how many items there were.
    Closes when: it ends: clients are closed with code 1001, or 1011 if the source has failed. Who takes
        nothing is dropped.

    It needs ``streamkit[websockets]``. A client gets what comes while it is there. Each has a buffer of its
    own: under ``DropOldest(n)`` a slow one loses items, and others none; under ``Fail(n)`` it is closed, with
    code 1013; under ``Suspend(n)`` the source waits for it. Without clients, items are for nobody.

    What clients send is thrown away.

    Args:
        host: where to listen, such as ``"127.0.0.1"``; None for all addresses of this machine.
        port: the port; 0 for a free one.
        strategy: how many items are held for each client, and what happens to one more. There is no default:
            you must choose.
        encode: makes a text or bytes of an item, once for all clients; by default JSON, but of texts and
            bytes themselves. What it raises fails the job, as JSON does of what it does not know, a `Gap`
            among them.
        on_listening: called with the addresses, when the server listens.
        latest: whether a client that comes gets the last item at once, which is then kept.
        closing: seconds that clients have to take what is held for them when the source has ended.
        options: for ``websockets.serve``, such as ``ssl``, ``origins`` or ``process_request``.
        serve: what listens, in place of ``websockets.serve``, as ``websockets.unix_serve`` would.

    Raises:
        ImportError: websockets is not installed.
        TypeError: an argument has the wrong type.
        ValueError: `port` is out of range, `closing` is not finite, or not above 0, or `strategy` makes other
            items, as ``Collect`` does.
        OSError: (when run) the address cannot be listened at.
    """
    needed("websocket_server")
    if host is not None and not isinstance(host, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"host must be a text such as '127.0.0.1', or None, not {shown(host)}")
    port = whole("port", port, least=0, most=65_535)
    Hub[Any](strategy)  # it says what is wrong with it now, and not when run
    for name, value in (("encode", encode), ("on_listening", on_listening), ("serve", serve)):
        if value is not None:
            callback(name, value)
    return Sink(
        websocket_server,
        host=host,
        port=port,
        strategy=strategy,
        encode=encode,
        on_listening=on_listening,
        latest=flag("latest", latest),
        closing=seconds("closing", closing),
        options=options_argument(options, frozenset()) or None,
        serve=serve,
    )
