"""Changes: what is done to a shared channel while its lock is held; see ``threads``."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop, current_task
from collections import deque
from collections.abc import Callable
from threading import RLock, get_ident
from time import monotonic
from typing import Any, ClassVar

from streamkit._core.again import origin
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.flooding import floods
from streamkit._engine.buffer.kinds import CollectingLane, SpillLane, lane_of
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.meanwhile import CHAIN, SPARE, Meanwhile, Offered
from streamkit._engine.compile.pace import LARGEST

__all__ = ["Changes", "Waiter", "call_in"]


class Waiter(ABC):
    """An item whose producer waits until there is room for it."""

    def __init__(self, item: Any) -> None:
        self.item = item
        self.outcome: Offered | None = None

    holds: ClassVar[bool] = False
    """Whether the producer's thread does nothing else while it waits."""

    @abstractmethod
    def wake(self) -> None:
        """Tell the producer that `outcome` is set."""


class Accepted(Waiter):
    """An item that was taken in already, though there is no room yet: nobody waits for it."""

    def wake(self) -> None:
        pass


def call_in(loop: AbstractEventLoop, function: Callable[[], object]) -> None:
    """Call `function` in `loop`: now, if that is the one that runs here; or from this thread, or another.

    A signal handler may find a running loop asleep: only a call as from another thread wakes that.

    Raises:
        RuntimeError: the loop was closed.
    """
    if asyncio._get_running_loop() is not loop:
        loop.call_soon_threadsafe(function)
        return
    function()
    if current_task(loop) is None:
        loop.call_soon_threadsafe(_nothing)


def _nothing() -> None:
    pass


class _SharedLane(Lane):
    """A lane that only the reader takes items from. It needs no lock for that: popping a deque is atomic.

    It locks to let producers in (`loosen`), and before it waits. So reading a burst costs no lock per item
    (``from_thread`` in ``benchmarks/workloads/buffers.py``).
    """

    # narrower than in `Lane`; safe, because it is set once
    # a lane of this kind is only ever made by its own channel
    channel: Changes  # pyright: ignore[reportIncompatibleVariableOverride]

    plain = inline = True

    def __init__(self, channel: Changes, strategy: Strategy) -> None:
        super().__init__(channel, strategy)
        self.grows = False  # producers append at any time, even while the reader counts what is held

    def follow(self, before: Lane) -> None:
        super().follow(before)
        if isinstance(before, _SharedLane):  # pragma: no branch - of one strategy, as this, so of one kind
            self.taken_in += before.channel.appended
            self.most = max(self.most, before.channel.known)

    def stats(self, operator: str = "") -> BufferStats:
        found, channel = super().stats(operator), self.channel
        most = max(found.held_at_most, channel.known)
        return found.but(offered=found.offered + channel.appended, held_at_most=most)

    def loosen(self) -> None:
        with self.channel.lock:
            super().loosen()
            self.channel.admit()
        self.channel.released()


class _LockedLane(Lane):
    """A lane that producers take items from too, when they drop: the reader pops under the lock."""


class _LockedCollectingLane(CollectingLane):
    """The same of one that collects."""


class _LockedSpillLane(SpillLane):
    """The same of one that spills: its reader takes out by a `pop` that holds the lock."""


def _lane(channel: Changes, strategy: Strategy) -> Lane:
    if strategy.collects:
        return _LockedCollectingLane(channel, strategy)
    if strategy.spills:
        return _LockedSpillLane(channel, strategy)
    lane: Lane = Lane(channel, strategy) if floods(strategy) else lane_of(channel, strategy)
    if type(lane) is not Lane:
        return lane
    return (_SharedLane if lane.grows else _LockedLane)(channel, strategy)


class Changes(Channel):
    """A channel of one lane, and what is done to it by whoever holds its lock."""

    def __init__(self, strategy: Strategy) -> None:
        super().__init__(clock=monotonic)
        self.lock: RLock = RLock()
        self.loop: AbstractEventLoop | None = None
        """The loop that reads; None until it begins."""
        self.thread: int | None = None
        """The thread of that loop: the one that reads, where a plain ``for`` is stepped in several."""
        self._waiters: deque[Waiter] = deque()
        """Producers that wait for room, first come, first served."""
        self.roomy: Callable[[], None] | None = None
        """Called by the reader when there is room again."""
        self._waking = False
        self._lost: deque[tuple[Any, str]] = deque()
        """Dropped items that ``on_drop`` has not been told of yet."""
        self._meanwhile = Meanwhile(self.lock)
        self._lane = _lane(self, strategy)
        self._held = self._lane.held
        self.appended: int = 0
        """Items that `take` has appended to what the lane holds."""
        self._easy: int
        """`take` appends while fewer items are held; 0 if a producer waits, or at the end."""
        self.known: int = 0
        """`take` needs no more than an append while fewer are held, so many being held at most, as far as it
        knows; 0 if it was interrupted."""
        self.adopt(self._lane)
        self._ease()

    # what producers want, with the lock ------------------------------------------------------

    def _offered(self, item: Any, waits: Callable[[Any], Waiter] | None) -> Offered | Waiter:
        lane = self._lane
        if lane.held and self.loop is not None and self.loop.is_closed():  # if none is held, `wake` looks
            self._abandon()
        if not lane.open:
            return self._refused(Offered.CLOSED)
        if not (lane.waits and (self._waiters or len(lane.held) >= lane.limit)):
            outcome = self._put(item)
            if lane.plain:
                self._ease()
            return outcome
        if waits is None:
            return self._refused(Offered.FULL)
        waiter = waits(item)
        self._line_up(waiter)
        return waiter

    def _line_up(self, waiter: Waiter) -> None:
        if not self._lane.open:
            waiter.outcome = self._refused(Offered.CLOSED)
            waiter.wake()
            return
        self._waiters.append(waiter)
        self._easy = 0
        if self._lane.mark:
            self._lane.watch()

    def _given_up(self, waiter: Waiter) -> bool:
        if waiter.outcome is not None:
            return False
        self._waiters.remove(waiter)
        self._ease()
        waiter.outcome = self._refused(Offered.FULL)
        return True

    def _stop(self) -> None:
        """Take in only what was answered as taken in already."""
        self._easy = 0
        self._settle()
        self._meanwhile.ending = True
        self._settle()

    def _end(self, error: BaseException | None) -> None:
        self._meanwhile.ending = True
        self._squeeze()
        if error is not None:
            self._blame_source(error)
            self.fail(error.with_traceback(origin(error)))
        self._close()

    def _blame_source(self, error: BaseException) -> None:
        """Note on `error` which source it is of."""

    def _put(self, item: Any) -> Offered:
        account = self._lane.account
        strategy, dropped = account.strategy, account.dropped
        try:
            self._lane.put(item)
        except Exception as error:  # from a fold, pickling, a disk, or ``Fail``: the stream's error
            self._end(error)
            return Offered.FULL if strategy is not None and strategy.fails else Offered.CLOSED
        incoming = account.dropped > dropped and strategy is not None and strategy.drops_incoming
        return Offered.DROPPED if incoming else Offered.ACCEPTED

    def _refused(self, why: Offered) -> Offered:
        self._lane.account.refuse()
        return why

    def _ease(self) -> None:
        """Let `take` in, unless someone waits or it ends."""
        lane = self._lane
        free = lane.plain and not self._waiters and not self._meanwhile.ending
        self._easy = max(min(lane.limit - SPARE, len(lane.held) + LARGEST), 0) if free else 0

    def _close(self) -> None:
        self._easy = 0
        self._lane.close()
        while self._waiters:
            waiter = self._waiters.popleft()
            waiter.outcome = self._refused(Offered.CLOSED)
            waiter.wake()

    def _squeeze(self) -> None:
        """Put in, before the end, what was taken in and found no room."""
        while self._waiters and isinstance(self._waiters[0], Accepted):
            self._lane.widen()
            self._lane.put(self._waiters.popleft().item)

    # what interrupts a change of this thread -------------------------------------------------

    def _later(self, act: Callable[[], object], outcome: Offered | None = None) -> None:
        self._meanwhile.later(act, outcome)
        if self.known > self._lane.most:
            self._lane.noted(self.known)
        self.known = 0

    def _put_late(self, item: Any) -> None:
        lane = self._lane
        if lane.waits and lane.open and len(lane.held) >= lane.limit:  # others have interrupted, too
            self._waiters.appendleft(Accepted(item))
            self._easy = 0
            lane.watch()
        else:
            self._put(item)

    def _drop_late(self, item: Any) -> None:
        strategy = self._lane.account.strategy
        assert strategy is not None
        self._lane.account.drop()
        self.dropped(strategy, item, "full")

    def _overflow_late(self, item: Any) -> None:
        strategy = self._lane.account.strategy
        assert strategy is not None
        self._lane.account.refuse()
        try:
            strategy.overflow(self._held, item)
        except Exception as error:
            self._end(error)

    def _settle(self) -> None:
        """Do what has interrupted before. The caller holds the lock."""
        if self._meanwhile.todo:
            try:
                self._meanwhile.catch_up(self._lane)
            except Exception as error:
                self._end(error)

    def released(self) -> None:
        """The lock was released: do what has interrupted, and tell ``on_drop``. Not within a change."""
        meanwhile = self._meanwhile
        while meanwhile.todo and not meanwhile.owned():
            with self.lock:
                self._settle()
        if self._lost and not (meanwhile.owned() or self.tells()):
            self._tell()

    def _tell(self) -> None:
        """Tell ``on_drop`` of dropped items, without the lock. If it raises, the stream fails.

        What it drops itself, as it offers something, it is told of after that: no call stands in another.
        """
        strategy = self._lane.strategy
        assert strategy is not None
        telling, thread, chain = self._meanwhile.telling, get_ident(), 0
        try:
            while self._lost:
                telling[thread] = False
                try:
                    item, reason = self._lost.popleft()
                except IndexError:  # pragma: no cover - another thread has told of it
                    return
                try:
                    strategy.dropped(item, reason)
                    chain += telling[thread]
                    if chain > CHAIN and not self._meanwhile.ending:
                        raise RuntimeError(f"{shown(strategy)}: its on_drop offers what makes others drop")
                except Exception as error:
                    with self.lock:
                        if not self.left:
                            self._stop()
                            self._end(error)
                            continue
                    raise
        finally:
            telling.pop(thread, None)

    def tells(self) -> bool:
        """Whether this thread calls an ``on_drop``: then it tells of whatever was dropped meanwhile."""
        return get_ident() in self._meanwhile.telling

    # what the reader, and lanes, say ---------------------------------------------------------

    def admit(self) -> None:
        """Let waiting producers in, once the lane is down to `low`: threads then switch once per batch."""
        lane = self._lane
        self.thread = get_ident()
        self._meanwhile.putting = True
        if len(lane.held) <= lane.low:
            while self._waiters and len(lane.held) < lane.limit and lane.open:
                waiter = self._waiters.popleft()
                waiter.outcome = self._put(waiter.item)
                waiter.wake()
            if self.roomy is not None:
                self.roomy()
        self._meanwhile.putting = False
        self._ease()
        if self._waiters or self.roomy is not None:
            lane.watch_low()

    def _abandon(self) -> None:
        """Drop what is held. The caller releases the lock, then calls `_tell`."""
        self._easy = 0
        self._meanwhile.ending = True
        self._squeeze()
        super().leave()
        self._close()

    def dropped(self, strategy: Strategy, item: Any, reason: str) -> None:
        self._lost.append((item, reason))
        if self.tells():
            self._meanwhile.telling[get_ident()] = True

    def wake(self) -> None:
        reader, loop = self._reader, self.loop
        if reader is None or loop is None:
            return
        if loop.is_closed():  # while the stream was open: nobody will read it
            self.desert()
            self._abandon()
        elif asyncio._get_running_loop() is loop:
            call_in(loop, super().wake)
        elif not self._waking:
            self._waking = True
            try:
                call_in(loop, self._woken)
            except RuntimeError:  # it was closed just now
                self._abandon()

    def _woken(self) -> None:
        with self.lock:
            self._waking = False
            super().wake()
        self.released()
