"""The contract of what keeps items between two processes: a `Carrier`, and a `Connection` to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["Carrier", "Connection", "Depth", "Entry", "Message"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be stored."""

    body: bytes
    key: str | None = None
    """Entries of one key are handed out in order, where the carrier has partitions."""
    delay: float = 0.0
    """Seconds before it may be handed out."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Message:
    """What was handed out."""

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


class Connection(Protocol):
    """What one run has of a carrier. Its calls may come from several tasks at once."""

    async def append(self, entries: Sequence[Entry]) -> None:
        """Store all of them or none; return when they survive the death of this process and the server's."""
        ...

    async def claim(self, group: str, most: int, lease: float, wait: float) -> Sequence[Message]:
        """Up to `most` messages, for `lease` seconds; waits up to `wait` seconds for the first of them.

        A message whose lease has ended is handed out again. An empty answer means that none came in time.
        """
        ...

    async def acknowledge(self, group: str, messages: Sequence[Message]) -> Sequence[Message]:
        """They are done. Returns those whose lease had ended, and that another reader may have, too."""
        ...

    async def hand_back(self, group: str, messages: Sequence[Message], *, delay: float = 0.0) -> None:
        """They can be handed out again after `delay` seconds: at once, without a lease's end."""
        ...

    async def renew(self, group: str, messages: Sequence[Message], lease: float) -> Sequence[Message]:
        """Lease them for `lease` seconds from now on. Returns those that were lost meanwhile."""
        ...

    async def depth(self, group: str) -> Depth: ...

    async def purge(self) -> int:
        """Delete all entries; returns how many there were."""
        ...


class Carrier(ABC):
    """Keeps items between processes that come and go. It is a value, and opens nothing before it is used."""

    @abstractmethod
    def connect(self) -> AbstractAsyncContextManager[Connection]:
        """A connection, for one run."""
