"""Changes on trial beside others: of several runs, and one that follows another before an item has come."""

import asyncio
from collections.abc import AsyncIterator
from operator import neg
from typing import Any

import pytest

from streamkit import RolledBackError, Stream, Suspend, ops
from streamkit.live import Slot
from streamkit.testing import run
from tests.files import over
from tests.live.test_trial import FiveFailsError, five_fails, ticks


def test_an_error_of_a_buffer_s_source_rolls_nothing_back() -> None:
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


CONTENTS: list[tuple[str, list[int], list[object]]] = [
    ("two that fail", [3, 3], [5, 6]),
    ("three", [3, 3, 3], [5, 6]),
    ("one that was to stay, between", [3, 0, 3], ["5", "6"]),
]
"""How many items are on trial, of each of several changes; and what comes out behind the last."""


@over([(*each, buffer) for each in CONTENTS for buffer in (False, True)], named=lambda each: each[0])
def test_a_content_on_trial_that_met_no_item_is_not_gone_back_to(
    case: tuple[str, list[int], list[object], bool],
) -> None:
    _, trials, expected, buffer = case

    async def main() -> Any:
        slot = Slot[Any, Any](ops.map(abs))
        before: Any = Stream(ticks(7)) | (ops.buffer(Suspend(2)) if buffer else ops.map(abs))
        job = (before | slot | ops.to_list()).start()
        await asyncio.sleep(5.1)
        last: Any = None
        for number, items in enumerate(trials):
            content = ops.map(five_fails if items else str)
            last = await slot.replace(content, rollback=items)
            await asyncio.sleep(0.1 * (number % 2))
        with pytest.raises(RolledBackError):
            await last
        return await job

    assert run(main) == [*range(5), *expected]


def test_what_another_slot_reads_is_closed_where_its_content_fails() -> None:
    async def main() -> None:
        slot, other = Slot[Any, Any](ops.map(abs)), Slot[Any, Any](ops.map(five_fails))
        job = (Stream(ticks(7)) | slot | other | ops.drain()).start()
        await asyncio.sleep(2.5)
        await slot.replace(ops.map(abs), rollback=9)  # each slot has loops of its own from here on
        with pytest.raises(FiveFailsError):
            await job

    run(main)
