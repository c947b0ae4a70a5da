"""What one run has of JetStream: a stream, and the messages that its groups were handed out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, TypeVar
from uuid import uuid4

from nats import errors

from streamkit._core.errors import CarrierError
from streamkit._core.show import told
from streamkit.durable.messages import Connection, Depth, Entry, Message
from streamkit.durable.nats.api import Api
from streamkit.durable.nats.counts import NO_STREAM
from streamkit.durable.nats.deliveries import Deliveries
from streamkit.durable.nats.groups import NO_CONSUMER, Groups, partitions_of
from streamkit.durable.nats.keys import Keys
from streamkit.durable.nats.link import Link, Msg, Question, away
from streamkit.durable.nats.wire import RefusalError, consumer_of, headers_of, said_by, subject_of
from streamkit.durable.servers import Patience, Served, unless_cancelled

__all__ = ["NatsConnection", "opened"]

T = TypeVar("T")

_BATCH: Final = 1000
"""Messages of one atomic batch; the server takes no more."""
_SLICE: Final = 2.0
_KEYED: Final = 0.05
"""Seconds that one call waits in the server at most; and where there are entries with keys, too."""
_COUNT: Final = 1.0
"""Seconds from one look at how far the groups are to the next."""
_TWICE: Final = 10201
"""The server has a message of this batch already."""
_BUSY: Final = frozenset({10008, 10176, 10210, 10211})
"""What may succeed if it is tried again: no leader yet, a batch without its begin, too many batches."""
_HINT: Final = "it has no JetStream: start it with -js, or allow it to this account"


class Seen(NamedTuple):
    """How many entries of a group were gone when it was looked at last."""

    made: tuple[str, ...]
    """When its consumers were made: one that was forgotten counts anew."""
    gone: int
    """Those that were stored, and not handed out; less how many were handed out again."""


class Told(Served, Protocol):
    """What a carrier says of itself."""

    @property
    def url(self) -> str: ...

    @property
    def atomic(self) -> bool: ...

    @property
    def partitions(self) -> int: ...

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
        self._link = Link(carrier.url, carrier.options, self._stray)
        self._api = Api(self._link, carrier.name)
        self._groups = Groups(self._api, carrier)
        self._deliveries = Deliveries(self._api, self._groups, self.patiently)
        self._keys = Keys(self._api, self._groups, self._deliveries, self.patiently)
        self._seen: dict[str, Seen] = {}
        self._count_at = 0.0
        self._turn = False

    async def append(self, entries: Sequence[Entry]) -> None:
        store = self._append_batch if self._carrier.atomic else self._append_each
        for start in range(0, len(entries), _BATCH):
            some, kept = entries[start : start + _BATCH], False
            while not kept:
                mark = uuid4().hex
                kept = await self.patiently(partial(self._stored, store, some, mark))
                if not kept:
                    await self.patiently(self.prepared)

    async def _stored(
        self, store: Callable[[Sequence[Entry], str], Awaitable[bool]], entries: Sequence[Entry], mark: str
    ) -> bool:
        keyed = any(each.key is not None for each in entries)
        if keyed:
            await self._groups.divide(self._carrier.partitions)
        try:
            return await store(entries, mark)
        except errors.NoRespondersError:
            if keyed:  # somebody may have set the stream to what it was before
                self._groups.parts = 0
            raise

    def _to(self, entry: Entry) -> str:
        return subject_of(self._subject, entry.part(self._carrier.partitions))

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
            questions.append((self._to(entry), entry.body, headers))
        await self._link.send(questions[:-1])
        answer, about = await self._link.ask([questions[-1], self._api.about])
        try:
            said_by(answer)
        except RefusalError as error:
            if error.code != _TWICE:
                raise
        return _keeps(said_by(about))

    async def _append_each(self, entries: Sequence[Entry], mark: str) -> bool:
        """Store each. One that is sent twice is stored once."""
        questions: list[Question] = [
            (self._to(entry), entry.body, {"Nats-Msg-Id": f"{mark}.{index}", **headers_of(entry)})
            for index, entry in enumerate(entries)
        ]
        *answers, about = await self._link.ask([*questions, self._api.about])
        for answer in answers:
            said_by(answer)
        return _keeps(said_by(about))

    async def claim(self, group: str, most: int, lease: float, wait: float) -> Sequence[Message]:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        messages = await self._taken(group, most, lease, 0.0)
        while not messages and (left := until - loop.time()) > 0:
            messages = await self._taken(group, 1, lease, min(left, _KEYED if self._groups.parts else _SLICE))
        return messages

    async def acknowledge(self, group: str, messages: Sequence[Message]) -> Sequence[Message]:
        mine, lost = _parted(messages)
        lost += await self._deliveries.acknowledge(group, mine)
        if keyed := [each for each in messages if each.place.part]:
            await self._keys.let_go(group, keyed)
        now = asyncio.get_running_loop().time()
        if mine and now >= self._count_at:
            self._count_at = now + _COUNT
            await self.patiently(self._counted)
        return lost

    async def hand_back(
        self, group: str, messages: Sequence[Message], *, delay: float = 0.0, counted: bool = True
    ) -> None:
        mine, _ = _parted(messages)
        plain = [(each, delay, each.times + counted) for each in mine if not each.place.part]
        await self._deliveries.hand_back(group, plain)
        if keyed := [each for each in mine if each.place.part]:
            await self._keys.hand_back(group, keyed, delay, counted)

    async def renew(self, group: str, messages: Sequence[Message], lease: float) -> Sequence[Message]:
        mine, lost = _parted(messages)
        if plain := [each for each in mine if not each.place.part]:
            lost += await self._deliveries.lease(group, plain, lease)
        if keyed := [each for each in mine if each.place.part]:
            lost += await self._keys.renew(group, keyed, lease)
        return lost

    async def depth(self, group: str) -> Depth:
        async def look() -> Depth:
            name = self._subject
            about = await self._api.ask(f"STREAM.INFO.{name}")
            parts = range(partitions_of(about["config"]) + 1)
            asked = [(f"CONSUMER.INFO.{name}.{consumer_of(group, part)}", None) for part in parts]
            waiting = claimed = 0
            for found in await self._api.each(asked):
                if isinstance(found, RefusalError):
                    if found.code != NO_CONSUMER:
                        raise found
                    return Depth(about["state"]["messages"], 0)
                waiting += found["num_pending"]
                claimed += found["num_ack_pending"]
            return Depth(waiting, claimed)

        return await self.patiently(look)

    async def purge(self) -> int:
        async def delete() -> int:
            count: int = (await self._api.ask(f"STREAM.PURGE.{self._subject}"))["purged"]
            return count

        return await self.patiently(delete)

    async def forget(self, group: str) -> bool:
        self._seen.pop(group, None)
        # half of it would leave a stream that deletes nothing
        return await unless_cancelled(self.patiently(lambda: self._groups.remove(group)))

    async def _taken(self, group: str, most: int, lease: float, wait: float) -> list[Message]:
        async def undo(got: list[Message]) -> None:
            await self.hand_back(group, got, counted=False)

        return await unless_cancelled(self.patiently(lambda: self._pulled(group, most, lease, wait)), undo)

    async def _pulled(self, group: str, most: int, lease: float, wait: float) -> list[Message]:
        """Up to `most` messages. Those with keys and those without come first by turns."""
        await self._groups.join(group, lease)
        if not self._groups.parts:
            return await self._deliveries.pull(group, 0, most, lease, wait)
        self._turn = not self._turn
        found = await self._deliveries.pull(group, 0, most, lease, 0.0) if self._turn else []
        if len(found) < most:
            try:
                found += await self._keys.claim(group, most - len(found), lease)
            except Exception:
                if not found:  # or else the next claim meets it again
                    raise
        if not found and (wait or not self._turn):
            found = await self._deliveries.pull(group, 0, most, lease, wait)
        return found

    async def _stray(self, message: Msg) -> None:
        """One that came when nobody waited for it any more."""
        await self._link.send([(message.reply, b"-NAK", None)])

    async def _counted(self) -> None:
        """Count what others have deleted: what was stored, and was not handed out, and is not there.

        The server is asked for the stream before and after its groups: what is stored meanwhile is no loss.
        """
        name = self._subject
        for group in [*self._groups.leases]:  # a claim joins others meanwhile, or forgets all
            before = await self._api.ask(f"STREAM.INFO.{name}")
            parts = range(partitions_of(before["config"]) + 1)
            asked = [(f"CONSUMER.INFO.{name}.{consumer_of(group, part)}", None) for part in parts]
            found = await self._api.each(asked)
            if refused := [each for each in found if isinstance(each, RefusalError)]:
                if any(each.code != NO_CONSUMER for each in refused):
                    raise refused[0]
                continue  # it was forgotten
            made = tuple([each["created"] for each in found])
            there = sum(each["delivered"]["consumer_seq"] + each["num_pending"] for each in found)
            after = await self._api.ask(f"STREAM.INFO.{name}")
            least, most = (each["state"]["last_seq"] - there for each in (before, after))
            seen = self._seen.get(group)
            if seen is None or seen.made != made:
                seen = Seen(made, most)
            elif least > seen.gone:
                self.trimmed += least - seen.gone
                seen = Seen(made, least)
            self._seen[group] = Seen(made, min(seen.gone, most))

    # the server ----------------------------------------------------------------------------

    async def patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self.patience.call(call, _may_answer)
        except (RefusalError, errors.Error) as error:
            raise CarrierError(f"{self._carrier!r}: {told(error)}") from error

    async def prepared(self) -> None:
        """See to it that there is a stream."""
        name, atomic = self._subject, self._carrier.atomic
        try:
            found = await self._api.ask(f"STREAM.INFO.{name}")
        except errors.NoRespondersError:
            raise CarrierError(f"{self._carrier!r}: {_HINT}") from None
        except RefusalError as error:
            if error.code != NO_STREAM:
                raise
            config = {"name": name, "subjects": [name], "storage": "file", "allow_atomic": atomic}
            found = await self._api.ask(f"STREAM.CREATE.{name}", config)
        config = found["config"]
        if name not in config["subjects"]:
            raise CarrierError(
                f"{self._carrier!r}: the stream {name!r} is there, and does not listen to {name!r}"
            )
        wanted = {**config, "allow_atomic": atomic or config.get("allow_atomic", False)}
        if not _keeps(found):
            wanted["retention"] = "limits"
        if wanted != {"allow_atomic": False, **config}:
            found = await self._api.ask(f"STREAM.UPDATE.{name}", wanted)
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
