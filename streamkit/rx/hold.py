"""Threads that are held, and the locks they own: whether an event loop's thread waits for one.

A thread that emits is held inside RxPY, where it owns the lock of a ``merge``, or the program's own. If a
callback of the event loop wants that lock, the loop stands still, and with it the reader that would make
room. Neither RxPY nor Python says who owns what, but the stack of the loop's thread shows that it is taking
a lock. A loop that is merely busy, asleep or idle shows something else.
"""

from __future__ import annotations

import dis
import sys
from functools import lru_cache
from types import CodeType

__all__ = ["lock_awaited"]

_TAKERS = ("acquire", "__enter__")
_NAMING = ("LOAD_METHOD", "LOAD_ATTR", "LOAD_SPECIAL", "LOAD_GLOBAL", "LOAD_NAME")


def lock_awaited(thread: int | None) -> tuple[int, int] | None:
    """Where `thread` is taking a lock just now: the same again and again while it does not get it.

    None if it does something else. A lock that is taken without delay may be seen, too, but not twice at
    the same place of the same call.
    """
    frame = None if thread is None else sys._current_frames().get(thread)  # pyright: ignore[reportPrivateUsage] - documented
    if frame is None or not _takes_lock(frame.f_code, frame.f_lasti):
        return None
    return id(frame), frame.f_lasti


@lru_cache(maxsize=256)
def _takes_lock(code: CodeType, place: int) -> bool:
    """Whether the instruction at `place` enters a ``with``, or calls an ``acquire``."""
    before = [each for each in dis.get_instructions(code) if each.offset <= place]
    if not before:
        return False
    if before[-1].opname == "BEFORE_WITH":
        return True
    if not before[-1].opname.startswith("CALL"):
        return False
    named = next((each for each in reversed(before) if each.opname in _NAMING), None)
    return named is not None and any(taker in (named.argval, named.argrepr) for taker in _TAKERS)
