"""The outside world: what a loop in virtual time waits for in real time, or refuses to wait for."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakSet

from streamkit._core.arguments import seconds

__all__ = ["Outside", "aside", "inside_only"]

Loop = TypeVar("Loop", bound=type[asyncio.SelectorEventLoop])

_SOCKETS = (
    *("create_connection", "create_server", "create_datagram_endpoint", "create_unix_connection"),
    *("create_unix_server", "connect_accepted_socket", "sock_recv", "sock_recv_into", "sock_recvfrom"),
    *("sock_recvfrom_into", "sock_sendall", "sock_sendto", "sock_connect", "sock_accept", "sock_sendfile"),
    *("connect_read_pipe", "connect_write_pipe", "add_reader", "add_writer"),
)
_PROCESSES = ("subprocess_exec", "subprocess_shell")


def inside_only(kind: Loop) -> Loop:
    """Make the methods of a loop that wait for the outside world refuse to, unless it has `threads`."""
    for names, what in ((_SOCKETS, "sockets and pipes"), (_PROCESSES, "subprocesses")):
        for name in names:
            method = getattr(kind, name, None)
            if method is not None:  # pragma: no branch - not every kind of loop has each
                setattr(kind, name, _refusing(method, name, what))
    return kind


def _refusing(method: Callable[..., Any], name: str, what: str) -> Callable[..., Any]:
    def refusing(self: Any, *arguments: Any, **named: Any) -> Any:
        if not self.threads:
            raise RuntimeError(
                f"{name}: virtual time waits for {what} only with run(main, threads=True), as long as "
                "patience= says"
            )
        return method(self, *arguments, **named)

    refusing.__name__ = name
    refusing.__doc__ = method.__doc__
    return refusing


class Outside:
    """How long the outside world gets to wake a loop before virtual time moves on."""

    def __init__(self, patience: float | None, limit: float) -> None:
        self._patience = None if patience is None else seconds("patience", patience, positive=False)
        self.limit: float = seconds("limit", limit, positive=False)
        self._processes: WeakSet[asyncio.SubprocessTransport] = WeakSet()

    def watch(self, process: asyncio.SubprocessTransport) -> None:
        """A subprocess was begun."""
        self._processes.add(process)

    def seconds(self, *, threads: bool, files: bool) -> float:
        """What is due where other threads live, or files are open that may wake the loop."""
        if files or any(process.get_returncode() is None for process in self._processes):
            return _FOR_FILES if self._patience is None else self._patience
        if threads:
            return _FOR_THREADS if self._patience is None else self._patience
        return 0.0


_FOR_THREADS = 0.01
_FOR_FILES = 1.0
"""Another process, or another host, is slower to answer than a thread."""


class aside:  # noqa: N801 - it is used as a function is
    """Put the event loop that runs in this thread aside, so that another may run meanwhile.

    No generator makes it: that would set the traceback of an error, which some errors refuse.
    """

    def __enter__(self) -> None:
        self._running = asyncio._get_running_loop()
        if self._running is None:
            return
        self._swap: Any = getattr(asyncio.tasks, "_swap_current_task", None)  # since Python 3.12
        self._task = None if self._swap is None else self._swap(self._running, None)
        asyncio._set_running_loop(None)

    def __exit__(self, *_: object) -> None:
        if self._running is None:
            return
        asyncio._set_running_loop(self._running)
        if self._swap is not None:  # pragma: no branch - Python 3.11
            self._swap(self._running, self._task)
