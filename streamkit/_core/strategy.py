"""Strategies: what a bounded buffer does when it is full, as values.

A strategy holds no items. `Strategy.overflow` is asked only when the buffer is full, and answers
by changing what is held and naming what was dropped; the buffer counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from streamkit._core.arguments import callback, whole
from streamkit._core.errors import BufferOverflowError

__all__ = [
    "DropIncoming",
    "DropOldest",
    "Fail",
    "KeepLatest",
    "Strategy",
    "Suspend",
    "Unbounded",
    "strategy_argument",
]


@dataclass(frozen=True)
class Strategy:
    """What a buffer holds at most, and what it does when one item more is offered."""

    waits: ClassVar[bool] = False
    """Whether the producer waits while the buffer is full."""
    loses: ClassVar[str] = "nothing"
    """What is lost when the buffer is full, in words."""

    @property
    def limit(self) -> int | None:
        """The number of items held at most; None where there is no limit."""
        return getattr(self, "capacity", None)

    def overflow(self, held: deque[Any], item: Any) -> tuple[Any, ...]:
        """Take in `item` although `held` is full; return the items that were dropped for it."""
        raise BufferOverflowError(f"{self!r} was offered an item more than it holds: {item!r}")

    def dropped(self, item: Any, reason: str) -> None:
        """Tell the user's ``on_drop``, if there is one, that `item` was dropped."""


@dataclass(frozen=True)
class Suspend(Strategy):
    """When the buffer is full, the producer waits. Nothing is lost.

    >>> Suspend(16)
    Suspend(capacity=16)
    """

    capacity: int
    waits: ClassVar[bool] = True

    def __post_init__(self) -> None:
        whole("capacity", self.capacity, least=1)


@dataclass(frozen=True)
class Fail(Strategy):
    """When the buffer is full, the stream fails with `BufferOverflowError`, after what is held."""

    capacity: int

    def __post_init__(self) -> None:
        whole("capacity", self.capacity, least=1)


@dataclass(frozen=True)
class _Lossy(Strategy):
    capacity: int
    on_drop: Callable[[Any, str], object] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        whole("capacity", self.capacity, least=1)
        if self.on_drop is not None:
            callback("on_drop", self.on_drop)

    def __repr__(self) -> str:
        drop = "" if self.on_drop is None else f", on_drop={getattr(self.on_drop, '__name__', self.on_drop)}"
        return f"{type(self).__name__}(capacity={self.capacity}{drop})"

    def dropped(self, item: Any, reason: str) -> None:
        if self.on_drop is not None:
            self.on_drop(item, reason)


@dataclass(frozen=True, repr=False)
class DropIncoming(_Lossy):
    """When the buffer is full, the new item is dropped and counted.

    `on_drop` is called with each item that is dropped, and why: ``full``, or ``closed`` at an early end.
    """

    loses: ClassVar[str] = "incoming items"

    def overflow(self, held: deque[Any], item: Any) -> tuple[Any, ...]:
        return (item,)


@dataclass(frozen=True, repr=False)
class DropOldest(_Lossy):
    """When the buffer is full, the oldest item held is dropped and counted.

    `on_drop` is called with each item that is dropped, and why: ``full``, or ``closed`` at an early end.
    """

    loses: ClassVar[str] = "oldest items"

    def overflow(self, held: deque[Any], item: Any) -> tuple[Any, ...]:
        oldest = held.popleft()
        held.append(item)
        return (oldest,)


@dataclass(frozen=True, repr=False)
class KeepLatest(DropOldest):
    """One slot, overwritten: ``DropOldest(1)`` by its usual name.

    >>> KeepLatest()
    KeepLatest()
    """

    capacity: int = field(default=1, init=False)

    def __repr__(self) -> str:
        return super().__repr__().replace("capacity=1, ", "").replace("capacity=1", "")


@dataclass(frozen=True)
class Unbounded(Strategy):
    """The buffer grows as long as memory lasts. Nothing is lost, and nothing is bounded."""


def strategy_argument(name: str, value: object) -> Strategy:
    """Return `value` if it is a strategy; a strategy's class, or a number, gets a hint."""
    if isinstance(value, Strategy):
        return value
    if isinstance(value, type) and issubclass(value, Strategy):
        shown = f"{value.__name__}()" if value in (KeepLatest, Unbounded) else f"{value.__name__}(capacity)"
        raise TypeError(f"{name} must be a strategy such as {shown}, not the class {value.__name__} itself")
    raise TypeError(f"{name} must be a strategy such as Suspend(16) or DropOldest(16), not {value!r}")
