"""What both sides take from the library websockets, and what of it may fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from streamkit._core.arguments import mapping
from streamkit._core.show import shown
from streamkit.connect.status import StatusError

try:
    from websockets import exceptions as _exceptions
    from websockets.asyncio import client as _client, server as _server
    from websockets.uri import parse_uri as _parse_uri
except ImportError:  # pragma: no cover - an extra, which the tests have
    exceptions: Any = None
    client: Any = None
    server: Any = None
    parse_uri: Any = None
else:
    exceptions, client, server, parse_uri = _exceptions, _client, _server, _parse_uri

__all__ = ["CLOSING", "FAILURES", "address", "client", "exceptions", "needed", "options_argument", "server"]

CLOSING: Final = 2.0
"""Seconds that the other side has to answer when a connection is closed."""
FAILURES: Final[tuple[type[Exception], ...]] = (
    OSError,
    StatusError,
    *(() if exceptions is None else (exceptions.WebSocketException,)),
)
"""What may be over when it is tried again."""


def needed(name: str) -> None:
    """Raise an error that names the extra, if it is missing."""
    if exceptions is None:  # pragma: no cover - it is among the tools of the tests
        raise ImportError(f"{name}() needs websockets: install streamkit[websockets]")


def address(url: object) -> str:
    """Return the argument ``url`` if it is one of a websocket."""
    if not isinstance(url, str):
        raise TypeError(f"url must be a text such as 'wss://example.org/feed', not {shown(url)}")
    try:
        parse_uri(url)
    except exceptions.InvalidURI:
        raise ValueError(f"url must be a text such as 'wss://example.org/feed', not {shown(url)}") from None
    return url


def options_argument(options: Mapping[str, Any] | None, taken: frozenset[str]) -> dict[str, Any]:
    """The options for the library, of which those that are `taken` are not the user's to give."""
    found = {} if options is None else dict(mapping("options", options))
    if wrong := sorted(found.keys() & taken):
        raise ValueError(f"options must not have {wrong[0]!r}, which is set here")
    return found
