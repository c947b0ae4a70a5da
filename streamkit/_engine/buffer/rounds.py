"""Rounds: how the loops of readers take items of one lane, or of many in turn, with few checks per item.

They take out of ``held`` by themselves, and count as `Lane.pop` does: a call per item would cost as much as
the item (`tests/compile/test_opcodes.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Queue

__all__ = ["from_each", "from_one", "in_turn", "popped", "rounds", "took"]


def from_one(rota: Queue, lane: Lane, most: int) -> Iterator[Any]:
    """What `lane` has, and what comes meanwhile; `most` items at most."""
    there, popleft = lane.there, lane.held.popleft
    for _ in repeat(None, most):
        if there:
            item = popleft()
            lane.delivered = count = lane.delivered + 1
            if count >= lane.mark:
                lane.loosen()
        elif (item := rota.pop()) is EMPTY:
            return
        yield item


def popped(rota: Queue, most: int) -> Iterator[Any]:
    """What there is, and what comes meanwhile, each item by a `pop`; `most` items at most."""
    for _ in repeat(None, most):
        if (item := rota.pop()) is EMPTY:
            return
        yield item


def from_each(rota: Queue, most: int) -> Iterator[Any]:
    """One item of each lane that has one, then one again; until one has loosened, or about `most` items.

    Then there may be whole `rounds`.
    """
    loosened = False
    while rota.queue and most > 0 and not loosened:
        turn, rota.queue = rota.queue, deque()
        most -= len(turn)
        again = rota.queue.append
        for lane in turn:
            held = lane.held
            if not held:
                lane.listed = False
                continue
            if lane.inline:
                item = held.popleft()
                lane.delivered = count = lane.delivered + 1
                if count >= lane.mark:
                    lane.loosen()
                    loosened = True
            else:
                item = lane.pop()
            if held:
                again(lane)
            else:
                lane.listed = False
            if item is not EMPTY:
                yield item


def in_turn(queue: deque[Lane]) -> Iterator[tuple[Lane, Any]]:
    """What `Rota.turn` gives, one after the other, as long as there is something; no pump is stepped."""
    while queue:
        lane = queue.popleft()
        held = lane.held
        if lane.inline:
            item = held.popleft()
            lane.delivered = count = lane.delivered + 1
            if count >= lane.mark:
                lane.loosen()
        else:
            item = lane.pop()
        if held:
            queue.append(lane)
        else:
            lane.delist()
        yield lane, item


def rounds(lanes: Sequence[Lane], most: int, *, alone: bool) -> int:
    """How many items can be taken from each lane with no check per item: up to `most`, or 0.

    A reader that is `alone` lets nobody run before all are taken, so no writer could use the room they
    leave. It notes here how much is held, which a writer that appends what it was granted does not.
    """
    fewest = most
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


def took(lanes: Sequence[Lane], each: int) -> None:
    """Count that `each` items were taken out of each of `lanes`."""
    for lane in lanes:
        lane.delivered = count = lane.delivered + each
        if count >= lane.mark:
            lane.loosen()
