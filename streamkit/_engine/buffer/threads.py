"""Shared channels: producers in any thread or event loop fill them, and one event loop reads them.

One lock guards all state that both sides use. It is held for a few lines, and never while a user's callback
runs, except ``Conflate``'s fold. Producers wake the reading loop once per burst, because a wake-up from
another thread writes to the loop's socket (``from_thread`` in ``benchmarks/workloads/buffers.py``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop, get_running_loop
from collections import deque
from collections.abc import Callable
from enum import Enum
from threading import RLock, get_ident
from time import monotonic
from typing import Any

from streamkit._core.again import origin
from streamkit._core.errors import raise_first
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.kinds import lane_of
from streamkit._engine.buffer.lane import Lane

__all__ = ["Offered", "SharedChannel", "Waiter"]


class Offered(Enum):
    """What became of an item that was offered."""

    ACCEPTED = "accepted"
    """It was taken in."""
    DROPPED = "dropped"
    """It was dropped, as the strategy says."""
    FULL = "full"
    """It was refused: there is no room, and the strategy drops nothing."""
    CLOSED = "closed"
    """It was refused: the stream has ended."""

    def __bool__(self) -> bool:
        """Whether the item was taken in."""
        return self is Offered.ACCEPTED


class Waiter(ABC):
    """An item whose producer waits until there is room for it."""

    def __init__(self, item: Any) -> None:
        self.item = item
        self.outcome: Offered | None = None

    @abstractmethod
    def wake(self) -> None:
        """Tell the producer that `outcome` is set."""


class _SharedLane(Lane):
    """A lane that only the reader takes items from. It needs no lock for that: popping a deque is atomic.

    It locks to let producers in (`loosen`), and before it waits. So reading a burst costs no lock per item
    (``from_thread`` in ``benchmarks/workloads/buffers.py``).
    """

    # narrower than in `Lane`; safe, because it is set once
    # a lane of this kind is only ever made by its own channel
    channel: SharedChannel  # pyright: ignore[reportIncompatibleVariableOverride]

    plain = inline = True

    def __init__(self, channel: SharedChannel, strategy: Strategy) -> None:
        super().__init__(channel, strategy)
        self.grows = False  # producers append at any time, even while the reader counts what is held

    def loosen(self) -> None:
        with self.channel.lock:
            super().loosen()
            self.channel.admit()


class _LockedLane(Lane):
    """A lane that producers take items from too, when they drop: the reader pops under the lock."""


def _lane(channel: SharedChannel, strategy: Strategy) -> Lane:
    lane = lane_of(channel, strategy)
    if type(lane) is not Lane:
        return lane
    return (_SharedLane if lane.grows else _LockedLane)(channel, strategy)


class SharedChannel(Channel):
    """A channel of one lane that any thread may fill."""

    def __init__(self, strategy: Strategy) -> None:
        super().__init__(clock=monotonic)
        self.lock: RLock = RLock()
        self.loop: AbstractEventLoop | None = None
        """The loop that reads; None until it begins."""
        self.thread: int | None = None
        """The thread of that loop."""
        self._waiters: deque[Waiter] = deque()
        """Producers that wait for room, first come, first served."""
        self.roomy: Callable[[], None] | None = None
        """Called by the reader when there is room again."""
        self._waking = False
        self._lost: deque[tuple[Any, str]] = deque()
        """Dropped items that ``on_drop`` has not been told of yet."""
        self._lane = _lane(self, strategy)
        self._held = self._lane.held
        self._easy = self._simple = self._lane.limit - 1 if self._lane.plain else 0
        """`take` appends while fewer items are held; 0 if a producer waits, or at the end."""
        self.adopt(self._lane)

    # the producers -------------------------------------------------------------------------

    def take(self, item: Any) -> bool:
        """Append `item` if that needs no wake-up (it is not the first) and fills nothing; else return False.

        The short way of almost every item in a burst: one lock, two comparisons, one append.
        ``benchmarks/workloads/buffers.py`` (``from_thread``) measures it."""
        with self.lock:
            held = self._held
            size = len(held)
            if not 0 < size < self._easy:
                return False
            held.append(item)
            if size >= self._lane.most:
                self._lane.noted(size + 1)
            return True

    def offer(self, item: Any, waits: Callable[[Any], Waiter] | None = None) -> Offered | Waiter:
        """Put `item` in, or say why not; if there is no room, return a waiter that `waits` made."""
        if self.take(item):
            return Offered.ACCEPTED
        with self.lock:
            lane = self._lane
            outcome: Offered | Waiter
            full = lane.waits and (bool(self._waiters) or len(lane.held) >= lane.limit)
            if full and self.loop is not None and self.loop.is_closed():
                self._abandon()
            if not lane.open:
                outcome = self._refused(Offered.CLOSED)
            elif not full:
                outcome = self._put(item)
            elif waits is None:
                outcome = self._refused(Offered.FULL)
            else:
                waiter = outcome = waits(item)
                self._waiters.append(waiter)
                self._easy = 0
                if lane.mark:
                    lane.watch()
        if self._lost:
            self._tell()
        return outcome

    def give_up(self, waiter: Waiter) -> bool:
        """The producer stops waiting: refuse its item, unless its outcome is set already."""
        with self.lock:
            if waiter.outcome is None:
                self._waiters.remove(waiter)
                if not self._waiters:
                    self._easy = self._simple
                waiter.outcome = self._refused(Offered.FULL)
                return True
            return False

    def end(self, error: BaseException | None = None) -> bool:
        """Take in no more; deliver `error` after the held items. False if the channel had ended before."""
        with self.lock:
            if not self._lane.open:
                return False
            if error is not None:
                self.fail(error.with_traceback(origin(error)))
            self._close()
            return True

    def _put(self, item: Any) -> Offered:
        account = self._lane.account
        strategy, dropped = account.strategy, account.dropped
        try:
            self._lane.put(item)
        except Exception as error:  # from a fold, pickling, a disk, or ``Fail``: the stream's error
            self.end(error)
            return Offered.FULL if strategy is not None and strategy.fails else Offered.CLOSED
        incoming = account.dropped > dropped and strategy is not None and strategy.drops_incoming
        return Offered.DROPPED if incoming else Offered.ACCEPTED

    def _refused(self, why: Offered) -> Offered:
        self._lane.account.refuse()
        return why

    def _close(self) -> None:
        self._easy = 0
        self._lane.close()
        while self._waiters:
            waiter = self._waiters.popleft()
            waiter.outcome = self._refused(Offered.CLOSED)
            waiter.wake()

    def _tell(self) -> None:
        """Tell ``on_drop`` of dropped items, without the lock. If it raises, the stream fails."""
        strategy = self._lane.strategy
        assert strategy is not None
        while self._lost:
            try:
                item, reason = self._lost.popleft()
            except IndexError:  # another thread told of it
                return
            try:
                strategy.dropped(item, reason)
            except Exception as error:
                with self.lock:
                    if not self.left:
                        self.fail(error)
                        self._close()
                        continue
                raise

    # the reader ----------------------------------------------------------------------------

    def stats(self, operator: str = "") -> list[BufferStats]:
        with self.lock:
            return super().stats(operator)

    def begin(self) -> SharedChannel:
        """Make the running loop the one that reads."""
        with self.lock:
            self.loop = get_running_loop()
            self.thread = get_ident()
        return self

    def pop(self) -> Any:
        with self.lock:
            if self._waiters:
                self.admit()
            item = super().pop()
            if self._waiters or self.roomy is not None:
                self.admit()
        return item

    def admit(self) -> None:
        """Let waiting producers in, once the lane is down to `low`: threads then switch once per batch."""
        lane = self._lane
        if len(lane.held) <= lane.low:
            while self._waiters and len(lane.held) < lane.limit and lane.open:
                waiter = self._waiters.popleft()
                waiter.outcome = self._put(waiter.item)
                waiter.wake()
            if self.roomy is not None:
                self.roomy()
        if not self._waiters and lane.open:
            self._easy = self._simple
        if self._waiters or self.roomy is not None:
            lane.watch_low()

    async def _wait(self) -> None:
        with self.lock:
            if self.queue or self.error is not None or not self._open:
                return
            self._reader = get_running_loop().create_future()
        try:
            await self._reader
        finally:
            with self.lock:
                self._reader = None

    def _abandon(self) -> None:
        """Drop what is held. The caller releases the lock, then calls `_tell`."""
        super().leave()
        self._close()

    def leave(self) -> None:
        with self.lock:
            self._abandon()
        errors: list[BaseException] = []
        while self._lost:
            try:
                self._tell()
            except Exception as error:
                errors.append(error)
        raise_first(errors)

    # what lanes say ------------------------------------------------------------------------

    def dropped(self, strategy: Strategy, item: Any, reason: str) -> None:
        self._lost.append((item, reason))

    def wake(self) -> None:
        reader, loop = self._reader, self.loop
        if reader is None or loop is None:
            return
        if loop.is_closed():  # while the stream was open: nobody will read it
            self._reader = None
            self._abandon()
        elif get_ident() == self.thread:
            super().wake()
        elif not self._waking:
            self._waking = True
            try:
                loop.call_soon_threadsafe(self._woken)
            except RuntimeError:  # it was closed just now
                self._abandon()

    def _woken(self) -> None:
        with self.lock:
            self._waking = False
            super().wake()
