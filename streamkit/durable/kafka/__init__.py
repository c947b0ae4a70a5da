"""Kafka: a topic for each carrier, and a consumer for each reader of a group; with ``streamkit[kafka]``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from streamkit._core.arguments import mapping, seconds
from streamkit._core.show import shown
from streamkit.durable.carrier import Carrier
from streamkit.durable.codec import codec_argument
from streamkit.durable.messages import Codec, Connection
from streamkit.durable.servers import name_argument

try:
    from streamkit.durable.kafka.connection import opened
except ImportError as _missing:
    raise ImportError(
        "streamkit.durable.Kafka needs confluent-kafka: pip install streamkit[kafka]"
    ) from _missing

__all__ = ["Kafka"]


class Kafka(Carrier):
    """A topic of Kafka, or of what speaks as Kafka does; with ``streamkit[kafka]``.

    >>> from streamkit.durable import Json, Kafka
    >>> Kafka("localhost:9092", "inbox", codec=Json())
    Kafka(servers='localhost:9092', name='inbox', codec=Json(), patience=30.0, options={})

    Kafka hands out partitions, not messages, so its promises are others:

    - **Stored** is a batch when all replicas that are in sync have it. Of a batch that fails a part may be
      stored. What is sent again because a broker was away is stored once.
    - **Order**: that of the appends for each partition, and items of one key are in one partition, which one
      reader of the group has. So the partitions of the topic say how many readers share the work.
    - **Acknowledged** is what Kafka is told: the lowest offset that is open. What is done behind it comes
      again after a crash; at most what was claimed. When a reader comes or goes, partitions move, and what
      is open of them comes again, too.
    - **Leases** belong to the reader, not to its messages: one that has not said for the lease (6 s at least)
      that it works loses its partitions. So does one that died, after 6 to 45 s, the lease if it is between.
    - **Handed back** is to this reader, in its memory; to others when it closes, and these ask about twice a
      second whether somebody has.
    - **Times** a message was handed out are committed beside the offset, before it is handed out: what kills
      its process over and over goes to the dead letters. There is room for those of some hundred runs.
    - **Delays** go by the clocks of the writer and the reader. What comes too early is kept in memory,
      10,000 of them; behind those a reader waits.
    - **Groups**: entries stay as long as the topic keeps them. What it deletes before a group has had it is
      told as `Trimmed`.
    - **Depth** counts as claimed what this connection has; what other readers have counts as waiting.

    Args:
        servers: hosts with ports, with commas between them.
        name: of the topic. It is there, or the brokers make topics by themselves.
        codec: how items become bytes.
        patience: seconds for which brokers that do not answer are tried again.
        options: further configuration of librdkafka, such as ``security.protocol`` and ``sasl.password``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `servers` or `name` is empty, or `patience` is not above 0.
        CarrierError: (when used) there is no such topic, or the brokers refuse the password.
        CarrierAwayError: (when used) no broker has answered for `patience` seconds.
    """

    servers: str
    name: str
    patience: float
    options: Mapping[str, Any]

    def __init__(
        self,
        servers: str,
        name: str,
        *,
        codec: Codec | None = None,
        patience: float = 30.0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(servers, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"servers must be a text as localhost:9092, not {shown(servers)}")
        if not servers:
            raise ValueError("servers must be a text as localhost:9092, not ''")
        self._made_of(
            servers=servers,
            name=name_argument(name, r"[\w.-]{1,249}", "letters, digits, ., - and _"),
            codec=codec_argument(codec),
            patience=seconds("patience", patience),
            options=dict(mapping("options", options or {})),
        )

    def connect(self) -> AbstractAsyncContextManager[Connection]:
        return opened(self)

    def __repr__(self) -> str:
        """Without what may be secret."""
        return Carrier.__repr__(self.but(options=dict.fromkeys(self.options, "...")))
