"""A poller with a fan-out: what a server has now, sent to every client of a websocket server when it changes.

    python examples/poller.py https://example.org/prices.json --every 5 --port 8000

The server is asked by conditional requests, and not sooner than it wants. Clients that are slow lose what is
old, and hold up nobody; whoever comes gets the newest state at once. Ctrl-C ends it: clients are told.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from streamkit import Backoff, DropOldest, Job, Resume, ops
from streamkit.connect import Reconnect, Reply, poll, websocket_server

HELD = 100


def state(reply: Reply) -> dict[str, Any]:
    """What clients get: the data, and what time the server had."""
    at = reply.at or datetime.now(UTC)
    return {"at": at.isoformat(), "data": reply.json()}


def data(found: dict[str, Any]) -> Any:
    """What makes a state another one."""
    return found["data"]


def warn(error: Exception, failures: int) -> None:
    print(f"{failures} requests in a row have failed, the last with {error}; going on", file=sys.stderr)


def skip(reply: Reply, error: Exception) -> None:
    print(f"{reply} is left out: {error}", file=sys.stderr)


def poller(
    url: str,
    every: float,
    host: str,
    port: int,
    on_listening: Callable[[list[Any]], object] | None = None,
) -> Job[int]:
    """The job: it has no end."""
    patient = Reconnect(Backoff(every, most=60.0), threshold=5, on_threshold=warn)
    return (
        poll(url, every, jitter=0.1, reconnect=patient)
        | ops.map(state, on_error=Resume(skip, errors=ValueError))
        | ops.distinct_until_changed(data)
        | websocket_server(host, port, strategy=DropOldest(HELD), latest=True, on_listening=on_listening)
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Poll a URL, and send what is new to websocket clients.")
    parser.add_argument("url")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two requests")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen")
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args(arguments)

    def listening(addresses: list[Any]) -> None:
        print("listening at", *(f"ws://{host}:{port}" for host, port, *_ in addresses), flush=True)

    try:
        poller(given.url, given.every, given.host, given.port, listening).run()
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
