"""What goes into a carrier and comes out of it, and what one run has of it: a `Connection`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol
from zlib import crc32

__all__ = ["Codec", "Connection", "Connects", "Depth", "Entry", "Message"]


@dataclass(slots=True)  # a frozen one takes three times as long to make
class Entry:
    """What is to be stored."""

    body: bytes
    key: str | None = None
    """Entries of one key are handed out in order: a partition is one connection's at a time."""
    delay: float = 0.0
    """Seconds before it may be handed out."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def part(self, count: int) -> int:
        """In which of `count` partitions it is, from 1 on; 0 without a key. It is the same for ever."""
        return 0 if self.key is None else 1 + crc32(self.key.encode()) % count


@dataclass(slots=True, eq=False)
class Message:
    """What was handed out. It is known by its identity: the same entry, handed out again, is another one."""

    body: bytes
    place: Any
    """What the carrier knows it by: a row, an identifier of a stream, a partition with an offset."""
    times: int = 1
    """How many times it was handed out to this group, this time included."""
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Depth:
    """How far a group has come."""

    waiting: int
    """Entries that can be handed out, now or after their delay."""
    claimed: int
    """Those that are handed out and not acknowledged."""

    @property
    def lag(self) -> int:
        """Entries that are not acknowledged."""
        return self.waiting + self.claimed


class Codec(Protocol):
    """Makes bytes of an item, and the item of the bytes."""

    def encode(self, item: Any, /) -> bytes: ...

    def decode(self, body: bytes, /) -> Any: ...


class Connection(Protocol):
    """What one run has of a carrier. Its calls may come from several tasks at once.

    Where a carrier cannot be used, they raise `CarrierError`; `CarrierAwayError` where it does not answer.
    """

    trimmed: int
    """Entries that were deleted by others before the group that claims here had acknowledged them."""

    async def append(self, entries: Sequence[Entry]) -> None:
        """Store all of them or none; return when they survive the death of this process and the server's."""
        ...

    async def claim(self, group: str, most: int, lease: float, wait: float) -> Sequence[Message]:
        """Up to `most` messages, for `lease` seconds; waits up to `wait` seconds for the first of them.

        A message whose lease has ended is handed out again. An empty answer means that none came in time.
        If it is cancelled, what it has claimed meanwhile is handed back.
        """
        ...

    async def acknowledge(self, group: str, messages: Sequence[Message]) -> Sequence[Message]:
        """They are done. Returns those whose lease had ended, and that another reader may have, too.

        Those stay as they are: what was handed out again is acknowledged by its own reader only.
        """
        ...

    async def hand_back(
        self, group: str, messages: Sequence[Message], *, delay: float = 0.0, counted: bool = True
    ) -> None:
        """They can be handed out again after `delay` seconds: at once, without a lease's end.

        Unless `counted`, nobody has begun with them, and where the carrier can, it forgets this time.
        """
        ...

    async def renew(self, group: str, messages: Sequence[Message], lease: float) -> Sequence[Message]:
        """Lease them for `lease` seconds from now on. Returns those that were lost meanwhile."""
        ...

    async def depth(self, group: str) -> Depth: ...

    async def forget(self, group: str) -> bool:
        """Keep nothing for a group any more, as if it had never claimed; whether it was there."""
        ...

    async def purge(self) -> int:
        """Delete all entries; returns how many there were."""
        ...


class Connects(Protocol):
    """What a reader and a writer need of a carrier."""

    @property
    def codec(self) -> Codec | None: ...

    def connect(self) -> AbstractAsyncContextManager[Connection]: ...
