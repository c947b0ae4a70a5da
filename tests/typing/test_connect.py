"""Types of connectors: what their items are, with the gaps of those that may miss some."""

import json
from typing import Any, assert_type

from streamkit import DropOldest, Gap, Sink, Stream, Suspend, connect
from streamkit.connect import Reply, Sender, ServerEvent, SocketEvent

URL = "http://127.0.0.1/"


def parse(message: str | bytes) -> dict[str, int]:
    found: dict[str, int] = json.loads(message)
    return found


async def parse_later(message: str | bytes) -> dict[str, int]:
    return parse(message)


def listen(sender: Sender[int]) -> Any:
    return sender.end


def test_sources_have_the_types_of_their_items() -> None:
    assert_type(connect.poll(URL, 1.0), Stream[Reply])
    assert_type(connect.pages(URL, lambda page: page.headers.get("Next")), Stream[Reply])
    assert_type(connect.events(URL), Stream[ServerEvent | Gap])
    assert_type(connect.websocket("ws://x"), Stream[str | bytes | Gap])
    assert_type(connect.websocket("ws://x", parse=parse), Stream[dict[str, int] | Gap])
    assert_type(connect.websocket("ws://x", parse=parse_later), Stream[dict[str, int] | Gap])
    assert_type(connect.socketio_events(URL, strategy=DropOldest(1)), Stream[SocketEvent | Gap])
    assert_type(connect.threaded(listen, strategy=Suspend(1)), Stream[int | Gap])


def test_a_server_is_a_sink_that_counts() -> None:
    assert_type(connect.websocket_server(None, 0, strategy=Suspend(1)), Sink[Any, int])
