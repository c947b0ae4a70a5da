"""Frames: what a pool and its processes say to each other, through one socket for each process.

A frame is a head of fixed size and as many bytes as that says.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, TypeAlias

__all__ = ["FROM_PROCESS", "HEAD", "Frame", "Say"]

Frame: TypeAlias = tuple[int, int, float, int, bytes | bytearray]
"""What is said, of which call, how long that took, the memory that the process has needed, and the rest."""
HEAD: Final = Struct("!BqdQQ")
"""The same, with the number of bytes of the rest in its place."""


class Say:
    """What a frame says. Numbers and not an enum, which would be made of each frame that comes."""

    # to a process
    SET_UP: Final = 1
    """Here is what you are prepared with."""
    SEAT: Final = 2
    """You are not a spare any more: the number is your index."""
    LEARN: Final = 3
    """Here is work: its number is that of its run."""
    READY: Final = 9
    """Say when you are prepared, and have read the work."""
    FORGET: Final = 4
    """That work is done."""
    CALL: Final = 5
    """Here are items; the first eight bytes say which work."""
    DROP: Final = 6
    """That call is not wanted any more, if it has not begun."""
    TELL: Final = 7
    """Here is a function to be called with what was prepared."""
    CLOSE: Final = 8
    """Close what was prepared, and end."""
    # from a process
    HELLO: Final = 11
    """I run."""
    PREPARED: Final = 12
    UNPREPARED: Final = 13
    """With the error."""
    DONE: Final = 14
    """With what became of the items."""
    FAILED: Final = 15
    """With the error of the whole call."""
    UNREAD: Final = 16
    """The items could not be unpickled; with the error."""
    DROPPED: Final = 17
    CLOSED: Final = 18
    """With the error of that, if there is one."""


FROM_PROCESS: Final = range(Say.HELLO, Say.CLOSED + 1)
"""What a process may say. Anything else is no frame: its function has written to our socket."""
