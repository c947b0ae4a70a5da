"""Native sources: Python's own containers and iterators, read in place, for no law promises them a task.

No code of users runs when one is read: nothing in it could ask for its task, wait, or set a context variable.
An operator whose sources are all native is one iterator, most of it in C: it has no task, lane or channel
(``native`` in ``benchmarks/workloads/native.py``; guarded in ``tests/compile/test_opcodes_native.py``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count, islice, repeat, zip_longest
from operator import length_hint
from typing import Any

from streamkit._core.markers import ABSENT, EMPTY
from streamkit._engine.compile.key import Kind
from streamkit._engine.plan.link import Inlet
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.apart import BEGUN
from streamkit._engine.run.run import Run

__all__ = ["in_place", "in_turns", "rows", "uneven"]

_FIXED = frozenset({range, tuple, str, bytes})
"""These never change, so their iterators know how many items are left."""
_SLICED = _FIXED | {list}
"""Of these, a loop takes a part at once, as one over a list alone does."""

_GROWING = frozenset[Any]({list})
"""These may, while they are read."""

_SOME: dict[Any, Any] = {}
_EACH: list[Any] = [
    *(range(0), range(1 << 70), [], (), "", "\xff", b"", bytearray(), set(), frozenset(), deque()),
    *(_SOME, _SOME.keys(), _SOME.values(), _SOME.items()),
]
_ONCE = frozenset[Any]((*[type(iter(each)) for each in _EACH], type(reversed([0])), count, repeat))
"""Iterators of Python's own, which are read once."""
_NATIVE = _ONCE.union(map(type, _EACH))

_LONG: Any = type(iter(range(1 << 70)))
"""What iterates over a range of numbers so large that it cannot say how many are left."""

_PART = 256
"""Items that `in_turns` takes of each source at once, at most."""
_PARTS = 4096
"""Items that it takes of all."""


def in_place(stage: Callable[..., Any], make: Callable[..., Iterator[Any]], *, anew: bool = False) -> None:
    """Have native sources of `stage` read in place: ``make(run, natives, **arguments)`` gives what comes out.

    With `anew`, only such as any number of runs can read: for a stage that opens each when its turn comes.
    """

    otherwise = BEGUN.get(stage)

    def begin(run: Run, inlet: Inlet[Any], arguments: dict[str, Any]) -> Opened | None:
        inlets = (inlet, *arguments["sources"])
        if not all(map(_is_native, inlets)) or not _can_be_read(inlets, anew=anew):
            return None if otherwise is None else otherwise(run, inlet, arguments)
        rest = {name: value for name, value in arguments.items() if name != "sources"}
        return run.opened(Kind.ITER, make(run, [each.source.open().items for each in inlets], **rest))

    BEGUN[stage] = begin


def _is_native(inlet: Inlet[Any]) -> bool:
    return type(inlet.source.value) in _NATIVE and not inlet.links


def _can_be_read(inlets: Sequence[Inlet[Any]], *, anew: bool) -> bool:
    """Whether each of those that can be read once is there once, and was not read; else a pump says so."""
    once = [each.source for each in inlets if type(each.source.value) in _ONCE]
    return not once or not (anew or len({*once}) < len(once) or any(each.consumed for each in once))


def in_turns(run: Run, natives: list[Any], *, lookahead: int) -> Iterator[Any]:
    """One item of each of `natives`, again and again; those that have ended are left out."""
    kinds = {*map(type, natives)}
    iterators = [iter(each) for each in natives]
    if kinds <= _FIXED and all(type(each) is not _LONG for each in iterators):
        return chain.from_iterable(_whole_rounds(iterators))
    most = max(1, min(_PART, _PARTS // len(natives))) if kinds <= _SLICED else 1
    return chain.from_iterable(_rounds([*map(_taking, natives, iterators)], most))


def _whole_rounds(iterators: list[Iterator[Any]]) -> Iterator[Iterable[Any]]:
    """The items of `iterators` in turn: as many rounds at once as the shortest of them has."""
    while iterators:
        count = min(map(length_hint, iterators))
        yield chain.from_iterable(islice(zip(*iterators, strict=False), count))
        iterators = [each for each in iterators if length_hint(each)]


def _rounds(takes: list[Take], most: int) -> Iterator[Iterable[Any]]:
    """The items that `takes` take in turn, in ever larger parts of each, of `most` at last."""
    size = 1
    while takes:
        parts = [take(size) for take in takes]
        if min(map(len, parts)) == size:
            yield chain.from_iterable(zip(*parts, strict=True))
        else:
            turns = chain.from_iterable(zip_longest(*parts, fillvalue=EMPTY))
            yield [item for item in turns if item is not EMPTY]
            takes = [take for take, part in zip(takes, parts, strict=True) if part]
        size = min(2 * size, most)


Take = Callable[[int], list[Any]]
"""Takes so many items of a source, or as many as there are."""


def _taking(items: Any, iterator: Iterator[Any]) -> Take:
    if type(items) not in _GROWING:
        return lambda size: [*islice(iterator, size)]
    place = 0

    def take(size: int) -> list[Any]:  # a list may grow as long as it is read, and its iterator would end
        nonlocal place
        part: list[Any] = items[place : place + size]
        place += len(part)
        return part

    return take


def rows(run: Run, natives: list[Any], *, lookahead: int, strict: bool, fill: Any) -> Iterator[Any]:
    """Tuples of one item of each of `natives` until one has ended; with `strict` or `fill`, all."""
    if fill is not ABSENT:
        return zip_longest(*natives, fillvalue=fill)
    return _even(run, natives) if strict else zip(*natives, strict=False)


def _even(run: Run, natives: list[Any]) -> Iterator[Any]:
    for row in zip_longest(*natives, fillvalue=EMPTY):
        there = [item is not EMPTY for item in row]
        if not all(there):
            raise run.blame(ValueError(uneven(there)))
        yield row


def uneven(there: list[bool]) -> str:
    """Of which sources an item is `there` when others have ended."""
    ended = [str(number) for number, more in enumerate(there, 1) if not more]
    longer = [str(number) for number, more in enumerate(there, 1) if more]
    return f"zip(strict=True): source {', '.join(ended)} ended before source {', '.join(longer)}"
