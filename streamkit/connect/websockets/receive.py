"""The messages of a websocket, on a connection that is made again when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from streamkit._core.arguments import callback, flag, seconds
from streamkit._core.calls import answering
from streamkit._core.markers import DROPPED, Gap
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.source import Recipe
from streamkit.connect.reconnect import (
    EndOfFeed,
    Reconnect,
    close_after,
    linked,
    reconnect_argument,
    settled,
    wall_clock,
)
from streamkit.connect.status import HeartbeatLostError, StatusError, public, retry_after
from streamkit.connect.websockets.library import (
    CLOSING,
    FAILURES,
    address,
    client,
    exceptions,
    needed,
    options_argument,
)
from streamkit.operators.choose import filter as filter_items
from streamkit.operators.transform import map as map_items

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

__all__ = ["websocket"]

T = TypeVar("T")

_NORMAL: Final = 1000
_SET_HERE: Final = frozenset({"ping_interval", "ping_timeout"})


class _Connection:
    """One connection, read message by message."""

    resumed = False
    least = 0.0

    def __init__(self, connection: ClientConnection, beat: float | None, ends: bool) -> None:
        self._connection, self._beat, self._ends = connection, beat, ends
        self._pong: Awaitable[float] | None = None

    async def receive(self) -> str | bytes:
        """The next message. Where none comes, a ping is sent now and then, and must be answered.

        The library would send pings beside this; then a consumer that is slow, so that nothing is read, would
        be taken for a server that is dead.
        """
        try:
            while True:
                try:
                    async with asyncio.timeout(self._beat):
                        return await self._connection.recv()
                except TimeoutError:
                    await self._ask()
        except exceptions.ConnectionClosedOK as error:
            if self._ends and error.rcvd is not None and error.rcvd.code == _NORMAL:
                raise EndOfFeed from None
            raise
        finally:
            self._pong = None

    async def _ask(self) -> None:
        pong: Any = self._pong
        if pong is not None and not pong.done():
            assert self._beat is not None
            raise HeartbeatLostError(f"nothing came for {2 * self._beat:g} s, and no answer to a ping")
        self._pong = await self._connection.ping()

    async def close(self) -> None:
        await self._connection.close()


class _Caller:
    """Makes the connections of one run."""

    def __init__(
        self,
        url: str,
        on_connect: Callable[[Any], object] | None,
        heartbeat: float | None,
        ends: bool,
        options: Mapping[str, Any],
    ) -> None:
        self._url, self._on_connect, self._ends = url, on_connect, ends
        self._beat = None if heartbeat is None else heartbeat / 2
        self._options = {"close_timeout": CLOSING, **options, "ping_interval": None}

    async def connect(self) -> _Connection:
        try:
            connection = await client.connect(self._url, **self._options)
        except exceptions.InvalidStatus as error:
            response = error.response
            # one that comes twice is an error for the library's own mapping
            headers = {name.title(): value for name, value in response.headers.raw_items()}
            asked = retry_after(headers, wall_clock()())
            raise StatusError(response.status_code, public(self._url), asked) from error
        if self._on_connect is not None:
            try:
                await settled(self._on_connect(connection))
            except BaseException as error:
                await close_after(error, connection)
                raise
        return _Connection(connection, self._beat, self._ends)


def _parsing(parse: Callable[[Any], Any]) -> Callable[[Any], Awaitable[Any]]:
    async def parsed(item: Any) -> Any:
        return item if isinstance(item, Gap) else await settled(parse(item))

    return parsed


def _kept(item: Any) -> bool:
    return item is not DROPPED


@overload
def websocket(
    url: str,
    *,
    parse: Callable[[str | bytes], Awaitable[T]],
    on_connect: Callable[[ClientConnection], object] | None = None,
    heartbeat: float | None = 30.0,
    ends: bool = False,
    reconnect: Reconnect | None = None,
    options: Mapping[str, Any] | None = None,
) -> Stream[T | Gap]: ...
@overload
def websocket(
    url: str,
    *,
    parse: Callable[[str | bytes], T],
    on_connect: Callable[[ClientConnection], object] | None = None,
    heartbeat: float | None = 30.0,
    ends: bool = False,
    reconnect: Reconnect | None = None,
    options: Mapping[str, Any] | None = None,
) -> Stream[T | Gap]: ...
@overload
def websocket(
    url: str,
    *,
    on_connect: Callable[[ClientConnection], object] | None = None,
    heartbeat: float | None = 30.0,
    ends: bool = False,
    reconnect: Reconnect | None = None,
    options: Mapping[str, Any] | None = None,
) -> Stream[str | bytes | Gap]: ...
@answering
def websocket(
    url: str,
    *,
    parse: Callable[[str | bytes], Any] | None = None,
    on_connect: Callable[[ClientConnection], object] | None = None,
    heartbeat: float | None = 30.0,
    ends: bool = False,
    reconnect: Reconnect | None = None,
    options: Mapping[str, Any] | None = None,
) -> Stream[Any]:
    """The messages of a websocket, on a connection that is made again when it is lost.

        websocket(url)  --a--b------gap-c--

    >>> import json
    >>> from streamkit import connect
    >>> async def subscribe(connection) -> None:
    ...     await connection.send('{"subscribe": "prices"}')
    >>> prices = connect.websocket("wss://example.org/feed", parse=json.loads, on_connect=subscribe)

    Emits when: a message has come; and a `Gap` when the connection was made again: what was sent meanwhile is
        missing.
    Waits when: none has come, or the consumer does: then the server is made to wait.
    Completes when: it never does; with `ends`, when the server closes with code 1000.
    Closes when: it ends, or the consumer leaves; the connection is closed, and waited for 2 s at most.

    It needs ``streamkit[websockets]``. A server that closes, in whatever way, is connected to again: that is
    a failure, which `reconnect` counts in a row, until a message comes. A server that refuses by a status
    (429, 503) and says ``Retry-After`` is not asked sooner.

    Args:
        url: such as ``"wss://example.org/feed"``.
        parse: makes an item of each message; ``DROPPED`` leaves it out. What it raises fails the stream.
        on_connect: called with each connection before anything is read, to send what subscribes. If the
            connection is lost in it, that is a failure; whatever else it raises fails the stream.
        heartbeat: seconds of silence, and without an answer to a ping, after which the connection is taken
            for dead; None to send no pings: then one whose other side is gone waits for ever.
        ends: whether the server says by code 1000 that nothing more will come.
        reconnect: how many failures are taken, and how long to wait after one.
        options: for ``websockets.connect``, such as ``additional_headers``, ``ssl`` or ``max_size``.

    Raises:
        ImportError: websockets is not installed.
        TypeError: an argument has the wrong type.
        ValueError: `url` is none of a websocket, `heartbeat` is not finite, or not above 0, or `options` has
            pings.
        StatusError, OSError, websockets.WebSocketException: (when run) the last of too many failures.
    """
    needed("websocket")
    if parse is not None:
        callback("parse", parse)
    if on_connect is not None:
        callback("on_connect", on_connect)
    beat = None if heartbeat is None else seconds("heartbeat", heartbeat)
    rules, ends = reconnect_argument(reconnect), flag("ends", ends)
    caller = _Caller(address(url), on_connect, beat, ends, options_argument(options, _SET_HERE))

    def reading() -> AsyncIterator[Any]:
        return linked(caller.connect, rules, FAILURES)

    messages: Stream[Any] = Stream(Recipe("websocket", (public(url),), reading))
    return messages if parse is None else messages | map_items(_parsing(parse)) | filter_items(_kept)
