"""The rota of a channel: which lane is read next. Lanes with items take turns."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import length_hint
from typing import Any, Protocol

from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.rounds import from_each, from_one, popped, rounds, took
from streamkit._engine.compile.pace import LARGEST

__all__ = ["Rota", "Turns"]

_popleft: Callable[[Any], Any] = deque[Any].popleft


class Turns:
    """Rounds over lanes, planned ahead: one item of each lane per round, one call in C per item.

    To count each item would run Python code for it. So `count` finds from the iterator's position, on demand
    and at the end, how many items were taken. ``ahead_ours`` in ``tests/compile/test_opcodes.py`` counts
    the opcodes; ``merge`` in ``benchmarks/workloads/combining.py`` measures the time.
    """

    __slots__ = ("_counted", "_left", "_plan", "items", "lanes")

    def __init__(self, lanes: Iterable[Lane], rounds: int) -> None:
        self.lanes: list[Lane] = [*lanes]
        self._plan: list[Any] = [lane.held for lane in self.lanes] * rounds
        self._left = iter(self._plan)
        self._counted = 0
        self.items: Iterator[Any] = map(_popleft, self._left)

    def __len__(self) -> int:
        """How many items are left in the plan."""
        return length_hint(self._left)

    @property
    def partial(self) -> int:
        """How many lanes the current round has read."""
        return self._taken % len(self.lanes)

    def cut(self) -> None:
        """Drop the rounds after the current one."""
        size = len(self.lanes)
        del self._plan[-(-self._taken // size) * size :]

    def count(self) -> None:
        """Count the items taken since the last call."""
        before, taken = self._counted, self._taken
        self._counted = taken
        size = len(self.lanes)
        each, more = divmod(taken - before, size)
        if each:
            took(self.lanes, each)
        if more:
            took([self.lanes[number % size] for number in range(taken - more, taken)], 1)

    @property
    def _taken(self) -> int:
        return len(self._plan) - length_hint(self._left)


class Counts(Protocol):
    """Counts on demand."""

    def count(self) -> None:
        """Bring the counts of the lanes up to this moment."""
        ...


class Drives(Protocol):
    """Steps the pumps of lanes."""

    clock: Any
    """When others run."""
    failed: bool
    """Whether one has failed: none goes on then by itself."""

    @property
    def tired(self) -> bool:
        """Whether others are to run before more is asked for, by `rest`."""
        ...

    async def rest(self) -> None:
        """Let others run."""
        ...

    def idle(self) -> None:
        """The reader waits for something to come."""
        ...

    def rested(self) -> None:
        """Others have run."""
        ...

    def count(self) -> None:
        """Bring the counts of the lanes up to this moment."""
        ...

    def stop(self) -> None:
        """Step none any more."""
        ...

    def each(self, rota: Rota, most: int) -> Iterator[Any]:
        """One item of each lane, then one again; the pump of a lane that has none is stepped."""
        ...


class Rota:
    """The lanes of a channel, and the order in which those with items are read."""

    def __init__(self) -> None:
        self.lanes: list[Lane] = []
        self.queue: deque[Lane] = deque()
        """Lanes with items, the next first. Lanes that `Turns` are reading stand before all others."""
        self.alone: bool = False
        """Whether the reader takes items without letting other tasks run, until it calls `rest`."""
        self._turns: Turns | None = None
        self.counts: Counts | None = None
        """What a reader takes by itself, which its lanes have not counted."""
        self.drives: Drives | None = None
        """What steps the pumps of lanes that are driven."""
        self.mixed: bool = False
        """Whether there are others among them."""

    @property
    def ready(self) -> bool:
        """Whether a lane has an item."""
        if self._turns is not None and not self._turns:
            self.rest()
        return bool(self.queue)

    def pop(self) -> Any:
        """The next item, of each lane in turn; EMPTY if there is none now."""
        queue = self.queue
        item: Any = EMPTY
        while queue and item is EMPTY:
            lane = queue[0]
            if lane.held or lane.more():
                item = lane.pop()
            if not lane.comes:
                lane.delist()
                queue.popleft()
            elif len(queue) > 1:
                queue.rotate(-1)
        return item

    def turn(self) -> tuple[Lane | None, Any]:
        """What `pop` gives, with the lane that it came from: ``(None, EMPTY)`` if there is nothing now."""
        queue = self.queue
        while queue:
            lane = queue[0]
            item = lane.pop() if lane.held or lane.more() else EMPTY
            queue.popleft()
            if lane.comes:
                queue.append(lane)
            else:
                lane.delist()
            if item is not EMPTY:
                return lane, item
        return None, EMPTY

    def arrived(self) -> list[Lane]:
        """The lanes that have something and had nothing when this was called last.

        For readers who then `take` from lanes, of which each comes again when it was emptied and gets more.
        """
        found = [*self.queue]
        self.queue.clear()
        return found

    def drained(self, most: int) -> Iterator[Any]:
        """Iterate about `most` items that are there or come meanwhile, of each lane in turn.

        The reader must use it up, or leave: until then, the iterator takes from the lanes directly.
        """
        turns = self._turns
        if turns is None:
            if self.drives is not None:
                return self.drives.each(self, most)
            more = rounds(self.queue, LARGEST, alone=self.alone)
            if not more:
                if len(self.lanes) != 1:
                    return from_each(self, most)
                lane = self.lanes[0]
                return from_one(self, lane, most) if lane.inline else popped(self, most)
            turns = self._turns = Turns(self.queue, more)
        return turns.items if len(turns) <= most else islice(turns.items, most)

    def rest(self) -> None:
        """End the planned rounds: count the items taken, and unlist the lanes that are empty."""
        turns, self._turns = self._turns, None
        if turns is None:
            return
        turns.count()
        gone = 0
        for lane in turns.lanes:
            if not lane.held:
                lane.delist()
                gone += 1
        if gone == len(self.queue):  # the usual end: all is taken, and nothing has come meanwhile
            self.queue.clear()
            return
        # lanes that were listed meanwhile come next, after the round
        self.queue.rotate(-(turns.partial or len(turns.lanes)))
        if gone:
            self.queue = deque([lane for lane in self.queue if lane.held])

    def enlist(self, lane: Lane) -> None:
        """Give `lane`, which has something now, its turn behind the others."""
        self.queue.append(lane)
        if self._turns is not None:
            self._turns.cut()

    def gather(self) -> None:
        """Queue every lane that has something, after a reader has looked by itself."""
        self.queue = deque([lane for lane in self.lanes if lane.listed])

    def strike(self, lane: Lane) -> None:
        """Take `lane`, which has nothing any more, out of the queue."""
        if lane in self.queue:
            self.queue.remove(lane)

    def cut(self) -> None:
        """End the plan after the current round, because a lane must be checked when its turn comes."""
        if self._turns is not None:
            self._turns.count()  # of what was taken before
            self._turns.cut()

    def count(self) -> None:
        """Bring the lanes' counts up to date."""
        for taken in (self._turns, self.counts, self.drives):
            if taken is not None:
                taken.count()
