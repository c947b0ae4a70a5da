"""Events: what comes of a stream, and when."""

from __future__ import annotations

from typing import Any

from streamkit._core.show import shown, told
from streamkit._core.value import Record

__all__ = ["Event", "same"]


class Event(Record):
    """One thing that came of a stream, or was dropped."""

    time: int
    """When, in whole nanoseconds since its consumer began: so times are equal, whatever floats say."""
    kind: str
    """``item``, ``|`` for the end, ``#`` for an error."""
    value: Any = None

    def told(self) -> str:
        """It, in words."""
        if self.kind == "|":
            return "the end"
        return f"the error {told(self.value)}" if self.kind == "#" else shown(self.value)


def same(one: Any, other: Any) -> bool:
    """Whether two items are one, or equal. What ``==`` cannot say is no, as of two arrays."""
    if one is other:
        return True
    try:
        return bool(one == other)
    except Exception:
        return False
