"""Whether a thread waits for a lock, as its stack shows.

Neither Python nor a library says who owns what. But the stack of a thread that waits shows that it calls
what waits: a lock, or a queue or a thread that ends. One that is merely busy, asleep or idle shows
something else.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from inspect import getattr_static
from queue import SimpleQueue
from threading import Lock, RLock, main_thread
from types import BuiltinMethodType, CodeType, FrameType, MemberDescriptorType
from typing import Any, NamedTuple

__all__ = ["lock_awaited"]

_TAKERS = frozenset({"acquire", "__enter__", "flock", "lockf", "locking"})
"""Names of what takes a lock, of a thread or of a file."""
_ENTERS = frozenset({"BEFORE_WITH"})
_NAMES = ("LOAD_FAST", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT", "LOAD_GLOBAL", "LOAD_NAME")
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SPECIAL")

Chain = tuple[str, ...]
"""A variable, and attributes of attributes of it."""


def lock_awaited(thread: int | None) -> tuple[int, int] | None:
    """Where `thread` is taking a lock just now: the same again and again while it does not get it.

    None if it does something else. A lock that is taken without delay may be seen, too, but hardly often at
    the same place of the same call: only where the machine is so busy that the thread does not run.
    """
    frame = None if thread is None else sys._current_frames().get(thread)  # pyright: ignore[reportPrivateUsage] - documented
    if frame is None:
        return None
    place = _place(frame.f_code, frame.f_lasti)
    waited = [each for chain in place.chains for each in _waited(frame, chain)]
    takes = any(_keeps_waiting(each, thread) for each in waited) if waited else place.takes
    return (id(frame), frame.f_lasti) if takes else None


class _Place(NamedTuple):
    """What the instruction at a place of some code calls, as far as the code tells."""

    takes: bool
    """Whether it takes a lock, by what it is or by the name of what it calls."""
    chains: tuple[Chain, ...]
    """What it calls, and what it hands over: a ``map``, or another function in C, may call that."""


@lru_cache(maxsize=256)
def _place(code: CodeType, place: int) -> _Place:
    before = [each for each in dis.get_instructions(code) if each.offset <= place]
    if not before:  # pragma: no cover - a thread is seen just as it enters the function
        return _Place(takes=False, chains=())
    chains = tuple(_chains([each for each in before if _is_within(each, before[-1])]))
    named = any(name in _TAKERS for chain in chains for name in chain)
    return _Place(named or before[-1].opname in _ENTERS, chains)


def _is_within(instruction: dis.Instruction, whole: dis.Instruction) -> bool:
    """Whether what `instruction` does is a part of the expression that `whole` completes."""
    part, all_of_it = instruction.positions, whole.positions
    if part is None or all_of_it is None or None in part or None in all_of_it:  # python -X no_debug_ranges
        return False
    line, end_line, column, end_column = all_of_it
    return (line, column) <= (part[0], part[2]) and (part[1], part[3]) <= (end_line, end_column)


def _chains(instructions: list[dis.Instruction]) -> Iterator[Chain]:
    chain: Chain = ()
    for each in instructions:
        if each.opname.startswith(_NAMES):
            value: object = each.argval
            for name in map(str, value if isinstance(value, tuple) else (value,)):  # pyright: ignore[reportUnknownArgumentType] - of names
                chain = (name,)
                yield chain
        elif each.opname in _ATTRIBUTES:
            chain = (*chain, str(each.argval if isinstance(each.argval, str) else each.argrepr))
            yield chain
        elif each.opname != "PUSH_NULL":
            chain = ()


_WAITED: dict[type, Callable[[Any, int | None], bool]] = {
    type(Lock()): lambda lock, _: lock.locked(),
    type(RLock()): lambda lock, thread: (
        (shown := repr(lock)).startswith("<locked") and f"owner={thread} " not in shown
    ),
    SimpleQueue: lambda queue, _: queue.empty(),
    type(getattr(main_thread(), "_handle", None)): lambda ended, _: not ended.is_done(),
}
"""The types, written in C, of what can be waited for, and whether a thread would wait; a thread that ends is
one from Python 3.13 on. An ``RLock`` says in nothing but its ``repr`` whose it is."""
_WAITED.pop(type(None), None)


def _keeps_waiting(waited: Any, thread: int | None) -> bool:
    return _WAITED[type(waited)](waited, thread)


def _waited(frame: FrameType, chain: Chain) -> Iterator[Any]:
    """What `chain` stands for, if it may be waited for. No code of the user's runs to find that."""
    name, *attributes = chain
    found: Any = frame.f_locals.get(name, frame.f_globals.get(name))
    for attribute in attributes:
        within = getattr_static(found, attribute, None)
        found = within.__get__(found) if isinstance(within, MemberDescriptorType) else within
    for each in _called(found):
        if type(each) in _WAITED:
            yield each


def _called(value: Any) -> Iterator[Any]:
    """`value`, and what it calls, or is a method of."""
    yield value
    if isinstance(value, BuiltinMethodType):
        yield value.__self__
    elif isinstance(value, partial):
        yield from _called(value.func)
        yield from value.args
