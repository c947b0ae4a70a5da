"""A process that works: what runs in it, from its first frame to its last."""

from __future__ import annotations

import atexit
import gc
import os
import signal
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from io import BufferedRandom, BufferedWriter, TextIOWrapper
from itertools import compress
from multiprocessing import current_process, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from socket import MSG_DONTWAIT, socket
from threading import Thread
from time import perf_counter
from typing import Any, Final

from streamkit.executors.frames import HEAD, TO_PROCESS, Frame, Inflow, Say
from streamkit.executors.memory import Peak
from streamkit.executors.packing import pack, pack_error, pack_outcomes, unpack
from streamkit.executors.remote import KnownWork, Place, lone_place

__all__ = ["Serving", "serve"]

_FILES: Final = frozenset((BufferedRandom, BufferedWriter, TextIOWrapper))
"""What `open` gives to write to."""


def serve(connection: socket) -> None:
    """Do what the frames say that come through `connection`, until it ends."""
    connection.set_inheritable(False)
    signal.signal(signal.SIGINT, _no_interrupt)
    Thread(target=_end_with_parent, name="streamkit parent", daemon=True).start()
    if isinstance(current_process(), SpawnProcess):  # others end without that, and have copies of files
        atexit.register(_leave)  # those that are registered later are called before it
    with connection:
        Serving(connection).run()


def _leave() -> None:
    """Have the interpreter end without freeing, one by one, what goes with the process.

    That takes as long as some hundred chunks. It has waited for threads by now, and called what `atexit` has.
    Files that are left open, which it would flush by freeing them, are flushed here.
    """
    everything = gc.get_objects()
    with ExitStack() as each_in_turn:
        each_in_turn.callback(gc.freeze)  # the last, also where one of the files cannot be written
        for file in compress(everything, map(_FILES.__contains__, map(type, everything))):
            each_in_turn.callback(_flush, file)


def _flush(file: BufferedRandom | BufferedWriter | TextIOWrapper) -> None:
    with suppress(ValueError):  # it is closed, or was detached from its file: there is nothing in it
        file.flush()


def _no_interrupt(*_: Any) -> None:
    """Ctrl-C goes to all processes of a terminal; the one that has the pool says what comes of it.

    Not ignored, because programs that a worker starts would ignore it too.
    """


def _end_with_parent() -> None:
    """Wait until the process that has the pool is gone, however it went; then nobody wants the work."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


class Serving:
    """What a process does between its first frame and its last."""

    def __init__(self, connection: socket) -> None:
        self._connection = connection
        self._inflow = Inflow(connection, TO_PROCESS)
        self._inbox: deque[Frame] = deque()
        """Frames that are here; calls wait in it while others are done."""
        self._known = KnownWork()
        self._begun = 0.0
        self._place: Place | None = None
        self._peak = Peak()
        self._doing: dict[int, Callable[[int, Any], None]] = {
            Say.SET_UP: self._set_up,
            Say.SEAT: self._seat,
            Say.LEARN: self._learn,
            Say.READY: self._ready,
            Say.FORGET: self._forget,
            Say.CALL: self._call,
            Say.TELL: self._tell,
        }

    def run(self) -> None:
        try:
            self._say(Say.HELLO, os.getpid())
            while self._turn():
                pass
        except (BrokenPipeError, ConnectionResetError):  # of our socket: nobody is there any more
            self._close(asked=False)

    def _turn(self) -> bool:
        """Heed one frame, and keep nothing of it; False if it was the last."""
        frame = self._next()
        if frame is None or frame[0] == Say.CLOSE:
            self._close(frame is not None)
            return False
        kind, number, _, _, body = frame
        self._doing[kind](number, body)
        return True

    # frames ------------------------------------------------------------------------------------

    def _next(self) -> Frame | None:
        """The next frame to heed, when all that has come is in; None if there will be no more."""
        inbox, inflow = self._inbox, self._inflow
        while True:
            try:
                frames = inflow.read(MSG_DONTWAIT if inbox else 0)
            except BlockingIOError:
                return inbox.popleft()
            for frame in frames:
                if frame[0] == Say.DROP:
                    self._drop(frame[1])
                else:
                    inbox.append(frame)
            if inflow.over:
                return None

    def _drop(self, number: int) -> None:
        for frame in self._inbox:
            if frame[0] == Say.CALL and frame[1] == number:
                self._inbox.remove(frame)
                self._say(Say.DROPPED, number)
                return

    def _say(self, kind: int, number: int = 0, body: bytes = b"", seconds: float = 0.0) -> None:
        head = HEAD.pack(kind, number, seconds, self._peak.bytes(), len(body))
        self._connection.sendall(head + body if len(body) < 4096 else head)
        if len(body) >= 4096:
            self._connection.sendall(body)

    # what they say -----------------------------------------------------------------------------

    def _set_up(self, number: int, body: Any) -> None:
        self._begun = perf_counter()
        try:
            setup, arguments = unpack(body)
            self._place = lone_place(setup, number, arguments)
            self._place.prepare()
        except Exception as error:
            self._begun = 0.0
            self._say(Say.UNPREPARED, body=pack_error(error))

    def _ready(self, number: int, body: Any) -> None:
        if self._begun:
            self._say(Say.PREPARED, seconds=perf_counter() - self._begun)

    @property
    def _here(self) -> Place:
        assert self._place is not None
        return self._place

    def _seat(self, number: int, body: Any) -> None:
        self._here.seat(number)

    def _learn(self, number: int, body: Any) -> None:
        self._known.learn(number, body)

    def _forget(self, number: int, body: Any) -> None:
        self._known.forget(number)

    def _call(self, number: int, body: Any) -> None:
        begun = perf_counter()
        try:
            with memoryview(body) as data:
                work = self._known.work(int.from_bytes(data[:8]))
                try:
                    items = unpack(data[8:])
                except Exception as error:
                    self._say(Say.UNREAD, number, pack_error(error))
                    return
            outcomes = self._here.done(work, items)
            body = items = None
            packed = pack_outcomes(outcomes)
        except Exception as error:
            self._say(Say.FAILED, number, pack_error(error))
        else:
            self._say(Say.DONE, number, packed, perf_counter() - begun)

    def _tell(self, number: int, body: Any) -> None:
        try:
            packed = pack(self._here.tell(unpack(body)))
        except Exception as error:
            self._say(Say.FAILED, number, pack_error(error))
        else:
            self._say(Say.DONE, number, packed)

    def _close(self, asked: bool) -> None:
        """Close what was prepared; `asked` for it, tell how that went."""
        packed = b""
        place, self._place = self._place, None
        try:
            if place is not None:
                place.close()
        except Exception as error:
            if not asked:
                raise
            packed = pack_error(error)
        if asked:
            self._say(Say.CLOSED, body=packed)
