"""Turns: rounds over the lanes of a channel, at the cost of a call in C per item."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import length_hint
from typing import Any

from streamkit._engine.buffer.lane import Lane
from streamkit._engine.compile.pace import LARGEST

__all__ = ["Turns", "rounds"]

_popleft: Callable[[Any], Any] = deque[Any].popleft


def rounds(lanes: Sequence[Lane], alone: bool) -> int:
    """How many items can be taken from each lane with no more to do than to take and count them.

    Nobody could make use of the room they leave before a reader that is `alone` lets others run; he notes
    how much is held, which a writer may not have done.
    """
    fewest = LARGEST
    for lane in lanes:
        near = len(lane.held) if lane.grows else 0
        if alone:
            if near > lane.most:  # noqa: PLR1730 - max() costs a call per lane
                lane.most = near
        elif near >= lane.mark - lane.delivered:
            near = lane.mark - lane.delivered - 1
        if near < fewest:
            if near < 2 and not alone:
                return 0
            fewest = near
    return fewest if fewest > 1 else 0  # one by one costs no more


class Turns:
    """Some rounds over lanes: one item of each, in their order.

    What was taken is counted when somebody asks, and at the end: from where the iterator stands.
    """

    __slots__ = ("_counted", "_left", "_plan", "items", "lanes")

    def __init__(self, lanes: Iterable[Lane], rounds: int) -> None:
        self.lanes = [*lanes]
        self._plan: list[Any] = [lane.held for lane in self.lanes] * rounds
        self._left = iter(self._plan)
        self._counted = 0
        self.items: Iterator[Any] = map(_popleft, self._left)

    def __len__(self) -> int:
        """How many items are still to be taken."""
        return length_hint(self._left)

    @property
    def place(self) -> int:
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
        each, more = divmod(taken - before, len(self.lanes))
        if each:
            for lane in self.lanes:
                lane.delivered = count = lane.delivered + each
                if count >= lane.mark:
                    lane.loosen()
        for place in range(taken - more, taken):
            lane = self.lanes[place % len(self.lanes)]
            lane.delivered += 1
            if lane.delivered >= lane.mark:
                lane.loosen()

    @property
    def _taken(self) -> int:
        return len(self._plan) - length_hint(self._left)
