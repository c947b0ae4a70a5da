"""What runs in a process, run in a thread: each frame that it is sent, and what it says to that."""

import socket
import threading
from multiprocessing import Pipe
from types import SimpleNamespace
from typing import Any

import pytest

from streamkit import PackingError
from streamkit._core.markers import ABSENT
from streamkit._core.workers import Calls, NoResult
from streamkit.executors import serve
from streamkit.executors.frames import HEAD, Say
from streamkit.executors.packing import pack, unpack, unpack_error, unpack_outcomes
from streamkit.executors.remote import Setup
from streamkit.executors.serve import Serving
from tests.executors.work import Model, Unreadable, double, ends, loop_of, not_prepared


class Served:
    """A worker, and our end of its socket."""

    def __init__(self) -> None:
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(10.0)
        self.serving = Serving(theirs)
        self._theirs = theirs
        self._thread = threading.Thread(target=self._run)
        self.error: OSError | None = None
        """What it has ended with."""

    def _run(self) -> None:
        with self._theirs:
            try:
                self.serving.run()
            except OSError as error:
                self.error = error

    def send(self, kind: int, number: int = 0, body: bytes = b"") -> None:
        self.ours.sendall(HEAD.pack(kind, number, 0.0, 0, len(body)) + body)

    def call(self, number: int, work: int, items: Any) -> None:
        self.send(Say.CALL, number, work.to_bytes(8) + pack(items))

    def hear(self) -> tuple[int, int, bytes]:
        head = self.ours.recv(HEAD.size, socket.MSG_WAITALL)
        kind, number, _, _, size = HEAD.unpack(head)
        return kind, number, self.ours.recv(size, socket.MSG_WAITALL) if size else b""

    def __enter__(self) -> "Served":
        self._thread.start()
        assert self.hear()[0] == Say.HELLO
        return self

    def __exit__(self, *_: object) -> None:
        self.ours.close()
        self._thread.join(10.0)
        assert not self._thread.is_alive()

    def prepare(self, prepare: Any, **arguments: Any) -> tuple[int, int, bytes]:
        self.send(Say.SET_UP, 0, pack((Setup(prepare, None), arguments)))
        self.send(Say.READY)
        return self.hear()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Set when a call has begun, and to be set so that calls go on."""
    begun, may = threading.Event(), threading.Event()

    def outcomes(self: Calls, items: Any, prepared: Any, usual: Any = Calls.outcomes) -> Any:
        begun.set()
        assert may.wait(10.0)
        return usual(self, items, prepared)

    monkeypatch.setattr(Calls, "outcomes", outcomes)
    return begun, may


def test_it_is_prepared_does_work_is_told_and_closes() -> None:
    with Served() as served:
        assert served.prepare(Model, name="a") == (Say.PREPARED, 0, b"")
        served.send(Say.SEAT, 3)
        served.send(Say.LEARN, 1, pack(Calls(ABSENT)))
        served.call(7, 1, ["x"])
        kind, number, body = served.hear()
        assert (kind, number, unpack_outcomes(body, 0.0)) == (Say.DONE, 7, [("a", 1, "x")])
        served.send(Say.TELL, 8, pack(Model.reload))
        kind, number, body = served.hear()
        assert (kind, number, unpack(body)) == (Say.DONE, 8, "a 2")
        served.send(Say.TELL, 9, pack(len))
        kind, number, body = served.hear()
        assert (kind, number) == (Say.FAILED, 9)
        assert isinstance(unpack_error(body), TypeError)
        served.send(Say.LEARN, 2, pack(Calls(loop_of)))
        served.call(9, 2, [1, 2])
        one, two = unpack_outcomes(served.hear()[2], 0.0)
        assert one == two  # awaited, in the loop of the chunk
        served.send(Say.FORGET, 1)
        served.call(10, 1, ["x"])
        assert served.hear()[:2] == (Say.FAILED, 10)
        served.send(Say.CLOSE)
        assert served.hear() == (Say.CLOSED, 0, b"")


def test_errors_of_preparing_and_closing_are_told() -> None:
    with Served() as served:
        kind, _, body = served.prepare(not_prepared, how="raises")
        assert kind == Say.UNPREPARED
        assert str(unpack_error(body)) == "no such device"
        served.send(Say.CLOSE)
        assert served.hear() == (Say.CLOSED, 0, b"")
    with Served() as served:
        served.prepare(CloseFails)
        served.send(Say.CLOSE)
        kind, _, body = served.hear()
        assert (kind, str(unpack_error(body))) == (Say.CLOSED, "late")


class CloseFails:
    def close(self) -> None:
        raise OSError("late")


def test_what_cannot_be_read_or_sent_back_is_told() -> None:
    with Served() as served:
        served.prepare(ABSENT)
        served.send(Say.LEARN, 1, pack(Calls(ends)))
        served.send(Say.LEARN, 2, pack(Unreadable()))
        served.call(1, 1, [Unreadable()])
        kind, number, body = served.hear()
        assert (kind, number) == (Say.UNREAD, 1)
        assert isinstance(unpack_error(body), LookupError)
        served.call(2, 2, [1])
        kind, number, body = served.hear()
        assert (kind, number) == (Say.FAILED, 2)
        assert isinstance(unpack_error(body), LookupError)
        served.call(3, 1, ["good", "result", "error"])
        good, result, error = unpack_outcomes(served.hear()[2], 0.0)
        assert good == "good"
        assert isinstance(result.error, PackingError)
        assert isinstance(error, NoResult)
        served.call(4, 1, ["x" * 10_000])
        assert unpack_outcomes(served.hear()[2], 0.0) == ["x" * 10_000]


def test_a_call_that_waits_is_dropped(held: tuple[threading.Event, threading.Event]) -> None:
    begun, may = held
    with Served() as served:
        served.prepare(ABSENT)
        served.send(Say.LEARN, 1, pack(Calls(double)))
        served.call(1, 1, [1])
        served.call(2, 1, [2])
        served.call(3, 1, [3])
        assert begun.wait(10.0)
        served.send(Say.DROP, 2)
        served.send(Say.DROP, 99)
        may.set()
        assert [served.hear()[:2] for _ in range(3)] == [(Say.DONE, 1), (Say.DROPPED, 2), (Say.DONE, 3)]
        served.send(Say.DROP, 3)
        served.call(4, 1, [4])
        assert served.hear()[:2] == (Say.DONE, 4)


@pytest.mark.parametrize("cut", [1, HEAD.size, HEAD.size + 3])
def test_a_socket_that_ends_in_the_middle_of_a_frame_ends_it(cut: int) -> None:
    with Served() as served:
        frame = HEAD.pack(Say.LEARN, 1, 0.0, 0, 10) + b"x" * 10
        served.ours.sendall(frame[:cut])


def test_what_has_come_before_the_end_is_not_begun() -> None:
    """Nobody is there any more; so nobody hears of an error of closing what was prepared."""
    with Served() as served:
        served.prepare(CloseFails)
        served.ours.sendall(HEAD.pack(Say.TELL, 1, 0.0, 0, 0) + HEAD.pack(Say.CALL, 2, 0.0, 0, 10))
    assert str(served.error) == "late"


class Ended(Exception):  # noqa: N818
    """The process has ended."""


def test_it_ends_with_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    def ends(code: int) -> None:
        raise Ended(code)

    monkeypatch.setattr("os._exit", ends)
    serve._end_with_parent()  # it has none: somebody has called it in a process that he has started himself
    one, other = Pipe()
    one.close()
    monkeypatch.setattr(serve, "parent_process", lambda: SimpleNamespace(sentinel=other))
    with pytest.raises(Ended), other:
        serve._end_with_parent()


class Closes(Model):
    closed = 0

    def close(self) -> None:
        Closes.closed += 1


def test_one_that_nobody_hears_any_more_closes_what_was_prepared() -> None:
    with Served() as served:
        served.prepare(Closes)
        served.send(Say.LEARN, 1, pack(Calls(ABSENT)))
        served.call(1, 1, ["x" * 10_000_000])  # more than the socket takes
        assert served.ours.recv(HEAD.size)
    assert Closes.closed == 1
