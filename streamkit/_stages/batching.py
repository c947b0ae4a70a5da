"""Batches: a lane whose items leave as lists, when there are enough, or when the first has waited so long.

The pump that brings the last item of a list hands the list over itself, where the reader waits and lets
others run its loop (`_engine/run/direct.py`). One timer serves all lists: it is armed for the first item of
one, and armed again when it rings for a list that has left meanwhile. ``benchmarks/workloads/buffers.py``
measures both; ``tests/compile/test_opcodes_rate.py`` guards what an item costs.
"""

from __future__ import annotations

from asyncio import Handle
from functools import cache
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.kinds import ListLane
from streamkit._engine.buffer.lane import NEVER, Lane
from streamkit._engine.plan.fuse import fused
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.direct import Feed
from streamkit._engine.run.form import PAIRS
from streamkit._engine.run.run import Run

__all__ = ["batched"]


def batched(run: Run, source: Inlet[Any], *, count: int, seconds: float) -> Channel:
    """What comes out of `source`, in lists of `count`, or of what has come within `seconds`."""
    inlet, strategy, blamed = fused(source, Suspend(count))
    channel = run.adopt(_Batches(run, seconds, count))
    run.pump(inlet, into=channel.begin(strategy), blamed=blamed)
    return channel


class _Batches(Channel):
    """A channel of one lane, which stands in its queue when a list is to leave, and not for each item."""

    _lane: Lane

    def __init__(self, run: Run, seconds: float, size: int) -> None:
        super().__init__(run.halt)
        self.size = size
        """Items of a list at most."""
        self._loop = run.loop
        self._form = run.form
        self._seconds = seconds
        self._since = 0.0
        """When the first item came of those that are held; or the list before it left, if that is later."""
        self._timer: Handle | None = None
        self._unread: Exception | None = None
        """Of an item that cannot be read: raised when the list before it has left."""

    def begin(self, strategy: Strategy | None) -> Lane:
        """A lane for the items, under this strategy of the buffers before it."""
        lane: Lane
        if isinstance(strategy, Suspend):
            lane = (_Paired if self._form is PAIRS else _Batch)(self, strategy)
        else:
            kind, strategy = self._form.kind(strategy)
            lane = _noting_kind(kind)(self, strategy)
        self._lane = lane
        self.adopt(lane)
        return lane

    def enlist(self, lane: Lane) -> None:
        self.first()

    def first(self) -> None:
        """An item is held that is the first of its list."""
        self._since = self.clock()
        if self._timer is None:
            self._arm()

    def _arm(self) -> None:
        self._timer = self._loop.call_at(self._since + self._seconds, self._ring)

    @property
    def _waits(self) -> bool:
        """Whether something is held that need not leave yet."""
        return bool(self._lane.held) and not self.queue

    def _ring(self) -> None:
        self._timer = None
        if self._waits:
            if self.clock() < self._since + self._seconds:
                self._arm()
            else:
                self._timer = self._loop.call_soon(self._late)  # what comes at the same moment is in time

    def _late(self) -> None:
        self._timer = None
        if self._waits:
            if self.clock() < self._since + self._seconds:
                self._arm()
            else:
                self.present()
                self.wake()

    def present(self) -> None:
        """What is held leaves when the reader asks."""
        if not self.queue:
            self.queue.append(self._lane)

    def pop(self) -> Any:
        if not self.queue:
            return EMPTY
        lane = self._lane
        items = lane.leaving() if isinstance(lane, _Batch) else self._one_by_one(lane)
        many = len(lane.held)
        if self._unread is None and many < self.size and not (many and self.over):
            self.queue.clear()
            if many:
                self.first()
            else:
                lane.delist()
        return items

    def _one_by_one(self, lane: Lane) -> Any:
        """What a lane of any kind has, item by item: an item may not be there that can be read."""
        if (error := self._unread) is not None:
            self._unread = None
            raise error
        while lane.held and len(lane.kept) < self.size:
            try:
                lane.keep(lane.pop())
            except Exception as error:
                if not lane.kept:
                    raise
                self._unread = error  # it comes behind the list that is not full
                break
        return self._form.listed(lane.release())

    def closed(self) -> None:
        if self._lane.held:
            self.present()
        super().closed()

    def fail(self, error: BaseException) -> None:
        if self._lane.held:
            self.present()
        super().fail(error)

    def leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().leave()


class _Batch(ListLane):
    """A lane that says when it holds a list, and gives it as a whole."""

    __slots__ = ("size",)
    plain = True
    channel: _Batches  # pyright: ignore[reportIncompatibleVariableOverride] - it is only ever made for one

    def __init__(self, channel: _Batches, strategy: Suspend) -> None:
        super().__init__(channel, strategy)
        self.size: int = channel.size

    def put(self, item: Any) -> bool:
        waits = super().put(item)
        if len(self.held) < self.size:
            return waits
        channel = self.channel
        direct: Feed | None = channel.direct
        if direct is None or channel.queue:
            channel.present()
            channel.wake()
            return waits
        if direct.deliver(self.leaving()):  # the reader waits, and has not been woken
            self.delist()
            return False
        self.refuse()
        return True  # the loop of the reader has ended: its task is about to end this one

    def granted(self, left: int, most: int = NEVER) -> int:
        """As in `Lane`; the last item of a list is always `put`. How many were held, `leaving` notes."""
        account = self.account
        self.taken_in += account.grant - left
        account.grant = free = max(min(most, self.size - 1 - len(self.held)), 0)
        return free

    def leaving(self) -> Any:
        """What leaves at once."""
        held: Any = self.held
        self.most = max(self.most, len(held))
        items: list[Any] = held[: self.size]
        del held[: self.size]
        self.delivered += len(items)
        if self.delivered >= self.mark:
            self.loosen()
        return items


class _Paired(_Batch):
    """Such a lane of pairs of a delivery and an item."""

    __slots__ = ()
    plain = True

    def leaving(self) -> Any:
        return PAIRS.listed(super().leaving())


class _Noting(Lane):
    """A lane of any kind, for a buffer before it that loses items or fails."""

    __slots__ = ()
    channel: _Batches  # pyright: ignore[reportIncompatibleVariableOverride] - it is only ever made for one

    def put(self, item: Any) -> bool:
        waits = super().put(item)
        if len(self.held) >= self.channel.size:
            self.channel.present()
            self.channel.wake()
        return waits


@cache
def _noting_kind(kind: type[Lane]) -> Any:
    return type(f"Noting{kind.__name__}", (_Noting, kind), {"__slots__": ()})
