"""Windows: which items of a stream belong together, as values.

    kind                           a window has
    Tumbling(count=)               so many items
    Tumbling(seconds=)             the items of so many seconds; the next window begins where it ends
    Hopping(count=, every=)        so many items; a window begins with each `every`-th
    Hopping(seconds=, every=)      the items of so many seconds; a window begins every `every` seconds
    Sliding(count=)                an item and those before it, so many in all
    Sliding(seconds=)              an item and those that came less than so many seconds before it
    Session(gap=)                  items of which each came less than `gap` seconds after the one before
    Until(predicate)               the items up to one of which `predicate` is true

A kind is a value, and holds no items: ``_stages/panes.py`` has the windows that are open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Final, overload

from streamkit._core.arguments import callback, seconds as finite_seconds, whole
from streamkit._core.calls import answering
from streamkit._core.markers import ABSENT, Absent
from streamkit._core.show import named, shown
from streamkit._core.value import Value

__all__ = [
    "MOST",
    "Hopping",
    "Session",
    "Sliding",
    "Tumbling",
    "Until",
    "Window",
    "Windows",
    "windows_argument",
]

MOST: Final = 100_000
"""How many windows may be open at once: an item may have to go into each of them."""


class Window(Value):
    """The bounds of a window: it has what came at `start` and after, but before `end`.

    Of windows by time, they are in seconds; of windows by count or predicate, they are the numbers of the
    first item, and of the first one after the window, counted from 0. (Only of ``Sliding(seconds=)`` it is
    what came after `start`, up to `end`.)

    >>> from streamkit import Window
    >>> start, end = Window(0.0, 60.0)
    >>> sorted([Window(60.0, 120.0), Window(0.0, 60.0)])
    [Window(start=0.0, end=60.0), Window(start=60.0, end=120.0)]
    """

    start: float
    end: float

    def __init__(self, start: float, end: float) -> None:
        made = self.__dict__  # `_made_of` would take twice as long: one is made for each result
        made["start"] = start
        made["end"] = end

    def __iter__(self) -> Iterator[float]:
        return iter((self.start, self.end))

    def __lt__(self, other: Window) -> bool:
        return (self.start, self.end) < (other.start, other.end)


class Windows(Value):
    """Which items belong together."""

    count: int | None = None
    """Items of a window; None if it is not measured so."""
    seconds: float | None = None
    """Seconds of a window; None if it is not measured so."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        setattr(cls, "__init__", answering(cls.__init__))  # noqa: B010 - type checkers would lose its types

    @property
    def timed(self) -> bool:
        """Whether the time of an item decides where it belongs."""
        return self.seconds is not None

    @property
    def in_order(self) -> bool:
        """Whether items must come to it in the order of their times."""
        return False

    def most(self, lateness: float) -> int:
        """How many windows are open at once, at most, if items may be so late."""
        return 1

    def _measured(self, count: Any, seconds: Any) -> dict[str, Any]:
        """The one of `count` and `seconds` that is given, checked."""
        if (count is ABSENT) is (seconds is ABSENT):
            given = (
                "not neither" if count is ABSENT else f"not count={shown(count)}, seconds={shown(seconds)}"
            )
            raise ValueError(f"{type(self).__name__} must have one of count= and seconds=, {given}")
        if count is not ABSENT:
            return {"count": whole("count", count, least=1)}
        return {"seconds": finite_seconds("seconds", seconds)}


class Tumbling(Windows):
    """Windows that follow each other: of `count` items, or of `seconds`.

    Those of seconds begin at the whole multiples of it. So two streams, and two runs, have the same windows.

    >>> from streamkit import Tumbling
    >>> Tumbling(count=100), Tumbling(seconds=60)
    (Tumbling(count=100), Tumbling(seconds=60.0))
    """

    @overload
    def __init__(self, *, count: int) -> None: ...
    @overload
    def __init__(self, *, seconds: float) -> None: ...
    def __init__(self, *, count: int | Absent = ABSENT, seconds: float | Absent = ABSENT) -> None:
        self._made_of(**self._measured(count, seconds))

    def most(self, lateness: float) -> int:
        return 1 if self.seconds is None else _begun(self.seconds + lateness, self.seconds)


class Hopping(Windows):
    """Windows of `count` items or of `seconds`, of which one begins every `every` items or seconds.

    They overlap if `every` is less than their length. If it is more, what is between two windows is in none.
    Those of seconds begin at the whole multiples of `every`.

    >>> from streamkit import Hopping
    >>> Hopping(seconds=60, every=10)
    Hopping(seconds=60.0, every=10.0)
    """

    every: float

    @overload
    def __init__(self, *, count: int, every: int) -> None: ...
    @overload
    def __init__(self, *, seconds: float, every: float) -> None: ...
    def __init__(self, *, count: int | Absent = ABSENT, seconds: float | Absent = ABSENT, every: Any) -> None:
        measured = self._measured(count, seconds)
        every = whole("every", every, least=1) if "count" in measured else finite_seconds("every", every)
        self._made_of(**measured, every=every)

    def most(self, lateness: float) -> int:
        return _begun(self.count or (self.seconds or 0.0) + lateness, self.every)


def _begun(length: float, every: float) -> int:
    """How many windows begin within `length`; more than anyone has is enough to know."""
    return math.ceil(min(length / every, MOST + 1.0))


class Sliding(Windows):
    """A window for each item: it, and what came before it, `count` items in all, or less than `seconds` ago.

    It is what SQL calls a range between so much preceding and the current row. It runs its pipe anew over all
    of the window, for each item. (What Flink, Beam and bytewax call sliding is `Hopping` here.)

    >>> from streamkit import Sliding
    >>> Sliding(count=3)
    Sliding(count=3)
    """

    @overload
    def __init__(self, *, count: int) -> None: ...
    @overload
    def __init__(self, *, seconds: float) -> None: ...
    def __init__(self, *, count: int | Absent = ABSENT, seconds: float | Absent = ABSENT) -> None:
        self._made_of(**self._measured(count, seconds))

    @property
    def in_order(self) -> bool:
        return self.timed


class Session(Windows):
    """Windows that end when nothing has come for `gap` seconds.

    The end of a window is `gap` seconds after its last item.

    >>> from streamkit import Session
    >>> Session(gap=30)
    Session(gap=30.0)
    """

    gap: float

    def __init__(self, *, gap: float) -> None:
        self._made_of(gap=finite_seconds("gap", gap))

    @property
    def timed(self) -> bool:
        return True

    @property
    def in_order(self) -> bool:
        return True


class Until(Windows):
    """Windows that end with an item of which `predicate` is true. That item is the last of its window.

    >>> from streamkit import Until
    >>> Until(str.isspace)
    Until(isspace)
    """

    predicate: Callable[[Any], Any]

    def __init__(self, predicate: Callable[[Any], object]) -> None:
        self._made_of(predicate=callback("predicate", predicate))

    def __repr__(self) -> str:
        return f"Until({named(self.predicate)})"


def windows_argument(name: str, value: object) -> Windows:
    """Return `value` if it is a kind of windows; a class, or a number, gets a hint."""
    if isinstance(value, Windows):
        return value
    if isinstance(value, type) and issubclass(value, Windows):
        kind: type = value
        example = _EXAMPLES.get(kind, "Tumbling(seconds=60)")
        raise TypeError(f"{name} must be windows such as {example}, not the class {kind.__name__} itself")
    hint = ": write Tumbling(count=...) or Tumbling(seconds=...)" if isinstance(value, (int, float)) else ""
    raise TypeError(
        f"{name} must be windows such as Tumbling(seconds=60), not {shown(value)}{hint}"  # pyright: ignore[reportUnknownArgumentType] - any value
    )


_EXAMPLES: dict[type, str] = {
    Hopping: "Hopping(seconds=60, every=10)",
    Sliding: "Sliding(count=3)",
    Session: "Session(gap=30)",
    Until: "Until(predicate)",
}
