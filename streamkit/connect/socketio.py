"""The events of a Socket.IO server, which python-socketio speaks: the extra ``streamkit[socketio]``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from streamkit._core.arguments import callback, iterable, mapping, seconds
from streamkit._core.calls import answering
from streamkit._core.markers import Gap
from streamkit._core.show import shown
from streamkit._core.strategy import Collect, Strategy, Suspend, strategy_argument
from streamkit._core.value import Value
from streamkit._engine.face.stream import Stream
from streamkit.connect.aiohttp.session import FAILURES as HTTP_FAILURES, Refusals, http_url
from streamkit.connect.reconnect import Reconnect, close_after, linked, reconnect_argument, settled
from streamkit.connect.sender import BufferedRecipe, Inflow
from streamkit.connect.status import public

try:
    # it has no types of its own
    import socketio as _imported  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
except ImportError:  # pragma: no cover - an extra, which the tests have
    _socketio: Any = None
else:
    _socketio = _imported

__all__ = ["SocketEvent", "socketio_events"]

_CLOSING: Final = 2.0
"""Seconds that the other side has to answer when a connection is closed."""
_FAILURES: Final[tuple[type[Exception], ...]] = (
    *HTTP_FAILURES,
    *(() if _socketio is None else (_socketio.exceptions.SocketIOError,)),
)


class SocketEvent(Value):
    """An event that a Socket.IO server has sent."""

    event: str
    """Its name."""
    args: tuple[Any, ...]
    """What it was sent with."""
    namespace: str
    """In which namespace."""

    def __init__(self, event: str, *args: Any, namespace: str = "/") -> None:
        self._made_of(event=event, args=args, namespace=namespace)


class _Socket(Inflow):
    """One connection."""

    def __init__(self, strategy: Strategy, name: str, namespaces: tuple[str, ...]) -> None:
        super().__init__(strategy, name, None)
        self.refusals = Refusals()
        self.client: Any = _socketio.AsyncClient(
            reconnection=False, handle_sigint=False, http_session=self.refusals.session
        )
        for namespace in namespaces:
            self.client.on("*", partial(self._event, namespace), namespace)
            self.client.on("disconnect", partial(self._lost, namespace), namespace)

    def _event(self, namespace: str, event: str, *args: Any) -> None:
        self.sender.offer(SocketEvent(event, *args, namespace=namespace))

    def _lost(self, namespace: str, reason: object = None) -> None:
        self.sender.fail(f"{namespace} was disconnected: {reason}")

    async def close(self) -> None:
        """Say good-bye, where the other side listens; then end what the library has begun, in any state."""
        engine = self.client.eio
        try:
            self.leave()
            async with asyncio.timeout(_CLOSING):
                if self.client.connected:
                    await self.client.disconnect()
                else:  # it was not made, or was lost: nobody is told
                    await engine.disconnect(abort=True)
        except _FAILURES:
            pass  # it was lost, or nobody answers: there is nobody to say it to
        finally:
            tasks = [each for each in (engine.read_loop_task, engine.write_loop_task) if each is not None]
            for task in tasks:
                task.cancel()
            try:
                if tasks:
                    await asyncio.wait(tasks)
            finally:
                await self.refusals.close()


class _Caller:
    """Makes the connections of one stream."""

    def __init__(
        self,
        url: str,
        strategy: Strategy,
        namespaces: tuple[str, ...],
        on_connect: Callable[[Any], object] | None,
        timeout: float,
        options: Mapping[str, Any],
    ) -> None:
        self._url, self._strategy, self._namespaces = url, strategy, namespaces
        self._on_connect, self._timeout, self._options = on_connect, timeout, options

    async def connect(self) -> _Socket:
        socket = _Socket(self._strategy, f"socketio_events({public(self._url)!r})", self._namespaces)
        try:
            async with asyncio.timeout(self._timeout):
                await socket.client.connect(
                    self._url,
                    namespaces=[*self._namespaces],
                    wait_timeout=self._timeout,
                    **self._options,
                )
            if self._on_connect is not None:
                await settled(self._on_connect(socket.client))
        except BaseException as error:
            await close_after(error, socket)
            if isinstance(error, _FAILURES) and (refusal := socket.refusals.last) is not None:
                raise refusal from error
            raise
        return socket


def _names(namespaces: Iterable[Any]) -> tuple[str, ...]:
    """Return the argument ``namespaces`` if it is some names."""
    found = () if isinstance(namespaces, str) else tuple(iterable("namespaces", namespaces))
    if not found or not all(isinstance(each, str) for each in found):
        raise TypeError(f"namespaces must be texts such as ['/', '/chat'], not {shown(namespaces)}")
    return found


@answering
def socketio_events(
    url: str,
    *,
    strategy: Strategy,
    namespaces: Iterable[str] = ("/",),
    on_connect: Callable[[Any], object] | None = None,
    timeout: float = 10.0,
    reconnect: Reconnect | None = None,
    options: Mapping[str, Any] | None = None,
) -> Stream[SocketEvent | Gap]:
    """The events of a Socket.IO server, on a connection that is made again when it is lost.

        socketio_events(url, strategy=DropOldest(100))  --a--b------gap-c--

    >>> from streamkit import DropOldest, connect
    >>> async def subscribe(client) -> None:
    ...     await client.emit("subscribe", "prices")
    >>> prices = connect.socketio_events(
    ...     "https://example.org", strategy=DropOldest(100), on_connect=subscribe
    ... )

    Emits when: an event has come; and a `Gap` when the connection was made again: what was sent meanwhile is
        missing.
    Waits when: none is held, or the consumer does: events are then held, as the strategy says.
    Completes when: it never does.
    Closes when: the consumer leaves; the connection is closed, and waited for 2 s at most.

    It needs ``streamkit[socketio]``. The library cannot make a server wait, so `strategy` has to drop, fail
    or grow. The server says how often it pings: a connection on which it does not is taken for dead by the
    library. Events that want an answer get an empty one.

    Args:
        url: such as ``"https://example.org"``.
        strategy: how many events are held for the consumer, and what happens to one more.
        namespaces: those that are joined.
        on_connect: called with the client, a ``socketio.AsyncClient``, of each connection, to emit what
            subscribes. If the connection is lost in it, that is a failure; whatever else it raises fails the
            stream.
        timeout: seconds until the connection is made.
        reconnect: how many failures are taken, and how long to wait after one.
        options: for ``AsyncClient.connect``, such as ``auth``, ``headers`` or ``transports``.

    Raises:
        ImportError: python-socketio or aiohttp is not installed.
        TypeError: an argument has the wrong type.
        ValueError: `url` is no URL of HTTP, or `strategy` would wait, or makes lists.
        StatusError, OSError, socketio.exceptions.SocketIOError: (when run) the last of too many failures.
    """
    if _socketio is None:  # pragma: no cover - it is among the tools of the tests
        raise ImportError("socketio_events() needs python-socketio and aiohttp: install streamkit[socketio]")
    strategy = strategy_argument("strategy", strategy)
    if isinstance(strategy, (Suspend, Collect)):
        raise ValueError(
            f"strategy must be one that does not wait, such as DropOldest(100), not {shown(strategy)}"
        )
    if on_connect is not None:
        callback("on_connect", on_connect)
    joined = _names(namespaces)
    given = {} if options is None else dict(mapping("options", options))
    caller = _Caller(http_url(url), strategy, joined, on_connect, seconds("timeout", timeout), given)
    rules = reconnect_argument(reconnect)

    def reading() -> AsyncIterator[Any]:
        return linked(caller.connect, rules, _FAILURES)

    return Stream(BufferedRecipe("socketio_events", (public(url),), reading, strategy=strategy))
