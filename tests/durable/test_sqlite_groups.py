"""SQLite as a carrier: what it knows of each group, beside a model of it; and groups that are forgotten."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streamkit.durable import Carrier, Depth, Entry, Message, SQLite
from streamkit.testing import run
from tests.durable.memory import Memory

PARTS = 3


@dataclass
class Known:
    """What a group knows of one entry."""

    at: float
    """When it may be handed out."""
    times: int = 0
    message: Message | None = None
    """As what it was handed out last, if it was not handed back."""
    owner: Any = None
    """The connection that had it last."""


class Model:
    """Random calls of three connections, each compared with what must come of it."""

    def __init__(self, seed: int, connections: list[Any]) -> None:
        self.dice = random.Random(seed)
        self.connections = connections
        self.due: dict[bytes, float] = {}
        """Of each entry that is kept."""
        self.parts: dict[bytes, int] = {}
        self.groups: dict[str, dict[bytes, Known]] = {}
        self.out: list[tuple[str, Message]] = []
        """All that was ever handed out: what is stale, too."""
        self.count = 0

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def append(self, one: Any, group: str) -> None:
        entries: list[Entry] = []
        for _ in range(self.dice.randint(1, 12)):
            self.count += 1
            body, delay = b"%d" % self.count, self.dice.choice([0.0, 0.0, 0.0, 3.0])
            entries.append(Entry(body, self.dice.choice([None, None, *"abcdef"]), delay))
            self.parts[body] = entries[-1].part(PARTS)
            self.due[body] = self.now + delay
            for known in self.groups.values():
                known[body] = Known(self.now + delay)
        await one.append(entries)

    async def claim(self, one: Any, group: str) -> None:
        most, lease = self.dice.choice([1, 1, 2, 4, 15]), self.dice.choice([5.0, 50.0])
        if group not in self.groups:
            self.groups[group] = {body: Known(due) for body, due in self.due.items()}
        known = self.groups[group]
        free = self.free(one, known)
        found = await one.claim(group, most, lease, 0.0)
        assert len(found) == min(most, len(free))
        for part in range(1, PARTS + 1):
            got = [message.body for message in found if self.parts[message.body] == part]
            there = [body for body in free if self.parts[body] == part]
            assert got == there[: len(got)], "in order, and none is left out"
            for body in there if got else []:
                known[body].message = None  # a partition changes hands as a whole
        for message in found:
            each = known[message.body]
            free.remove(message.body)
            assert message.times == each.times + 1
            known[message.body] = Known(self.now + lease, message.times, message, one)
            self.out.append((group, message))

    def free(self, one: Any, known: dict[bytes, Known]) -> list[bytes]:
        """What `one` may be handed out: nothing of a partition in which another has a lease."""
        taken = {
            self.parts[body]
            for body, each in known.items()
            if each.message is not None and each.at > self.now and each.owner is not one
        }
        taken.discard(0)  # is none: its entries have no keys
        bodies = [body for body, each in known.items() if each.at <= self.now]
        return sorted([body for body in bodies if self.parts[body] not in taken], key=int)

    def some(self, group: str) -> tuple[list[Message], list[Message]]:
        """Some of what was handed out to `group`; and those of them that are its no more."""
        mine = [message for whose, message in self.out if whose == group][-30:]
        chosen = [each for each in mine if self.dice.random() < 0.4]
        known = self.groups.get(group, {})
        lost = [each for each in chosen if each.body not in known or known[each.body].message is not each]
        return chosen, lost

    async def acknowledge(self, one: Any, group: str) -> None:
        chosen, lost = self.some(group)
        assert {*map(id, await one.acknowledge(group, chosen))} == {*map(id, lost)}
        for each in chosen:
            if each not in lost:
                del self.groups[group][each.body]
        self.clean()

    def clean(self) -> None:
        for body in [*self.due] if self.groups else []:
            if not any(body in known for known in self.groups.values()):
                del self.due[body]

    async def hand_back(self, one: Any, group: str) -> None:
        chosen, lost = self.some(group)
        delay, counted = self.dice.choice([0.0, 2.0]), self.dice.random() < 0.5
        await one.hand_back(group, chosen, delay=delay, counted=counted)
        for each in chosen:
            if each not in lost:
                self.groups[group][each.body] = Known(self.now + delay, each.times - (not counted))

    async def renew(self, one: Any, group: str) -> None:
        chosen, lost = self.some(group)
        assert {*map(id, await one.renew(group, chosen, 20.0))} == {*map(id, lost)}
        for each in chosen:
            if each not in lost:
                self.groups[group][each.body].at = self.now + 20.0

    async def forget(self, one: Any, group: str) -> None:
        if self.dice.random() < 0.2:
            assert await one.forget(group) == (self.groups.pop(group, None) is not None)
            self.clean()

    async def wait(self, one: Any, group: str) -> None:
        await asyncio.sleep(self.dice.choice([1.0, 4.0, 9.0]))

    async def compared(self, calls: int) -> None:
        kinds = [
            self.append,
            self.claim,
            self.claim,
            self.claim,
            self.acknowledge,
            self.acknowledge,
            self.hand_back,
        ]
        kinds += [self.renew, self.forget, self.wait]
        for _ in range(calls):
            await self.dice.choice(kinds)(self.dice.choice(self.connections), self.dice.choice("gh"))
            for group in "gh":
                known = self.groups.get(group)
                expected = Depth(len(self.due), 0)
                if known is not None:
                    held = sum(each.message is not None and each.at > self.now for each in known.values())
                    expected = Depth(len(known) - held, held)
                assert await self.connections[0].depth(group) == expected
        assert self.out


@pytest.mark.parametrize("seed", range(4))
def test_every_call_leaves_what_it_must(seed: int, tmp_path: Path) -> None:
    async def main() -> None:
        inbox = SQLite(tmp_path / "jobs.db", "q", partitions=PARTS)
        async with inbox.connect() as one, inbox.connect() as two, inbox.connect() as three:
            model = Model(seed, [one, two, three])
            await model.compared(120)
            assert await one.purge() == len(model.due)

    run(main)


@pytest.mark.parametrize("kind", ["sqlite", "memory"])
def test_a_carrier_forgets_a_group(kind: str, tmp_path: Path) -> None:
    inbox: Carrier = SQLite(tmp_path / "jobs.db", "q") if kind == "sqlite" else Memory()

    async def main() -> None:
        async with inbox.connect() as one:
            await one.append([Entry(b"a")])
            assert len(await one.claim("g", 9, 30.0, 0.0)) == 1
        assert await inbox.forget("g")
        assert not await inbox.forget("g")
        assert await inbox.depth("g") == Depth(1, 0)
        with pytest.raises(ValueError, match="group must be the name of a group, not ''"):
            await inbox.forget("")

    run(main)


def test_what_only_a_forgotten_group_has_not_acknowledged_is_deleted(tmp_path: Path) -> None:
    async def main() -> None:
        async with SQLite(tmp_path / "jobs.db", "q", partitions=2).connect() as one:
            await one.append([Entry(b"%d" % number, key) for number in range(9) for key in (None, "a", "b")])
            for _ in range(3):
                assert await one.claim("old", 2, 30.0, 0.0)
            found = await one.claim("new", 20, 30.0, 0.0)
            await one.acknowledge("new", found[3:])
            assert await one.forget("old")
            assert await one.depth("new") == Depth(7, 3)
            assert await one.depth("later") == Depth(10, 0), "what all groups that are left have done is kept"
            assert not await one.acknowledge("new", found[:3])
            assert await one.forget("new")
            assert await one.purge() == 7, "without any group, all is kept for the next"

    run(main)


def test_who_reads_for_a_group_that_was_forgotten_has_lost_its_leases(tmp_path: Path) -> None:
    async def main() -> None:
        inbox = SQLite(tmp_path / "jobs.db", "q")
        async with inbox.connect() as one, inbox.connect() as two:
            await one.append([Entry(b"a"), Entry(b"b")])
            found = await one.claim("g", 9, 30.0, 0.0)
            await two.forget("g")
            assert await one.renew("g", found, 30.0) == found
            await one.hand_back("g", found)
            assert await one.acknowledge("g", found) == found
            assert not await two.forget("g"), "it is made anew by a claim only"
            again = await one.claim("g", 9, 30.0, 0.0)
            assert [(each.body, each.times) for each in again] == [(b"a", 1), (b"b", 1)]

    run(main)


def test_many_open_leases_cost_the_next_acknowledgement_nothing(tmp_path: Path) -> None:
    """Steps of SQLite's machine for one acknowledgement, with few messages out and with many."""
    steps: list[int] = []

    async def main() -> None:
        inbox = SQLite(tmp_path / "jobs.db", "q")
        async with inbox.connect() as one, inbox.connect() as two:
            await one.append([Entry(b"x")] * 4_000)
            sql = one._database.sql  # type: ignore[attr-defined]  # pyright: ignore - counts what it does
            for many in (10, 3_000):
                for _ in range(many // 10):
                    await two.claim("g", 10, 30.0, 0.0)
                found = await one.claim("g", 10, 30.0, 0.0)
                steps.append(0)

                def count() -> int:
                    steps[-1] += 1
                    return 0

                sql.set_progress_handler(count, 1)
                await one.acknowledge("g", found)
                sql.set_progress_handler(None, 1)

    run(main)
    few, many = steps
    assert few
    assert many < 1.5 * few, steps
