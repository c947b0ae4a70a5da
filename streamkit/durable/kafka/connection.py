"""What one run has of a topic of Kafka: a producer, and a consumer for each group that it reads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from streamkit._core.errors import CarrierAwayError, CarrierError
from streamkit.durable.kafka.group import DELAY, Group
from streamkit.durable.messages import Connection, Depth, Entry, Message

__all__ = ["KafkaConnection", "opened"]

_log: Final = logging.getLogger("streamkit.durable.kafka")
_AWAY: Final = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._MSG_TIMED_OUT,
        KafkaError._RESOLVE,
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
    }
)


class Told(Protocol):
    """What a carrier says of itself."""

    @property
    def servers(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def patience(self) -> float: ...

    @property
    def options(self) -> Mapping[str, Any]: ...


class KafkaConnection:
    """A `Connection`."""

    def __init__(self, carrier: Told) -> None:
        self.trimmed: int = 0
        """Offsets that were not there when their turn came: deleted by others, or by the brokers."""
        self._carrier = carrier
        self._config: dict[str, Any] = {
            "bootstrap.servers": carrier.servers,
            "reconnect.backoff.max.ms": 1000,
            **carrier.options,
            "logger": _log,
            "log_level": 3,
        }
        self._producer: Producer | None = None
        self._groups: dict[str, Group] = {}
        self._thread = ThreadPoolExecutor(1, "kafka-producer")
        self._refused: KafkaError | None = None

    async def append(self, entries: Sequence[Entry]) -> None:
        await self._call(self._append, entries)

    async def claim(self, group: str, most: int, lease: float, wait: float) -> Sequence[Message]:
        reader = self._groups.get(group)
        if reader is None:
            reader = self._groups[group] = Group(self._carrier, group, self._config, lease)
        messages = await reader.claim(most, wait)
        self.trimmed = sum(each.trimmed for each in self._groups.values())
        return messages

    async def acknowledge(self, group: str, messages: Sequence[Message]) -> Sequence[Message]:
        return await self._groups[group].acknowledge(messages) if messages else []

    async def hand_back(
        self, group: str, messages: Sequence[Message], *, delay: float = 0.0, counted: bool = True
    ) -> None:
        if messages:
            self._groups[group].hand_back(messages, delay, counted)

    async def renew(self, group: str, messages: Sequence[Message], lease: float) -> Sequence[Message]:
        return await self._groups[group].renew(messages) if messages else []

    async def depth(self, group: str) -> Depth:
        waiting = await self._call(self._waiting, group)
        claimed, ahead = self._groups[group].counts() if group in self._groups else (0, 0)
        return Depth(max(0, waiting - claimed - ahead), claimed)

    async def forget(self, group: str) -> bool:
        reader = self._groups.pop(group, None)
        if reader is not None:
            await reader.close()
        there: bool = await self._call(self._forget, group)
        return there

    async def purge(self) -> int:
        count: int = await self._call(self._purge)
        return count

    async def close(self) -> None:
        try:
            for group in self._groups.values():
                await group.close()
        finally:
            self._thread.shutdown()

    async def prepared(self) -> None:
        """See to it that a broker answers."""
        await self._call(
            lambda: self._opened().list_topics(self._carrier.name, timeout=self._carrier.patience)
        )

    # called in the thread ------------------------------------------------------------------

    async def _call(self, call: Callable[..., Any], *args: Any) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call, *args)
        except KafkaException as failure:
            self._fail(failure.args[0], failure)

    def _fail(self, error: KafkaError, cause: Exception | None = None) -> None:
        error = self._refused or error
        if error.code() in _AWAY:
            raise CarrierAwayError(
                f"{self._carrier!r} has not answered for {self._carrier.patience:g} s: {error.str()}"
            ) from cause
        raise CarrierError(f"{self._carrier!r}: {error.str()}") from cause

    def _opened(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(
                {
                    "enable.idempotence": True,
                    "linger.ms": 1,
                    "message.timeout.ms": round(self._carrier.patience * 1000),
                    "partitioner": "murmur2_random",  # as the clients of Java have it
                    **self._config,
                    "error_cb": self._heard,
                }
            )
        return self._producer

    def _heard(self, error: KafkaError) -> None:
        if error.code() in {KafkaError._AUTHENTICATION, KafkaError._SSL}:
            self._refused = error

    def _append(self, entries: Sequence[Entry]) -> None:
        producer = self._opened()
        errors: list[KafkaError] = []

        def stored(error: KafkaError | None, _: Any) -> None:
            if error is not None:
                errors.append(error)

        for entry in entries:
            headers: dict[str, str | bytes | None] = {**entry.headers}
            if entry.delay:
                headers[DELAY] = repr(entry.delay)
            while True:
                try:
                    producer.produce(
                        self._carrier.name,
                        entry.body,
                        None if entry.key is None else entry.key.encode(),
                        headers=headers,
                        on_delivery=stored,
                    )
                except BufferError:
                    producer.poll(0.1)
                else:
                    break
        producer.flush()  # each is stored, or has failed when its time was over
        if errors:
            if any(error.fatal() for error in errors):
                self._producer = None
            self._fail(errors[0])

    def _partitions(self) -> list[TopicPartition]:
        name, patience = self._carrier.name, self._carrier.patience
        topic = self._opened().list_topics(name, timeout=patience).topics[name]
        return [TopicPartition(name, number) for number in topic.partitions]

    def _waiting(self, group: str) -> int:
        """How many offsets are behind where `group` would begin."""
        patience = self._carrier.patience
        partitions = self._partitions()
        consumer = Consumer({**self._config, "group.id": f"{self._carrier.name}.{group}"})
        try:
            count = 0
            for each in consumer.committed(partitions, timeout=patience):
                low, high = consumer.get_watermark_offsets(each, timeout=patience)
                count += high - max(low, each.offset)
            return count
        finally:
            consumer.close()

    def _forget(self, group: str) -> bool:
        admin: Any = AdminClient(self._config)
        (future,) = admin.delete_consumer_groups([f"{self._carrier.name}.{group}"]).values()
        try:
            future.result(self._carrier.patience)
        except KafkaException as failure:
            if failure.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return False
            raise
        return True

    def _purge(self) -> int:
        patience = self._carrier.patience
        partitions = self._partitions()
        consumer = Consumer({**self._config, "group.id": "streamkit-purge", "enable.auto.commit": False})
        try:
            count = 0
            for each in partitions:
                low, each.offset = consumer.get_watermark_offsets(each, timeout=patience)
                count += each.offset - low
        finally:
            consumer.close()
        admin: Any = AdminClient(self._config)
        for future in admin.delete_records(partitions).values():
            future.result(patience)
        return count


@asynccontextmanager
async def opened(carrier: Told) -> AsyncGenerator[Connection]:
    """A connection to `carrier`, whose brokers have answered."""
    connection = KafkaConnection(carrier)
    try:
        await connection.prepared()
        yield connection
    finally:
        await connection.close()
