"""What the workers of these tests do: functions with names, as processes need them."""

import asyncio
import atexit
import io
import os
import signal
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from streamkit.executors import Hooks, Worker, worker

__all__ = [
    "Ends",
    "Model",
    "Noted",
    "SlowToClose",
    "Stubborn",
    "Unreadable",
    "babbles",
    "double",
    "ends",
    "fails_at_three",
    "forks",
    "hides",
    "killed_by",
    "lasts",
    "leaves",
    "loop_of",
    "needs_a_word",
    "not_prepared",
    "only_once",
    "opened",
    "pid_of",
    "shares",
]


_leaves: list[Any] = []
"""What `leaves` has made, and nobody closes."""


def leaves(folder: str) -> int:
    """Leaves what is heard of when a program ends: open files, a hook, a thread, a folder."""
    atexit.register(_note, folder, "hook")
    file = open(os.path.join(folder, "open"), "a", encoding="utf-8")  # noqa: SIM115 - what many programs do
    file.write("written")
    atexit.register(file.write, " to the end")
    taken_over = io.TextIOWrapper(io.BytesIO())
    taken_over.detach()
    thread = threading.Thread(target=lambda: (time.sleep(0.05), _note(folder, "thread")))
    thread.start()
    _leaves.extend((file, taken_over, thread, tempfile.TemporaryDirectory(dir=folder)))
    print("printed", end="")
    return len(os.listdir(folder))


def _note(folder: str, name: str) -> None:
    with open(os.path.join(folder, name), "x", encoding="utf-8"):
        pass


def double(number: int) -> int:
    return 2 * number


async def loop_of(item: object) -> int:
    return id(asyncio.get_running_loop())


def fails_at_three(number: int) -> int:
    if number == 3:
        raise ValueError(f"no {number}")
    return number


def pid_of(item: object) -> int:
    return os.getpid()


def lasts(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def forks(seconds: float) -> None:
    """Leaves behind a process that has all that this one has open, and is killed."""
    if os.fork() == 0:
        time.sleep(seconds)
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)


_grown: list[bytearray] = []


def grows(size: int) -> tuple[int, int]:
    """Keeps so many bytes more each time, as code with a leak does."""
    _grown.append(bytearray(b"x") * size)
    time.sleep(0.04)
    return os.getpid(), sum(map(len, _grown))


def hides(seconds: float) -> None:
    """Closes its socket, and goes on."""
    for number in range(3, 200):  # and not the pipe by which it knows of its parent's end
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                os.close(number)
    time.sleep(seconds)


def babbles(item: object) -> None:
    """Writes to its socket what is no frame."""
    for number in range(3, 200):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                os.write(number, b"garbage" * 100)
    time.sleep(60.0)


def killed_by(number: int) -> int:
    """Item 13 kills its worker."""
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def ends(how: str) -> Any:
    """Ways in which a call does not come back as it should."""
    match how:
        case "exit":
            sys.exit(3)
        case "_exit":
            os._exit(4)
        case "result":
            return lambda: None
        case "error":
            raise Stubborn("a", 2)
        case "memory":
            raise MemoryError("all of it")
        case "unreadable":
            return Unreadable()
    return how


class Stubborn(Exception):  # noqa: N818
    """It is pickled, and cannot be read again."""

    def __init__(self, one: str, two: int) -> None:
        super().__init__(f"{one} and {two}")


class Ends(Exception):  # noqa: N818 - named for what it does where it is read
    """It is pickled, and ends the program where it is read."""

    def __reduce__(self) -> Any:
        return sys.exit, ()


class Unreadable:
    """It is pickled, and cannot be read again."""

    def __reduce__(self) -> Any:
        return _broken, ()


def _broken() -> None:
    raise LookupError("nobody can read this")


class Model:
    """What is prepared: it notes how often, and by whom it was called."""

    made = 0

    def __init__(self, name: str = "", seconds: float = 0.0) -> None:
        time.sleep(seconds)
        type(self).made += 1
        self.name = name
        self.version = 1

    def __call__(self, item: Any) -> tuple[str, int, Any]:
        return self.name, self.version, item

    def reload(self) -> str:
        self.version += 1
        return f"{self.name} {self.version}"


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Notes in a file that it was opened and closed."""
    with open(path, "a") as file:
        file.write("opened\n")
    yield double
    with open(path, "a") as file:
        file.write("closed\n")


def not_prepared(how: str = "raises") -> Any:
    match how:
        case "raises":
            raise OSError("no such device")
        case "exits":
            os._exit(1)
        case "hangs":
            time.sleep(60.0)
    return 5


def only_once(path: str) -> None:
    """Fails where another was prepared with the same path."""
    with open(path, "x"):
        pass


def needs_a_word(path: str) -> None:
    """Two are prepared at once with a path; the next ones when there is another file beside it."""
    with open(path, "a") as file:
        file.write("x")
        number = file.tell()
    while number > 2 and not os.path.exists(f"{path} may"):
        time.sleep(0.002)


class SlowToClose(Model):
    def close(self) -> None:
        time.sleep(60.0)


class Noted(Hooks):
    """Notes its calls in a list, which a thread shares and a process has for itself."""

    def __init__(self, notes: list[Any]) -> None:
        self.notes = notes

    def opened(self) -> None:
        self.notes.append("opened")

    def closed(self) -> None:
        self.notes.append("closed")

    def began(self, worker: Worker) -> None:
        self.notes.append("began")

    def ended(self, worker: Worker) -> None:
        self.notes.append("ended")

    def before(self, item: Any) -> None:
        self.notes.append(("before", item))

    def after(self, item: Any, result: Any) -> None:
        self.notes.append(("after", item, result if not isinstance(result, Exception) else str(result)))


def shares(item: int) -> tuple[int, int]:
    """Puts `item` where its siblings find it."""
    me = worker()
    me.shared.setdefault("items", []).append(item)
    return me.index, len(me.siblings)
