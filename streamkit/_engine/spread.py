"""Pools behind a loop that makes several items of one: the workers take them out of it themselves.

Between two items of the source the loop runs nothing but steps, which may run in any task: a worker that
has a place runs it on, to the next item that comes of it. The pump reads the source, in a task of its own.
It is woken where the loop asks for more, or where a callback has returned what must be awaited.
"""

from __future__ import annotations

from asyncio import CancelledError, Future
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from typing import Any

from streamkit._engine.feed import let_go, runners
from streamkit._engine.lane import Abandoned
from streamkit._engine.link import Inlet, Link, flattened
from streamkit._engine.loop import EMPTY, End, Kind, Loop, compiled
from streamkit._engine.pace import Pace
from streamkit._engine.pool import Pool
from streamkit._engine.segment import Segment
from streamkit._engine.source import Opened

__all__ = ["SpreadPool", "spreads"]


def spreads(inlet: Inlet[Any]) -> int | None:
    """The place of the link from which on the workers can run the loop; None if there is none."""
    links = inlet.links
    place = len(links)
    while place and links[place - 1].declaration.stage is None:
        place -= 1
    if place or inlet.source.native is None:
        while place < len(links) and not links[place].declaration.contract.spreads:
            place += 1
    rest = links[place:]
    runs = rest and not any(link.waits for link in rest) and isinstance(_compiled(rest), Loop)
    return place if runs else None


def _compiled(links: Sequence[Link]) -> Loop | int:
    return compiled(Kind.PULL, tuple([link.key for link in links]), End.STAGE)


class SpreadPool(Pool):
    """A pool whose workers run the loop before it; the pump gives that what it reads, and awaits for it."""

    def begin(self, inlet: Inlet[Any], place: int) -> None:
        """Read `inlet`, whose links from `place` on are the loop."""
        self.given: deque[Any] = deque()
        """What the loop is to work on next."""
        self.over = False
        """Whether it will be given no more."""
        self.asks = False
        """Whether the loop waits for the pump, or has ended."""
        self._asked: Future[None] | None = None
        """What the pump waits on, while the loop has more."""
        self._waiting: Any = None
        """What a callback in the loop has returned, and is to be awaited."""
        self._settled: tuple[Any, BaseException | None] = (None, None)
        """What became of that."""
        links = inlet.links[place:]
        loop = _compiled(links)
        assert isinstance(loop, Loop)
        links = tuple(flattened(links)) if loop.forks else links
        leave = Segment(loop, links, Opened(Kind.PULL, self)).leave_now
        arguments = [links[place].arguments[name] for place, name in loop.wanted]
        self._loop: Generator[Any, None, None] = loop.function(self, leave, self.pace, *arguments)
        self._parts = inlet.source.native if not place else None
        """What is read, if that can be had in parts."""
        if self._parts is not None:
            inlet, place = Inlet(partial(_in_parts, self._parts)), 0
        self.run.spawn(self._pump(Inlet(inlet.source, inlet.links[:place])), self.channel, self)

    # the pump ------------------------------------------------------------------------------

    async def _pump(self, inlet: Inlet[Any]) -> None:
        here, there = runners()
        self.pull = partial(there, next, self._loop, EMPTY)
        self._pull_here = partial(here, partial(next, self._loop), EMPTY)
        self._run_loop()
        await self.run.fill(self, inlet, self.run.book)
        self.over = True
        self._run_loop()
        await self.room()

    def put(self, item: Any) -> bool:
        """Give `item` to the loop."""
        if self.limit < 0:
            raise Abandoned
        self.given.append((item,) if self._parts is None else item)
        self._run_loop()
        return self.full()

    def full(self) -> bool:
        """Whether the pump must wait, or do something else, before it reads on."""
        if self.limit < 0:
            return False
        wants = self.asks and self._waiting is None and not self._ended
        return not wants or len(self.todo) >= self.free

    @property
    def _ended(self) -> bool:
        return self._loop.gi_frame is None

    def _run_loop(self) -> None:
        """Run the loop as far as there are places for what comes of it."""
        self.asks = False
        todo = self.todo
        try:
            while len(todo) < self.free and not self.asks:
                if (item := self._pull_here()) is EMPTY:
                    self._dry()
                else:
                    todo.append(item)
        except (Exception, CancelledError) as error:
            if self.limit < 0:
                raise
            self.channel.fail(error)  # it names its operator already: the loop that reads must not
            raise Abandoned from None
        if todo:
            self._others()

    async def room(self) -> None:
        """Wait until the loop asks for more, and there is a place for what comes of it."""
        while self.full():
            if self._waiting is not None:
                await self._settle()
            elif self._ended:
                if self.over:
                    return
                raise Abandoned
            else:
                await self._rest()

    async def _rest(self) -> None:
        woken = self.run.loop.create_future()
        if self.asks:
            self.writer = woken
        else:
            self._asked = woken
        try:
            await woken
        finally:
            self.writer = self._asked = None

    async def _settle(self) -> None:
        value = failed = None
        try:
            value = await self._waiting
        except BaseException as error:
            failed = error
        self._settled = value, failed
        self._waiting = None
        self._run_loop()

    # the loop ------------------------------------------------------------------------------

    def settled(self, waiting: Any) -> Iterator[Any]:
        """What `waiting` gives, which the pump awaits."""
        self._waiting = waiting
        while self._waiting is not None:
            yield EMPTY
        (value, failed), self._settled = self._settled, (None, None)
        if failed is not None:
            raise failed
        return value

    # the workers ---------------------------------------------------------------------------

    def _more(self) -> bool:
        return bool(self.todo) or not self.asks

    def _dry(self) -> None:
        self.asks = True
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)

    def close(self) -> None:
        waiting, self._waiting = self._waiting, None
        let_go(waiting)
        self._loop.close()
        super().close()


def _in_parts(items: Any) -> Iterator[Any]:
    """A range, list or tuple in slices of its own type: short ones, where much is done with each item."""
    pace, start = Pace(), 0
    while part := items[start : start + pace.size]:
        yield part
        start += len(part)
        pace.due()
