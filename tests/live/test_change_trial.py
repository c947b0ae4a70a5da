"""Changes on trial: a content that fails with its first items is rolled back; the old one gets those."""

import asyncio
from collections.abc import AsyncIterator
from operator import neg
from typing import Any

import pytest

from streamkit import RolledBackError, Stream, Suspend, ops
from streamkit.live import Slot
from streamkit.testing import run
from tests.files import over


async def ticks(count: int) -> AsyncIterator[int]:
    for number in range(count):
        await asyncio.sleep(1.0)
        yield number


class FiveFailsError(Exception): ...


def five_fails(number: int) -> int:
    if number == 5:
        raise FiveFailsError(number)
    return -number


def news() -> list[tuple[str, Any, int, list[object]]]:
    """New contents, how many items are on trial, and what comes out of items 3 and on."""
    old = [*range(5, 9)]
    return [
        ("plain", ops.map(five_fails), 8, [-3, -4, *old]),
        ("held", ops.map(five_fails) | ops.batch(2), 8, [[-3, -4], *old]),
        # what came out stays; of the last item of the batch something did
        ("held before", ops.batch(3) | ops.flatten() | ops.map(five_fails), 8, [-3, -4, *old[1:]]),
        ("nothing out", ops.filter(lambda number: five_fails(number) > 0), 8, [3, 4, *old]),
        ("first", ops.map(lambda number: five_fails(5)), 1, [3, 4, *old]),
    ]


@over(news(), named=lambda each: each[0])
def test_a_content_that_fails_on_trial_is_rolled_back(case: tuple[str, Any, int, list[object]]) -> None:
    _, content, items, expected = case

    async def main() -> list[Any]:
        slot = Slot[Any, Any](ops.map(abs))
        job = (Stream(ticks(9)) | slot | ops.to_list()).start()
        await asyncio.sleep(3.5)
        change = await slot.replace(content, rollback=items)
        assert slot.generation == 1
        with pytest.raises(RolledBackError, match="rolled back: FiveFailsError: 5") as raised:
            await change
        assert isinstance(raised.value.__cause__, FiveFailsError)
        assert change.error is raised.value
        assert (slot.generation, repr(slot), change.done) == (2, "Slot(map(abs))", True)
        assert repr(change) == "<Change taken back, generation 1>"
        return await job

    assert run(main) == [0, 1, 2, *expected]


def test_a_content_that_fails_behind_its_trial_fails_the_stream() -> None:
    async def main() -> None:
        slot = Slot(ops.map(abs))
        job = (Stream(ticks(9)) | slot | ops.to_list()).start()
        await asyncio.sleep(3.5)
        change = await slot.replace(ops.map(five_fails), rollback=2)
        await asyncio.sleep(1.0)
        assert not change.done
        with pytest.raises(FiveFailsError):
            await job
        await change  # it has passed its trial

    run(main)


def test_an_error_of_the_source_rolls_nothing_back() -> None:
    async def failing() -> AsyncIterator[int]:
        async for number in ticks(3):
            yield number
        raise FiveFailsError

    async def main() -> None:
        slot = Slot(ops.map(abs))
        job = (Stream(failing()) | slot | ops.to_list()).start()
        await asyncio.sleep(1.5)
        change = await slot.replace(ops.map(neg), rollback=8)
        with pytest.raises(FiveFailsError):
            await job
        await change
        assert slot.generation == 1

    run(main)


def test_so_is_one_behind_a_buffer() -> None:
    async def failing() -> AsyncIterator[int]:
        async for number in ticks(3):
            yield number
        raise FiveFailsError

    async def main() -> None:
        slot = Slot[Any, Any](ops.map(abs))
        job = (Stream(failing()) | ops.buffer(Suspend(2)) | slot | ops.to_list()).start()
        await asyncio.sleep(1.5)
        await slot.replace(ops.map(neg), rollback=8)
        with pytest.raises(FiveFailsError):
            await job

    run(main)


def test_several_runs_may_fail_at_one_time_and_others_may_have_changed_it_before() -> None:
    async def late_fails(number: int) -> int:
        await asyncio.sleep(0.5)
        return five_fails(number)

    async def main() -> list[list[int]]:
        slot = Slot[Any, Any](ops.map(abs))
        jobs = [(Stream(ticks(7)) | slot | ops.to_list()).start() for _ in range(2)]
        await asyncio.sleep(2.5)
        both = await slot.replace(ops.map(late_fails), rollback=9)
        with pytest.raises(RolledBackError):
            await both
        third = (Stream(ticks(7)) | slot | ops.to_list()).start()
        await asyncio.sleep(3.5)
        again = await slot.replace(ops.map(late_fails), rollback=9)
        await asyncio.sleep(3.7)
        await slot.replace(ops.map(str))  # while the item that fails is under way
        with pytest.raises(RolledBackError):
            await again
        return [await job for job in (*jobs, third)]

    one, two, third = run(main)
    assert one == two == [0, 1, -2, -3, -4, 5, 6]
    assert third == [0, 1, 2, -3, -4, "5", "6"]


def test_a_roll_back_is_for_all_runs_and_gives_way_to_what_came_later() -> None:
    async def main() -> tuple[list[Any], ...]:
        slot = Slot[Any, Any](ops.map(abs))
        one = (Stream(ticks(8)) | slot | ops.to_list()).start()
        two = (Stream(ticks(7)) | ops.skip(2) | slot | ops.to_list()).start()
        await asyncio.sleep(4.5)
        change = await slot.replace(ops.map(five_fails), rollback=5)
        with pytest.raises(RolledBackError):
            await change
        change = await slot.replace(ops.map(five_fails), rollback=9)
        await slot.insert(1, ops.map(str))
        await change
        return await one, await two

    assert run(main) == ([0, 1, 2, 3, -4, 5, "-6", "-7"], [2, 3, -4, 5, "-6"])


def test_behind_a_buffer_a_change_waits_for_no_item_after_a_trial_either() -> None:
    async def main() -> list[Any]:
        got: list[Any] = []
        slot = Slot[Any, Any]()
        job = (Stream(ticks(4)) | ops.buffer(Suspend(2)) | slot | ops.for_each(got.append)).start()
        await asyncio.sleep(0.5)
        await slot.replace(ops.batch(3), rollback=1)
        await asyncio.sleep(2.0)
        assert got == []
        change = await slot.replace(None)
        await asyncio.sleep(0.1)
        assert (got, change.done) == ([[0, 1]], True)
        await job
        return got

    assert run(main) == [[0, 1], 2, 3]
