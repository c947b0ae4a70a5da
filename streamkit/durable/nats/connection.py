"""What one run has of JetStream: a stream, and a consumer for each group, whose ack wait is the lease."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, TypeVar
from uuid import uuid4

from nats import errors

from streamkit._core.errors import CarrierError
from streamkit._core.show import told
from streamkit.durable.messages import Connection, Depth, Entry, Message
from streamkit.durable.nats.link import ConsumerGoneError, Link, Msg, Question, away
from streamkit.durable.nats.wire import RefusalError, again_in, headers_of, message_of, nanoseconds, said_by
from streamkit.durable.servers import Patience, Served, unless_cancelled

__all__ = ["NatsConnection", "opened"]

T = TypeVar("T")

_BATCH: Final = 1000
"""Messages of one atomic batch; the server takes no more."""
_SLICE: Final = 2.0
_COUNT: Final = 1.0
"""Seconds from one look at how far the groups are to the next."""
_NO_STREAM: Final = 10059
_NO_CONSUMER: Final = 10014
_TWICE: Final = 10201
"""The server has a message of this batch already."""
_BUSY: Final = frozenset({10008, 10176, 10210, 10211})
"""What may succeed if it is tried again: no leader yet, a batch without its begin, too many batches."""
_HINT: Final = "it has no JetStream: start it with -js, or allow it to this account"


class Seen(NamedTuple):
    """How far a group had come: the last number that was handed out, and how many times any was."""

    last: int
    times: int


class Told(Served, Protocol):
    """What a carrier says of itself."""

    @property
    def url(self) -> str: ...

    @property
    def atomic(self) -> bool: ...

    @property
    def options(self) -> Mapping[str, Any]: ...


class NatsConnection:
    """A `Connection`."""

    def __init__(self, carrier: Told) -> None:
        self.trimmed: int = 0
        """Entries that others have deleted before they were handed out; fewer, where some came twice."""
        self.patience: Patience = Patience(carrier, carrier.patience)
        self._carrier = carrier
        self._subject = carrier.name
        self._about: Question = (f"$JS.API.STREAM.INFO.{carrier.name}", b"", None)
        self._link = Link(carrier.url, carrier.options, self._stray)
        self._leases: dict[str, float] = {}
        """Of each group that this run reads: the seconds of its consumer."""
        self._seen: dict[str, Seen] = {}
        self._ahead = 0.0
        """Seconds by which the server's clock is ahead of ours."""
        self._count_at = 0.0

    async def append(self, entries: Sequence[Entry]) -> None:
        store = self._append_batch if self._carrier.atomic else self._append_each
        for start in range(0, len(entries), _BATCH):
            some, kept = entries[start : start + _BATCH], False
            while not kept:
                mark = uuid4().hex
                kept = await self.patiently(partial(store, some, mark))
                if not kept:
                    await self.patiently(self.prepared)

    async def _append_batch(self, entries: Sequence[Entry], mark: str) -> bool:
        """Store all or none. The first has the mark of the batch: one that is sent twice is stored once."""
        batch = uuid4().hex
        questions: list[Question] = []
        for index, entry in enumerate(entries, 1):
            headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(index), **headers_of(entry)}
            if index == 1:
                headers["Nats-Msg-Id"] = mark
            if index == len(entries):
                headers["Nats-Batch-Commit"] = "1"
            questions.append((self._subject, entry.body, headers))
        await self._link.send(questions[:-1])
        answer, about = await self._link.ask([questions[-1], self._about])
        try:
            said_by(answer)
        except RefusalError as error:
            if error.code != _TWICE:
                raise
        return _keeps(said_by(about))

    async def _append_each(self, entries: Sequence[Entry], mark: str) -> bool:
        """Store each. One that is sent twice is stored once."""
        questions: list[Question] = [
            (self._subject, entry.body, {"Nats-Msg-Id": f"{mark}.{index}", **headers_of(entry)})
            for index, entry in enumerate(entries)
        ]
        *answers, about = await self._link.ask([*questions, self._about])
        for answer in answers:
            said_by(answer)
        return _keeps(said_by(about))

    async def claim(self, group: str, most: int, lease: float, wait: float) -> Sequence[Message]:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        messages = await self._taken(group, most, lease, 0.0)
        while not messages and (left := until - loop.time()) > 0:
            messages = await self._taken(group, 1, lease, min(left, _SLICE))
        return messages

    async def acknowledge(self, group: str, messages: Sequence[Message]) -> Sequence[Message]:
        mine, lost = _parted(messages)
        if mine:
            await self._told(mine, b"+ACK")
            now = asyncio.get_running_loop().time()
            if now >= self._count_at:
                self._count_at = now + _COUNT
                await self.patiently(self._counted)
        return lost

    async def hand_back(
        self, group: str, messages: Sequence[Message], *, delay: float = 0.0, counted: bool = True
    ) -> None:
        mine, _ = _parted(messages)
        if mine:
            await self._told(mine, again_in(delay))

    async def renew(self, group: str, messages: Sequence[Message], lease: float) -> Sequence[Message]:
        mine, lost = _parted(messages)
        if mine:
            await self._lease(group, mine, lease)
        return lost

    async def depth(self, group: str) -> Depth:
        async def look() -> Depth:
            try:
                found = await self._api(f"CONSUMER.INFO.{self._subject}.{group}")
            except RefusalError as error:
                if error.code != _NO_CONSUMER:
                    raise
                return Depth((await self._api(f"STREAM.INFO.{self._subject}"))["state"]["messages"], 0)
            return Depth(found["num_pending"], found["num_ack_pending"])

        return await self.patiently(look)

    async def purge(self) -> int:
        async def delete() -> int:
            count: int = (await self._api(f"STREAM.PURGE.{self._subject}"))["purged"]
            return count

        return await self.patiently(delete)

    async def forget(self, group: str) -> bool:
        async def delete() -> bool:
            try:
                await self._api(f"CONSUMER.INFO.{self._subject}.{group}")
            except RefusalError as error:
                if error.code != _NO_CONSUMER:
                    raise
                return False
            stream = await self._api(f"STREAM.INFO.{self._subject}")
            if stream["state"]["consumer_count"] == 1:  # with the last one, all would be deleted
                await self._api(f"STREAM.UPDATE.{self._subject}", {**stream["config"], "retention": "limits"})
            await self._api(f"CONSUMER.DELETE.{self._subject}.{group}")
            return True

        self._leases.pop(group, None)
        self._seen.pop(group, None)
        return await self.patiently(delete)

    # groups --------------------------------------------------------------------------------

    async def _joined(self, group: str, lease: float) -> None:
        """See to it that `group` has a consumer. Who makes it says how long a lease is that nobody names."""
        if group in self._leases:
            return
        name = f"{self._subject}.{group}"
        try:
            found = await self._api(f"CONSUMER.INFO.{name}")
        except RefusalError as error:
            if error.code != _NO_CONSUMER:
                raise
            config = {
                "durable_name": group,
                "ack_policy": "explicit",
                "ack_wait": nanoseconds(lease),
                "deliver_policy": "all",
                "max_ack_pending": -1,
                "max_deliver": -1,
            }
            asked = {"stream_name": self._subject, "config": config}
            found = await self._api(f"CONSUMER.DURABLE.CREATE.{name}", asked)
        if found["config"].get("ack_policy") != "explicit" or "deliver_subject" in found["config"]:
            raise CarrierError(
                f"{self._carrier!r}: the consumer {group!r} does not pull, or not acknowledge each"
            )
        stream = (await self._api(f"STREAM.INFO.{self._subject}"))["config"]
        if stream["retention"] == "limits":  # from now on, what all groups have acknowledged is deleted
            await self._api(f"STREAM.UPDATE.{self._subject}", {**stream, "retention": "interest"})
        self._leases[group] = found["config"]["ack_wait"] / 1e9
        self._ahead = datetime.fromisoformat(found["ts"]).timestamp() - time.time()

    async def _taken(self, group: str, most: int, lease: float, wait: float) -> list[Message]:
        async def undo(got: list[Message]) -> None:
            await self.hand_back(group, got)

        return await unless_cancelled(self.patiently(lambda: self._pulled(group, most, lease, wait)), undo)

    async def _pulled(self, group: str, most: int, lease: float, wait: float) -> list[Message]:
        await self._joined(group, lease)
        asked: dict[str, Any] = {"batch": most, "no_wait": True}
        if wait:
            asked = {"batch": most, "expires": nanoseconds(wait)}
        until = asyncio.get_running_loop().time() + self._leases[group]
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._subject}.{group}"
        found, status = await self._link.pull(subject, json.dumps(asked).encode(), most, wait)
        if status in {"409", "503"}:  # it was deleted, or has no leader: it is looked for again
            self._leases.pop(group, None)
            if not found:
                raise ConsumerGoneError
        messages: list[Message] = []
        for each in found:
            message, early = message_of(each, until, time.time() + self._ahead)
            if early > 0:
                await self._link.send([(each.reply, again_in(early), None)])
            else:
                messages.append(message)
        if messages and lease != self._leases.get(group):
            await self._lease(group, messages, lease)
        return messages

    async def _lease(self, group: str, messages: Sequence[Message], lease: float) -> None:
        """Lease `messages` from now on: for what the consumer says, or until they may come again."""
        until = asyncio.get_running_loop().time() + lease
        await self._told(messages, b"+WPI" if lease == self._leases.get(group) else again_in(lease))
        for message in messages:
            message.place.until = until

    async def _told(self, messages: Sequence[Message], word: bytes) -> None:
        """Say `word` of each. The server takes them in order: the answer of the last stands for all."""
        questions: list[Question] = [(each.place.reply, word, None) for each in messages]

        async def tell() -> None:
            await self._link.send(questions[:-1])
            await self._link.ask(questions[-1:])

        await self.patiently(tell)

    async def _stray(self, message: Msg) -> None:
        """One that came when nobody waited for it any more."""
        await self._link.send([(message.reply, b"-NAK", None)])

    async def _counted(self) -> None:
        """Count what others have deleted before it was handed out."""
        state = (await self._api(f"STREAM.INFO.{self._subject}"))["state"]
        for group in self._leases:
            delivered = (await self._api(f"CONSUMER.INFO.{self._subject}.{group}"))["delivered"]
            last, times = delivered["stream_seq"], delivered["consumer_seq"]
            seen = self._seen.get(group)
            if seen is not None:
                self.trimmed += max(0, last - seen.last - (times - seen.times))
            self._seen[group] = Seen(max(last, state["first_seq"] - 1), times)

    # the server ----------------------------------------------------------------------------

    async def _api(self, name: str, asked: dict[str, Any] | None = None) -> Any:
        payload = b"" if asked is None else json.dumps(asked).encode()
        [answer] = await self._link.ask([(f"$JS.API.{name}", payload, None)])
        return said_by(answer)

    async def patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self.patience.call(call, _may_answer)
        except (RefusalError, errors.Error) as error:
            raise CarrierError(f"{self._carrier!r}: {told(error)}") from error

    async def prepared(self) -> None:
        """See to it that there is a stream."""
        name, atomic = self._subject, self._carrier.atomic
        try:
            found = await self._api(f"STREAM.INFO.{name}")
        except errors.NoRespondersError:
            raise CarrierError(f"{self._carrier!r}: {_HINT}") from None
        except RefusalError as error:
            if error.code != _NO_STREAM:
                raise
            config = {"name": name, "subjects": [name], "storage": "file", "allow_atomic": atomic}
            found = await self._api(f"STREAM.CREATE.{name}", config)
        config = found["config"]
        if name not in config["subjects"]:
            raise CarrierError(
                f"{self._carrier!r}: the stream {name!r} is there, and does not listen to {name!r}"
            )
        wanted = {**config, "allow_atomic": atomic or config.get("allow_atomic", False)}
        if not _keeps(found):
            wanted["retention"] = "limits"
        if wanted != {"allow_atomic": False, **config}:
            found = await self._api(f"STREAM.UPDATE.{name}", wanted)
        if atomic and not found["config"].get("allow_atomic"):
            raise CarrierError(
                f"{self._carrier!r}: it needs NATS 2.12, or Nats(..., atomic=False), and a part of a "
                "batch whose append fails may be stored"
            )

    async def close(self) -> None:
        await self._link.close()


@asynccontextmanager
async def opened(carrier: Told) -> AsyncGenerator[Connection]:
    """A connection to `carrier`, whose server has answered."""
    connection = NatsConnection(carrier)
    try:
        await connection.patiently(connection.prepared)
        yield connection
    finally:
        await connection.close()


def _may_answer(error: Exception) -> bool:
    return error.code in _BUSY if isinstance(error, RefusalError) else away(error)


def _keeps(stream: dict[str, Any]) -> bool:
    """Whether what is stored waits for a group. If all were deleted, it is dropped: nobody has interest."""
    return bool(stream["config"]["retention"] != "interest" or stream["state"]["consumer_count"])


def _parted(messages: Sequence[Message]) -> tuple[list[Message], list[Message]]:
    """Those that are leased by the clock here, and those that are not any more."""
    now = asyncio.get_running_loop().time()
    mine = [each for each in messages if each.place.until > now]
    return mine, [] if len(mine) == len(messages) else [each for each in messages if each.place.until <= now]
