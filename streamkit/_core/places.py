"""Places: where in a user's code something was written, as errors name it."""

from __future__ import annotations

import os
from types import CodeType, FrameType
from typing import Final

__all__ = ["OURS", "USERS", "caller", "line_of", "looked_at", "placed", "written"]

OURS: Final = "streamkit."
"""How the names of our modules begin."""


def caller(frame: FrameType) -> FrameType:
    """`frame`, if it is of a user's code; else the nearest before it that is."""
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith(OURS):
        frame = frame.f_back
    return frame


USERS: Final = set[str]()
"""Names of modules that are a user's, of those that were looked at last."""
_MANY: Final = 256


def looked_at(frame: FrameType) -> FrameType:
    """What `caller` returns; if that is `frame`, the name of its module is known to be a user's."""
    found, name = caller(frame), frame.f_globals.get("__name__")
    if found is frame and type(name) is str and not name.startswith(OURS):
        if len(USERS) >= _MANY:
            USERS.clear()
        USERS.add(name)
    return found


def written(frame: FrameType) -> tuple[str, int]:
    """The file and line of the user's code that has led to `frame`."""
    found = caller(frame)
    return found.f_code.co_filename, found.f_lineno


def line_of(code: CodeType, at: int) -> int:
    """The line of the instruction of `code` that is `at` this place."""
    lines = (line for begin, end, line in code.co_lines() if begin <= at < end)
    return next(lines, None) or code.co_firstlineno


def placed(path: str, line: int) -> str:
    """A line of a file as ``file:line``, in short where the file is below the current directory.

    >>> placed("/elsewhere/pipe.py", 3)
    '/elsewhere/pipe.py:3'
    """
    try:
        here = os.getcwd() + os.sep
    except OSError:  # the directory was deleted
        here = ""
    return f"{path.removeprefix(here)}:{line}"
