"""Supplies: the items of a concurrent ``map`` that are still to be worked on, and the places for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.target import Abandoned, Target
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run
from streamkit._stages.crew import Crew

__all__ = ["Supply", "nothing"]


class Supply(Target):
    """Items for workers, which a pump puts in, and `concurrency` places, of which each item needs one.

    A worker that takes an item takes a place for it. The place is free again when the result is delivered.
    """

    crew: Crew
    """The workers."""
    _closed: Callable[[], None]

    def __init__(self, channel: Channel, concurrency: int) -> None:
        super().__init__(channel)
        self.concurrency = concurrency
        self.free = concurrency
        """Places that nobody has."""
        self.todo: deque[Any] = deque()
        """Items for which there is a free place, but which no worker has taken yet."""
        self.pull: Callable[[], Any] = nothing
        """Gives an item to a worker with a place, where `todo` has none; EMPTY if there is none now."""
        self.ended = False
        """There will be no more items."""
        self.gone = False
        """Nobody wants a result any more."""

    def serve(self, crew: Crew, closed: Callable[[], None]) -> None:
        """Give items to `crew`; `closed` is called when there will be no more."""
        self.crew, self._closed = crew, closed

    def begin(self, run: Run, inlet: Inlet[Any]) -> None:
        """Read `inlet`."""
        run.pump(inlet, into=self)

    # the pump ------------------------------------------------------------------------------

    def put(self, item: Any) -> bool:
        if self.gone:
            raise Abandoned
        self.todo.append(item)
        if not self.crew.looking:
            self.crew.look_soon()
        return len(self.todo) >= self.free

    def full(self) -> bool:
        return len(self.todo) >= self.free and not self.gone

    def close(self) -> None:
        self.ended = True
        self._closed()

    # the workers ---------------------------------------------------------------------------

    def wanted(self) -> bool:
        """Whether there may be an item to take, and there is a place for it."""
        return bool(self.todo) and self.free > 0 and not self.gone

    def call_others(self) -> None:
        """A worker has begun, and there is more: have others begin, if it leaves them something."""
        if not self.crew.looking:
            self.crew.look_soon()

    def take(self) -> Any:
        """An item, with a place for it; EMPTY if there is no place, or no item now."""
        if self.free <= 0 or self.gone:
            return EMPTY
        item = self.todo.popleft() if self.todo else self.pull()
        if item is EMPTY:
            self.ran_dry()
        else:
            self.free -= 1
        return item

    def more(self) -> Iterator[Any]:
        """What a worker takes that keeps its place, one item after the other, as long as there are some."""
        todo = self.todo
        while True:
            if todo:
                item = todo.popleft()
                if self.writer is not None:
                    self.wake()
            elif (item := self.pull()) is EMPTY:
                return
            yield item

    def spent(self) -> bool:
        """Whether there is nothing to take, and never will be."""
        return self.ended and not self.todo

    def ran_dry(self) -> None:
        """A worker has asked for an item, and there was none."""

    def give_up(self) -> None:
        """A worker that kept a place found no item for it, so it calls no other worker."""
        self.ran_dry()
        self.free += 1
        if self.writer is not None:
            self.wake()

    def give_back(self) -> None:
        """A result was delivered, and its place is free: let the pump and a worker know."""
        self.free += 1
        if self.writer is not None:
            self.wake()
        self.crew.call_one()

    def at_work(self) -> int:
        """Items that were taken in, and of which no result is held yet."""
        held = sum(len(lane.held) for lane in self.channel.lanes)
        return self.concurrency - self.free - held + len(self.todo)

    # the end -------------------------------------------------------------------------------

    def worked_off(self, held: int) -> bool:
        """Whether all items were worked on, and no more than `held` results have a place."""
        return self.ended and not self.todo and self.free + held == self.concurrency

    def stop(self) -> None:
        """Nobody wants a result any more: let the pump go."""
        self.gone = True
        self.wake()


def nothing() -> Any:
    """What a worker finds by itself, where a pump puts in all there is."""
    return EMPTY
