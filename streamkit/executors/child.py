"""Children: hands that are processes, each at the other end of a socket.

They are ours, and not those of a ``ProcessPoolExecutor``: one whose worker is killed while it sends a result
waits for the rest of that for ever. A socket of which we hold one end only says when the other is gone.
"""

from __future__ import annotations

import atexit
from asyncio import TimerHandle
from collections.abc import Mapping
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from socket import socket, socketpair
from threading import Lock, Thread
from typing import Any, Final
from weakref import finalize

from streamkit.executors.frames import Frame, Say
from streamkit.executors.functions import Packed
from streamkit.executors.hand import Call, Hand, Master, loop_hears
from streamkit.executors.packing import Unread, garbled, unpack, unpack_error, unpack_outcomes
from streamkit.executors.serve import serve
from streamkit.executors.wire import Wire

__all__ = ["Child"]

_FIRST_LOOK: Final = 0.0005
_LAST_LOOK: Final = 0.05
"""Seconds between two looks at whether a process that was lost has ended."""
GRACE: Final = 2.0
"""Seconds that a process may take to end by itself when it has closed its socket; then it is killed."""
WATCH: Final = 1.0
"""Seconds between two looks at a process that works: what it has started may keep its socket open."""
_asking: Final = Lock()
"""Held by who asks how processes have ended, as each that starts does of all. A fork server says it once: of
two threads that ask at the same time, one would be told 255."""


class Child(Hand):
    """A process."""

    def __init__(
        self, master: Master, index: int, arguments: Mapping[str, Any], context: BaseContext, setup: bytes
    ) -> None:
        super().__init__(master, index, arguments)
        self._context = context
        self._setup = setup
        self._process: BaseProcess | None = None
        self._wire: Wire | None = None
        self._calls: dict[int, Call] = {}
        self._error: Exception | None = None
        """Of closing what was prepared."""
        self._timer: TimerHandle | None = None
        self._abandon: Any = None

    # it starts ---------------------------------------------------------------------------------

    def start(self) -> None:
        # in a thread, because a fork server that does not run yet takes a while
        Thread(target=self._begin, name=f"streamkit start {self.index}", daemon=True).start()

    def _begin(self) -> None:
        ours, theirs = socketpair()
        made: Any = self._context
        process: Any = None
        error: Exception | None = None
        try:
            with theirs:
                process = made.Process(target=serve, args=(theirs,), name=f"streamkit-{self.index}")
                with _asking:
                    process.start()
        except Exception as failed:
            error = failed
        if not loop_hears(self.master.loop, self._begun, process, ours, error):
            ours.close()  # which it takes for its end

    def _begun(self, process: BaseProcess, ours: socket, error: Exception | None) -> None:
        if error is not None:
            ours.close()
            if not self.ending:
                self.master.unprepared(self, error)
            self._gone(None)
            return
        self.pid: int | None = process.pid
        self._abandon = finalize(self, _abandoned, process, ours)
        _abandons.add(self._abandon)
        try:
            self._wire = Wire(self.master.loop, ours, self._heard, self._lost)
        except Exception as failed:  # a kind of loop that watches no sockets
            self.abandon()
            if not self.ending:
                self.master.unprepared(self, failed)
            self._gone(None)
            return
        self._process = process
        if self.ending:
            self._kill()
        else:
            self._wire.send(Say.SET_UP, self.index, self._setup)
            for work in self.master.works.values():
                self.learn(work)
            self._wire.send(Say.READY)
            self._watch()

    # what it is told ---------------------------------------------------------------------------

    @property
    def _line(self) -> Wire:
        """The wire of one that does the work of a worker: it has begun, and was not lost."""
        assert self._wire is not None
        return self._wire

    def give(self, call: Call) -> None:
        wire, work = self._line, call.work
        self._calls[call.number] = call
        if work is None:
            wire.send(Say.TELL, call.number, call.payload)
            return
        wire.send(Say.CALL, call.number, work.number.to_bytes(8), call.payload)

    def stop(self, call: Call, *, first: bool) -> None:
        if first:
            self.kill()
        else:
            self._line.send(Say.DROP, call.number)

    def seat(self, index: int) -> None:
        super().seat(index)
        self._line.send(Say.SEAT, index)

    def learn(self, work: Packed) -> None:
        if self._wire is not None:
            self._wire.send(Say.LEARN, work.number, work.data or b"")

    def forget(self, work: Packed) -> None:
        if self._wire is not None:
            self._wire.send(Say.FORGET, work.number)

    def close(self) -> None:
        if not self.ending:
            self.ending: bool = True
            if self._wire is not None:
                self._wire.send(Say.CLOSE)

    def kill(self) -> bool:
        self.ending = True
        self._kill()
        return True

    def abandon(self) -> None:
        if self._abandon is not None:
            self._abandon()
            _abandons.discard(self._abandon)

    def _kill(self) -> None:
        if self._process is not None and not self.exited.done():
            self._process.kill()
            self._lost()

    # what it says ------------------------------------------------------------------------------

    def _heard(self, frame: Frame) -> None:
        kind, number, seconds, memory, body = frame
        match kind:
            case Say.DONE | Say.FAILED | Say.UNREAD:
                call = self._calls.pop(number)
                outcomes = _outcomes(kind, body, seconds, told=call.work is None)
                self.master.done(self, call, outcomes, seconds, memory)
            case Say.PREPARED:
                self.master.prepared(self, seconds)
            case Say.UNPREPARED:
                self.master.unprepared(self, unpack_error(body))
            case Say.CLOSED:
                self._error = unpack_error(body) if body else None
            case Say.DROPPED:
                self.master.dropped(self, self._calls.pop(number))
            case _:
                return  # HELLO

    def _lost(self) -> None:
        """No more will come from it: it has ended, or does now, or has been killed."""
        wire, self._wire = self._wire, None
        if wire is None:
            return
        wire.close()
        if self._timer is not None:
            self._timer.cancel()
        self.master.lost(self)
        self._look(_FIRST_LOOK, GRACE)

    def _watch(self) -> None:
        """Look now and then whether it is still there, as long as its socket is."""
        if self._process is not None and _exit_code(self._process) is not None:
            self._lost()
        else:
            self._timer = self.master.loop.call_later(WATCH, self._watch)

    def _look(self, pause: float, left: float) -> None:
        """Look whether it has ended, and if not, again after a pause."""
        process = self._process
        assert process is not None
        code = _exit_code(process)
        if code is not None:
            self._process = None
            self._abandon.detach()
            _abandons.discard(self._abandon)
            process.close()
            self._gone(code)
            return
        if left < 0:
            process.kill()
        more = min(2 * pause, _LAST_LOOK)
        self._timer = self.master.loop.call_later(pause, self._look, more, left - pause)

    def _gone(self, code: int | None) -> None:
        self.exited.set_result(code)
        self._calls.clear()
        self.master.gone(self, self._error)


def _exit_code(process: BaseProcess) -> int | None:
    """How it has ended; None while it has not, or another thread asks."""
    if not _asking.acquire(blocking=False):
        return None
    try:
        return process.exitcode
    finally:
        _asking.release()


def _outcomes(kind: int, body: bytes | memoryview, seconds: float, *, told: bool) -> Any:
    """What a process says became of a call; an error if that cannot be read."""
    try:
        if kind == Say.DONE:
            return unpack(body) if told else unpack_outcomes(body, seconds)
        error = unpack_error(body)
        return Unread(error) if kind == Say.UNREAD else error
    except Unread as unread:
        return unread
    except Exception as unread:
        return garbled(unread)


def _abandoned(process: BaseProcess, ours: socket) -> None:
    """End a process that nobody has any more: its event loop has ended before its pool was closed."""
    ours.close()
    process.kill()
    process.join()
    process.close()


_abandons: set[Any] = set()
"""How each process that there is would be abandoned."""


def _abandon_all() -> None:
    for abandon in [*_abandons]:
        abandon()


# Registered after what `multiprocessing` registers when it is imported, so it is called before that, which
# waits for processes that would wait for us.
atexit.register(_abandon_all)
