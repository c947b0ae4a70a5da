"""Feeding: how items come to one inbox, from calls, iterables and queues, each in a thread of its own."""

from __future__ import annotations

import queue
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, nullcontext
from contextvars import copy_context
from threading import Lock, Thread
from typing import Any, TypeGuard

from streamkit._core.arguments import is_said
from streamkit._core.errors import EmitterClosedError
from streamkit._core.show import shown
from streamkit._stages.hold import HoldingChannel
from streamkit._stages.push import Emitter

__all__ = ["Feeding"]

_BEAT = 0.02
"""Seconds after which a thread that waits for an item of a queue looks whether it goes on."""
_SHUT: tuple[type[Exception], ...] = (getattr(queue, "ShutDown", queue.Empty),)
"""What a queue raises that was shut down, from Python 3.13 on."""


class Feeding:
    """One inbox: it ends when it was said to, and nobody who was to feed it does so any more."""

    def __init__(self, channel: HoldingChannel) -> None:
        self._channel = channel
        self.emitter: Emitter[Any] = Emitter(channel)
        self._lock = Lock()
        self._feeds = 0
        """Threads that have more to read, or an item in hand."""
        self._in_hand = 0
        """Those of them that have one."""
        self._finishing = self._stopping = False

    def put(self, item: Any, timeout: float | None) -> None:
        """Hand `item` over; wait while there is no room, as the strategy says."""
        if self._finishing:
            raise EmitterClosedError(
                "the job takes no more items: finish() or stop() was called before put()"
            )
        self.emitter.send_blocking(item, timeout)

    def read(self, items: Any, name: str) -> None:
        """Read `items`, an iterable or a queue, in a thread of its own, each when there is room."""
        reads: Any = self._taken(items) if _is_queue(items) else items
        if not _is_iterable(reads):
            raise TypeError(f"items must be an iterable, or a queue with get(timeout=), not {shown(items)}")
        with self._lock:
            if self._finishing:
                raise EmitterClosedError("the job takes no more items: it was told to finish, or to stop")
            self._feeds += 1
        # a daemon: a step of the iterable that blocks for ever holds nobody up
        Thread(target=copy_context().run, args=(self._feed, reads), name=name, daemon=True).start()

    def finish(self) -> None:
        """End when iterables that are being read have ended, and queues are empty."""
        with self._lock:
            self._finishing = True
        self._close_if_over()

    def stop(self) -> None:
        """End when the items that threads have in hand are put; read no more."""
        with self._lock:
            self._finishing = self._stopping = True
        self._close_if_over()

    def _close_if_over(self) -> None:
        with self._lock:
            over = not self._in_hand if self._stopping else self._finishing and not self._feeds
        if over:
            self.emitter.close()

    # in a thread ---------------------------------------------------------------------------

    def _feed(self, reads: Iterable[Any]) -> None:
        try:
            items = iter(reads)
            with closing(items) if _is_generator(items) else nullcontext():
                while not self._stopping and self._sent(items):
                    pass
        except BaseException as error:
            self.emitter.fail(error)
        with self._lock:
            self._feeds -= 1
        self._close_if_over()

    def _sent(self, items: Iterator[Any]) -> bool:
        """Put one more; False if there is none, or nobody wants one."""
        try:
            item = next(items)
        except StopIteration:
            return False
        with self._lock:
            if self._stopping:
                return False
            self._in_hand += 1
        self._channel.fill(item)
        with self._lock:
            self._in_hand -= 1
        return not self.emitter.closed

    def _taken(self, items: Any) -> Iterator[Any]:
        """The items of a queue, which has no end: what is in it when there are to be no more is the rest."""
        while True:
            rest = self._finishing
            try:
                item = items.get_nowait() if rest else items.get(timeout=_BEAT)
            except queue.Empty:
                if rest or self.emitter.closed:
                    return
            except _SHUT:  # pragma: no cover - Python 3.13 on
                return
            else:
                yield item
                del item


def _is_iterable(value: object) -> bool:
    return isinstance(value, Iterable)


def _is_generator(value: object) -> TypeGuard[Generator[Any, None, Any]]:
    return isinstance(value, Generator)


def _is_queue(value: object) -> bool:
    return not _is_iterable(value) and is_said(_gives, value)


def _gives(value: Any) -> bool:
    return callable(value.get) and callable(value.get_nowait)
