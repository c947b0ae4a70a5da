"""An operator of ours and one of RxPY over the same items: the values and the end of both."""

from collections.abc import Iterable
from typing import Any

import reactivex

from streamkit import Stream

__all__ = ["WHOLE", "ended", "ours", "theirs"]

WHOLE: list[tuple[Any, type[Exception]]] = [
    (-1, ValueError),
    (-(10**30), ValueError),
    (True, TypeError),
    (1.0, TypeError),
    (float("nan"), TypeError),
    ("1", TypeError),
    (None, TypeError),
    ([1], TypeError),
]
"""What is no whole number of at least 0, and the error."""


class Failed(Exception):  # noqa: N818
    """The error with which a source of the tests fails."""


def ended(items: Iterable[Any], *, fails: bool) -> Any:
    """A source of `items`, which then ends or fails."""
    yield from items
    if fails:
        raise Failed


def ours(items: Iterable[Any], *operators: Any, fails: bool = False) -> tuple[list[Any], str]:
    """What comes out of our operators, and how it ends."""
    out: list[Any] = []
    try:
        for item in Stream(lambda: ended(items, fails=fails)).pipe(*operators):
            out.append(item)
    except Exception as error:
        return out, type(error).__name__
    return out, "end"


def theirs(items: Iterable[Any], *operators: Any, fails: bool = False) -> tuple[list[Any], str]:
    """The same of those of RxPY."""
    out: list[Any] = []
    ends: list[str] = []
    source: Any = reactivex.from_iterable(items)
    if fails:
        source = reactivex.concat(source, reactivex.throw(Failed()))
    source.pipe(*operators).subscribe(
        out.append, lambda error: ends.append(type(error).__name__), lambda: ends.append("end")
    )
    (end,) = ends
    return out, end
