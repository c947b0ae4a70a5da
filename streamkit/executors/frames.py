"""Frames: what a pool and its processes say to each other, through one socket for each process.

A frame is a head of fixed size and as many bytes as that says.
"""

from __future__ import annotations

from socket import socket
from struct import Struct
from typing import Final, TypeAlias

__all__ = ["FROM_PROCESS", "HEAD", "TO_PROCESS", "Frame", "Inflow", "Say"]

Frame: TypeAlias = tuple[int, int, float, int, bytes | memoryview]
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


TO_PROCESS: Final = range(Say.SET_UP, Say.READY + 1)
FROM_PROCESS: Final = range(Say.HELLO, Say.CLOSED + 1)
"""What a process may say. Anything else is no frame: its function has written to our socket."""
_ROOM: Final = 1 << 16
"""Bytes that are read at once. A longer frame has room for twice what has come of it: what is no frame
might say any size."""
_LARGE: Final = 1 << 14
"""Bytes from which on the rest of a frame is not copied."""


class Inflow:
    """The frames that come through a socket, as many as have come at once."""

    def __init__(self, connection: socket, kinds: range) -> None:
        self._connection = connection
        self._kinds = kinds
        self._room = memoryview(bytearray(_ROOM))
        self._filled = 0
        """Bytes of it that have come, of a frame that is not whole yet."""
        self.over: bool = False
        """Whether no more will come: the other end is gone, or has sent what is no frame."""

    def read(self, flags: int = 0) -> list[Frame]:
        """The frames that are whole with what has come now."""
        more = self._connection.recv_into(self._room[self._filled :], 0, flags)
        self.over = not more
        return self._whole(self._filled + more) if more else []

    def _whole(self, filled: int) -> list[Frame]:
        room, at, kept = self._room, 0, False
        found: list[Frame] = []
        while filled - at >= HEAD.size:
            kind, number, seconds, memory, size = HEAD.unpack_from(room, at)
            if kind not in self._kinds:
                self.over = True
                return found
            end = at + HEAD.size + size
            if filled < end:
                break
            rest = room[at + HEAD.size : end]
            kept = kept or size >= _LARGE
            found.append((kind, number, seconds, memory, rest if size >= _LARGE else bytes(rest)))
            at = end
        self._filled = left = filled - at
        if kept or left == len(room) or left < _ROOM < len(room):
            self._room = memoryview(bytearray(max(_ROOM, 2 * left)))
        if left and (at or self._room is not room):
            self._room[:left] = room[at:filled]
        return found
