"""Shared channels: producers in any thread or event loop fill them, and one event loop reads them.

One lock guards all state that both sides use. It is held for a few lines, and never while a user's callback
runs, except ``Conflate``'s fold. Producers wake the reading loop once per burst, because a wake-up from
another thread writes to the loop's socket (``from_thread`` in ``benchmarks/workloads/buffers.py``).
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import Callable
from functools import partial
from threading import get_ident
from typing import Any

from streamkit._core.errors import noted, raise_first
from streamkit._core.places import placed
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.changes import Changes, Waiter, call_in
from streamkit._engine.buffer.meanwhile import Offered

__all__ = ["Offered", "SharedChannel", "Waiter", "call_in"]


class SharedChannel(Changes):
    """A channel of one lane that any thread may fill."""

    loop: AbstractEventLoop | None
    thread: int | None
    appended: int

    written: tuple[str, int] | None = None
    """The file and line where a user has written its source; None if errors need not say that."""

    def _blame_source(self, error: BaseException) -> None:
        if self.written is not None:
            noted(error, f"in {self.name} at {placed(*self.written)}")

    # the producers -------------------------------------------------------------------------

    def take(self, item: Any) -> bool:
        """Append `item` if that needs no wake-up (it is not the first) and fills nothing; else return False.

        The short way of almost every item in a burst: one lock, two comparisons, one append.
        ``benchmarks/workloads/buffers.py`` (``from_thread``) measures it. Another call may interrupt this and
        append, too, which is why some places are left. Whatever else interrupts waits until this is done.
        """
        with self.lock:
            held = self._held
            size = len(held)
            if not 0 < size < self._easy:
                return False
            held.append(item)
            self.appended += 1  # no signal is handled within this: it calls nothing
            if size == self.known:  # more than ever, as in a burst that nobody reads meanwhile
                self.known: int = size + 1
        if size >= self.known:
            self._noted(size + 1)
        return True

    def _noted(self, size: int) -> None:
        """So many are held; and whatever has interrupted `take` is done."""
        with self.lock:
            lane = self._lane
            if size > lane.most:
                lane.noted(size)
            self.known = max(self.known, lane.most)
        self.released()

    def offer(self, item: Any, waits: Callable[[Any], Waiter] | None = None) -> Offered | Waiter:
        """Put `item` in, or say why not; if there is no room, return a waiter that `waits` made."""
        if self.take(item):
            return Offered.ACCEPTED
        meanwhile = self._meanwhile
        if meanwhile.owned():
            return self._interrupting(item, waits)
        with self.lock:
            meanwhile.putting = True
            try:
                self._settle()
                outcome = self._offered(item, waits)
            finally:
                meanwhile.putting = False
        self.released()
        return outcome

    def _interrupting(self, item: Any, waits: Callable[[Any], Waiter] | None) -> Offered | Waiter:
        """Answer the offer of `item` now, and do it when the change is complete."""
        outcome = self._meanwhile.answer(self._lane, waited=bool(self._waiters))
        act: Callable[[], object] = self._lane.account.refuse
        if outcome is Offered.ACCEPTED:
            act = partial(self._put_late, item)
        elif outcome is Offered.DROPPED:
            act = partial(self._drop_late, item)
        elif outcome is Offered.FULL and not self._lane.waits:
            act = partial(self._overflow_late, item)
        elif outcome is Offered.FULL and waits is not None:
            waiter = waits(item)
            if not waiter.holds:  # to hold the thread would hold the change, too
                self._later(partial(self._line_up, waiter))
                return waiter
        self._later(act, outcome)
        return outcome

    def give_up(self, waiter: Waiter) -> bool:
        """The producer stops waiting: refuse its item, unless its outcome is set already."""
        if self._meanwhile.owned():
            self._later(partial(self._given_up, waiter))
            return False
        with self.lock:
            self._settle()
            given_up = self._given_up(waiter)
        self.released()
        return given_up

    def end(self, error: BaseException | None = None) -> bool:
        """Take in no more; deliver `error` after the held items. False if the channel had ended before."""
        meanwhile = self._meanwhile
        if meanwhile.owned():
            if meanwhile.ending:
                return False
            meanwhile.ending = True
            self._later(partial(self._end, error))
            return True
        with self.lock:
            self._stop()
            first = self._lane.open
            if first:
                self._end(error)
        self.released()
        return first

    def finish(self) -> None:
        """Take in no more, as nothing more is wanted; what is held is delivered."""
        self.end()

    # the reader ----------------------------------------------------------------------------

    def stats(self, operator: str = "") -> list[BufferStats]:
        if self._meanwhile.owned():
            return [each.settled() for each in super().stats(operator)]
        with self.lock:
            self._settle()
            found = super().stats(operator)
        self.released()
        return [each.with_one_in_hand() for each in found] if self._lane.plain else found

    def begin(self) -> SharedChannel:
        """Make the running loop the one that reads."""
        with self.lock:
            self.loop = get_running_loop()
            self.thread = get_ident()
        self.released()
        return self

    def pop(self) -> Any:
        with self.lock:
            self._settle()
            if self._waiters:
                self.admit()
            item = super().pop()
            if self._waiters or self.roomy is not None:
                self.admit()
        if self._meanwhile.todo:
            self.released()
        return item

    async def _wait(self) -> None:
        with self.lock:
            self._settle()
            if self.queue or self.error is not None or not self._open:
                return
            self._reader = get_running_loop().create_future()
            self.thread = get_ident()
        try:
            self.released()
            await self._reader
        finally:
            with self.lock:
                self._reader = None
            self.released()

    def leave(self) -> None:
        if self._meanwhile.owned():
            self._meanwhile.ending = True
            self._later(self._abandon)
            return
        with self.lock:
            self._stop()
            self._abandon()
        errors: list[BaseException] = []
        while self._lost and not self.tells():
            try:
                self._tell()
            except Exception as error:
                errors.append(error)
        self.released()
        raise_first(errors)
