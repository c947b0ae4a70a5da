"""The pack of carriers: a right one passes, and each check finds one that is wrong in its point."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from streamkit.durable import Depth, Entry, Message, SQLite
from streamkit.durable.testing import CHECKS, CarrierLawError, CarrierReport, check_carrier
from streamkit.testing import run
from tests.durable.memory import Memory, MemoryConnection


def test_a_right_carrier_passes() -> None:
    report = check_carrier(Memory, run=run)
    assert (report.tested, report.broken, report.untested) == (tuple(CHECKS), (), ())
    assert str(report) == f"Memory keeps to all {len(CHECKS)} checks"


def test_sqlite_passes(tmp_path: Path) -> None:
    numbers = count()
    assert check_carrier(lambda: SQLite(tmp_path / f"{next(numbers)}.db", "q"), run=run).broken == ()


class NoHeaders(MemoryConnection):
    async def append(self, entries: Sequence[Entry]) -> None:
        await super().append([Entry(each.body, each.key, each.delay) for each in entries])


class Backwards(MemoryConnection):
    def taken(self, group: str, most: int, lease: float) -> list[Message]:
        return super().taken(group, most, lease)[::-1]


class OwnOnly(MemoryConnection):
    """Keeps what is appended to itself."""

    async def append(self, entries: Sequence[Entry]) -> None:
        await super().append(
            [Entry(each.body, each.key, each.delay, {"of": str(self.me)}) for each in entries]
        )

    def taken(self, group: str, most: int, lease: float) -> list[Message]:
        found = super().taken(group, most, lease)
        return [each for each in found if each.headers["of"] == str(self.me)]


class Forgetful(MemoryConnection):
    """Acknowledges the first of each batch only."""

    async def acknowledge(self, group: str, messages: Sequence[Message]) -> Sequence[Message]:
        await super().acknowledge(group, messages[:1])
        return ()


class Eager(MemoryConnection):
    """Acknowledges all that was claimed before, too."""

    async def acknowledge(self, group: str, messages: Sequence[Message]) -> Sequence[Message]:
        lost = await super().acknowledge(group, messages)
        for row in self.rows(group):
            row.done = row.done or row.owner == self.me
        return lost


class Generous(MemoryConnection):
    """Hands out what is leased."""

    def taken(self, group: str, most: int, lease: float) -> list[Message]:
        return super().taken(group, most, 0.0)


class Lavish(MemoryConnection):
    """Hands out more than it was asked for."""

    def taken(self, group: str, most: int, lease: float) -> list[Message]:
        return super().taken(group, most + 1, lease)


class Deaf(MemoryConnection):
    """Looks once, and then only when the time is over."""

    async def claim(self, group: str, most: int, lease: float, wait: float) -> Sequence[Message]:
        found = await super().claim(group, most, lease, 0.0)
        if found:
            return found
        await asyncio.sleep(wait)
        return await super().claim(group, most, lease, 0.0)


class Holding(MemoryConnection):
    """Is cancelled with what it has claimed in its hand."""

    async def claim(self, group: str, most: int, lease: float, wait: float) -> Sequence[Message]:
        found = await super().claim(group, most, lease, wait)
        await asyncio.sleep(0.001)
        return found


class OneGroup(MemoryConnection):
    def rows(self, group: str) -> list[Any]:
        return super().rows("all")


class Hasty(MemoryConnection):
    async def append(self, entries: Sequence[Entry]) -> None:
        await super().append([Entry(each.body, each.key, 0.0, each.headers) for each in entries])


class Wrong(MemoryConnection):
    async def depth(self, group: str) -> Depth:
        depth = await super().depth(group)
        return Depth(depth.lag, 0)


class Keeping(MemoryConnection):
    """Purges what waits only."""

    async def purge(self) -> int:
        rows = [each for each in self.rows("readers") if not each.done and not each.token]
        for row in rows:
            row.done = True
        return len(rows)


class Nostalgic(MemoryConnection):
    """Remembers what a group was handed out."""

    async def forget(self, group: str) -> bool:
        rows = self.store.groups.get(group)
        there = await super().forget(group)
        if rows is not None:
            self.store.groups[f"{group} before"] = rows
        return there

    def rows(self, group: str) -> list[Any]:
        before = self.store.groups.pop(f"{group} before", None)
        if before is not None:
            self.store.groups[group] = before
        return super().rows(group)


class Picky(MemoryConnection):
    async def append(self, entries: Sequence[Entry]) -> None:
        if not entries:
            raise ValueError("nothing to append")
        await super().append(entries)


class Alone(MemoryConnection):
    """Serves one task at a time."""

    async def append(self, entries: Sequence[Entry]) -> None:
        if "busy" in self.store.calls:
            raise RuntimeError("another task is in here")
        self.store.calls.append("busy")
        await super().append(entries)
        self.store.calls.remove("busy")


class Final(MemoryConnection):
    """Hands out once, and for ever."""

    def taken(self, group: str, most: int, lease: float) -> list[Message]:
        return super().taken(group, most, 1e9)


class Careless(MemoryConnection):
    """Believes whoever comes."""

    def mine(self, message: Message) -> Any:
        row = message.place[0]
        return None if row.done else row


class Slow(MemoryConnection):
    """Hands back when the lease would end."""

    async def hand_back(
        self, group: str, messages: Sequence[Message], *, delay: float = 0.0, counted: bool = True
    ) -> None:
        await super().hand_back(group, messages, delay=max(delay, 1.0), counted=counted)


class AtOnce(MemoryConnection):
    async def hand_back(
        self, group: str, messages: Sequence[Message], *, delay: float = 0.0, counted: bool = True
    ) -> None:
        await super().hand_back(group, messages, counted=counted)


class Unrenewed(MemoryConnection):
    async def renew(self, group: str, messages: Sequence[Message], lease: float) -> Sequence[Message]:
        return [each for each in messages if self.mine(each) is None]


class Unordered(MemoryConnection):
    """Knows no keys."""

    def taken(self, group: str, most: int, lease: float) -> list[Message]:
        self.me = 0
        return super().taken(group, most, lease)


BROKEN: dict[str, type[MemoryConnection]] = {
    "hands_out_what_is_stored": NoHeaders,
    "keeps_order": Backwards,
    "survives_its_connection": OwnOnly,
    "forgets_what_is_acknowledged": Forgetful,
    "hands_out_once": Generous,
    "claims_no_more_than_asked": Lavish,
    "waits_for_the_first": Deaf,
    "loses_nothing_of_a_cancelled_claim": Holding,
    "serves_every_group": OneGroup,
    "delays": Hasty,
    "counts": Wrong,
    "purges": Keeping,
    "forgets_a_group": Nostalgic,
    "takes_nothing_for_nothing": Picky,
    "serves_several_tasks": Alone,
    "hands_out_again_after_the_lease": Final,
    "hands_out_again_after_a_death": Final,
    "acknowledges_nothing_too_late": Careless,
    "hands_back_nothing_too_late": Careless,
    "hands_back_at_once": Slow,
    "hands_back_with_a_delay": AtOnce,
    "renews": Unrenewed,
    "renews_nothing_too_late": Careless,
    "keeps_the_order_of_keys": Unordered,
}


def test_each_check_finds_what_it_is_about() -> None:
    assert BROKEN.keys() == CHECKS.keys()
    passed = [name for name, kind in BROKEN.items() if broken(name, kind).broken != (name,)]
    assert not passed


def broken(name: str, kind: type[MemoryConnection]) -> CarrierReport:
    try:
        return check_carrier(lambda: Memory(kind=kind), only=[name], run=run)
    except CarrierLawError as error:
        return error.report


def test_one_that_acknowledges_too_much_is_found() -> None:
    assert broken("forgets_what_is_acknowledged", Eager).broken


def test_the_report_says_what_was_found_and_what_was_left_out() -> None:
    with pytest.raises(CarrierLawError) as caught:
        check_carrier(lambda: Memory(kind=Hasty), only=["delays", "counts"], run=run)
    assert str(caught.value).splitlines() == [
        "Memory breaks 1 of 2 checks:",
        "  delays: An entry with a delay comes after it; those behind it do not wait.",
        "    AssertionError: before the delay, ['late', 'now'] was handed out",
    ]
    report = check_carrier(Memory, without=["delays"], run=run)
    assert report.untested == ("delays",)
    assert str(report).endswith("; not tested: delays")


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match=r"^without and only must be names of .*; not 'speed'$"):
        check_carrier(Memory, without=["speed"])
    with pytest.raises(TypeError, match=r"^make must be a callable"):
        check_carrier(Memory())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
