"""A reader of one group: a consumer, whose calls wait in a thread of its own, and what it has handed out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from threading import Lock
from typing import Any, Final, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streamkit._core.errors import CarrierAwayError, CarrierError
from streamkit.durable.kafka.offsets import Offsets, Place
from streamkit.durable.messages import Message

__all__ = ["DELAY", "Group"]

T = TypeVar("T")

DELAY: Final = "streamkit-delay"
"""The header of an entry with a delay: seconds from its timestamp on."""
_SLICE: Final = 0.05
"""Seconds for which the thread waits at most, before it looks whether something was handed back."""
_ANSWER: Final = 5.0
_BEAT: Final = 0.2
"""Seconds after which a reader asks whether another has left; the client does so twice a second at most."""
_HELD: Final = 10_000
"""Messages whose time has not come, after which no more are read."""
_PASSING: Final = frozenset(
    {
        KafkaError._PARTITION_EOF,
        KafkaError._MAX_POLL_EXCEEDED,  # it joins again
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._RESOLVE,
        KafkaError._TIMED_OUT,
        KafkaError.UNKNOWN_TOPIC_OR_PART,  # it is being made
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._UNKNOWN_TOPIC,
    }
)
"""What the client gets over by itself."""


class Group:
    """What a connection has of one group. All is changed under a lock: the thread and the loop both do."""

    def __init__(self, carrier: Any, name: str, config: dict[str, Any], lease: float) -> None:
        self.trimmed: int = 0
        self._carrier = carrier
        self._lock = Lock()
        self._parts: dict[int, Offsets] = {}
        self._later: list[tuple[float, int, int, Message]] = []
        """What may be handed out from a time on: it was handed back, came too early, or nobody took it."""
        self._numbers = count()
        self._down: float | None = None
        self._error: KafkaError | None = None
        self._thread = ThreadPoolExecutor(1, f"kafka-{name}")
        self._commits = ThreadPoolExecutor(1, f"kafka-{name}-commits")
        session = min(max(lease, 6.0), 45.0)
        self._consumer = Consumer(
            {
                "session.timeout.ms": round(session * 1000),
                "heartbeat.interval.ms": round(_BEAT * 1000),
                "max.poll.interval.ms": round(max(lease, session) * 1000),
                "partition.assignment.strategy": "cooperative-sticky",
                "auto.offset.reset": "earliest",
                "allow.auto.create.topics": True,
                "queued.max.messages.kbytes": 16384,
                **config,
                "group.id": f"{carrier.name}.{name}",  # groups of one name on several topics are several
                "enable.auto.commit": False,
                "error_cb": self._failed,
            }
        )
        self._consumer.subscribe(
            [carrier.name], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._dropped
        )

    # called in the loop --------------------------------------------------------------------

    async def claim(self, most: int, wait: float) -> list[Message]:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while not (messages := self._due(most)):
            pause = max(0.0, min(until - loop.time(), _SLICE))
            await self._call(self._poll, most, pause)
            self._check()
            messages = self._due(most)
            if messages or loop.time() >= until:
                break
        return await self._counted(messages) if messages else []

    async def _counted(self, messages: list[Message]) -> list[Message]:
        """Commit that `messages` are handed out, before they are: who takes over knows how often."""
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._commits, self._commit, list(self._parts.values()))
        except BaseException:
            self.hand_back(messages, 0.0, False)
            raise
        return [message for message in messages if not message.place.offsets.lost]

    async def acknowledge(self, messages: Sequence[Message]) -> list[Message]:
        with self._lock:
            for message in messages:
                place: Place = message.place
                if not place.offsets.lost:
                    place.offsets.settle(place.offset)
        loop, patience = asyncio.get_running_loop(), self._carrier.patience
        until = loop.time() + patience
        while error := await loop.run_in_executor(self._commits, self._commit, list(self._parts.values())):
            if loop.time() > until:
                raise CarrierAwayError(
                    f"{self._carrier!r} has not taken what is acknowledged for {patience:g} s: {error.str()}"
                )
            await self._call(self._poll, 0, _SLICE)  # where partitions move, they do so while somebody polls
        return [message for message in messages if message.place.offsets.lost]

    def hand_back(self, messages: Sequence[Message], delay: float, counted: bool) -> None:
        due = time.monotonic() + delay if delay else 0.0  # before all that was not handed out, in its order
        with self._lock:
            for message in messages:
                place: Place = message.place
                if not place.offsets.lost:
                    place.offsets.hand_out(place.offset, message.times - (not counted))
                    times = message.times + counted
                    again = Message(message.body, place, times, message.key, message.headers)
                    heappush(self._later, (due, place.offset, next(self._numbers), again))

    async def renew(self, messages: Sequence[Message]) -> list[Message]:
        """Let the brokers know that the work goes on."""
        await self._call(self._poll, 0, 0.0)
        self._check()
        return [message for message in messages if message.place.offsets.lost]

    def counts(self) -> tuple[int, int]:
        """How many are handed out, and how many are done behind one that is open."""
        with self._lock:
            parts = self._parts.values()
            return sum(each.open for each in parts) - len(self._later), sum(each.ahead for each in parts)

    async def close(self) -> None:
        """Leave the group, whose other readers then have what is open here."""
        try:
            await self._call(self._consumer.close)
        finally:
            self._thread.shutdown()
            self._commits.shutdown()

    async def _call(self, call: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *args)

    def _due(self, most: int) -> list[Message]:
        now, found = time.monotonic(), list[Message]()
        with self._lock:
            while self._later and self._later[0][0] <= now and len(found) < most:
                message = heappop(self._later)[3]
                place: Place = message.place
                if not place.offsets.lost:
                    place.offsets.hand_out(place.offset, message.times)
                    found.append(message)
        return found

    def _check(self) -> None:
        """Raise what the client cannot get over."""
        if self._error is not None:
            raise CarrierError(f"{self._carrier!r}: {self._error.str()}")
        now = time.monotonic()
        if self._down is not None and now - self._down > self._carrier.patience:
            self._down = now  # who calls again is patient again
            raise CarrierAwayError(
                f"{self._carrier!r} has not answered for {self._carrier.patience:g} s: no broker is there"
            )

    # called in the threads -----------------------------------------------------------------

    def _poll(self, most: int, seconds: float) -> None:
        """Read what is there. All goes by the heap: who is cancelled meanwhile loses nothing."""
        paused = [] if most and len(self._later) < _HELD else self._consumer.assignment()
        if paused:  # only to let the brokers know that this is alive
            self._consumer.pause(paused)
        try:
            first = self._consumer.poll(seconds)
            found = [] if first is None else [first]
            if first is not None and most > 1:
                found += self._consumer.consume(most - 1, 0)
        finally:
            if paused:
                self._consumer.resume(paused)
        if self._down is not None:
            self._look_for_brokers()
        with self._lock:
            for each in found:
                self._take(each)

    def _look_for_brokers(self) -> None:
        try:
            self._consumer.list_topics(self._carrier.name, timeout=0.5)
        except KafkaException:
            return
        self._down = None

    def _take(self, found: Any) -> None:
        if (error := found.error()) is not None:
            self._failed(error)
            return
        offsets = self._parts.get(found.partition())
        if offsets is None:
            return  # it was revoked meanwhile
        self.trimmed += offsets.read(found.offset())
        headers = {name: (value or b"").decode() for name, value in found.headers() or ()}
        due = time.monotonic()
        if delay := headers.pop(DELAY, None):
            due += found.timestamp()[1] / 1000 + float(delay) - time.time()
        key = found.key()
        place = Place(offsets, found.offset())
        times = offsets.times(found.offset()) + 1
        message = Message(found.value() or b"", place, times, None if key is None else key.decode(), headers)
        heappush(self._later, (due, found.offset(), next(self._numbers), message))

    def _commit(self, parts: Sequence[Offsets]) -> KafkaError | None:
        """Commit how far each of `parts` has come, and what was handed out of it how often.

        Returns why one was not taken that is still ours.
        """
        with self._lock:
            moved = {each.number: (each, told) for each in parts if (told := each.to_commit()) is not None}
        if not moved:
            return None
        begins = [
            TopicPartition(self._carrier.name, number, at, metadata=words)
            for number, (_, (at, words)) in moved.items()
        ]
        try:
            answers: list[Any] = self._consumer.commit(offsets=begins, asynchronous=False) or []
            errors: dict[int, Any] = {
                each.partition: each.error for each in answers if each.error is not None
            }
        except KafkaException as failure:
            errors = dict.fromkeys(moved, failure.args[0])
        with self._lock:
            for number in errors:
                moved[number][0].told = None  # it is told again
        return next((error for number, error in errors.items() if not moved[number][0].lost), None)

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        begins: dict[int, tuple[int | None, str]] = {}
        if partitions:
            with suppress(KafkaException):  # then nothing is known of what came before
                for each in consumer.committed(partitions, timeout=_ANSWER):
                    if each.offset >= 0:
                        begins[each.partition] = each.offset, each.metadata or ""
        with self._lock:
            for each in partitions:
                self._parts[each.partition] = Offsets(each.partition, *begins.get(each.partition, (None, "")))

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        gone = [self._parts[each.partition] for each in partitions if each.partition in self._parts]
        self._commit(gone)  # what is not taken comes again
        with self._lock:
            self._lose(gone)

    def _dropped(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        with self._lock:
            self._lose([self._parts[each.partition] for each in partitions if each.partition in self._parts])

    def _lose(self, gone: Sequence[Offsets]) -> None:
        for each in gone:
            each.lost = True
            self._parts.pop(each.number, None)
        self._later = [each for each in self._later if not each[3].place.offsets.lost]
        self._later.sort()

    def _failed(self, error: KafkaError) -> None:
        if error.code() in {KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE}:
            if self._down is None:
                self._down = time.monotonic()
        elif error.code() not in _PASSING and (error.fatal() or not error.retriable()):
            self._error = error
