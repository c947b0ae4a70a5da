"""Types of slots, which follow their contents."""

from typing import Any, assert_type

from streamkit import Job, Stream, ops
from streamkit.live import Change, Slot, edit, slots

NUMBERS = Stream([1, 2])


def halved(number: int) -> float:
    return number / 2


def test_a_slot_is_an_operator_with_the_types_of_its_first_content() -> None:
    halving = Slot(ops.map(halved), name="halved")
    assert_type(halving, Slot[int, float])
    assert_type(NUMBERS | halving, Stream[float])
    assert_type(NUMBERS | ops.map(str) | Slot(ops.map(int) | ops.map(halved)), Stream[float])
    assert_type(NUMBERS | halving.with_generation, Stream[tuple[int, float]])
    job = NUMBERS | halving | ops.to_list()
    assert_type(job, Job[list[float]])
    assert_type(slots(job), dict[str, Slot[Any, Any]])
    assert job.run() == [0.5, 1.0]


def test_one_without_a_content_has_the_types_that_are_written() -> None:
    hole: Slot[int, int] = Slot()
    assert_type(NUMBERS | hole, Stream[int])
    assert_type(Slot(ops.take(1)), Slot[Any, Any])


async def changes(slot: Slot[int, float]) -> None:
    """What changes return; this is never run."""
    assert_type(await slot.replace(ops.map(halved), deadline=1.0), Change)
    assert_type(await slot.insert(0, ops.filter(bool), rollback=2), Change)
    async with edit() as change:
        assert_type(await slot.pop(0), Change)
        assert_type(change, Change)
    await change
