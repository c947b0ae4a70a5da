"""NATS: a stream of JetStream for each carrier, and a consumer for each group; with ``streamkit[nats]``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from streamkit._core.arguments import flag, mapping, seconds
from streamkit.durable.carrier import Carrier
from streamkit.durable.codec import codec_argument
from streamkit.durable.messages import Codec, Connection
from streamkit.durable.servers import name_argument, partitions_argument, url_argument, without_password

try:
    from streamkit.durable.nats.connection import opened
except ImportError as _missing:
    raise ImportError("streamkit.durable.Nats needs nats-py: pip install streamkit[nats]") from _missing

__all__ = ["Nats"]


class Nats(Carrier):
    """A stream of NATS JetStream, from version 2.12 on; with ``streamkit[nats]``.

    >>> from streamkit.durable import Json, Nats
    >>> Nats("nats://mq", "inbox", codec=Json())
    Nats(url='nats://mq', name='inbox', codec=Json(), patience=30.0, atomic=True, options={}, partitions=16)

    - **Stored** is a batch when the server has it in its files, all of it or nothing. It survives the death
      of the server; that of its machine too with ``sync_interval: always`` in the server's configuration.
    - **Order**: that of the appends, of what has no key and of each partition; which of these comes first is
      open. Items of one key are in one partition, and while one reader has some of a partition, nobody else
      is handed out others of it. What was handed back comes before what is behind it.
    - **Leases** are the consumer's wait for an acknowledgement. Whether one has ended, a reader knows by its
      own clock.
    - **Delays** begin when the server has the entry. Readers ask the server for its time when they join.
    - **Groups** are durable consumers. What all that exist have acknowledged is deleted: the first that comes
      sets the stream's retention to ``interest``. Who deletes the last of them deletes what is stored, too.
    - **Depth** counts what was handed back as claimed, until it is handed out again.
    - **Times**: the server's count, without what was handed back and not begun.
    - **A server that is away** is tried again for `patience` seconds. What was sent twice is stored once.
    - **Trimmed**: entries that others have deleted before a group had them are told as `Trimmed`; at least so
      many, because what comes twice hides them. They are not counted once there are entries with keys.

    Args:
        url: ``nats://``, ``tls://``, ``ws://`` or ``wss://``; with a user and a password, if need be.
        name: of the stream and of its subject: letters, digits, ``-`` and ``_``. Groups have such names, too.
        codec: how items become bytes.
        patience: seconds for which a server that does not answer is tried again.
        atomic: whether a batch is stored all or not at all; the server takes 1,000 in one, and more are
            several batches. That takes its own files in the server, so it is slower. Without, of a batch that
            fails a part may be stored.
        options: further arguments of `nats.connect`, such as ``user_credentials`` and ``tls``.
        partitions: for entries with keys: at most so many readers share them. It stays as it was made.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `url` has another scheme, `name` has other characters, or a number is out of range.
        CarrierError: (when used) the server has no JetStream, refuses the password, or its disk is full; or
            there are entries with keys in another number of partitions.
        CarrierAwayError: (when used) the server has not answered for `patience` seconds.
    """

    url: str
    name: str
    patience: float
    atomic: bool
    options: Mapping[str, Any]
    partitions: int

    def __init__(
        self,
        url: str,
        name: str,
        *,
        codec: Codec | None = None,
        patience: float = 30.0,
        atomic: bool = True,
        options: Mapping[str, Any] | None = None,
        partitions: int = 16,
    ) -> None:
        self._made_of(
            url=url_argument(url, "nats", "tls", "ws", "wss"),
            name=name_argument(name, r"[\w-]+", "letters, digits, - and _"),
            codec=codec_argument(codec),
            patience=seconds("patience", patience),
            atomic=flag("atomic", atomic),
            options=dict(mapping("options", options or {})),
            partitions=partitions_argument(partitions),
        )

    def connect(self) -> AbstractAsyncContextManager[Connection]:
        return opened(self)

    def __repr__(self) -> str:
        """Without what may be secret."""
        options = dict.fromkeys(self.options, "...")
        return Carrier.__repr__(self.but(url=without_password(self.url), options=options))
