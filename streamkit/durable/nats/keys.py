"""Entries with keys: a connection has a partition while it has messages of it, so they come in order.

What is handed back stays here until the connection has nothing else of the partition in hand: it is handed
out to the connection itself again, or goes back to the server in its order, and the partition with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from typing import Any

from streamkit.durable.messages import Message
from streamkit.durable.nats.api import Api
from streamkit.durable.nats.deliveries import Deliveries, Patiently
from streamkit.durable.nats.groups import Groups
from streamkit.durable.nats.link import ConsumerGoneError
from streamkit.durable.nats.locks import Lock, Locks
from streamkit.durable.nats.wire import Place, RefusalError, consumer_of
from streamkit.durable.servers import unless_cancelled

__all__ = ["Keys"]


class Held:
    """What a connection has of a partition."""

    __slots__ = ("back", "open", "revision")

    def __init__(self) -> None:
        self.revision: int = 0
        """That of the record which says so."""
        self.open: dict[int, Message] = {}
        """What is handed out here, by its number."""
        self.back: dict[int, tuple[Message, float]] = {}
        """What was handed back, and when it may be handed out again."""

    def working(self, now: float) -> bool:
        """Whether something is handed out; what has no lease any more is not."""
        self.open = {number: each for number, each in self.open.items() if each.place.until > now}
        return bool(self.open)

    def due(self, now: float) -> list[int]:
        return sorted(number for number, (_, due) in self.back.items() if due <= now)


class Keys:
    """What a connection has of the partitions of its groups. One call at a time changes it."""

    def __init__(self, api: Api, groups: Groups, deliveries: Deliveries, patiently: Patiently) -> None:
        self._api = api
        self._groups = groups
        self._deliveries = deliveries
        self._patiently = patiently
        self._locks = Locks(api)
        self._held: dict[tuple[str, int], Held] = {}
        self._changing = asyncio.Lock()
        self._turn = 0
        """Which partition is looked at first: another each time, so that none waits for the others."""

    async def claim(self, group: str, most: int, lease: float) -> list[Message]:
        """Up to `most` messages, of partitions that nobody else has."""
        found: list[Message] = []
        async with self._changing:
            for part, lock in await self._free(group):
                try:
                    found += await self._taken(group, part, lock, most - len(found), lease)
                except Exception:
                    if not found:  # or else the next claim meets it again
                        raise
                    break
                if len(found) >= most:
                    break
        return found

    async def let_go(self, group: str, messages: Iterable[Message]) -> None:
        """They are acknowledged, or lost. All of it is done, like the others here, if this is cancelled."""
        await unless_cancelled(self._let_go(group, messages))

    async def _let_go(self, group: str, messages: Iterable[Message]) -> None:
        async with self._changing:
            for message in messages:
                held = self._held.get((group, message.place.part))
                if held is not None and held.open.get(message.place.number) is message:
                    del held.open[message.place.number]
            await self._settle(group, messages)

    async def hand_back(self, group: str, messages: Sequence[Message], delay: float, counted: bool) -> None:
        await unless_cancelled(self._hand_back(group, messages, delay, counted))

    async def _hand_back(self, group: str, messages: Sequence[Message], delay: float, counted: bool) -> None:
        due = asyncio.get_running_loop().time() + delay
        async with self._changing:
            for message in messages:
                place: Place = message.place
                held = self._held.get((group, place.part))
                if held is not None and held.open.get(place.number) is message:
                    del held.open[place.number]
                    again = replace(message, place=copy(place), times=message.times + counted)
                    held.back[place.number] = again, due
                    place.until = 0.0
            await self._settle(group, messages)

    async def renew(self, group: str, messages: Sequence[Message], lease: float) -> list[Message]:
        """Lease the partitions, and then the messages; returns those that are lost."""
        return await unless_cancelled(self._renew(group, messages, lease))

    async def _renew(self, group: str, messages: Sequence[Message], lease: float) -> list[Message]:
        async with self._changing:
            parts = {each.place.part for each in messages}
            held = {part: self._held[group, part] for part in parts if (group, part) in self._held}
            known = {part: each.revision for part, each in held.items()}
            had = await self._patiently(lambda: self._locks.put(group, known, lease))
            kept: list[Message] = []
            for part, each in held.items():
                if part in had:
                    each.revision = had[part]
                    kept += [message for message, _ in each.back.values()]
                else:
                    del self._held[group, part]
            mine = [each for each in messages if each.place.part in had]
            lost = await self._deliveries.lease(group, sorted([*mine, *kept], key=_number), lease)
            return [each for each in messages if each.place.part not in had or each in lost]

    async def _free(self, group: str) -> list[tuple[int, Lock]]:
        """The partitions of which something can be handed out here."""
        name, count = self._api.stream, self._groups.parts
        about = await self._api.ask(f"STREAM.INFO.{name}", {"subjects_filter": f"{name}.key.*"})
        subjects: dict[str, int] = about["state"].get("subjects") or {}
        parts = [part for part in range(1, count + 1) if f"{name}.key.{part}" in subjects]
        if not parts:
            return []
        looks = [(f"CONSUMER.INFO.{name}.{consumer_of(group, part)}", None) for part in parts]
        records = [self._locks.request(group, part) for part in parts]
        answers = await self._api.each([*looks, *records])
        free: list[tuple[int, Lock]] = []
        for part, found, record in zip(parts, answers[: len(parts)], answers[len(parts) :], strict=True):
            if isinstance(found, RefusalError):
                self._groups.forget()
                raise ConsumerGoneError
            lock = self._locks.read(record)
            if self._is_free(group, part, found, lock):
                free.append((part, lock))
        self._turn += 1
        turn = self._turn % max(1, len(free))
        return free[turn:] + free[:turn]

    def _is_free(self, group: str, part: int, found: Any, lock: Lock) -> bool:
        """Whether nobody else has a partition, and there is something to have."""
        if not lock.mine:
            self._held.pop((group, part), None)
            if lock.ends > datetime.fromisoformat(found["ts"]).timestamp():
                return False
        held = self._held.get((group, part)) or Held()
        now = asyncio.get_running_loop().time()
        working = len(held.open) if held.working(now) else 0
        there: int = found["num_pending"] + found["num_ack_pending"]
        return there > working + len(held.back) or bool(held.due(now))

    async def _taken(self, group: str, part: int, lock: Lock, most: int, lease: float) -> list[Message]:
        """Up to `most` messages of a partition: what was handed back here first."""
        had = await self._locks.put(group, {part: lock.revision}, lease)
        if part not in had:
            return []
        held = self._held.setdefault((group, part), Held())
        held.revision = had[part]
        found = [held.back[each][0] for each in held.due(asyncio.get_running_loop().time())[:most]]
        if found:
            await self._deliveries.lease(group, found, lease)
        if len(found) < most:
            more = await self._deliveries.pull(group, part, most - len(found), lease, 0.0)
            found += sorted(more, key=_number)
        for message in found:
            held.back.pop(message.place.number, None)
            held.open[message.place.number] = message
        await self._settle(group, found, [part])
        return found

    async def _settle(self, group: str, messages: Iterable[Message], others: Sequence[int] = ()) -> None:
        """Give up the partitions of which nothing is in work here, with what was handed back."""
        now = asyncio.get_running_loop().time()
        known: dict[int, int] = {}
        said: list[tuple[Message, float, int]] = []
        for part in {*others, *(each.place.part for each in messages)}:
            held = self._held.get((group, part))
            if held is not None and not held.working(now):
                del self._held[group, part]
                known[part] = held.revision
                said += [(each, due - now, each.times) for _, (each, due) in sorted(held.back.items())]
        if known:
            await self._deliveries.hand_back(group, said)
            await self._patiently(lambda: self._locks.put(group, known, 0.0))


def _number(message: Message) -> int:
    number: int = message.place.number
    return number
