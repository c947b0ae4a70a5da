"""What one run has of a Redis: scripts, which the server runs each at once, and one call that waits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol
from uuid import uuid4

from redis import exceptions
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from streamkit._core.errors import CarrierError
from streamkit._core.show import told
from streamkit.durable.messages import Connection, Depth, Entry, Message
from streamkit.durable.redis import scripts
from streamkit.durable.redis.script import Script
from streamkit.durable.servers import Patience, Served, unless_cancelled

__all__ = ["RedisConnection", "opened"]

_MOST: Final = 1000
"""Messages of one script: for its time no other is served, and Lua passes some thousand arguments."""
_SLICE: Final = 2.0
"""Seconds that one call waits in the server at most: well below the time after which it is held for dead."""
_DEAD: Final = 10.0
"""Seconds after which a server that does not answer is tried again by another connection."""
_AWAY: Final = (exceptions.ConnectionError, exceptions.TimeoutError, OSError)
_BUSY: Final = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "READONLY", "BUSY ")
"""How answers begin of a server that is there, and cannot serve yet."""
_REFUSED: Final = (exceptions.AuthenticationError, exceptions.AuthorizationError)
_HINTS: Final = {
    "unknown command": "it needs Redis 7.2, or Valkey, or newer",
    "WRONGTYPE": "a key of that name holds something else: name another carrier, or delete the key",
    "PARTITIONS": "that is how many it was made with, which decides on the order of keys",
    "WAITAOF": "it keeps nothing on its disk. Set appendonly yes, and appendfsync always so that it does not "
    "take a second each time; or write Redis(..., fsync=False), and what it has not stored is lost with it",
}
"""What can be done, by what stands in the server's answer."""


def _away(error: Exception) -> bool:
    if isinstance(error, exceptions.ResponseError):
        return str(error).startswith(_BUSY)
    return isinstance(error, _AWAY) and not isinstance(error, _REFUSED)


class Leased:
    """Where a message is, and how long: partition, identifier in its stream, and the mark of its lease."""

    __slots__ = ("identifier", "mark", "part")

    def __init__(self, part: int, identifier: bytes, mark: bytes) -> None:
        self.part: int = part
        self.identifier: bytes = identifier
        self.mark: bytes = mark

    def __repr__(self) -> str:
        return self.identifier.decode()


class Told(Served, Protocol):
    """What a carrier says of itself."""

    @property
    def url(self) -> str: ...

    @property
    def fsync(self) -> bool: ...

    @property
    def partitions(self) -> int: ...


class RedisConnection:
    """A `Connection`. Each call is tried again while the server is away, and is done once all the same."""

    def __init__(self, client: Any, carrier: Told) -> None:
        self.trimmed: int = 0
        """Entries that others have deleted before they were acknowledged."""
        self.patience: Patience = Patience(carrier, carrier.patience)
        self._client = client
        self._carrier = carrier
        self._stream: str = carrier.name
        self._me = uuid4().hex
        self._batches = 0
        self._turn = 0
        """Which partition is looked at first: another each time, so that none waits for the others."""
        self._appending = asyncio.Lock()

    async def append(self, entries: Sequence[Entry]) -> None:
        async with self._appending:  # the server knows the last batch of a writer only
            self._batches += 1
            partitions = self._carrier.partitions
            args: list[Any] = [self._me, self._batches, partitions]
            for entry in entries:
                args += (_milliseconds(entry.delay), entry.part(partitions))
                fields: list[Any] = ["body", entry.body]
                if entry.key is not None:
                    fields += ("key", entry.key)
                if entry.headers:
                    fields += ("headers", json.dumps(dict(entry.headers)))
                args += (len(fields), *fields)
            await self._run(scripts.APPEND, args, stored=self._carrier.fsync)

    async def claim(self, group: str, most: int, lease: float, wait: float) -> Sequence[Message]:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while True:
            self._turn += 1
            args = [group, min(most, _MOST), _milliseconds(lease), self._me, self._turn]
            call = self._claimed(group, args)
            messages, soon, seen = await unless_cancelled(call, lambda got: self._undo(group, got[0]))
            left = until - loop.time()
            if messages or left <= 0:
                return messages
            await self._look_out(min(left, soon, _SLICE), *seen)

    async def acknowledge(self, group: str, messages: Sequence[Message]) -> Sequence[Message]:
        lost: list[Message] = []
        for some in _chunks(messages):
            answer = await self._run(scripts.ACKNOWLEDGE, [group, *_marks(some)])
            lost += (some[index] for index in answer)
        return lost

    async def hand_back(
        self, group: str, messages: Sequence[Message], *, delay: float = 0.0, counted: bool = True
    ) -> None:
        for some in _chunks(messages):
            args = [group, _milliseconds(delay), int(counted), *_marks(some)]
            await self._run(scripts.HAND_BACK, args)

    async def renew(self, group: str, messages: Sequence[Message], lease: float) -> Sequence[Message]:
        lost: list[Message] = []
        for some in _chunks(messages):
            # with a new mark at the server and the old one here, they would be lost
            lost += await unless_cancelled(self._renewed(group, some, lease))
        return lost

    async def _renewed(self, group: str, messages: Sequence[Message], lease: float) -> list[Message]:
        mark, missing = await self._run(scripts.RENEW, [group, _milliseconds(lease), *_marks(messages)])
        gone, lost = {*missing}, list[Message]()
        for index, message in enumerate(messages):
            if index in gone:
                lost.append(message)
            else:
                message.place.mark = mark
        return lost

    async def depth(self, group: str) -> Depth:
        return Depth(*await self._run(scripts.DEPTH, [group]))

    async def forget(self, group: str) -> bool:
        there, rest = False, [0, "-"]
        while rest:  # some entries at a time: the server does nothing else meanwhile
            found, *rest = await self._run(scripts.FORGET, [group, *rest])
            there = there or bool(found)
        return there

    async def purge(self) -> int:
        count: int = await self._run(scripts.PURGE, [""])
        return count

    async def _claimed(self, group: str, args: list[Any]) -> tuple[list[Message], float, list[Any]]:
        """What is handed out; or, if that is nothing, for how long nothing is due, and what was seen last."""
        trimmed, first, *rest = await self._run(scripts.CLAIM, args)
        self.trimmed += trimmed
        if len(rest) == 2:
            return [], int(first) / 1000, rest
        messages: list[Message] = []
        for part, again, times, fresh, flat in rest[0]:
            old = zip(again, times, strict=True)
            messages += [_message(part, entry, first, count) for entry, count in old]
            messages += [_message(part, entry, first, 1) for entry in fresh]
            plain = iter(flat)
            messages += [
                Message(body, Leased(part, each, first)) for each, body in zip(plain, plain, strict=True)
            ]
        return messages, 0.0, []

    async def _undo(self, group: str, messages: list[Message]) -> None:
        await self.hand_back(group, messages, counted=False)

    async def _look_out(self, seconds: float, last: bytes, woken: bytes) -> None:
        """Until an entry is added, or the readers are woken."""
        if seconds <= 0:
            return
        after = {self._stream: last, f"{{{self._stream}}}:wake": woken}
        block = max(1, round(seconds * 1000))

        async def look() -> None:
            await self._client.xread(after, count=1, block=block)

        await self._patient(look)

    async def _run(self, script: Script, args: list[Any], *, stored: bool = False) -> Any:
        """The answer of `script`, when its effect is `stored`, if that is asked for."""

        async def run() -> Any:
            try:
                return await self._sent("EVALSHA", script.sha, args, stored)
            except exceptions.NoScriptError:  # it was started anew, or this is the first call
                return await self._sent("EVAL", script.text, args, stored)

        return await self._patient(run)

    async def _sent(self, command: str, script: str, args: list[Any], stored: bool) -> Any:
        if not stored:
            return await self._client.execute_command(command, script, 1, self._stream, *args)
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.execute_command(command, script, 1, self._stream, *args)
            pipe.execute_command("WAITAOF", 1, 0, 0)  # of this connection's writes
            answer, at_disk = await pipe.execute(raise_on_error=False)
        for each in (answer, at_disk):
            if isinstance(each, Exception):
                raise each
        return answer

    async def _patient(self, call: Any) -> Any:
        try:
            return await self.patience.call(call, _away)
        except exceptions.RedisError as error:
            words = str(error)
            hint = next((hint for part, hint in _HINTS.items() if part in words), "")
            raise CarrierError(f"{self._carrier!r}: {told(error)}{hint and '; ' + hint}") from error


@asynccontextmanager
async def opened(carrier: Told) -> AsyncGenerator[Connection]:
    """A connection to `carrier`, whose server has answered."""
    make: Any = Client
    client = make.from_url(
        carrier.url,
        retry=Retry(NoBackoff(), 0),  # there is patience for it
        socket_connect_timeout=_DEAD,
        socket_timeout=_DEAD,
        socket_keepalive=True,
    )
    try:
        connection = RedisConnection(client, carrier)
        await connection.depth("")
        yield connection
    finally:
        await client.aclose()


def _message(part: int, entry: Any, mark: bytes, times: int) -> Message:
    identifier, fields = entry
    place = Leased(part, identifier, mark)
    if len(fields) == 2:  # also what a program of another kind has added, whatever it calls its field
        return Message(fields[1], place, times)
    found = dict(zip(fields[::2], fields[1::2], strict=True))
    key, headers = found.get(b"key"), found.get(b"headers")
    return Message(
        found.get(b"body", b""),
        place,
        times,
        None if key is None else key.decode(),
        {} if headers is None else json.loads(headers),
    )


def _marks(messages: Sequence[Message]) -> Iterator[Any]:
    for message in messages:
        place = message.place
        yield place.part
        yield place.identifier
        yield place.mark


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _chunks(messages: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(messages), _MOST):
        yield messages[start : start + _MOST]
