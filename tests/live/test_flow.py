"""Contents follow each other while items flow: nothing is lost or doubled, however often they change."""

import asyncio
import random
from collections.abc import AsyncIterator
from operator import neg
from typing import Any

import pytest

from streamkit import Stream, Suspend, attached, ops
from streamkit.live import Slot
from streamkit.testing import run
from tests.tiers import examples, stride


async def late(item: int) -> int:
    await asyncio.sleep(0)
    return item


STEPS: list[Any] = [
    None,
    ops.map(abs),
    ops.batch(3) | ops.flatten(),
    ops.filter(lambda _: True) | ops.map(late),
    ops.sliding(1) | ops.flatten(),
]
STAGES: list[Any] = [
    *STEPS[:4],
    ops.map(late, concurrency=3),
    ops.buffer(Suspend(2)) | ops.map(abs),
    ops.batch_within(2, seconds=1.0) | ops.flatten(),
]


async def counting(count: int, every: int) -> AsyncIterator[int]:
    for number in range(count):
        if number % every == 0:
            await asyncio.sleep(0)
        yield number


async def edited(count: int, changes: int, *, stages: bool, seed: int, every: int = 1) -> None:
    """Change a slot while items flow: each comes out once, in order, and what is around it counts all."""
    drawn = random.Random(seed)
    slot = Slot[int, int](stages=stages)
    seen: list[int] = []
    pipe = Stream(counting(count, every)) | ops.enumerate() | ops.map(max) | slot | ops.enumerate()
    job = (pipe | ops.for_each(lambda pair: seen.append(pair[1] if pair[0] == pair[1] else -1))).start()
    contents = STAGES if stages else STEPS
    for _ in range(changes):
        for _ in range(drawn.randrange(12)):
            await asyncio.sleep(0)
        if drawn.random() < 0.3:  # before or behind what may have calls in flight, a buffer, or half a batch
            await slot.insert(drawn.choice((0, len(slot))), drawn.choice(contents[1:]))
            continue
        if len(slot) > 1 and drawn.random() < 0.2:
            await slot.pop(0)
        await slot.replace(drawn.choice(contents))
    await job
    assert seen == [*range(count)]


@pytest.mark.parametrize("stages", [False, True], ids=["steps", "stages"])
def test_nothing_is_lost_or_doubled(stages: bool) -> None:
    width = stride(50)
    run(edited(20_000 // width, 2_000 // width, stages=stages, seed=3, every=2))
    for seed in range(examples(20)):
        run(lambda seed=seed: edited(12, 6, stages=stages, seed=seed), schedules=10, seed=2)  # type: ignore[misc]


@pytest.mark.full
def test_a_million_items_and_ten_thousand_changes() -> None:
    async def main() -> None:
        slot, changes = Slot[int, int](), 0
        job = (
            Stream(counting(1_000_000, 50)) | slot | ops.enumerate() | ops.map(same) | ops.to_list()
        ).start()
        while changes < 10_000 and not job.done:
            await slot.replace(STEPS[changes % len(STEPS)])
            await asyncio.sleep(0)
            changes += 1
        assert await job == [*range(1_000_000)]
        assert changes == 10_000

    def same(pair: tuple[int, int]) -> int:
        return pair[1] if pair[0] == pair[1] else -1

    asyncio.run(main())


def test_a_source_is_stepped_in_one_task_whatever_stands_in_the_slot() -> None:
    async def main() -> tuple[int, int]:
        tasks: set[Any] = set()

        async def source() -> AsyncIterator[int]:
            try:
                for number in range(12):
                    tasks.add(asyncio.current_task())
                    await asyncio.sleep(1.0)
                    yield number
            finally:
                tasks.add(asyncio.current_task())

        slot = Slot[int, int](stages=True)
        job = (Stream(source) | slot | ops.to_list()).start()
        for content in STAGES:
            await asyncio.sleep(1.5)
            await slot.replace(content)
        return len(await job), len(tasks)

    assert run(main) == (12, 1)


def test_a_new_content_that_fails_closes_all_and_keeps_what_came_out() -> None:
    async def main() -> list[int]:
        seen: list[int] = []
        closed: list[bool] = []

        async def source() -> AsyncIterator[int]:
            try:
                async for number in counting(9, 1):
                    await asyncio.sleep(1.0)
                    yield number
            finally:
                closed.append(True)
                raise LookupError

        slot = Slot[int, int](ops.batch(2) | ops.flatten())
        job = (Stream(source) | slot | ops.for_each(seen.append)).start()
        await asyncio.sleep(3.5)
        await slot.replace(ops.map(lambda number: 1 // (number - 4)))
        with pytest.raises(ZeroDivisionError) as raised:
            await job
        assert closed == [True]
        assert [type(error) for error in attached(raised.value)] == [LookupError]
        return seen

    assert run(main) == [0, 1, 2, -1]


def test_a_job_that_is_stopped_in_the_middle_of_a_change_leaves_nothing() -> None:
    async def main() -> None:
        for stages in (False, True):
            slot = Slot[int, int](ops.map(late) | ops.map(neg), stages=stages)
            job = (Stream(counting(10**6, 1)) | slot | ops.drain()).start()
            await asyncio.sleep(0)
            change = await slot.replace(ops.batch(2) | ops.flatten())
            await job.stop()
            await change
            await (await slot.replace(None))  # nothing runs that it could wait for

    run(main, schedules=20, seed=1)
