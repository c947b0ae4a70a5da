"""Samples of sinks that reach the world: here, what listens is nobody's."""

from typing import Any

from streamkit import Suspend, connect
from tests.laws.lab import Sample

__all__ = ["SINKS"]


class Silent:
    """A server that nobody calls."""

    sockets = ()

    def close(self, code: int) -> None:
        """Nobody is there to be told."""

    async def wait_closed(self) -> None:
        """Nobody is waited for."""


async def serve(*_: Any, **options: Any) -> Silent:
    return Silent()


def text(_: Any) -> str:
    """Of any item."""
    return "an item"


SINKS = [
    Sample(
        "websocket_server",
        lambda lab: connect.websocket_server("", 0, strategy=Suspend(1), encode=text, serve=serve),
    ),
    Sample(
        "websocket_server-encode",
        lambda lab: connect.websocket_server(
            "", 0, strategy=Suspend(1), encode=lab.callback(text), serve=serve
        ),
        calls=True,
    ),
]
