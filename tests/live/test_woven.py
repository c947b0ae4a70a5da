"""Slots in the loop around them: whatever stands beside them keeps what it has, and the loop goes on.

The contents pass items on as they are, one way or another. So a pipe with slots, changed at random, gives
what it gives without them.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from operator import neg
from typing import Any

import pytest

from streamkit import Job, Operator, Stream, Suspend, ops, step
from streamkit.live import Slot, edit
from streamkit.testing import run
from tests.laws.lab import trying
from tests.tiers import examples

COUNT = 24


async def turn(item: Any) -> Any:
    await asyncio.sleep(0)
    return item


def numbers() -> Iterator[int]:
    yield from range(COUNT)


async def ready() -> AsyncIterator[int]:
    for number in range(COUNT):
        yield number


async def slow() -> AsyncIterator[int]:
    for number in range(COUNT):
        await asyncio.sleep(0)
        yield number


def same(item: Any) -> Any:
    return item


CONTENTS: list[Any] = [
    None,
    ops.map(same),
    ops.batch(3) | ops.flatten(),
    ops.filter(lambda _: True) | ops.map(turn),
    ops.sliding(1) | ops.flatten(),
    ops.broadcast(ops.map(same), ops.ignore_items()),
]

SOURCES: list[Any] = [
    range(COUNT),
    numbers,
    ready,
    slow,
    lambda: Stream(ready) | ops.map(turn),
    lambda: Stream(slow) | ops.buffer(Suspend(3)),
    lambda: Stream(ready) | ops.map(turn, concurrency=3),
    lambda: Stream(slow) | ops.map(turn, concurrency=3),
    lambda: Stream(slow) | ops.timeout(9.0),
    lambda: Stream(ready) | ops.concat(slow, numbers),
    lambda: Stream(ready) | ops.zip(slow),
]

AROUND: list[Any] = [
    lambda: ops.enumerate(),
    lambda: ops.map(turn),
    lambda: ops.scan(_pair),
    lambda: ops.pairwise(),
    lambda: ops.batch(3),
    lambda: ops.batch(2) | ops.flatten(),
    lambda: ops.filter(bool) | ops.skip(1),
    lambda: ops.take(COUNT // 2),
    lambda: ops.distinct(key=repr),
    lambda: ops.broadcast(ops.enumerate(), ops.skip(2) | ops.map(repr)),
    lambda: ops.group_by(lambda item: len(repr(item)) % 3, ops.enumerate(), max_groups=3),
    lambda: ops.start_with("first") | ops.end_with("last"),
    lambda: ops.flat_map(lambda item: [item, item], concurrency=1),
    lambda: ops.materialize(),
]

SINKS: list[Any] = [lambda: ops.to_list(), lambda: ops.broadcast(ops.to_list(), ops.count())]


def _pair(before: Any, item: Any) -> Any:
    return (repr(before)[-8:], item)


async def changed(slots: list[Slot[Any, Any]], drawn: random.Random, rollback: bool) -> None:
    """Change one slot, or all at once, again and again."""
    while True:
        for _ in range(drawn.randrange(4)):
            await asyncio.sleep(0)
        if drawn.random() < 0.3:
            try:
                async with edit():
                    for slot in slots:
                        await slot.replace(drawn.choice(CONTENTS))
            except ValueError as error:  # there is a batch between them
                assert "between two slots" in str(error)
        else:
            trial = 2 if rollback and drawn.random() < 0.1 else 0
            await drawn.choice(slots).replace(drawn.choice(CONTENTS), rollback=trial)
        await asyncio.sleep(0)


async def alike(seed: int, *, rollback: bool = False) -> None:
    drawn = random.Random(seed)
    source, sink = drawn.choice(SOURCES), drawn.choice(SINKS)
    around = [drawn.choice(AROUND) for _ in range(drawn.randrange(1, 4))]
    behind = drawn.choice(["steps", "steps", "buffer", "for"])
    last = drawn.choice([turn, same])  # where nothing is awaited, tasks of the source may run the loop

    def built(slots: list[Slot[Any, Any]]) -> Job[Any]:
        pipe: Any = Stream(source)
        for number, make in enumerate(around):
            if number < len(slots):
                pipe |= slots[number]
            pipe |= make()
        if behind == "buffer":
            pipe |= ops.buffer(Suspend(2))
        elif behind == "for":
            pipe = Stream(lambda pipe=pipe: aiter(pipe))
        job: Job[Any] = pipe | ops.map(last) | sink()
        return job

    slots = [Slot[Any, Any](drawn.choice(CONTENTS)) for _ in range(drawn.randrange(1, 3))]
    changing = asyncio.create_task(changed(slots, drawn, rollback))
    try:
        found = await built(slots)
    finally:
        changing.cancel()
        await asyncio.wait([changing])
    assert changing.cancelled(), changing.exception()
    expected = await built([])
    assert found == expected, (found, expected, source, [make() for make in around], behind, slots)


BESIDE: dict[str, Any] = {
    "a loop": lambda slot: Stream(slow) | ops.enumerate() | slot,
    "one that others read": lambda slot: Stream(slow) | slot | ops.enumerate(),
    "what hears of errors": lambda slot: Stream(slow) | slot | ops.materialize(),
    "streams that are driven": lambda slot: Stream(ready) | ops.merge(slow) | slot,
    "a group": lambda slot: Stream(slow) | slot | ops.group_by(bool, ops.map(same), max_groups=2),
    "a window": lambda slot: Stream(slow) | slot | ops.batch_within(3, seconds=1.0),
    "several tasks": lambda slot: Stream(slow) | slot | ops.map(turn, concurrency=2),
    "a zip": lambda slot: Stream(slow) | slot | ops.zip(ready),
}


@pytest.mark.parametrize("rollback", [0, 3])
@pytest.mark.parametrize("beside", BESIDE)
def test_a_slot_may_be_changed_between_any_two_items(beside: str, rollback: int) -> None:
    async def main() -> tuple[list[Any], list[Any]]:
        slot, found = Slot[Any, Any](), list[Any]()
        async with BESIDE[beside](slot).open() as items:
            async for item in items:
                found.append(item)
                if len(found) % 4 == 2:
                    await slot.replace(ops.map(same), rollback=rollback)
        return found, await (BESIDE[beside](ops.map(same)) | ops.to_list())

    found, expected = run(main)
    assert found == expected


def test_an_item_in_hand_is_kept_where_another_slot_changes_as_the_loop_is_left() -> None:
    """What the second slot holds comes out first, which takes its time; the first changes meanwhile."""

    async def late(item: int) -> int:
        await asyncio.sleep(1.0)
        return item

    async def main() -> None:
        for source in Stream(range(6)), Stream(range(6)) | ops.buffer(Suspend(3)):
            first, second = Slot[int, int](), Slot(ops.batch(3) | ops.flatten())
            job = (source | ops.map(late) | first | second | ops.map(late) | ops.to_list()).start()
            await asyncio.sleep(1.5)
            await second.replace(ops.map(same))
            await asyncio.sleep(1.0)
            await first.replace(ops.map(same))
            assert await job == [*range(6)]

    run(main)


async def paced(item: Any) -> Any:
    return await asyncio.sleep(1.0, item)


async def beginning() -> None:
    await asyncio.sleep(5.0)


@pytest.mark.parametrize("source", [numbers, ready, SOURCES[5]], ids=["iterator", "async", "channel"])
def test_a_slot_may_be_changed_again_while_its_content_begins(source: Any) -> None:
    """The item that the loop has in its hand waits for both."""

    async def main() -> list[Any]:
        slot = Slot[Any, Any]()
        job = (Stream(source) | ops.map(paced) | slot | ops.to_list()).start()
        await asyncio.sleep(3.5)
        first = asyncio.create_task(
            slot.replace(ops.stateful_map(beginning, lambda state, item: (state, item)))
        )
        await asyncio.sleep(3.0)
        await slot.replace(ops.map(neg))
        await first
        return await job

    found = run(main)
    assert [abs(item) for item in found] == [*range(COUNT)]
    assert found[-1] < 0


edits = 100


@step(each="emit(item + edits)")
def more() -> Operator[int, int]:
    """It has a name of its module that loops with slots have, too."""
    return Operator(more)


def test_a_step_may_say_what_the_loop_says() -> None:
    async def main() -> list[int]:
        slot = Slot(more())
        job = (Stream(slow) | slot | ops.map(same) | ops.take(4) | ops.to_list()).start()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await slot.replace(ops.map(neg))
        return await job

    first, *_, last = run(main)
    assert (first, last) == (100, -3)


@pytest.mark.parametrize("rollback", [False, True], ids=["", "rollback"])
def test_a_pipe_with_slots_that_change_gives_what_it_gives_without(rollback: bool) -> None:
    for seed in range(examples(150)):
        with trying(seed):
            run(alike(seed, rollback=rollback))
