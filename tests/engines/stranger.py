"""Somebody who reaches a port of Ray: calls by gRPC or HTTP as they are on the wire, with a token or none."""

from __future__ import annotations

import http.client
import re
import socket

__all__ = ["grpc_status", "http_status"]

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADERS, _DATA, _SETTINGS = 1, 0, 4
_HEADERS_END, _STREAM_END = 4, 1


def grpc_status(port: int, path: str, token: str | None) -> int | None:
    """With what a server answers a call without arguments: 0 is done, 16 is refused, 12 is unknown there.

    None where no gRPC is spoken. Written by hand, because Ray's own clients do not let a call go without
    their token, and take the address of the machine in the place of loopback.
    """
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "localhost",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    if token is not None:
        fields["authorization"] = f"Bearer {token}"
    head = b"".join(b"\0" + _string(name) + _string(value) for name, value in fields.items())
    empty = bytes(5)  # a message that is not compressed, of no bytes
    frames = _frame(_SETTINGS, 0, 0, b"") + _frame(_HEADERS, _HEADERS_END, 1, head)
    with socket.create_connection(("127.0.0.1", port), 5.0) as connection:
        connection.settimeout(20.0)
        connection.sendall(_PREFACE + frames + _frame(_DATA, _STREAM_END, 1, empty))
        heard = b""
        while not (found := re.search(rb"grpc-status[\x01\x02](\d+)", heard, re.DOTALL)):
            more = connection.recv(4096)
            if not more:
                return None
            heard += more
        return int(found[1])


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return len(body).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + body


def _string(text: str) -> bytes:
    """A string of HPACK that is not in its table."""
    data = text.encode()
    assert len(data) < 127
    return bytes([len(data)]) + data


def http_status(port: int, path: str, token: str | None) -> int:
    """With what an HTTP server answers a POST."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20.0)
    try:
        connection.request("POST", path, b"", {} if token is None else {"authorization": f"Bearer {token}"})
        return connection.getresponse().status
    finally:
        connection.close()
