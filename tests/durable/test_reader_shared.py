"""A reader of a carrier that several jobs share: what each leaves comes again, and what counts as a try."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit.durable import DeadLettered
from streamkit.graph import Graph, Registry
from streamkit.testing import run
from tests.durable.memory import Memory
from tests.durable.runs import left, stored

DEAD = Memory(name="dead")


def shared_of(carrier: Memory, **options: Any) -> Stream[Any]:
    return carrier.reader(group="g", batch=2, prefetch=4, **options) | ops.share(
        readers=2, strategy=Suspend(2)
    )


async def awaited(job: Awaitable[Any]) -> Any:
    return await job


async def gone(task: asyncio.Task[Any]) -> None:
    """Cancel it, and wait until it has ended."""
    task.cancel()
    await asyncio.wait([task])


def test_what_a_reader_leaves_comes_again_for_the_others_and_counts_as_no_try() -> None:
    async def main() -> None:
        carrier, seen = Memory(), list[tuple[bytes, int]]()
        await stored(carrier, *range(8))
        shared = shared_of(carrier, messages=True)
        noted = ops.for_each(lambda message: seen.append((message.body, message.times)))
        stays = asyncio.ensure_future(awaited(shared | noted))
        stuck = asyncio.ensure_future(awaited(shared | ops.for_each(lambda _: asyncio.sleep(99))))
        await asyncio.sleep(5)
        assert seen == [(b"0", 1), (b"1", 1), (b"2", 1)]  # the source waits for the slow one
        assert (await carrier.depth("g")).claimed == 4
        await gone(stuck)
        await asyncio.sleep(5)
        assert sorted(seen) == sorted([*seen[:3], *((str(each).encode(), 1) for each in range(8))])
        assert (await carrier.depth("g")).claimed == 0
        await stored(carrier, "more")
        await gone(stays)
        assert await left(carrier) == [(b"more", 1)]

    run(main)


def test_what_one_of_several_fails_with_goes_to_the_dead_letters_in_the_end() -> None:
    async def main() -> None:
        carrier, events = Memory(), list[Any]()
        await stored(carrier, "good", "poison")
        shared = shared_of(carrier, max_deliveries=2, dead_letters=DEAD, on_event=events.append)
        stays = asyncio.ensure_future(awaited(shared | ops.drain()))
        for _ in range(2):
            with pytest.raises(ValueError, match="poison"):
                await (shared | ops.map(fails) | ops.drain())
        await asyncio.sleep(1)
        assert letters(events) == [("ValueError: b'poison'", 2)]
        await gone(stays)
        assert not await left(carrier)

    run(main)


def test_what_fails_before_it_is_shared_goes_to_the_dead_letters_too() -> None:
    async def main() -> None:
        carrier, events = Memory(), list[Any]()
        await stored(carrier, "good", "poison")
        reader = carrier.reader(group="g", max_deliveries=2, dead_letters=DEAD, on_event=events.append)
        for _ in range(2):
            shared = reader | ops.map(fails) | ops.share(readers=2)
            jobs = [awaited(shared | ops.drain()), awaited(shared | ops.drain())]
            found = await asyncio.gather(*jobs, return_exceptions=True)
            assert [*map(repr, found)] == ["ValueError(b'poison')"] * 2
        assert letters(events) == [("ValueError: b'poison'", 2)]
        assert not await left(carrier)

    run(main)


def letters(events: list[Any]) -> list[tuple[str, int]]:
    return [(each.error, each.times) for each in events if isinstance(each, DeadLettered)]


def fails(item: bytes) -> bytes:
    if item == b"poison":
        raise ValueError(item)
    return item


def test_a_graph_whose_ways_meet_again_may_begin_with_a_durable_source() -> None:
    async def main() -> None:
        carrier, written = Memory(), list[Any]()
        await stored(carrier, *range(5))
        registry = Registry()
        registry.add("inbox", carrier.reader(group="g", batch=3) | ops.take(5))
        registry.add("slow", lambda item: asyncio.sleep(1, item))
        registry.add("write", written.append)
        nodes = {
            "inbox": {"source": "inbox"},
            "slow": {"map": "slow", "input": "inbox", "concurrency": 8},
            "both": {"join": "zip", "input": ["inbox", "slow"]},
            "out": {"sink": "write", "input": "both"},
        }
        await Graph({"nodes": nodes}, registry=registry).job()
        assert written == [(each, each) for each in (b"0", b"1", b"2", b"3", b"4")]
        assert not await left(carrier)

    run(main)
