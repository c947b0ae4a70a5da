"""Connectors: sources and sinks that reach the world, each thin over the library that its field uses.

    from streamkit import connect

A connector is a `Stream` or a sink like any other. What it needs beyond the standard library is an extra, and
is imported when the connector is first used.
"""

from typing import TYPE_CHECKING

from streamkit._core.lazy import lazily

if TYPE_CHECKING:
    from streamkit.connect.aiohttp.events import events as events
    from streamkit.connect.aiohttp.pages import PagesExceededError as PagesExceededError, pages as pages
    from streamkit.connect.aiohttp.poll import poll as poll
    from streamkit.connect.aiohttp.session import Reply as Reply
    from streamkit.connect.aiohttp.sse import ServerEvent as ServerEvent
    from streamkit.connect.asyncpg import (
        postgres_notifications as postgres_notifications,
        postgres_rows as postgres_rows,
        postgres_writer as postgres_writer,
    )
    from streamkit.connect.callbacks import threaded as threaded
    from streamkit.connect.files import lines as lines, tail as tail
    from streamkit.connect.obstore import (
        object_chunks as object_chunks,
        objects as objects,
        objects_writer as objects_writer,
    )
    from streamkit.connect.program import CommandError as CommandError, command as command
    from streamkit.connect.reconnect import Reconnect as Reconnect
    from streamkit.connect.sender import Sender as Sender
    from streamkit.connect.socketio import SocketEvent as SocketEvent, socketio_events as socketio_events
    from streamkit.connect.sqlite import sqlite_rows as sqlite_rows, sqlite_writer as sqlite_writer
    from streamkit.connect.status import HeartbeatLostError as HeartbeatLostError, StatusError as StatusError
    from streamkit.connect.watchfiles import Changed as Changed, watch as watch
    from streamkit.connect.websockets.receive import websocket as websocket
    from streamkit.connect.websockets.serve import websocket_server as websocket_server
else:
    __getattr__, __dir__, __all__ = lazily()
