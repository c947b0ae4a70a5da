"""Pools: a lane whose items are worked on at the same time, by workers that take them in a loop.

A worker costs a task, an item costs none: having delivered a result, the worker takes the next item
itself. Where the reader waits and lets others run its loop (`Channel.direct`), that is all; else the
result is held, and the worker rests when no place is left.
"""

from __future__ import annotations

from asyncio import Future, sleep
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from inspect import isawaitable
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned
from streamkit._engine.compile.key import Mode, mode_of
from streamkit._engine.compile.pace import Pace
from streamkit._engine.run.run import Run

__all__ = ["MORE", "Pool", "nothing"]

MORE = 4
"""How many others a worker calls where there is more: few, as one does all that is ready at once."""


class Pool(Lane):
    """A lane whose writer puts items in for workers to take; what the workers return is what is held.

    A worker needs one of `concurrency` places to take an item. It keeps the place while it delivers
    directly; a result that is held, or waits for its turn, has the place until it is delivered.
    """

    inline = True

    def __init__(
        self, run: Run, channel: Channel, function: Callable[[Any], Any], concurrency: int, ordered: bool
    ) -> None:
        super().__init__(channel, Suspend(concurrency))
        self.reader = channel
        self.mark = 0
        """An item that is taken out leaves a place, which `loosen` gives to the next."""
        self.run = run
        self.function = function
        self.ordered = ordered
        self.concurrency = concurrency
        self.free = concurrency
        """Places that nobody has."""
        self.ended = False
        """Whether there will be no more items to take."""
        self.todo: deque[Any] = deque()
        """Items for which there is a place, but which no worker has taken yet."""
        self.workers = 0
        self.called = 0
        """Workers that have been made or woken, and have not begun yet."""
        self._spawning = False
        self._context = copy_context()
        """What workers begin with, whoever calls them: not what a source or a callback has set."""
        self.idle: deque[Future[None]] = deque()
        """Workers that wait for something to do, as the futures they wait on."""
        self.waiting: bool | None = True if mode_of(function) is Mode.ASYNC else None
        self.taken = 0
        """How many items were taken, where order is kept: each has a number, and in its turn it leaves."""
        self.done: dict[int, Any] = {}
        """Results that wait for their turn, by number."""
        self.pace = Pace()
        self._resting = False
        """Whether a worker rests, as it was time to let others run."""
        self.pull: Callable[[], Any] = nothing
        """Gives an item to someone who has a place, where `todo` has none; EMPTY if there is none now."""
        self._looks = False
        """Whether it will be looked soon if more workers should begin."""
        channel.adopt(self)

    # the writer ----------------------------------------------------------------------------

    def full(self) -> bool:
        return len(self.todo) >= self.free and self.limit >= 0

    def put(self, item: Any) -> bool:
        """Let a worker take `item`."""
        if self.limit < 0:
            raise Abandoned
        self.todo.append(item)
        self._others()
        return len(self.todo) >= self.free

    def close(self) -> None:
        """There are no more items: the lane ends with the last result."""
        self.ended = True
        self._close_if_done()

    # what there is to do -------------------------------------------------------------------

    def _more(self) -> bool:
        """Whether there may be an item to take."""
        return bool(self.todo)

    def _others(self) -> None:
        """Have more workers begin, if those that are about to finish leave something to do."""
        if not self._looks:
            self._looks = True
            self.run.loop.call_soon(self._look)

    def _look(self) -> None:
        self._looks = False
        if not self.called:
            self._call(max(1, self.concurrency - self.free))  # twice as many as there are

    def _dry(self) -> None:
        """There was no item to take."""

    def _call(self, count: int) -> None:
        """Have up to `count` more workers begin."""
        while count and self.free > 0 and self.limit >= 0 and self._more():
            count -= 1
            if self.idle:
                worker = self.idle.popleft()
                if worker.done():  # cancelled
                    continue
                worker.set_result(None)
            elif self.workers < self.concurrency:
                self.workers += 1
                self._spawning = True
                self._context.run(self.run.spawn, self._work, self.channel)
                self._spawning = False
            else:
                return
            self.called += 1

    def _begin(self) -> Any:
        """The item that a worker begins with, if there is one and a place for it."""
        self.called -= 1
        item = self._taken()
        if item is not EMPTY and self._more():
            self._others()
        return item

    def _taken(self) -> Any:
        """An item with a new place; EMPTY if there is no place or no item."""
        if self.free <= 0 or self.limit < 0:
            return EMPTY
        item = self.todo.popleft() if self.todo else self.pull()
        if item is EMPTY:
            self._dry()
        else:
            self.free -= 1
        return item

    def _freed(self) -> None:
        """A place is free: let the writer or a worker know."""
        self.free += 1
        if self.writer is not None:
            self.wake()
        elif not self.called and (self.idle or self.workers < self.concurrency):
            self._call(1)

    # the workers ---------------------------------------------------------------------------

    async def _work(self) -> None:
        function, todo, ordered = self.function, self.todo, self.ordered
        channel, held, done, pace = self.reader, self.held, self.done, self.pace
        number, left = 0, 1
        if self._spawning:  # an eager task: it would get ahead of the one that calls it
            await sleep(0)
        while True:
            if self._resting:
                await self._pause()
            item, direct, waits = self._begin(), None, self.waiting
            while item is not EMPTY:
                if ordered:
                    number = self.taken
                    self.taken = number + 1
                try:
                    result = function(item)
                    if waits:
                        result = await result
                    elif waits is None:
                        waits = self.waiting = isawaitable(result)
                        if waits:
                            result = await result
                except Exception as error:
                    self.run.reraise(error)
                direct = channel.direct
                if held or done or (ordered and number != self.delivered):  # others come first
                    direct = None
                if direct is None:
                    self._hold(number, result)
                else:
                    self.delivered += 1
                    try:
                        told = direct.send(result)
                    except BaseException as error:
                        direct.told(error=error)
                        self.refuse()
                        return
                    if told is not None:
                        direct.told(told)
                        told = None
                result = None  # a worker that waits keeps nothing alive
                left -= 1
                if not left:  # before it takes an item: calls begin in order
                    if self._resting or pace.due():
                        item = None
                        await self._pause()
                        if self.limit < 0:  # meanwhile the loop behind has ended or failed
                            raise Abandoned
                    left = pace.size
                if direct is None:
                    item = self._taken()
                    if item is EMPTY and not self.ended:
                        await sleep(0)  # the reader comes first, and may leave a place
                        item = self._taken()
                elif todo:
                    item = todo.popleft()
                    if self.writer is not None:
                        self.wake()
                else:
                    item = self.pull()
            if direct is not None:  # it still has the place of the item that it delivered
                self._dry()
                self._freed()
            self._close_if_done()
            if self.ended or self.limit < 0:
                return
            free = self.run.loop.create_future()
            self.idle.append(free)
            await free

    async def _pause(self) -> None:
        """Let others run. The workers share the time of one loop: those that come late rest on."""
        if self._resting:
            while self._resting:  # noqa: ASYNC110 - woken by an event, it would come too late again
                await sleep(0)
            return
        self._resting = True
        try:
            await sleep(0)
        finally:
            self._resting = False
        self.pace.rested()

    def _hold(self, number: int, result: Any) -> None:
        """Deliver `result` the long way: in its turn, and to be held, if need be."""
        if not self.ordered:
            super().put(result)
            return
        self.done[number] = result
        while (left := self.delivered + len(self.held)) in self.done:
            result = self.done.pop(left)
            direct = self.reader.direct
            if direct is None or self.held:
                super().put(result)
            else:
                self.delivered += 1
                if not direct.deliver(result):
                    self.refuse()
                    return
                self._freed()

    def _close_if_done(self) -> None:
        if self.ended and not self.todo and self.free + len(self.held) == self.concurrency:
            super().close()

    # the reader ----------------------------------------------------------------------------

    def loosen(self) -> None:
        super().loosen()
        self.mark = 0
        self._freed()


def nothing() -> Any:
    """What a worker finds itself, where all comes from a pump."""
    return EMPTY
