"""Clients that call back: what they send is held, as a strategy says, until the stream is read.

Each connection has a buffer of its own. When it ends, what it holds is still delivered, and then `linked`
makes the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Thread
from typing import Any, Final, Generic, TypeVar

from streamkit._core.arguments import callback
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy
from streamkit._engine.plan.source import Recipe
from streamkit._stages.hold import HoldingChannel
from streamkit._stages.push import Emitter
from streamkit.connect.reconnect import EndOfFeed
from streamkit.connect.status import HeartbeatLostError

__all__ = ["BufferedRecipe", "Inflow", "Sender"]

T = TypeVar("T")

_ENDED: Final = "the thread {} has ended"


class Sender(Generic[T]):
    """What a client is handed for one connection: any thread may call its methods.

    When the connection is over, what is sent is refused: `send` raises `EmitterClosedError`.
    """

    __slots__ = ("_emitter", "_time", "heard")

    def __init__(self, emitter: Emitter[T], time: Callable[[], float]) -> None:
        self._emitter = emitter
        self._time = time
        self.heard: float = time()
        """When the client was heard of last, by the time of the event loop."""

    def send(self, item: T) -> None:
        """Pass `item` on; under a strategy that waits, hold this thread until there is room.

        Raises:
            EmitterClosedError: the connection is over.
            RunningLoopError: an event loop runs in this thread: use `offer`.
        """
        self.heard = self._time()
        self._emitter.send_blocking(item)
        self.heard = self._time()

    def offer(self, item: T) -> bool:
        """Pass `item` on without a wait; False if it was refused: there was no room, or all is over."""
        self.heard = self._time()
        return bool(self._emitter.offer(item))

    def beat(self) -> None:
        """The connection is alive, though there is no item."""
        self.heard = self._time()

    def fail(self, error: Exception | str) -> None:
        """The connection has failed: after the items that are held, another is made.

        Args:
            error: what went wrong, or the bad state that the client is in, in words.
        """
        self._emitter.fail(ConnectionError(error) if isinstance(error, str) else _of_connection(error))

    def end(self) -> None:
        """Nothing more will come: the stream ends after the items that are held."""
        self._emitter.close()

    def guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, for the client to call: what it raises fails the connection, and not the client."""
        callback("function", function, waits=False)

        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return function(*arguments, **named)
            except Exception as error:
                self.fail(error)
                return None

        return call

    def watch(self, thread: Thread) -> None:
        """Let the connection fail when `thread`, which the client will start, ends or raises.

        Raises:
            ValueError: it was started before.
        """
        if thread.ident is not None:
            raise ValueError(f"thread must be watched before it is started: {shown(thread)}")
        run = thread.run

        def watched() -> None:
            try:
                run()
            except Exception as error:
                self.fail(error)
            except BaseException:  # SystemExit ends a thread without a word
                self.fail(_ENDED.format(thread.name))
                raise
            else:
                self.fail(_ENDED.format(thread.name))

        thread.run = watched  # type: ignore[method-assign]  # nothing else tells how a thread has ended


def _of_connection(error: Exception) -> Exception:
    """`error` of a client, as one that may be over when it is tried again."""
    if isinstance(error, OSError):
        return error
    failure = ConnectionError(f"{type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure


class Inflow:
    """One connection of a client that calls back; a `Link` without what closes the client."""

    resumed = False
    least: float = 0.0

    def __init__(self, strategy: Strategy, name: str, heartbeat: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._channel = HoldingChannel(strategy)
        self._channel.name = name
        self._channel.begin()
        self._heartbeat = heartbeat
        self.sender: Sender[Any] = Sender(Emitter(self._channel), self._loop.time)

    async def receive(self) -> Any:
        """The next item.

        Raises:
            EndOfFeed: nothing more will come.
            HeartbeatLostError: the client was not heard of for too long.
            Exception: what the connection has failed with.
        """
        channel, limit = self._channel, self._heartbeat
        while True:
            until = None if limit is None else self.sender.heard + limit
            silence = asyncio.timeout_at(until)
            try:
                async with silence:
                    there = await channel.wait()
            except TimeoutError:
                if limit is None or until is None or not silence.expired():
                    raise  # it is what the connection has failed with
                if self.sender.heard + limit > until:
                    continue
                raise HeartbeatLostError(f"the client was not heard of for {limit:g} s") from None
            if there:
                return channel.pop()
            raise EndOfFeed

    def leave(self) -> None:
        """Nobody reads any more: what is held is dropped, and who sends is let go."""
        self._channel.leave()


class BufferedRecipe(Recipe):
    """A recipe of what has a buffer of its own for each connection, of which ``explain()`` tells."""

    __slots__ = ("strategy",)

    def __init__(
        self, name: str, arguments: tuple[Any, ...], make: Callable[[], Any], *, strategy: Strategy
    ) -> None:
        super().__init__(name, arguments, make, strategy=strategy)
        self.strategy: Strategy | None = strategy

    @property
    def buffered(self) -> Strategy | None:
        """Nobody may read the buffer itself: there is another for each connection."""
        return None
