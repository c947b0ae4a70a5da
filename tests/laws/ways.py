"""Ways to write an operator: what the entries of `arguments` are made with.

Callbacks take items of any kind, so that operators can stand behind each other.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import streamkit
from streamkit import ops
from tests.laws.items import Item
from tests.laws.lab import Lab

SIZES = st.integers(1, 6)
COUNTS = st.integers(0, 6)
OTHERS = st.integers(0, 3)
FLAGS = st.booleans()
SECONDS = st.sampled_from([0.5, 1.0, 3.0])
STALL = 10.0


@dataclass(frozen=True)
class Way:
    """One way to write an operator."""

    text: str
    make: Callable[[Lab], Any]
    """The operator; what it needs of sources and callbacks it takes from the lab."""
    shape: Callable[[Item], Any] = lambda item: item
    """What an item of its source must look like."""
    catches: bool = False
    """Whether it goes on after an error of its source."""

    @property
    def shaped(self) -> bool:
        """Whether it can only stand first, before a source of such items."""
        return self.shape is pair

    @property
    def sink(self) -> bool:
        return bool(self.make(Lab()).links[-1].declaration.sink)

    def __repr__(self) -> str:
        return self.text


def same(item: Any) -> Any:
    return item


def newest(_: Any, item: Any) -> Any:
    return item


def pair(item: Item) -> Any:
    return (item,)


def every(lab: Lab, size: int) -> Callable[[Any], bool]:
    """A predicate that keeps each `size`-th item, and notes that the others were filtered out."""
    numbers = count(1)

    def keep(item: Any) -> bool:
        kept = next(numbers) % size == 0
        if not kept:
            lab.drop(item)
        return kept

    return lab.callback(keep)


def skipped(lab: Lab, count: int) -> Any:
    """`skip`, which notes what it leaves out."""
    keeps = until(count)
    return ops.tap(lambda item: lab.drop(item) if keeps(item) else None) | ops.skip(count)


def until(size: int) -> Callable[[Any], bool]:
    """A predicate that is true of the first `size` items."""
    numbers = count()
    return lambda _: next(numbers) < size


def before(lab: Lab, size: int) -> Callable[[Any], bool]:
    """The same as a callback, which notes that those items were left out."""
    early = until(size)

    def left_out(item: Any) -> bool:
        found = early(item)
        if found:
            lab.drop(item)
        return found

    return lab.callback(left_out)


def copies(lab: Lab, value: Any) -> Any:
    """An item of its own for `value`, so that what several branches hold of one item is told apart."""
    if not isinstance(value, Item):
        return value
    lab.drop(value)
    return lab.item(value.number)


def folded(lab: Lab) -> Callable[[Any, Any], Any]:
    """Keeps the newer of two items, and notes that it dropped the other."""

    def fold(waiting: Any, item: Any) -> Any:
        lab.drop(waiting)
        return item

    return fold


def ways(text: str, make: Callable[..., Any], **arguments: SearchStrategy[Any]) -> SearchStrategy[Way]:
    """Ways to write the operator that `make` makes of a lab and a value of each of `arguments`."""

    def way(**given: Any) -> Way:
        shown = ", ".join(f"{name}={value}" for name, value in given.items())
        return Way(f"{text}({shown})", lambda lab: make(lab, **given))

    return st.builds(way, **arguments)


def sources(lab: Lab, number: int) -> list[Any]:
    return [lab.source() for _ in range(number)]


# strategies --------------------------------------------------------------------------------


def _noting(kind: type[Any], **methods: Any) -> Any:
    """`kind`, with other methods; it goes by the same name."""
    return type(kind.__name__, (kind,), {"__repr__": kind.__repr__, **methods})


def _fail(lab: Lab, capacity: int) -> Any:
    """`Fail`, which notes the item that it refuses: its error keeps that alive."""

    def overflow(self: Any, held: Any, item: Any) -> Any:
        lab.drop(item)
        return streamkit.Fail.overflow(self, held, item)

    return _noting(streamkit.Fail, overflow=overflow)(capacity)


_CAPACITIES = {"capacity": SIZES}
_LOSSY = {"capacity": SIZES, "gaps": FLAGS}
FINITE: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "Suspend": (lambda lab, **given: streamkit.Suspend(**given), _CAPACITIES),
    "Fail": (_fail, _CAPACITIES),
    "DropIncoming": (lambda lab, **given: streamkit.DropIncoming(**given, on_drop=lab.drop), _LOSSY),
    "DropOldest": (lambda lab, **given: streamkit.DropOldest(**given, on_drop=lab.drop), _LOSSY),
    "DropYoungest": (lambda lab, **given: streamkit.DropYoungest(**given, on_drop=lab.drop), _LOSSY),
    "DropAll": (lambda lab, **given: streamkit.DropAll(**given, on_drop=lab.drop), _LOSSY),
    "KeepLatest": (lambda lab, **given: streamkit.KeepLatest(**given, on_drop=lab.drop), {"gaps": FLAGS}),
    "Conflate": (lambda lab: streamkit.Conflate(folded(lab)), {}),
    "Collect": (lambda lab, limit: streamkit.Collect(limit), {"limit": SIZES}),
}
INFINITE: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "Spill": (lambda lab, **given: streamkit.Spill(**given), _CAPACITIES),
    "Unbounded": (lambda lab: streamkit.Unbounded(), {}),
}


def strategies(table: dict[str, Any]) -> SearchStrategy[Way]:
    """Ways to write each strategy of `table`, to be made with a lab as operators are."""
    return st.one_of([ways(name, make, **arguments) for name, (make, arguments) in table.items()])


def buffered(strategy: Way) -> Way:
    return Way(f"buffer({strategy})", lambda lab: ops.buffer(strategy.make(lab)))


# operators ---------------------------------------------------------------------------------


class _Copies(deque[Any]):
    """Holds items of its own in place of those that other branches hold too."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab

    def append(self, item: Any) -> None:
        super().append(copies(self.lab, item))


def apart(lab: Lab, strategy: Any) -> Any:
    """`strategy`, for a branch: in its buffer each item is a copy."""
    copying = _noting(type(strategy), store=lambda self: _Copies(lab))
    return copying(strategy.capacity, **({"on_drop": lab.drop} if hasattr(strategy, "on_drop") else {}))


LAST = 8
"""The item at which every branch of a broadcast has stalled, with all it can hold: more than any buffer."""


def stalling(lab: Lab, function: Callable[[Any], Any], call: int) -> Callable[[Any], Any]:
    """`function` as a callback that is slow at its `call`-th call, where the lab's callbacks wait at all."""
    if lab.kind == "sync":
        return lab.callback(function)
    numbers = count(1)

    async def stalls(value: Any) -> Any:
        await asyncio.sleep(STALL if next(numbers) == call else 0)
        return function(value)

    return stalls


def fanned(branches: list[Way | None], *, sinks: bool) -> Way:
    """A broadcast to as many branches, each behind a buffer of its own, or none."""

    def make(lab: Lab) -> Any:
        made: list[Any] = []
        passed = 0
        for way in branches:
            strategy = None if way is None else way.make(lab)
            stalls_at = LAST - (0 if strategy is None else strategy.capacity)
            passed += stalls_at - 1
            end = stalling(lab, lab.drop if sinks else same, stalls_at)
            first = ops.map(partial(copies, lab)) if strategy is None else ops.buffer(apart(lab, strategy))
            made.append(first | (ops.for_each(end) if sinks else ops.map(end)))
        # a consumer that is no part of the pipe lets go of an item before the branches have the next
        slow = ops.map(stalling(lab, same, passed))
        return ops.broadcast(*made) if sinks else ops.broadcast(*made) | slow

    return Way(f"broadcast({', '.join(map(str, branches))}, sinks={sinks})", make)


def fans(*, sinks: bool) -> SearchStrategy[Way]:
    branch = st.none() | strategies({"Suspend": FINITE["Suspend"], "DropOldest": FINITE["DropOldest"]})
    return st.builds(lambda found: fanned(found, sinks=sinks), st.lists(branch, min_size=1, max_size=4))


def mapped(lab: Lab, **given: Any) -> Any:
    return ops.map(lab.callback(same), **given)


def nested(lab: Lab, operator: Any = ops.flat_map, *, ready: bool = False, **given: Any) -> Any:
    """A `flat_map` to streams of items of their own, each of which keeps the item that it was made of.

    Where they are `ready`, all behind the second come at once.
    """

    def inner(item: Any) -> Any:
        async def several() -> AsyncIterator[Any]:
            try:
                for number in range(6):
                    if number < 2 or not ready:
                        await lab.pause()
                    yield lab.item(number)
            finally:
                await lab.pause()
                lab.drop(item)

        return several

    return operator(lab.callback(inner), **given)


def marked(sink: Callable[[Lab], Any]) -> Callable[[Lab], Any]:
    """A sink that notes what comes to it as delivered."""
    return lambda lab: ops.tap(lab.callback(lab.drop)) | sink(lab)


def shaped(found: SearchStrategy[Way], shape: Callable[[Item], Any]) -> SearchStrategy[Way]:
    return found.map(lambda way: Way(way.text, way.make, shape))


def spread(size: int) -> Callable[[Any], int]:
    """A key of `size` different ones, in turn."""
    numbers = count()
    return lambda _: next(numbers) % size


def grouped(lab: Lab, groups: int, pipe: Any = None) -> Any:
    return ops.group_by(spread(groups), pipe or ops.map(lab.callback(same)), max_groups=groups)


def evicting(lab: Lab, groups: int) -> Any:
    """Each item is of another group than the `groups` before it."""
    pipe = ops.tap(lab.callback(lab.drop)) | ops.count()
    return ops.group_by(spread(groups + 1), pipe, max_groups=groups, on_full=streamkit.OnFull.EVICT)


def staged(lab: Lab, groups: int) -> Any:
    """Each group has tasks; what comes out waits for something slow."""
    pipe = ops.buffer(streamkit.Suspend(1)) | ops.map(same)
    return grouped(lab, groups, pipe) | ops.map(lab.callback(same))


def staged_to_sinks(lab: Lab, groups: int) -> Any:
    """Each group has tasks, and something slow in it."""
    pipe = ops.buffer(streamkit.Suspend(2)) | ops.for_each(lab.callback(lab.drop))
    return grouped(lab, groups, pipe)
