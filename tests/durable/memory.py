"""A carrier in memory, right in all points; tests break it in one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from streamkit.durable import Carrier, Codec, Depth, Entry, Message


@dataclass
class Row:
    """One entry, as one group sees it."""

    entry: Entry
    at: float
    """When it may be handed out."""
    times: int = 0
    token: int = 0
    owner: int = 0
    done: bool = False


@dataclass
class Store:
    """What several connections share."""

    entries: list[tuple[Entry, float]] = field(default_factory=list[tuple[Entry, float]])
    groups: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])
    tokens: Any = field(default_factory=lambda: count(1))
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0
    calls: list[str] = field(default_factory=list[str])
    """What was called, with the number of messages, and when."""
    fails: dict[str, Exception] = field(default_factory=dict[str, Exception])
    """What calls of a name raise."""


class MemoryConnection:
    def __init__(self, store: Store) -> None:
        self.store = store
        store.connections += 1
        self.me = next(store.tokens)
        self.trimmed = 0

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def called(self, name: str, many: int) -> None:
        await asyncio.sleep(0)
        self.store.calls.append(f"{name} {many} at {self.now():g}")
        if name in self.store.fails:
            raise self.store.fails[name]

    def told(self) -> None:
        self.store.changed.set()
        self.store.changed = asyncio.Event()

    def rows(self, group: str) -> list[Row]:
        rows = self.store.groups.get(group)
        if rows is None:
            rows = self.store.groups[group] = [Row(*each) for each in self.store.entries]
        return rows

    async def append(self, entries: Sequence[Entry]) -> None:
        await self.called("append", len(entries))
        for entry in entries:
            self.store.entries.append((entry, self.now() + entry.delay))
            for rows in self.store.groups.values():
                rows.append(Row(entry, self.now() + entry.delay))
        self.told()

    async def claim(self, group: str, most: int, lease: float, wait: float) -> Sequence[Message]:
        await self.called("claim", 0)
        until = self.now() + wait
        while True:
            found = self.taken(group, most, lease)
            if found or self.now() >= until:
                return found
            changed = self.store.changed
            due = [each.at for each in self.rows(group) if not each.done and each.at > self.now()]
            timer = asyncio.get_running_loop().call_at(min([until, *due]), self.told)
            try:
                await changed.wait()
            finally:
                timer.cancel()

    def taken(self, group: str, most: int, lease: float) -> list[Message]:
        found: list[Message] = []
        held = {
            each.entry.key
            for each in self.rows(group)
            if not each.done
            and each.entry.key is not None
            and each.token
            and each.at > self.now()
            and each.owner != self.me
        }
        for row in self.rows(group):
            if len(found) < most and not row.done and row.at <= self.now() and row.entry.key not in held:
                row.at, row.token, row.owner = self.now() + lease, next(self.store.tokens), self.me
                row.times += 1
                entry = row.entry
                message = Message(entry.body, (row, row.token), row.times, entry.key, entry.headers)
                found.append(message)
        return found

    def mine(self, message: Message) -> Row | None:
        row, token = message.place
        return row if row.token == token and not row.done else None

    async def acknowledge(self, group: str, messages: Sequence[Message]) -> Sequence[Message]:
        await self.called("acknowledge", len(messages))
        lost: list[Message] = []
        for message in messages:
            row = self.mine(message)
            if row is None:
                lost.append(message)
            else:
                row.done = True
        self.told()  # a key may be free
        return lost

    async def hand_back(
        self, group: str, messages: Sequence[Message], *, delay: float = 0.0, counted: bool = True
    ) -> None:
        await self.called("hand_back" if counted else "forget", len(messages))
        for message in messages:
            row = self.mine(message)
            if row is not None:
                row.at, row.token = self.now() + delay, 0
                row.times -= not counted
        self.told()

    async def renew(self, group: str, messages: Sequence[Message], lease: float) -> Sequence[Message]:
        await self.called("renew", len(messages))
        lost: list[Message] = []
        for message in messages:
            row = self.mine(message)
            if row is None:
                lost.append(message)
            else:
                row.at = self.now() + lease
        return lost

    async def depth(self, group: str) -> Depth:
        await self.called("depth", 0)
        left = [each for each in self.rows(group) if not each.done]
        claimed = sum(each.token != 0 and each.at > self.now() for each in left)
        return Depth(len(left) - claimed, claimed)

    async def forget(self, group: str) -> bool:
        await self.called("forget_group", 0)
        return self.store.groups.pop(group, None) is not None

    async def purge(self) -> int:
        await self.called("purge", 0)
        left = [
            index
            for index in range(len(self.store.entries))
            if not self.store.groups or not all(rows[index].done for rows in self.store.groups.values())
        ]
        self.store.entries.clear()
        for rows in self.store.groups.values():
            for row in rows:
                row.done = True
            rows.clear()
        return len(left)


class Memory(Carrier):
    """The carrier; `kind` is what its connections are."""

    store: Store
    kind: type[MemoryConnection]

    def __init__(
        self,
        *,
        codec: Codec | None = None,
        kind: type[MemoryConnection] = MemoryConnection,
        name: str = "memory",
    ) -> None:
        self._made_of(store=Store(), codec=codec, kind=kind, name=name)

    def __repr__(self) -> str:
        return "Memory()"

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Any]:
        connection = self.kind(self.store)
        try:
            yield connection
        finally:
            self.store.connections -= 1
