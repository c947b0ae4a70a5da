"""Nests: a step that goes through streams lets others run meanwhile, and holds nothing while those wait."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any
from weakref import ref

import pytest

from streamkit import Stream, Suspend, ops
from streamkit._engine.compile import pace
from streamkit.testing import run


class Thing:
    """What is seen to be gone."""


async def at_once(number: int) -> AsyncIterator[int]:
    for each in range(number):
        yield each


BEHIND = {
    "nothing": ops.skip(0),
    "a step that drops": ops.filter(lambda _: False),
    "a step": ops.map(lambda item: (item,)),
    "a buffer": ops.buffer(Suspend(3)),
}


@pytest.mark.parametrize("source", ["list", "generator"])
def test_others_run_while_a_stream_gives_items_that_never_wait(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock, it is time to let others run after eight looks at it."""
    monkeypatch.setattr(pace, "BUDGET", 8.0)
    monkeypatch.setattr(pace, "perf_counter", count(0.0).__next__)
    turned = 0

    async def main() -> None:
        async def counted() -> None:
            nonlocal turned
            while True:
                await asyncio.sleep(0)
                turned += 1

        counting = asyncio.create_task(counted())
        outer: Any = [1000] if source == "list" else at_once(1) | ops.map(lambda _: 1000)
        found = await (Stream(outer) | ops.flat_map(at_once, concurrency=1) | ops.count())
        assert found == 1000
        counting.cancel()

    asyncio.run(main())
    assert turned >= 100


@pytest.mark.parametrize("name", BEHIND)
def test_nothing_is_held_while_the_stream_waits_for_its_next(name: str) -> None:
    things, held = list[Any](), list[int]()

    async def stream(_: int) -> AsyncIterator[Thing]:
        for _ in range(4):
            await asyncio.sleep(1.0)
            held.append(sum(each() is not None for each in things))
            thing = Thing()
            things.append(ref(thing))
            yield thing
            del thing

    async def main() -> None:
        await (Stream([1]) | ops.flat_map(stream, concurrency=1) | BEHIND[name] | ops.drain())

    run(main)
    assert held == [0, 0, 0, 0]


class Broken:
    """What cannot be gone through."""

    def __iter__(self) -> Any:
        raise OSError("broken")


async def fails() -> None:
    raise OSError("fails")


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        (Broken, "broken"),
        (fails, "fails"),
        (lambda: None, r"makes must return an iterable.*not None"),
        (lambda: Stream(Broken()), "broken"),
        (lambda: Stream(Broken), "broken"),
    ],
    ids=["an iterable", "an awaitable", "none", "a stream", "a stream of a callable"],
)
def test_what_cannot_be_opened_names_the_step(returned: Any, says: str) -> None:
    def makes(_: int) -> Any:
        return returned()

    async def main() -> None:
        await (Stream([1]) | ops.map(abs) | ops.concat_map(makes) | ops.map(str) | ops.drain())

    with pytest.raises((OSError, TypeError), match=says) as caught:
        run(main)
    assert [note.split("(")[0] for note in caught.value.__notes__] == ["in concat_map"]
