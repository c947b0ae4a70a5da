"""`through`: a pipe in two parts that run as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.durable import Json, SQLite, cut
from streamkit.testing import Faults, run
from tests.durable.memory import Memory


def inbox_in(path: Path) -> SQLite:
    return SQLite(path / "jobs.db", "inbox", codec=Json())


def test_both_sides_run_as_one(tmp_path: Path) -> None:
    hop = ops.through(inbox_in(tmp_path), group="g")
    seen: list[str] = []
    job = range(250) | hop | ops.map(str) | ops.take(250) | ops.for_each(seen.append)
    run(lambda: job.work(None))
    assert seen == [str(number) for number in range(250)]


def test_explain_shows_both_parts_and_counts_what_both_hold() -> None:
    first, second = Memory(name="first"), Memory(name="second")
    job = (
        [b"a"]
        | ops.through(first, group="f", batch=5)
        | ops.batch(3)
        | ops.flatten()
        | ops.through(second, group="g", prefetch=7, batch=2)
        | ops.drain()
    )
    plan = job.explain()
    assert [(part.depth, part.text.partition("(")[0]) for part in plan.parts] == [
        (0, "through"),
        (1, "through"),
        (2, "[b'a']"),
        (2, "buffer"),
        (2, "writer"),
        (1, "batch"),
        (1, "buffer"),
        (1, "writer"),
        (0, "drain"),
    ]
    assert repr(job).startswith("Job(through(Memory(), group='g')")
    assert plan.in_flight == 20 + 7, "of both readers"
    parts = cut(job)
    assert plan.bound == sum(part.explain().bound for part in parts)


def test_a_pipe_without_a_stream_can_have_a_hop() -> None:
    carrier = Memory()
    pipe = ops.map(str.encode) | ops.through(carrier, group="g", batch=10) | ops.map(bytes.decode)
    assert repr(pipe) == (
        "map(encode) | through(Memory(), batch=10, key=None, delay=0.0, group='g') | map(decode)"
    )
    whole: Any = ["a", "b"] | pipe | ops.take(2) | ops.to_list()
    assert run(lambda: whole.work(None)) == ["a", "b"]
    with pytest.raises(TypeError):
        pipe | 5  # type: ignore[operator]  # pyright: ignore


@pytest.mark.parametrize("place", ["before", "behind"])
def test_an_error_of_either_side_ends_both(place: str) -> None:
    closed: list[str] = []

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            if place == "before":
                raise ValueError("before")
            await asyncio.Event().wait()
        finally:
            closed.append("source")

    def fail(item: bytes) -> None:
        if place == "behind":
            raise ValueError("behind")

    carrier = Memory()

    async def main() -> None:
        job = Stream(source) | ops.through(carrier, group="g") | ops.for_each(fail)
        with pytest.raises(ValueError, match=f"^{place}"):
            await job
        assert closed == ["source"]
        assert not carrier.store.connections
        async with carrier.connect() as connection:
            assert (await connection.depth("g")).lag == (place == "behind")

    run(main)


def test_wherever_it_is_cancelled_nothing_is_lost() -> None:
    async def main() -> None:
        carrier = Memory()
        stored: list[bytes] = []
        try:
            job = [b"a", b"b"] | ops.through(carrier, group="g", batch=2) | ops.map(later)
            await (job | ops.take(2) | ops.for_each(stored.append))
        finally:
            rows = carrier.store.groups.get("g", [])
            assert [each.entry.body for each in rows if each.done] == stored[
                : sum(each.done for each in rows)
            ]
            assert not any(each.token for each in rows if not each.done)
            assert not carrier.store.connections

    async def later(item: bytes) -> bytes:
        await asyncio.sleep(0)
        return item

    run(main, faults=Faults.CANCEL | Faults.SHUTDOWN)
