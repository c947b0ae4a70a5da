"""The rota of a channel: which lane is read next, so that those that are ready take turns."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import length_hint
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.lane import Lane, from_each, from_one, rounds, took
from streamkit._engine.compile.pace import LARGEST

__all__ = ["Rota", "Turns"]

_popleft: Callable[[Any], Any] = deque[Any].popleft


class Turns:
    """Some rounds over lanes: one item of each, in their order, at the cost of a call in C per item.

    What was taken is counted when somebody asks, and at the end: from where the iterator stands.
    """

    __slots__ = ("_counted", "_left", "_plan", "items", "lanes")

    def __init__(self, lanes: Iterable[Lane], rounds: int) -> None:
        self.lanes: list[Lane] = [*lanes]
        self._plan: list[Any] = [lane.held for lane in self.lanes] * rounds
        self._left = iter(self._plan)
        self._counted = 0
        self.items: Iterator[Any] = map(_popleft, self._left)

    def __len__(self) -> int:
        """How many items are still to be taken."""
        return length_hint(self._left)

    @property
    def partial(self) -> int:
        """How many lanes were taken from in the round under way."""
        return self._taken % len(self.lanes)

    def cut(self) -> None:
        """End after the round that is under way."""
        size = len(self.lanes)
        del self._plan[-(-self._taken // size) * size :]

    def count(self) -> None:
        """Count what was taken since the last time."""
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


class Rota:
    """Lanes, and those of them that have something, in turn."""

    def __init__(self) -> None:
        self.lanes: list[Lane] = []
        self.queue: deque[Lane] = deque()
        """Lanes that have something, in turn; while there are `Turns`, first those that they go over."""
        self.alone: bool = False
        """Whether the reader lets nobody run while it takes what is there, without a `rest` before."""
        self._turns: Turns | None = None

    @property
    def ready(self) -> bool:
        """Whether there is something to pop."""
        if self._turns is not None and not self._turns:
            self.rest()
        return bool(self.queue)

    def pop(self) -> Any:
        """The next item, in turn among the lanes; EMPTY if there is none now."""
        queue = self.queue
        item: Any = EMPTY
        while queue and item is EMPTY:
            lane = queue[0]
            if lane.held:
                item = lane.pop()
            if not lane.held:
                lane.delist()
                queue.popleft()
            elif len(queue) > 1:
                queue.rotate(-1)
        return item

    def drained(self, most: int) -> Iterator[Any]:
        """What is there, and comes meanwhile, in turn among the lanes; about `most` items.

        For a reader that takes all of it or leaves: in the midst of a turn, it has the lanes in its hand.
        """
        turns = self._turns
        if turns is None:
            more = rounds(self.queue, LARGEST, alone=self.alone)
            if not more:
                return from_one(self, self.only(), most) if len(self.lanes) == 1 else from_each(self, most)
            turns = self._turns = Turns(self.queue, more)
        return turns.items if len(turns) <= most else islice(turns.items, most)

    def only(self) -> Lane:
        """The one lane, if its items may be taken without asking `pop`; else one that stays empty."""
        lane = self.lanes[0]
        return lane if lane.inline else Lane(lane.channel, None)

    def rest(self) -> None:
        """Count what was taken, and keep the lanes that have more: what is taken next is looked at anew."""
        turns, self._turns = self._turns, None
        if turns is None:
            return
        turns.count()
        # whoever came in meanwhile is next after a round
        self.queue.rotate(-(turns.partial or len(turns.lanes)))
        gone = False
        for lane in turns.lanes:
            if not lane.held:
                lane.delist()
                gone = True
        if gone:
            self.queue = deque([lane for lane in self.queue if lane.held])

    def enlist(self, lane: Lane) -> None:
        """Give `lane`, which has something now, its turn behind the others."""
        self.queue.append(lane)
        if self._turns is not None:
            self._turns.cut()

    def cut(self) -> None:
        """A lane is to be looked at when its turn comes: go only the round to its end that is under way."""
        if self._turns is not None:
            self._turns.cut()

    def count(self) -> None:
        """Bring the counts of the lanes up to this moment."""
        if self._turns is not None:
            self._turns.count()
