"""What one reader has of a partition: which offsets are open, and up to where all is done.

Kafka knows of each group and partition one number only: where to begin. So that is the lowest offset that is
open, however many behind it are done; after a crash those come again.
"""

from __future__ import annotations

from collections import deque

__all__ = ["Offsets", "Place"]


class Offsets:
    """Of one partition, for as long as it is assigned to this reader."""

    __slots__ = ("_done", "_out", "lost", "next", "number", "told")

    def __init__(self, number: int, begin: int | None) -> None:
        self.number: int = number
        self.next = begin
        """The offset behind the last that was read; None where that is not known."""
        self.lost: bool = False
        """Whether the partition is another reader's now."""
        self.told = begin
        """What was committed last."""
        self._out: deque[int] = deque()
        """Read and not committed, in their order."""
        self._done: set[int] = set()
        """Those of them that are done."""

    def read(self, offset: int) -> int:
        """`offset` was read. Returns how many are missing before it: others have deleted them."""
        missing = 0 if self.next is None else max(0, offset - self.next)
        self.next = offset + 1
        self._out.append(offset)
        return missing

    def settle(self, offset: int) -> None:
        self._done.add(offset)

    def to_commit(self) -> int | None:
        """Where a reader would have to begin now, if that is not what it was told last."""
        out, done = self._out, self._done
        while out and out[0] in done:
            done.remove(out.popleft())
        begin = out[0] if out else self.next
        if begin == self.told:
            return None
        self.told = begin
        return begin

    @property
    def open(self) -> int:
        """How many were read and are not done."""
        return len(self._out) - len(self._done)

    @property
    def ahead(self) -> int:
        """How many are done behind one that is open."""
        return len(self._done)


class Place:
    """Where a message is."""

    __slots__ = ("offset", "offsets")

    def __init__(self, offsets: Offsets, offset: int) -> None:
        self.offsets: Offsets = offsets
        self.offset: int = offset

    def __repr__(self) -> str:
        return f"{self.offsets.number}:{self.offset}"
