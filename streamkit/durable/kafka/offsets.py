"""What one reader has of a partition: which offsets are open, up to where all is done, and what came before.

Kafka knows of each group and partition one number: where to begin. So that is the lowest offset that is open,
however many behind it are done; after a crash those come again. Beside it, there is room for some words: how
many times each offset was handed out.
"""

from __future__ import annotations

import json
from collections import deque
from itertools import groupby
from typing import Final

__all__ = ["Offsets", "Place"]

_ROOM: Final = 4096
"""Bytes of the words that brokers take, unless they are told otherwise."""
_MANY: Final = 100_000
"""Offsets that such words are believed to be about."""


class Offsets:
    """Of one partition, for as long as it is assigned to this reader."""

    __slots__ = ("_done", "_out", "_times", "lost", "next", "number", "told")

    def __init__(self, number: int, begin: int | None, words: str = "") -> None:
        self.number: int = number
        self.next = begin
        """The offset behind the last that was read; None where that is not known."""
        self.lost: bool = False
        """Whether the partition is another reader's now."""
        self.told: tuple[int | None, str] | None = (begin, words)
        """What was committed last."""
        self._out: deque[int] = deque()
        """Read and not committed, in their order."""
        self._done: set[int] = set()
        """Those of them that are done."""
        self._times: dict[int, int] = {} if begin is None else _times(begin, words)
        """How many times offsets were handed out."""

    def read(self, offset: int) -> int:
        """`offset` was read. Returns how many are missing before it: others have deleted them."""
        missing = 0 if self.next is None else max(0, offset - self.next)
        self.next = offset + 1
        self._out.append(offset)
        return missing

    def times(self, offset: int) -> int:
        """How many times `offset` was handed out."""
        return self._times.get(offset, 0)

    def hand_out(self, offset: int, times: int) -> None:
        """It is handed out so many times, this time included."""
        self._times[offset] = times

    def settle(self, offset: int) -> None:
        self._done.add(offset)

    def to_commit(self) -> tuple[int, str] | None:
        """Where a reader would have to begin now, and in words what it has to know; None if that was told."""
        out, done = self._out, self._done
        while out and out[0] in done:
            offset = out.popleft()
            done.remove(offset)
            self._times.pop(offset, None)
        begin = out[0] if out else self.next
        if begin is None:
            return None
        told = begin, self._words(begin)
        if told == self.told:
            return None
        self.told = told
        return told

    def _words(self, begin: int) -> str:
        """Runs of offsets that were handed out as often: how far from `begin`, how many, how many times."""
        runs: list[tuple[int, int, int]] = []
        counted = sorted(each for each in self._times.items() if each[0] >= begin)
        for (_, times), run in groupby(enumerate(counted), lambda each: (each[1][0] - each[0], each[1][1])):
            offsets = [offset for _, (offset, _) in run]
            if times:
                runs.append((offsets[0] - begin, len(offsets), times))
        while len(words := json.dumps(runs, separators=(",", ":"))) > _ROOM:
            runs = runs[: len(runs) * 3 // 4]  # what is behind is counted anew
        return words if runs else ""

    @property
    def open(self) -> int:
        """How many were read and are not done."""
        return len(self._out) - len(self._done)

    @property
    def ahead(self) -> int:
        """How many are done behind one that is open."""
        return len(self._done)


def _times(begin: int, words: str) -> dict[int, int]:
    """What `Offsets` has said in `words`; nothing, if they are of somebody else."""
    found: dict[int, int] = {}
    try:
        runs: list[tuple[int, int, int]] = json.loads(words or "[]")
        for first, many, times in runs:
            if first >= 0 and len(found) + many <= _MANY:
                found.update(dict.fromkeys(range(begin + first, begin + first + many), times))
    except (TypeError, ValueError):
        return {}
    return found


class Place:
    """Where a message is."""

    __slots__ = ("offset", "offsets")

    def __init__(self, offsets: Offsets, offset: int) -> None:
        self.offsets: Offsets = offsets
        self.offset: int = offset

    def __repr__(self) -> str:
        return f"{self.offsets.number}:{self.offset}"
