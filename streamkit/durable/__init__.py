"""Durable hops: carriers that keep items between processes, and acknowledgement that follows the items.

    SQLite(path, name)       a file; no server
    Redis(url, name)         a stream of Redis or Valkey, with ``streamkit[redis]``
    Nats(url, name)          JetStream, with ``streamkit[nats]``
    Kafka(servers, name)     a topic, with ``streamkit[kafka]``

A carrier has a ``writer()``, which is a sink, and a ``reader(group=...)``, which is a stream.
"""

from typing import TYPE_CHECKING

from streamkit._core.lazy import lazily

if TYPE_CHECKING:
    from streamkit.durable.carrier import Carrier as Carrier
    from streamkit.durable.codec import Json as Json, Pickle as Pickle
    from streamkit.durable.events import (
        DeadLettered as DeadLettered,
        Event as Event,
        LeaseLost as LeaseLost,
        Trimmed as Trimmed,
    )
    from streamkit.durable.kafka import Kafka as Kafka
    from streamkit.durable.messages import (
        Codec as Codec,
        Connection as Connection,
        Depth as Depth,
        Entry as Entry,
        Message as Message,
    )
    from streamkit.durable.msgpack import MsgPack as MsgPack
    from streamkit.durable.nats import Nats as Nats
    from streamkit.durable.parts import cut as cut
    from streamkit.durable.redis import Redis as Redis
    from streamkit.durable.sqlite import SQLite as SQLite
else:
    __getattr__, __dir__, __all__ = lazily(extras=frozenset({"Kafka", "MsgPack", "Nats", "Redis"}))
