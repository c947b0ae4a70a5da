"""`SQLite`: a queue in a file, which any number of processes of one machine share."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from streamkit._core.arguments import flag, seconds, whole
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit.durable.carrier import Carrier
from streamkit.durable.codec import codec_argument
from streamkit.durable.messages import Codec
from streamkit.durable.names import named
from streamkit.durable.sqlite.connection import SqliteConnection
from streamkit.durable.sqlite.schema import PARTS

__all__ = ["SQLite"]


class SQLite(Carrier):
    """A queue in a file of SQLite: the carrier that needs no server.

    >>> import tempfile
    >>> from streamkit import Stream, ops
    >>> from streamkit.durable import Json, SQLite
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     inbox = SQLite(f"{directory}/jobs.db", "inbox", codec=Json())
    ...     stored = (Stream([{"id": 1}, {"id": 2}]) | inbox.writer()).run()
    ...     (inbox.reader(group="print") | ops.take(stored) | ops.for_each(print)).run()
    {'id': 1}
    {'id': 2}

    Any number of processes on one machine may write and read at once. The file is made when it is first used,
    and stays as small as what is in it. It must be on a disk of this machine: the locks of network file
    systems are not to be trusted, and SQLite's journal needs shared memory.

    What is stored survives the death of every process. With `fsync` it survives a loss of power, too, and
    each batch costs a write to the disk itself; without, the last few batches before it may be missing, and
    the file is whole.

    Leases and delays go by the clock on the wall. If it is set forward, leases end early: what was in work
    comes twice. If it is set back, leases from its future are void.

    Args:
        path: the file. It may have tables of others, too.
        name: the queue in it. A file may have up to a thousand.
        codec: how items become bytes, such as ``Json()``; without one, they are bytes.
        partitions: for entries with keys: of one part of the keys in so many, only one reader has messages at
            a time. So at most so many readers share entries with keys. It stays as it was made.
        busy: seconds for which others may keep the file locked; then `CarrierAwayError` is raised.
        fsync: whether a batch is on the disk itself before it counts as stored.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `name` is empty, or a number is out of range.
        CarrierError: (when used) the file is full, corrupt, no database, or of a newer version; or it was
            deleted, or replaced, while it was open.
        CarrierAwayError: (when used) others have kept it locked for longer than `busy`.
    """

    path: str
    name: str
    partitions: int
    busy: float
    fsync: bool

    @answering
    def __init__(
        self,
        path: str | os.PathLike[str],
        name: str,
        *,
        codec: Codec | None = None,
        partitions: int = 16,
        busy: float = 30.0,
        fsync: bool = False,
    ) -> None:
        if not isinstance(path, (str, os.PathLike)):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"path must be the path of a file, not {shown(path)}")
        if (where := os.fspath(path)) in {"", ":memory:"}:
            raise ValueError(f"path must be that of a file, which other processes can open, not {where!r}")
        self._made_of(
            path=where,
            name=named("name", "queue", name),
            codec=codec_argument(codec),
            partitions=whole("partitions", partitions, least=1, most=PARTS),
            busy=seconds("busy", busy),
            fsync=flag("fsync", fsync),
        )

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[SqliteConnection]:
        """A connection, for one run: a thread, and the file open in it."""
        connection = SqliteConnection(
            self.path, self.name, partitions=self.partitions, busy=self.busy, fsync=self.fsync
        )
        await connection.open()
        try:
            yield connection
        finally:
            await connection.close()

    def __repr__(self) -> str:
        defaults = {"codec": None, "partitions": 16, "busy": 30.0, "fsync": False}
        said = [
            f"{name}={getattr(self, name)!r}"
            for name, value in defaults.items()
            if getattr(self, name) != value
        ]
        return f"SQLite({', '.join([repr(self.path), repr(self.name), *said])})"
