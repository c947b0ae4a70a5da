"""What the workers of these tests do: functions with names, and a folder in which they leave word."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from streamkit.executors import worker

__all__ = [
    "PATIENCE",
    "Killer",
    "Model",
    "Notebook",
    "lasts",
    "naps",
    "not_prepared",
    "noted",
    "poisoned",
    "slow_to_prepare",
]

PATIENCE = 150.0
"""Seconds after which a test takes what it waits for for hanging."""


class Notebook:
    """A file to which all workers add lines."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def add(self, line: object) -> None:
        # one write, at the end of the file, so that lines of several processes do not mix
        room = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(room, f"{line}\n".encode())
        os.close(room)

    def wait(self, line: str) -> None:
        """Until there is such a line."""
        until = time.monotonic() + 100.0
        while line not in self.lines() and time.monotonic() < until:
            time.sleep(0.01)

    def lines(self) -> list[str]:
        return Path(self.path).read_text().splitlines() if Path(self.path).exists() else []


class Killer:
    """Kills a worker every two seconds, if all are `ready`: in the middle of a call of `noted`."""

    def __init__(self, notebook: Notebook, ready: Callable[[], bool]) -> None:
        self.kills = 0
        self._notebook = notebook
        self._ready = ready
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._ended.wait(2.0):
            while not self._ready() and not self._ended.wait(0.01):
                pass
            before = len(self._notebook.lines())
            while len(self._notebook.lines()) == before and not self._ended.wait(0.001):
                pass
            if not self._ended.wait(0.1):  # what was done before has arrived
                os.kill(int(self._notebook.lines()[before].split()[2]), signal.SIGKILL)
                self.kills += 1

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


class Model:
    """Prepared with a notebook; some items end its process when they first come."""

    def __init__(self, notebook: Notebook, deadly: tuple[int, ...] = ()) -> None:
        self._notebook = notebook
        self._deadly = deadly
        self._arguments = dict(worker().arguments)
        notebook.add(f"prepared {os.getpid()}")

    def __call__(self, number: int) -> int:
        assert dict(worker().arguments) == self._arguments
        first = f"item {number}" not in self._notebook.lines()
        self._notebook.add(f"item {number}")
        if first and number in self._deadly:
            time.sleep(0.2)  # so that what was done before has arrived
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * number

    def close(self) -> None:
        self._notebook.add(f"closed {os.getpid()}")


def not_prepared() -> None:
    raise ValueError("no model")


def slow_to_prepare(notebook: Notebook) -> None:
    notebook.add("preparing")
    notebook.wait("go")
    notebook.add("prepared")


def poisoned(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def lasts(notebook: Notebook) -> None:
    """Until it is told to go on."""
    notebook.add("began")
    notebook.wait("go")
    notebook.add("ended")


def noted(notebook: Notebook, number: int) -> int:
    notebook.add(f"item {number} {os.getpid()}")
    time.sleep(0.3)
    return number


def naps(item: object) -> object:
    time.sleep(0.01)
    return item
