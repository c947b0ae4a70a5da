"""Panes: the windows of one run that are open, and when each of them ends.

The steps of ``window`` ask in this order, for each item: which windows its time ends (`advance`), and which
ones it belongs to (`at`); when the source has ended, which ones are left (`rest`). A window is in these
answers an object of its own, a `Pane`: its bounds may change, as those of a session do with each item.

Time goes on by the items. The *watermark* is the greatest time that was seen, less `lateness`: nothing older
is expected. A window ends when the watermark has come to its end. An item is late if each of the windows that
it belongs to has ended. (Beam and Flink say it so; in bytewax an item is late if it is behind the watermark.)
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Any, Final, Protocol

from streamkit._core.arguments import number
from streamkit._core.errors import BufferOverflowError
from streamkit._core.markers import EMPTY
from streamkit._core.show import shown
from streamkit._core.windows import Hopping, Session, Tumbling, Window, Windows

__all__ = [
    "LATE",
    "Aligned",
    "Counted",
    "Late",
    "Pane",
    "Panes",
    "Sessions",
    "Sorter",
    "Tick",
    "Trail",
    "bounds",
    "end_of",
    "moment",
    "panes_of",
]

_NEVER: Final = math.inf
_NOWHEN: Final = (math.inf, -math.inf)


class Tick(float):
    """A time at which nothing came: the watermark moves, and no window has an item more."""

    __slots__ = ()


class Late:
    """The type of `LATE`."""

    __slots__ = ()


LATE: Final = Late()
"""Passed on in the place of an item that was late, for a stage to count."""


class Pane:
    """A window that is open, with the bounds that it has so far."""

    __slots__ = ("due", "end", "start")

    def __init__(self, start: float, end: float, due: float = _NEVER) -> None:
        self.start = start
        self.end = end
        self.due = due
        """The time at which it ends, where that does not change."""


def bounds(pane: Pane) -> Window:
    """The bounds of a window, as they are now."""
    return Window(pane.start, pane.end)


def moment(value: Any) -> float:
    """`value`, which a user's ``timestamp`` has returned, as a time."""
    if isinstance(value, float) and -_NEVER < value < _NEVER:
        return value
    return number("timestamp(item)", value)


def end_of(number: int, seconds: float, every: float, across: int) -> float:
    """When the window ends that begins at this multiple of `every`; `across` begin before it ends, with it.

    That is no later than the next one begins: the sum may be rounded otherwise, and there were one too many.
    """
    end, after = number * every + seconds, (number + across) * every
    return after if after < end or seconds == every else end


class Panes(Protocol):
    """The open windows of one kind."""

    def advance(self, stamp: float, seen: float = -_NEVER) -> Sequence[Pane]:
        """An item of the time `stamp` has come: the windows that end now, which are no longer open.

        Times up to `seen` have come, too, that were in the `steady` range.
        """
        ...

    def at(self, stamp: float) -> Sequence[Pane] | None:
        """The open windows to which an item of this time belongs; one that is new is opened.

        None if it belongs to none, and was not late either.
        """
        ...

    @property
    def steady(self) -> tuple[float, float]:
        """From when to when items come into the windows that `at` has found last, and end none."""
        ...

    def rest(self) -> Sequence[Pane]:
        """All that are open, in the order in which they end."""
        ...


class Aligned:
    """Windows of `seconds`, of which one begins at each whole multiple of `every`.

    A window begins and ends in few calls, and none where it is `steady`: with many short windows, as of many
    keys, that is most of what an item costs (``benchmarks/workloads/windows.py``).
    """

    def __init__(self, kind: Windows, seconds: float, every: float, lateness: float) -> None:
        self._seconds = seconds
        self._every = every
        self._lateness = lateness
        self._across = kind.most(0.0)
        self._most = kind.most(lateness)
        self._open: dict[int, Pane] = {}
        """By the number of the multiple at which they begin."""
        self._next = _NEVER
        """The time at which the first of them ends, and which ends no other."""
        self._latest = -_NEVER
        """The greatest time that has come."""
        self._steady = _NOWHEN

    def advance(self, stamp: float, seen: float = -_NEVER) -> Sequence[Pane]:
        latest = self._latest = max(self._latest, seen, stamp)
        if latest < self._next:
            return ()
        opened = self._open
        if len(opened) == 1:
            found = [*opened.values()]
            opened.clear()
            self._next = _NEVER
            return found
        ended = sorted([number for number, pane in opened.items() if pane.due <= latest])
        found = [opened.pop(number) for number in ended]
        self._next = min([pane.due for pane in opened.values()], default=_NEVER)
        return found

    def at(self, stamp: float) -> Sequence[Pane] | None:
        self._steady = _NOWHEN
        if type(stamp) is Tick:
            return None
        seconds, every = self._seconds, self._every
        last = number = int(stamp // every)
        if not number * every <= stamp < (number + 1) * every:  # the quotient is exact, the products are not
            last = number = self._rounded(stamp, number)
        found: list[Pane] = []
        until = (number + 1) * every
        end = end_of(number, seconds, every, self._across)
        while end > stamp:
            pane = self._open.get(number)
            if pane is None and (due := self._due(number, end)) > self._latest:
                pane = self._open[number] = Pane(number * every, end, due)
                self._next = min(self._next, due)
            if pane is not None:
                found.append(pane)
            until = min(until, end)
            number -= 1
            end = end_of(number, seconds, every, self._across)
        if number == last:
            return None
        if found:  # before `end`, which is that of the first window that was not found, it had one more
            self._steady = (max(last * every, end), min(until, self._next))
        return found[::-1] if len(found) > 1 else found

    def _due(self, number: int, end: float) -> float:
        """When the window of this number ends: no later than one begins with which there were too many.

        By exact numbers that is never sooner; but the sum may be rounded upwards.
        """
        return min(end + self._lateness, (number + self._most) * self._every)

    def _rounded(self, stamp: float, number: int) -> int:
        """The number of the last window that has begun at `stamp`: it is beside `number`."""
        number += 1 if (number + 1) * self._every <= stamp else -1
        if not number * self._every <= stamp < (number + 1) * self._every:
            raise ValueError(f"timestamp(item) must be so small that seconds count, not {shown(stamp)}")
        return number

    def only(self, stamp: float) -> Pane | None:
        """The one window to which an item of this time belongs, where they do not overlap."""
        found = self.at(stamp)
        return found[0] if found else None

    @property
    def steady(self) -> tuple[float, float]:
        return self._steady

    def rest(self) -> Sequence[Pane]:
        return [self._open[number] for number in sorted(self._open)]


class Sessions:
    """The one session that is open: times come in order, but for those that are late already."""

    def __init__(self, gap: float, lateness: float) -> None:
        self._gap = gap
        self._lateness = lateness
        self._open: Pane | None = None
        self._latest = -_NEVER

    steady = _NOWHEN
    """Each item moves the end of the session."""

    def advance(self, stamp: float, seen: float = -_NEVER) -> Sequence[Pane]:
        self._latest = max(self._latest, stamp)
        pane, came = self._open, type(stamp) is not Tick
        if pane is None or not (pane.end + self._lateness <= self._latest or (came and pane.end <= stamp)):
            return ()
        self._open = None
        return (pane,)

    def at(self, stamp: float) -> Sequence[Pane] | None:
        if type(stamp) is Tick:
            return None
        pane, end = self._open, stamp + self._gap
        if end <= stamp:
            raise ValueError(f"timestamp(item) must be so small that gap counts, not {shown(stamp)}")
        if pane is not None and end > pane.start:
            pane.start, pane.end = min(pane.start, stamp), max(pane.end, end)
        elif pane is not None or end + self._lateness <= self._latest:
            return ()
        else:
            self._open = pane = Pane(stamp, end)
        return (pane,)

    def rest(self) -> Sequence[Pane]:
        return () if self._open is None else (self._open,)


class Counted:
    """Windows of `count` items, of which one begins with each `every`-th."""

    def __init__(self, count: int, every: int) -> None:
        self._count = count
        self._every = every
        self._taken = 0
        self._open: deque[Pane] = deque()

    def following(self) -> Sequence[Pane]:
        """The windows to which the next item belongs."""
        if self._taken % self._every == 0:
            self._open.append(Pane(self._taken, self._taken + self._count))
        self._taken += 1
        return [*self._open]

    def full(self) -> Sequence[Pane]:
        """The window that ends with this item."""
        full = self._open and self._open[0].end == self._taken
        return (self._open.popleft(),) if full else ()

    def rest(self) -> Sequence[Pane]:
        for pane in self._open:
            pane.end = self._taken
        return [*self._open]


def panes_of(kind: Windows, lateness: float) -> Any:
    """What knows the open windows of this kind, in one run."""
    match kind:
        case Hopping(count=int(count), every=every):
            return Counted(count, int(every))
        case Hopping(seconds=float(seconds), every=every):
            return Aligned(kind, seconds, every, lateness)
        case Tumbling(seconds=float(seconds)):
            return Aligned(kind, seconds, seconds, lateness)
        case Session(gap=gap):
            return Sessions(gap, lateness)
        case _:  # pragma: no cover - there is no other window with panes
            raise AssertionError(kind)


class Trail:
    """The last items, of which a `Sliding` window has those that are near enough to the last one."""

    def __init__(self, kind: Windows, most: int | None) -> None:
        self._seconds = kind.seconds
        self._most = most
        self._kept: deque[tuple[float, Any]] = deque(maxlen=kind.count and kind.count - 1)
        """Those that the next window may have, too."""
        self.window: list[Any] = []
        """The items of the last window, in order. Whoever has gone through them clears it."""
        self._taken = 0

    def counted(self, item: Any) -> Pane:
        """The window that ends with `item`."""
        self._end_with(0.0, item)
        self._taken += 1
        return Pane(self._taken - len(self.window), self._taken)

    def timed(self, stamp: float, item: Any) -> Pane | None:
        """The same, where it has seconds; None for a tick, and for an item that is late."""
        assert self._seconds is not None
        kept, start = self._kept, stamp - self._seconds
        if type(stamp) is Tick or (kept and stamp < kept[-1][0]):
            return None
        while kept and kept[0][0] <= start:
            kept.popleft()
        if len(kept) == self._most:
            raise BufferOverflowError(
                f"no room for an item more: {self._most} have come within {self._seconds} s; raise max_held"
            )
        self._end_with(stamp, item)
        return Pane(start, stamp)

    def _end_with(self, stamp: float, item: Any) -> None:
        self.window = [*[each for _, each in self._kept], item]
        self._kept.append((stamp, item))


class Sorter:
    """Puts items in the order of their times: each waits until the watermark has come to it."""

    def __init__(self, lateness: float, most: int) -> None:
        self._lateness = lateness
        self._most = most
        self._waiting: list[tuple[float, int, Any]] = []
        self.ready: list[tuple[float, Any]] = []
        """What `take` has found. Whoever has passed it on clears it."""
        self._taken = 0
        self._latest = -_NEVER

    def take(self, stamp: float, item: Any) -> list[tuple[float, Any]]:
        """What can be passed on when `item` has come: times and items, and last how far time has gone."""
        if type(stamp) is not Tick:
            heappush(self._waiting, (stamp, self._taken, item))
            self._taken += 1
        self._latest = max(self._latest, stamp)
        waiting = self._waiting
        found = self.ready
        while waiting and waiting[0][0] + self._lateness <= self._latest:
            first, _, each = heappop(waiting)
            found.append((first, each))
        if len(waiting) > self._most:
            raise BufferOverflowError(
                f"no room for an item more: {self._most} wait for the watermark already; raise max_held"
            )
        found.append((Tick(self._latest), EMPTY))
        return found

    def rest(self) -> Iterator[tuple[float, Any]]:
        """What waits still, in order."""
        while self._waiting:
            stamp, _, item = heappop(self._waiting)
            yield stamp, item
