"""Blocking iterables that are read in a thread of their own, which asks for no more than there is room for.

The thread obtains the iterator, steps it and closes it: what belongs to one thread, such as a connection to
SQLite, is used in no other. Before each step it waits until there is room, so that no more is read ahead than
the stream says (``tests/sources/test_threads.py``). When its reader leaves, it closes the iterator, and the
reader waits for that; a step under way cannot be interrupted, and ends first.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Callable, Generator, Iterable, Iterator
from contextvars import copy_context
from threading import Event, Thread
from typing import Any

from streamkit._core.arguments import discard
from streamkit._core.errors import raise_first
from streamkit._core.show import named, shown
from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.threads import SharedChannel
from streamkit._engine.compile.key import Kind
from streamkit._engine.plan.source import Opened, Source, close_of
from streamkit._engine.run.leave import combine

__all__ = ["ThreadSource"]

_BEAT = 0.5
"""Seconds after which a thread that waits for room looks whether the event loop was closed."""


class _ThreadChannel(SharedChannel):
    """A channel that a thread of its own fills, for one run."""

    def __init__(self, value: Any, strategy: Strategy, *, makes: bool) -> None:
        super().__init__(strategy)
        self._value = value
        self._makes = makes
        self._room = Event()
        self._enough = False
        """Whether nothing more is to be read. What a step under way gives is still delivered."""
        self._thread: Thread | None = None
        self._finished = asyncio.Event()
        self._late: BaseException | None = None
        """What the thread has raised after its reader had left."""

    def started(self) -> _ThreadChannel:
        """Begin to read, and begin the thread."""
        self.begin()
        # a daemon: if a step never ends, and the program is interrupted twice, Python does not wait for it
        self._thread = Thread(target=copy_context().run, args=(self._run,), name=self.name, daemon=True)
        self._thread.start()
        return self

    def finish(self) -> None:
        with self.lock:
            self._enough = True
            self._room.set()

    async def close(self) -> None:
        """The reader leaves: end the thread, and wait for it, however often this is cancelled."""
        self.leave()
        thread, self._thread = self._thread, None
        if thread is None or self.loop is None or self.loop.is_closed():
            return  # nothing was begun; or nobody can wait: the thread ends by itself
        cancelled: CancelledError | None = None
        while not self._finished.is_set():
            try:
                await self._finished.wait()
            except CancelledError as error:
                cancelled = error
        thread.join()  # it has nothing more to do
        late, self._late = self._late, None
        raise_first([each for each in (cancelled, late) if each is not None])

    def _close(self) -> None:
        super()._close()
        self._room.set()

    # in the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._fill()
        except BaseException as caught:
            error = caught
        try:
            if not self.end(error):
                self._late = error
        finally:
            del error  # its traceback has this frame: they would keep each other
        try:
            assert self.loop is not None
            self.loop.call_soon_threadsafe(self._finished.set)
        except RuntimeError:  # the loop was closed: nobody waits
            return

    def _fill(self) -> None:
        value: Any = self._value
        self._value = None
        if not self._reserved():  # pragma: no cover - its reader has left before the thread began
            return
        items = self._begun(value)
        close = close_of(items) if self._makes or issubclass(type(items), Generator) else None
        del value
        try:
            self._read(items)
        except BaseException as error:
            _close(close, error)
            raise
        _close(close, None)

    def _begun(self, value: Any) -> Any:
        """The iterator of `value`, or of what that makes."""
        if not self._makes:
            return iter(value)
        made = value()
        if not _readable(made):
            discard(made)
            raise TypeError(f"{named(value)} must return an iterable, not {shown(made)}")
        return iter(made)

    def _read(self, items: Iterator[Any]) -> None:
        while self._reserved():
            try:
                item = next(items)
            except StopIteration:
                return
            self.offer(item)
            del item  # nothing is held while there is no room

    def _reserved(self) -> bool:
        """Wait until there is room for one more; False if the reader has left, or wants no more."""
        lane, room = self._lane, self._room
        while True:
            with self.lock:
                self.roomy = None
                if not lane.open or self._enough:
                    return False
                if len(lane.held) < lane.limit:
                    return True
                room.clear()
                self.roomy = room.set
                lane.watch()
            self.released()
            while not room.wait(_BEAT):
                if self.loop is not None and self.loop.is_closed():
                    return False


def _readable(made: object) -> bool:
    return isinstance(made, Iterable) or hasattr(type(made), "__getitem__")


def _close(close: Callable[[], Any] | None, error: BaseException | None) -> None:
    """Close what was read, after `error`, if that ended it: then an error of closing hangs on that."""
    try:
        if close is not None:
            close()
    except BaseException as late:
        combine(error, late)
    finally:
        del error  # a traceback may have this frame: they would keep each other


class ThreadSource(Source):
    """A blocking iterable, or a callable that makes one: each run has a thread that reads it."""

    __slots__ = ("strategy",)

    def __init__(self, value: Any, lookahead: int) -> None:
        super().__init__(value)
        self.strategy: Strategy | None = Suspend(lookahead)

    def open(self, *, blocking: bool = False) -> Opened:
        makes = self._makes
        if not makes and issubclass(type(self.value), Iterator):
            self._mark(self.value, made=False)
        assert self.strategy is not None
        channel = _ThreadChannel(self.value, self.strategy, makes=makes)
        channel.name = repr(self)
        return Opened(Kind.CHANNEL, channel.started, channel.close, None, channel)

    @property
    def blocking(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"from_blocking({super().__repr__()})"
