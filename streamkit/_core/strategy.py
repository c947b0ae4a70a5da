"""Strategies: what a bounded buffer does when it is full, as values.

    strategy                     when the buffer is full                     loses
    Suspend(capacity)            the producer waits                          nothing
    Fail(capacity)               the stream fails, after what is held        nothing
    DropIncoming(capacity)       the new item is dropped                     incoming items
    DropOldest(capacity)         the oldest held item is dropped             oldest items
    DropYoungest(capacity)       the youngest held item is replaced          youngest items
    DropAll(capacity)            everything held is dropped                  everything held
    KeepLatest()                 DropOldest(1), by its usual name            oldest items
    Conflate(fold)               items waiting are folded into one           as the fold says
    Collect(limit)               items waiting leave as one list; at the     nothing
                                 limit the producer waits
    Spill(capacity, directory)   items past the capacity go to disk          nothing
    Unbounded()                  it grows                                    nothing, until memory ends

A strategy is a value and holds no items: `Strategy.store` makes the store that holds them. A full buffer
calls `Strategy.overflow`, which changes the store and returns what was dropped; the buffer counts it.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, overload

from streamkit._core.arguments import at_once, callback, flag, whole
from streamkit._core.calls import answering
from streamkit._core.errors import BufferOverflowError
from streamkit._core.show import named, shown
from streamkit._core.spill import SpillStore, Store
from streamkit._core.value import Value

__all__ = [
    "Collect",
    "Conflate",
    "DropAll",
    "DropIncoming",
    "DropOldest",
    "DropYoungest",
    "Fail",
    "KeepLatest",
    "Lossy",
    "Spill",
    "Strategy",
    "Suspend",
    "Unbounded",
    "strategy_argument",
]

if TYPE_CHECKING:
    import typing_extensions  # checkers bring it along; in `typing`, there are defaults from Python 3.13 on

    G_co = typing_extensions.TypeVar("G_co", bound=bool, covariant=True, default=Literal[False])
else:
    G_co = TypeVar("G_co", covariant=True)


class Strategy(Value):
    """What a buffer holds at most, and what it does when one item more is offered."""

    waits: ClassVar[bool] = False
    """Whether the producer waits while the buffer is full."""
    loses: ClassVar[str] = "nothing"
    """What is lost when the buffer is full, in words."""
    folds: ClassVar[bool] = False
    """Whether an item that finds the buffer full is folded into what is held."""
    collects: ClassVar[bool] = False
    """Whether the reader gets all that is held as one list."""
    drops_incoming: ClassVar[bool] = False
    """Whether an item that finds the buffer full is dropped."""
    spills: ClassVar[bool] = False
    """Whether what is held is on disk in part."""
    fails: ClassVar[bool] = False
    """Whether an item that finds the buffer full ends the stream with an error."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__init__" in vars(cls):
            setattr(cls, "__init__", answering(cls.__init__))  # noqa: B010 - type checkers would lose its types

    @property
    def limit(self) -> int | None:
        """How many items are held in memory at most; None if there is no limit."""
        return getattr(self, "capacity", None)

    @property
    def marks_gaps(self) -> bool:
        """Whether the stream has a `Gap` where items were dropped."""
        return getattr(self, "gaps", False)

    @property
    def overflows(self) -> bool:
        """Whether a full buffer waits, loses, folds or fails. `Spill` and `Unbounded` do none of these."""
        return self.limit is not None

    @property
    def only_grows(self) -> bool:
        """Whether only the reader takes items out."""
        return self.waits or self.fails or self.drops_incoming or self.limit is None

    def sized(self, capacity: int) -> Strategy:
        """The same with another capacity, for a strategy that has one."""
        return self.but(capacity=capacity)

    def before(self, then: Strategy) -> Strategy | None:
        """The strategy of one buffer that replaces this one and one of `then` behind it; None if none can.

        If `then` never waits, the first buffer never fills, so `then` alone is enough. If `then` waits,
        capacities add, and the first decides what happens when both are full. `Collect` and `Conflate`
        change the items, so no buffer fuses with one of them before it, nor with a `Collect` behind it.

        >>> Suspend(4).before(Suspend(8)), Suspend(4).before(DropOldest(8)), DropOldest(4).before(Suspend(8))
        (Suspend(capacity=12), DropOldest(capacity=8), DropOldest(capacity=12))
        """
        if self.collects or self.folds or then.collects or self.marks_gaps:
            return None
        if not then.waits:
            return then
        return self if self.limit is None else self.sized(self.limit + (then.limit or 0))

    def store(self) -> Store:
        """Make what holds the items of one buffer."""
        return deque[Any]()

    def overflow(self, held: Store, item: Any) -> tuple[Any, ...]:
        """Do with `item` what the strategy does when `held` is full; return the items that were dropped."""
        raise BufferOverflowError(f"{self!r} was offered an item more than it holds: {shown(item)}")

    def dropped(self, item: Any, reason: str) -> None:
        """Tell the user's ``on_drop``, if there is one, that `item` was dropped."""


class Suspend(Strategy):
    """When the buffer is full, the producer waits. Nothing is lost.

    >>> from streamkit import Suspend
    >>> Suspend(16)
    Suspend(capacity=16)
    """

    capacity: int
    waits: ClassVar[bool] = True

    def __init__(self, capacity: int) -> None:
        self._made_of(capacity=whole("capacity", capacity, least=1))


class Fail(Strategy):
    """When the buffer is full, the stream fails with `BufferOverflowError`, after what is held."""

    capacity: int
    fails: ClassVar[bool] = True

    def __init__(self, capacity: int) -> None:
        self._made_of(capacity=whole("capacity", capacity, least=1))


class Lossy(Strategy, Generic[G_co]):
    """A strategy that drops items; its parameter says whether `Gap`s stand where they were dropped."""

    capacity: int
    on_drop: Callable[[Any, str], object] | None
    gaps: G_co

    @overload
    def __init__(
        self: Lossy[Literal[False]],
        capacity: int,
        *,
        on_drop: Callable[[Any, str], object] | None = None,
        gaps: Literal[False] = False,
    ) -> None: ...
    @overload
    def __init__(
        self, capacity: int, *, on_drop: Callable[[Any, str], object] | None = None, gaps: G_co
    ) -> None: ...
    def __init__(
        self, capacity: int, *, on_drop: Callable[[Any, str], object] | None = None, gaps: bool = False
    ) -> None:
        capacity = whole("capacity", capacity, least=1)
        flag("gaps", gaps)
        if on_drop is not None:
            callback("on_drop", on_drop, waits=False)
        self._made_of(capacity=capacity, on_drop=on_drop, gaps=gaps)

    def __repr__(self) -> str:
        parts = [f"capacity={self.capacity}"]
        if self.on_drop is not None:
            parts.append(f"on_drop={named(self.on_drop)}")
        if self.gaps:
            parts.append("gaps=True")
        return f"{type(self).__name__}({', '.join(parts)})"

    def dropped(self, item: Any, reason: str) -> None:
        if self.on_drop is not None:
            at_once("on_drop", self.on_drop(item, reason))


class DropIncoming(Lossy[G_co]):
    """When the buffer is full, the new item is dropped and counted.

    ``on_drop(item, reason)`` is called for each item that is dropped; the reason is ``full``, or ``closed``
    at an early end. An error in it fails the stream. With `gaps`, the stream has a `Gap` where items were
    dropped.
    """

    loses: ClassVar[str] = "incoming items"
    drops_incoming: ClassVar[bool] = True

    def overflow(self, held: Store, item: Any) -> tuple[Any, ...]:
        return (item,)


class DropOldest(Lossy[G_co]):
    """When the buffer is full, the oldest item held is dropped and counted; see `DropIncoming`."""

    loses: ClassVar[str] = "oldest items"

    def overflow(self, held: Store, item: Any) -> tuple[Any, ...]:
        oldest = held.popleft()
        held.append(item)
        return (oldest,)


class DropYoungest(Lossy[G_co]):
    """When the buffer is full, the youngest item held is replaced, and counted; see `DropIncoming`."""

    loses: ClassVar[str] = "youngest items"

    def overflow(self, held: Store, item: Any) -> tuple[Any, ...]:
        youngest = held.pop()
        held.append(item)
        return (youngest,)


class DropAll(Lossy[G_co]):
    """When the buffer is full, everything held is dropped and counted; see `DropIncoming`."""

    loses: ClassVar[str] = "everything held"

    def overflow(self, held: Store, item: Any) -> tuple[Any, ...]:
        everything = tuple([held.popleft() for _ in range(len(held))])
        held.append(item)
        return everything


class KeepLatest(DropOldest[G_co]):
    """One place, overwritten: ``DropOldest(1)`` by its usual name.

    >>> from streamkit import KeepLatest
    >>> KeepLatest()
    KeepLatest()
    """

    @overload
    def __init__(
        self: KeepLatest[Literal[False]],
        *,
        on_drop: Callable[[Any, str], object] | None = None,
        gaps: Literal[False] = False,
    ) -> None: ...
    @overload
    def __init__(self, *, on_drop: Callable[[Any, str], object] | None = None, gaps: G_co) -> None: ...
    def __init__(self, *, on_drop: Callable[[Any, str], object] | None = None, gaps: Any = False) -> None:
        super().__init__(1, on_drop=on_drop, gaps=gaps)

    def sized(self, capacity: int) -> Strategy:
        return DropOldest(capacity, on_drop=self.on_drop, gaps=self.gaps)

    def __repr__(self) -> str:
        return super().__repr__().replace("capacity=1, ", "").replace("capacity=1", "")


class Conflate(Strategy):
    """Items that wait are folded into one: ``fold(waiting, item)`` returns the item that waits next.

    An error of `fold` fails the stream; the item that it was called with is counted as refused.

    >>> from operator import add
    >>> from streamkit import Conflate
    >>> Conflate(add)
    Conflate(add)
    """

    fold: Callable[[Any, Any], Any]
    folds: ClassVar[bool] = True

    def __init__(self, fold: Callable[[Any, Any], Any]) -> None:
        self._made_of(fold=callback("fold", fold, waits=False))

    @property
    def limit(self) -> int | None:
        return 1

    def overflow(self, held: Store, item: Any) -> tuple[Any, ...]:
        waiting = held[0]
        folded = at_once("fold", self.fold(waiting, item))
        if held[0] is not waiting:
            raise RuntimeError(f"{self!r}: the fold itself offered an item to the buffer that it folds for")
        place: Any = held
        place[0] = folded
        return ()

    def __repr__(self) -> str:
        return f"Conflate({named(self.fold)})"


class Collect(Strategy):
    """Items that wait are handed over as one list; when `limit` of them wait, the producer does too.

    >>> from streamkit import Collect
    >>> Collect(100)
    Collect(limit=100)
    """

    capacity: int
    waits: ClassVar[bool] = True
    collects: ClassVar[bool] = True

    def __init__(self, limit: int) -> None:
        self._made_of(capacity=whole("limit", limit, least=1))

    def sized(self, capacity: int) -> Strategy:
        return Collect(capacity)

    def __repr__(self) -> str:
        return f"Collect(limit={self.capacity})"


class Spill(Strategy):
    """Items past the capacity go to disk, and come back in order. Nothing is lost.

    The files have no name, so nothing else can open them, and nothing is left of them after any exit or a
    crash. Items that go to disk are pickled, and written in blocks of 64 KiB. An item that cannot be pickled,
    and one that meets a full disk, fails the stream and is counted as refused.

    Args:
        capacity: items held in memory.
        directory: where the files are; the system's directory for temporary files if not given.

    Raises:
        NotADirectoryError: `directory` is no directory.
        PermissionError: `directory` cannot be written to.
    """

    capacity: int
    directory: str | None
    spills: ClassVar[bool] = True

    def __init__(self, capacity: int, directory: str | os.PathLike[str] | None = None) -> None:
        capacity = whole("capacity", capacity, least=1)
        path = None
        if directory is not None:
            # callers without a type checker get the error here
            if not isinstance(directory, (str, os.PathLike)):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
                raise TypeError(f"directory must be the path of a directory, not {shown(directory)}")
            path = os.fspath(directory)
            if not os.path.isdir(path):
                raise NotADirectoryError(f"directory must be a directory that exists, not {shown(path, 300)}")
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(f"directory must be one that can be written to, not {shown(path, 300)}")
        self._made_of(capacity=capacity, directory=path)

    @property
    def overflows(self) -> bool:
        return False

    def store(self) -> Store:
        return SpillStore(self.capacity, self.directory)


class Unbounded(Strategy):
    """The buffer grows as long as memory lasts. Nothing is lost, and nothing is bounded."""


def strategy_argument(name: str, value: object) -> Strategy:
    """Return `value` if it is a strategy; a strategy's class, or a number, gets a hint."""
    if isinstance(value, Strategy):
        return value
    if isinstance(value, type) and issubclass(value, Strategy):
        kind: type = value
        example = f"{kind.__name__}({_ARGUMENTS.get(kind, 'capacity')})"
        raise TypeError(f"{name} must be a strategy such as {example}, not the class {kind.__name__} itself")
    hint = ": to put items into lists, use batch()" if isinstance(value, int) else ""
    raise TypeError(
        f"{name} must be a strategy such as Suspend(16) or DropOldest(16), not {shown(value)}{hint}"  # pyright: ignore[reportUnknownArgumentType] - any value
    )


_ARGUMENTS: dict[type, str] = {KeepLatest: "", Unbounded: "", Conflate: "fold", Collect: "limit"}
