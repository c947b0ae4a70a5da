"""As much of a PostgreSQL server as a client that listens needs: in memory, where the real one cannot run."""

import asyncio
import struct
from collections.abc import Iterator
from typing import Final

from streamkit.testing import ConnectorFault, Peer

__all__ = ["Notifier"]

_SETTINGS: Final = {"server_version": "16.0", "client_encoding": "UTF8", "integer_datetimes": "on"}


def _message(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return kind + struct.pack("!i", 4 + len(body)) + body


def _text(*words: str) -> Iterator[bytes]:
    return (word.encode() + b"\0" for word in words)


_READY: Final = _message(b"Z", b"I")
_WELCOME: Final = b"".join(
    [
        _message(b"R", struct.pack("!i", 0)),  # no password is asked for
        *(_message(b"S", *_text(*setting)) for setting in _SETTINGS.items()),
        _message(b"K", struct.pack("!ii", 1, 2)),
        _READY,
    ]
)
_TOO_MANY: Final = _message(b"E", *_text("SFATAL", "C53300", "Mtoo many clients already"), b"\0")
_DONE: Final = _message(b"C", *_text("LISTEN"))
_ANSWERS: Final = {
    b"Q": _DONE + _READY,
    b"P": _message(b"1"),
    b"B": _message(b"2"),
    b"C": _message(b"3"),
    b"D": _message(b"t", struct.pack("!h", 0)) + _message(b"n"),
    b"E": _DONE,
    b"S": _READY,
    b"H": b"",
}
"""What is said to each kind of message: no statement has parameters, or finds a row.

From https://www.postgresql.org/docs/current/protocol-message-formats.html.
"""


class Notifier(Peer):
    """Tells each number to all who listen, whatever channel they have named."""

    def __init__(self, port: int = 5432) -> None:
        self.port = port
        self._server: asyncio.Server | None = None
        self._clients: dict[asyncio.StreamWriter, str] = {}
        self._busy = False

    @property
    def dsn(self) -> str:
        return f"postgresql://reader@127.0.0.1:{self.port}/shop?sslmode=disable"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._client, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._drop()

    def _drop(self) -> None:
        for writer in [*self._clients]:
            writer.close()

    def strike(self, fault: ConnectorFault | None) -> bool:
        """Be busy as this protocol has it: who comes is told, and nothing says when to come again."""
        ended, self._busy = self._busy, fault is ConnectorFault.BUSY
        if self._busy:
            self._drop()
        return self._busy or ended

    async def send(self, number: int) -> None:
        for writer, channel in self._clients.items():
            writer.write(_message(b"A", struct.pack("!i", 1), *_text(channel, str(number))))

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            (size,) = struct.unpack("!i", await reader.readexactly(4))
            await reader.readexactly(size - 4)
            if self._busy:
                writer.write(_TOO_MANY)
                return
            writer.write(_WELCOME)
            while (kind := await reader.readexactly(1)) != b"X":
                (size,) = struct.unpack("!i", await reader.readexactly(4))
                body = await reader.readexactly(size - 4)
                writer.write(_ANSWERS[kind])
                if kind == b"P" and b"LISTEN" in body:
                    self._clients[writer] = "numbers"
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it has gone: nobody is left to be told
        finally:
            self._clients.pop(writer, None)
            writer.close()
