"""Pools: a lane whose items are worked on at the same time, by tasks that are kept for the next item."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.channel import Channel
from streamkit._engine.lane import Abandoned, Lane
from streamkit._engine.link import mode
from streamkit._engine.loop import EMPTY
from streamkit._engine.run import Run
from streamkit._engine.weave import Mode

__all__ = ["Inbox", "Pool"]


class Inbox(Channel):
    """A buffer before a pool, which takes out of it whenever there is something, or room in the pool."""

    pool: Pool

    def wake(self) -> None:
        self.pool.refill()


class Pool(Lane):
    """A lane whose writer hands each item to a worker; what the workers return is what is held.

    Items in work and results that wait count together, so at most `concurrency` are inside.
    """

    def __init__(
        self, run: Run, channel: Channel, function: Callable[[Any], Any], concurrency: int, ordered: bool
    ) -> None:
        super().__init__(channel, Suspend(concurrency))
        self.run = run
        self.function = function
        self.concurrency = concurrency
        self.ordered = ordered
        self.busy = 0
        self.ended = False
        self.waiting: bool | None = True if mode(function) is Mode.ASYNC else None
        self.idle: deque[Any] = deque()
        """Workers that wait for an item, as the futures they wait on."""
        self.order: deque[list[Any]] = deque()
        """A cell for each item taken and not yet passed on, in order; empty until its result is there."""
        self.inbox: Inbox | None = None
        channel.adopt(self)

    def behind(self, inbox: Inbox, strategy: Strategy) -> Lane:
        """The lane of `inbox`, which holds what comes while the pool is full."""
        self.inbox, inbox.pool = inbox, self
        return inbox.lane(strategy)

    def refill(self) -> None:
        """Take what there is room for out of the inbox, and end when that has."""
        inbox = self.inbox
        if inbox is None or self.channel.error is not None:
            return
        while not self.full():
            item = inbox.pop()
            if item is not EMPTY:
                self.put(item)
                continue
            if inbox.error is not None:
                self.channel.fail(inbox.error)
            elif inbox.over:
                self.close()
            return

    def pop(self) -> Any:
        item = super().pop()
        self.refill()
        return item

    def full(self) -> bool:
        inside = len(self.order) if self.ordered else self.busy
        return self.open and inside + len(self.held) >= self.concurrency

    def put(self, item: Any) -> bool:
        """Hand `item` to a worker that is free, or to a new one."""
        if self.limit < 0:
            raise Abandoned
        cell = [EMPTY]
        if self.ordered:
            self.order.append(cell)
        self.busy += 1
        while self.idle:
            worker = self.idle.popleft()
            if not worker.done():
                worker.set_result((item, cell))
                return self.full()
        self.run.spawn(self._work(item, cell), self.channel)
        return self.full()

    async def _work(self, item: Any, cell: Any) -> None:
        loop = self.run.loop
        while True:
            try:
                result = self.function(item)
                if self.waiting is None:
                    self.waiting = isawaitable(result)
                if self.waiting:
                    result = await result
            except Exception as error:
                blamed = self.run.blame(error)
                raise blamed from blamed.__cause__
            self._done(result, cell)
            item = result = cell = None  # a worker that waits keeps nothing alive
            if self.ended:
                return
            free = loop.create_future()
            self.idle.append(free)
            item, cell = await free

    def _done(self, result: Any, cell: list[Any]) -> None:
        self.busy -= 1
        if not self.ordered:
            super().put(result)
        else:
            cell[0] = result
            order = self.order
            while order and order[0][0] is not EMPTY:
                super().put(order.popleft()[0])
        self._close_if_done()

    def close(self) -> None:
        """The source has ended: the lane ends with the last result."""
        self.ended = True
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self.ended and not self.busy:
            super().close()
