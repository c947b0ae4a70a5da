"""Pools behind a loop that makes several items of one: the workers take them out of it themselves.

Between two items of the source the loop runs nothing but steps, which may run in any task: a worker that
has a place runs it on, to the next item that comes of it. The pump reads the source, in a task of its own.
It is woken where the loop asks for more, or where a callback has returned what must be awaited.
"""

from __future__ import annotations

from asyncio import CancelledError, Future, sleep
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from types import GeneratorType
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.target import Abandoned, Rescue
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet, Link, flattened
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.direct import let_go, runners
from streamkit._engine.run.leave import Segment
from streamkit._stages.pool import Pool, nothing

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
        self.dry = False
        """Whether the loop has nothing to give before the pump has done something."""
        self.asks = False
        """Whether that is to give it more."""
        self.made = 0
        """How many items the pump has taken out of the loop since it gave it something."""
        self.shared = False
        """Whether there have been so many that the workers take out the rest themselves."""
        self._woken: Future[None] | None = None
        """What the pump waits on, while the loop has something to give."""
        self._waiting: Any = None
        """What a callback in the loop has returned, and is to be awaited."""
        self._settled: tuple[Any, BaseException | None] = (None, None)
        """What became of that."""
        self._breath = Pace()
        """When the pump must let others run, though nothing that it awaited has waited."""
        links = inlet.links[place:]
        loop = _compiled(links)
        assert isinstance(loop, Loop)
        links = tuple(flattened(links)) if loop.forks else links
        leave = Segment(loop, links, Opened(Kind.PULL, self), self.pace).leave_now
        arguments = [links[place].arguments[name] for place, name in loop.wanted]
        self._loop: GeneratorType[Any, None, None] = loop.function(self, leave, self.pace, *arguments)
        self._parts = inlet.source.native if not place else None
        """What is read, if that can be had in parts."""
        if self._parts is not None:
            inlet, place = Inlet(partial(_in_parts, self._parts)), 0
        self.run.spawn(partial(self._pump, Inlet(inlet.source, inlet.links[:place])), self.channel, self)

    # the pump ------------------------------------------------------------------------------

    async def _pump(self, inlet: Inlet[Any]) -> None:
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
        self.made = 0
        self._run_loop()
        return self.full()

    def full(self) -> bool:
        """Whether the pump must wait, or do something else, before it reads on."""
        return self.limit >= 0 and (not self.asks or len(self.todo) >= self.free)

    def _run_loop(self) -> None:
        """Run the loop as far as there are places for what comes of it.

        Workers that find nothing cost a step each, the pump one for several items: so they take turns with it
        only where there is more than that.
        """
        self.dry = self.asks = False
        todo, loop = self.todo, self._loop
        try:
            while len(todo) < self.free:
                if (item := next(loop, EMPTY)) is EMPTY:
                    self._ran_dry()
                    break
                todo.append(item)
                self.made += 1
        except (Exception, CancelledError) as error:
            if self.limit < 0:
                raise
            self.channel.fail(error)  # it names its operator already: the loop that reads must not
            raise Abandoned from None
        if not self.dry and self.made >= 2 * self.concurrency:
            _, there = runners()  # anew each time: before 3.12 it is a copy of what the source has set so far
            self.shared, self.pull = True, partial(there, next, loop, EMPTY)
        if todo and not self._looks:
            self._others()

    async def room(self, rescue: Rescue | None = None) -> None:
        """Wait until the loop asks for more, and there is a place for what comes of it."""
        while self.full():
            settled = self._waiting is not None
            if settled:
                await self._settle()
                if not self._breath.due():  # what it awaits need not wait
                    continue
            elif self._loop.gi_frame is None:
                if self.over:
                    return
                raise Abandoned  # it has stopped
            try:
                await (sleep(0) if settled else self._rest())
            except CancelledError as error:
                if rescue is None:
                    raise
                await rescue(error)
            self._breath.rested()
            if not self.dry:  # after a rescue too: a place may have become free meanwhile
                self._run_loop()

    async def _rest(self) -> None:
        woken = self.run.loop.create_future()
        if self.shared:  # no place that becomes free concerns it
            self._woken = woken
        else:
            self.writer = woken
        try:
            await woken
        finally:
            self.writer = self._woken = None

    async def _settle(self) -> None:
        value = failed = None
        try:
            value = await self._waiting
        except BaseException as error:
            failed = error
        if failed is None and self.limit < 0:  # it has swallowed the cancellation
            raise Abandoned
        self._settled = value, failed
        self._waiting = None
        self._run_loop()

    # the loop ------------------------------------------------------------------------------

    def settled(self, waiting: Any) -> Generator[Any, None, Any]:
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
        return bool(self.todo) or self.shared

    def _dry(self) -> None:
        if self.shared:
            self._ran_dry()

    def _ran_dry(self) -> None:
        self.dry, self.shared, self.pull = True, False, nothing
        self.asks = self._waiting is None and self._loop.gi_frame is not None
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

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
