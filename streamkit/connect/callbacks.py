"""Clients that run in threads of their own, as a stream: their errors, bad states and silence come to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from streamkit._core.arguments import callback, seconds
from streamkit._core.calls import answering
from streamkit._core.markers import Gap
from streamkit._core.show import named, shown
from streamkit._core.strategy import Collect, Strategy, strategy_argument
from streamkit._engine.face.stream import Stream
from streamkit._engine.run.leave import combine
from streamkit.connect.reconnect import Reconnect, linked, reconnect_argument
from streamkit.connect.sender import BufferedRecipe, Inflow, Sender

__all__ = ["threaded"]

T = TypeVar("T")


def _called(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except StopIteration as error:  # which no future takes: it would never be done
        raise RuntimeError(f"{named(function)} has raised StopIteration") from error


async def _in_thread(
    function: Callable[..., Any], *arguments: Any
) -> tuple[Any, asyncio.CancelledError | None]:
    """What `function` returns in a thread, and the cancellation that came meanwhile: it has to end first."""
    loop, cancelled = asyncio.get_running_loop(), None
    call = loop.run_in_executor(None, partial(copy_context().run, _called, function, *arguments))
    while not call.done():
        try:
            await asyncio.wait([call])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None and (failed := call.exception()) is not None:
        combine(failed, cancelled)  # it raises the cancellation, to which the other is attached
    return call.result(), cancelled


class _Client(Inflow):
    """One connection, which the user's client has made."""

    close_client: Callable[[], object]

    async def close(self) -> None:
        try:
            self.leave()
        finally:
            _, cancelled = await _in_thread(self.close_client)
            if cancelled is not None:
                raise cancelled


async def _connected(
    open_client: Callable[[Any], Any], strategy: Strategy, name: str, heartbeat: float | None
) -> _Client:
    client = _Client(strategy, name, heartbeat)
    try:
        close, cancelled = await _in_thread(open_client, client.sender)
        if not callable(close):
            raise TypeError(f"{named(open_client)} must return what closes the client, not {shown(close)}")
    except BaseException:
        client.leave()
        raise
    client.close_client = close
    if cancelled is not None:
        await client.close()
        raise cancelled
    client.sender.beat()
    return client


@answering
def threaded(
    open: Callable[[Sender[T]], Callable[[], object]],
    *,
    strategy: Strategy,
    heartbeat: float | None = None,
    reconnect: Reconnect | None = None,
) -> Stream[T | Gap]:
    """What a client sends that has threads of its own and calls back; connected again when it fails.

        sender.send     --a--b--fail(error)        c
        threaded(open)  --a--b----------------gap--c--

    >>> from streamkit import DropOldest, connect
    >>> def listen(sender: connect.Sender[str]):
    ...     client = Pusher("key")  # of a library that knows nothing of asyncio
    ...     client.on_message(sender.guarded(sender.send))
    ...     client.on_state(lambda state: state == "unavailable" and sender.fail(state))
    ...     client.on_ping(sender.beat)
    ...     sender.watch(client.thread)
    ...     client.connect()
    ...     return client.disconnect
    >>> messages = connect.threaded(listen, strategy=DropOldest(100), heartbeat=30.0)

    Emits when: an item was sent; and a `Gap` when the client was opened again.
    Waits when: none is held, or the consumer does: items are then held, as the strategy says.
    Completes when: the client has called ``sender.end()``, and the held items were passed on.
    Closes when: it ends, or the consumer leaves: the client is closed, and that is waited for.

    `open` is called in a thread, once for each connection, with a `Sender`; and so is what it returns, when
    the connection is over. What fails in a thread of the client comes here by ``sender.fail(error)``,
    ``sender.guarded(function)`` or ``sender.watch(thread)``: the client is closed, and opened again, as
    `reconnect` says; after too many failures the stream fails with the last. So it is where the client was
    not heard of for longer than `heartbeat`. What `open` raises is a failure if it is an ``OSError``, and
    fails the stream otherwise.

    Args:
        open: makes and connects a client; returns what closes it.
        strategy: how many items are held for the consumer, and what happens to one more. There is no
            default: under ``Suspend(n)`` the thread that sends waits.
        heartbeat: seconds within which the client must send something, or call ``sender.beat()``; None for no
            limit.
        reconnect: how many failures are taken, and how long to wait after one.

    Raises:
        TypeError: an argument has the wrong type; when run: `open` has returned nothing that closes.
        ValueError: `heartbeat` is not finite, or not above 0; or `strategy` makes lists.
        OSError: (when run) the last of too many failures in a row; its cause is what a thread has raised.
    """
    callback("open", open, waits=False)
    strategy = strategy_argument("strategy", strategy)
    if isinstance(strategy, Collect):
        raise ValueError(f"strategy must be one that passes items on as they are, not {shown(strategy)}")
    beat = None if heartbeat is None else seconds("heartbeat", heartbeat)
    rules, name = reconnect_argument(reconnect), f"threaded({named(open)})"
    connect = partial(_connected, open, strategy, name, beat)

    def reading() -> AsyncIterator[Any]:
        return linked(connect, rules, (OSError,))

    return Stream(BufferedRecipe("threaded", (open,), reading, strategy=strategy))
