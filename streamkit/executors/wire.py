"""The end of a process's socket that the pool has: frames out and in, on the event loop, without a thread."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Handle
from collections import deque
from collections.abc import Callable
from itertools import islice
from socket import socket
from typing import Final

from streamkit.executors.frames import FROM_PROCESS, HEAD, Frame, Inflow

__all__ = ["Wire"]

_MANY: Final = 512
"""Pieces that one system call writes; it takes 1024 at most."""
_SMALL: Final = 4096
"""Bytes up to which a frame is one piece: to copy them costs less than another piece."""


class Wire:
    """One end of a pair of sockets. `got` hears of each frame, and `lost` once when no more will come.

    So it is where what comes is no frame: it might say any size, and nobody waits for so many bytes.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        connection: socket,
        got: Callable[[Frame], None],
        lost: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._connection = connection
        self._got = got
        self._lost = lost
        self._unsent: deque[bytes | memoryview] = deque()
        self._inflow = Inflow(connection, FROM_PROCESS)
        self._turn: Handle | None = None
        """Set from the first frame that is sent in a turn of the event loop until the next turn."""
        self._full = False
        """The socket takes no more now; it is written to when it does."""
        self._open = True
        connection.setblocking(False)
        loop.add_reader(connection, self._read)

    def send(self, kind: int, number: int = 0, *body: bytes) -> None:
        """Send a frame, without waiting: what the socket does not take goes when it does.

        The first one of a turn of the event loop goes at once, all others together after it: to write wakes a
        process, which costs more than all else that is done for a chunk here.
        """
        if not self._open:
            return  # the other end is gone, as `lost` says
        size = sum(map(len, body))
        head = HEAD.pack(kind, number, 0.0, 0, size)
        if size <= _SMALL:
            self._unsent.append(b"".join((head, *body)))
        else:
            self._unsent += (head, *filter(None, body))
        if self._turn is None and not self._full:
            self._flush()
            self._turn = self._loop.call_soon(self._next_turn)

    def close(self) -> None:
        """Say and hear no more. The other end reads that there is an end."""
        if self._open:
            self._open = False
            if not self._loop.is_closed():
                self._loop.remove_reader(self._connection)
                self._loop.remove_writer(self._connection)
            self._unsent.clear()
            self._connection.close()

    def _next_turn(self) -> None:
        self._turn = None
        if self._unsent and not self._full:
            self._flush()

    def _flush(self) -> None:
        if not self._write_now():
            self._full = True
            self._loop.add_writer(self._connection, self._write)

    def _write(self) -> None:
        if self._write_now():
            self._full = False
            self._loop.remove_writer(self._connection)

    def _write_now(self) -> bool:
        """Write what the socket takes; whether that is all."""
        unsent = self._unsent
        while unsent:
            try:
                sent = self._connection.sendmsg(islice(unsent, _MANY))
            except (BlockingIOError, InterruptedError):
                return False
            except OSError:
                unsent.clear()  # the process is gone: reading says so, after what it has said before that
                return True
            while sent:
                first = unsent[0]
                if sent < len(first):
                    unsent[0] = memoryview(first)[sent:]
                    break
                sent -= len(first)
                unsent.popleft()
        return True

    def _read(self) -> None:
        try:
            frames = self._inflow.read()
        except (BlockingIOError, InterruptedError):  # pragma: no cover - a selector may be wrong about it
            return
        except OSError:
            frames = None
        for frame in frames or ():
            self._got(frame)
            if not self._open:
                return
        if frames is None or self._inflow.over:
            self.close()
            self._lost()
