"""Redis and Valkey: a stream for each carrier, and a group of its readers; with ``streamkit[redis]``."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from streamkit._core.arguments import flag, seconds
from streamkit.durable.carrier import Carrier
from streamkit.durable.codec import codec_argument
from streamkit.durable.messages import Codec, Connection
from streamkit.durable.servers import name_argument, partitions_argument, url_argument, without_password

try:
    from streamkit.durable.redis.connection import opened
except ImportError as _missing:
    raise ImportError("streamkit.durable.Redis needs redis: pip install streamkit[redis]") from _missing

__all__ = ["Redis"]


class Redis(Carrier):
    """A stream of a Redis or a Valkey, from version 7.2 on; with ``streamkit[redis]``.

    >>> from streamkit.durable import Json, Redis
    >>> Redis("redis://localhost", "inbox", codec=Json())
    Redis(url='redis://localhost', name='inbox', codec=Json(), patience=30.0, fsync=True, partitions=16)

    - **Stored** is a batch when it is on the server's disk, all of it or nothing. The server must keep an
      append-only file; with ``appendfsync everysec``, its default, a batch takes up to a second, with
      ``always`` as long as its disk takes.
    - **Order**: that of the appends, of what has no key and of each partition; which of these comes first is
      open. Items of one key are in one partition, and while one reader has some of a partition, nobody else
      is handed out others of it. What was handed back comes before what is behind it.
    - **Delays** and **leases** go by the clock of the server alone.
    - **Groups**: an entry is deleted when all groups that exist have acknowledged it. A group that comes
      later is handed out what is there then.
    - **A server that is away** is tried again for `patience` seconds. What was sent twice is stored once.
    - **Trimmed**: entries that others have deleted before a group had them are told as `Trimmed`.

    Args:
        url: as `redis.asyncio.Redis.from_url` takes it: ``redis://``, ``rediss://`` or ``unix://``.
        name: of the stream. Further keys of the carrier begin with it, in braces.
        codec: how items become bytes.
        patience: seconds for which a server that does not answer is tried again.
        fsync: whether an append waits for the server's disk. Without, what the server has not yet written
            when it dies is lost: up to two seconds.
        partitions: for entries with keys: at most so many readers share them. It stays as it was made.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `url` has another scheme, `name` is empty, or a number is out of range.
        CarrierError: (when used) the key holds something else, the password is wrong, the disk is full; or
            there are entries with keys in another number of partitions.
        CarrierAwayError: (when used) the server has not answered for `patience` seconds.
    """

    url: str
    name: str
    patience: float
    fsync: bool
    partitions: int

    def __init__(
        self,
        url: str,
        name: str,
        *,
        codec: Codec | None = None,
        patience: float = 30.0,
        fsync: bool = True,
        partitions: int = 16,
    ) -> None:
        self._made_of(
            url=url_argument(url, "redis", "rediss", "unix"),
            name=name_argument(name),
            codec=codec_argument(codec),
            patience=seconds("patience", patience),
            fsync=flag("fsync", fsync),
            partitions=partitions_argument(partitions),
        )

    def connect(self) -> AbstractAsyncContextManager[Connection]:
        return opened(self)

    def __repr__(self) -> str:
        return Carrier.__repr__(self.but(url=without_password(self.url)))
