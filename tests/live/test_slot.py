"""Slots: what the next item meets, what becomes of items inside, and where slots may stand."""

import asyncio
import copy
import pickle
import random
from collections.abc import AsyncIterator, Callable
from operator import neg
from typing import Any

import pytest

from streamkit import BufferOverflowError, Fail, Stream, Suspend, attached, ops, push
from streamkit.live import Slot, edit, slots
from streamkit.testing import run
from tests.files import over
from tests.live.torn import Mark, turns
from tests.tiers import examples


async def moment() -> None:
    """Let everything happen that can."""
    await asyncio.sleep(0.001)


async def ticks(count: int) -> AsyncIterator[int]:
    for number in range(count):
        await asyncio.sleep(1.0)
        yield number


def fails(number: int) -> int:
    raise ValueError(number)


async def late(item: Any) -> Any:
    await asyncio.sleep(2.5)
    return item


# the next item meets the new content ------------------------------------------------------------


@over([False, True])
def test_the_next_item_of_an_idle_source_meets_the_new_content(stages: bool) -> None:
    async def main() -> list[object]:
        slot = Slot(ops.map(neg), stages=stages)
        job = (Stream(ticks(4)) | slot | ops.to_list()).start()
        await asyncio.sleep(2.5)
        change = await slot.replace(ops.map(str))
        assert slot.generation == change.generation == 1
        await moment()
        assert change.done == stages  # the task that reads the source stays, and the content need not wait
        await asyncio.sleep(1.0)
        assert change.done
        return await job

    assert run(main) == [0, -1, "2", "3"]


@over([(), (ops.buffer(Suspend(2)),)])
def test_what_the_old_content_holds_comes_out_before_the_new_one_gets_anything(
    before: tuple[Any, ...],
) -> None:
    async def main() -> tuple[list[object], list[float]]:
        times: list[float] = []
        slot = Slot(ops.batch(3))
        job = (
            Stream(ticks(4))
            .pipe(*before, slot, ops.tap(lambda _: times.append(now())), ops.to_list())
            .start()
        )
        await asyncio.sleep(2.5)
        await slot.replace(ops.map(neg))
        return await job, times

    def now() -> float:
        return round(asyncio.get_running_loop().time(), 3)

    items, times = run(main)
    assert items == [[0, 1], -2, -3]
    assert times == [2.5 if before else 3.0, 3.0, 4.0]  # with the next item; at once behind a buffer


def test_stages_finish_what_is_in_flight_and_keep_the_order() -> None:
    async def main() -> list[object]:
        slot = Slot[Any, Any](ops.map(late, concurrency=3))
        job = (Stream(ticks(5)) | slot | ops.to_list()).start()
        await asyncio.sleep(3.5)
        change = await slot.replace(ops.map(neg))
        assert not change.done
        await change
        assert round(asyncio.get_running_loop().time(), 3) == 5.5
        return await job

    assert run(main) == [0, 1, 2, -3, -4]


def test_a_stream_that_begins_later_has_the_content_of_then_and_runs_change_together() -> None:
    async def main() -> tuple[list[int], ...]:
        slot = Slot(ops.map(neg))
        await (await slot.insert(0, ops.map(lambda number: number + 1)))
        stream = Stream(lambda: ticks(3)) | slot
        first = (stream | ops.to_list()).start()
        await asyncio.sleep(1.5)
        second = (stream | ops.to_list()).start()
        await asyncio.sleep(0.7)
        await slot.pop()
        return await first, await second

    assert run(main) == ([-1, -2, 3], [1, 2, 3])


def test_a_content_that_ends_the_stream_ends_it_also_where_a_change_came_too_late() -> None:
    async def main() -> list[int]:
        slot = Slot(ops.take(2))
        job = (Stream(ticks(5)) | slot | ops.map(late) | ops.to_list()).start()
        await asyncio.sleep(2.5)
        change = await slot.replace(None)
        result = await job
        await change
        return result

    assert run(main) == [0, 1, 2, 3, 4]

    async def ended() -> list[int]:
        slot = Slot(ops.take(2))
        job = (Stream(ticks(5)) | slot | ops.to_list()).start()
        await asyncio.sleep(2.5)
        await (await slot.replace(None))
        return await job

    assert run(ended) == [0, 1]


@over([False, True])
def test_blocking_code_reads_through_a_slot(stages: bool) -> None:
    slot = Slot(ops.map(neg), stages=stages)
    assert [*(Stream(range(3)) | slot)] == [0, -1, -2]
    assert (Stream(range(3)) | slot | slot | ops.to_list()).run() == [0, 1, 2]


# contents as lists --------------------------------------------------------------------------------


def test_contents_are_changed_as_lists_are() -> None:
    async def main() -> None:
        slot = Slot(ops.map(neg) | ops.map(str))
        assert (len(slot), bool(Slot())) == (2, True)
        await slot.insert(-1, ops.filter(bool) | ops.skip(1))
        assert [link.declaration.name for link in (slot.content or slot).links] == [
            "map",
            "filter",
            "skip",
            "map",
        ]
        await slot.pop(1)
        await slot.pop()
        assert repr(slot) == "Slot(map(neg) | skip(1))"
        await slot.replace(None)
        assert (len(slot), slot.content, slot.generation) == (0, None, 4)
        assert await (Stream("ab") | slot | ops.to_list()) == ["a", "b"]
        with pytest.raises(IndexError, match="one of 0 operators"):
            await slot.pop()

    run(main)


def test_what_cannot_stand_in_a_slot_changes_nothing() -> None:
    def nothing(slot: Slot[Any, Any]) -> None:
        assert (slot.generation, repr(slot)) == (0, "Slot(map(neg))")

    async def main() -> None:
        slot = Slot[Any, Any](ops.map(neg), bound=3)
        wrong: Any
        for wrong, cure in (([ops.map(neg)], r"join them with \|"), (ops.map, r"write map\(\.\.\.\)")):
            with pytest.raises(TypeError, match=f"content must be operators, and no sink, not .*: {cure}"):
                await slot.replace(wrong)
        for wrong in (ops.to_list(), neg, Stream("a"), 1):
            with pytest.raises(TypeError, match="content must be operators, and no sink"):
                await slot.replace(wrong)
        with pytest.raises(
            ValueError, match=r"buffer\(.*\) is a stage, and the contents of this slot are steps"
        ):
            await slot.insert(0, ops.buffer(Suspend(1)))
        with pytest.raises(ValueError, match="at most 3 items, and this may hold 10"):
            await slot.replace(ops.batch(10))
        with pytest.raises(ValueError, match=r"rollback must be 0 where buffer"):
            await Slot(stages=True).replace(ops.buffer(Suspend(1)), rollback=1)
        nothing(slot)

    run(main)
    with pytest.raises(ValueError, match="is a stage"):
        Slot(ops.buffer(Suspend(1)), stages=False)


# errors --------------------------------------------------------------------------------------------


def test_errors_of_a_content_name_its_generation_and_those_of_the_source_do_not() -> None:
    async def main() -> None:
        for stages in (False, True):
            slot = Slot(ops.map(neg), stages=stages, name="signs")
            await slot.replace(ops.map(fails))
            with pytest.raises(ValueError, match="1") as raised:
                await (Stream([1]) | slot | ops.to_list())
            assert raised.value.__notes__[1] == "in generation 1 of Slot(map(fails), name='signs')"
            with pytest.raises(ValueError, match="1") as raised:
                await (Stream([1]) | ops.map(fails) | slot | ops.to_list())
            with pytest.raises(ValueError, match="1") as behind:
                await slot.replace(None)
                await (Stream([1]) | slot | ops.map(fails) | ops.to_list())
            assert len(raised.value.__notes__) == len(behind.value.__notes__) == 1
            assert not attached(raised.value)

    run(main)


def test_errors_in_branches_of_a_content_name_its_generation_too() -> None:
    def two(fails: Callable[[int], object]) -> Any:
        return ops.broadcast(ops.map(abs), ops.map(abs) | ops.map(fails))

    def fail(number: int) -> int:
        raise ArithmeticError(number)

    async def main() -> None:
        slot = Slot[Any, Any](name="s")
        for content, behind, found in [(two(fail), two(abs), 1), (two(abs), two(fail), 0)]:
            await slot.replace(content)
            with pytest.raises(ArithmeticError) as caught:
                await (Stream([1]) | two(abs) | slot | behind | ops.drain())
            notes = [note for note in caught.value.__notes__ if "in generation" in note]
            assert len(notes) == found
            assert all(f"in generation {slot.generation} of" in note for note in notes)

    run(main)


def test_what_is_held_in_a_buffer_before_a_slot_comes_out_before_its_error() -> None:
    async def main() -> list[int]:
        seen: list[int] = []
        numbers, emitter = push(Fail(2), of=int)
        job = (numbers | ops.buffer(Suspend(1)) | Slot(ops.map(neg)) | ops.for_each(seen.append)).start()
        await moment()
        assert [emitter.offer(number).name for number in range(8)]
        with pytest.raises(BufferOverflowError):
            await job
        return seen

    seen = run(main)
    assert seen == [-number for number in range(len(seen))]
    assert len(seen) >= 2


def _marked(generation: int, *, stages: bool) -> list[Any]:
    """Contents that note the number which they should have."""
    mark = Mark(generation)
    return [
        ops.map(mark),
        ops.batch(2) | ops.map(mark),
        ops.filter(lambda number: number % 3) | ops.map(mark) | ops.start_with((-1, generation)),
        *[ops.map(mark.late, concurrency=2), ops.map(mark) | ops.buffer(Suspend(2))] * stages,
    ]


@over([False, True])
def test_items_come_out_with_the_generation_that_they_are_of_however_long_they_wait(stages: bool) -> None:
    async def main(seed: int) -> None:
        drawn = random.Random(seed)
        slot = Slot[Any, Any](_marked(0, stages=stages)[0], stages=stages)
        pipe = (
            Stream(turns(30)) | slot.with_generation | ops.buffer(Suspend(3)) | ops.map(late, concurrency=4)
        )
        job = (pipe | ops.to_list()).start()
        for number in range(1, 8):
            await asyncio.sleep(drawn.choice([0.0, 0.0, 1.0, 4.0]))
            change = await slot.replace(drawn.choice(_marked(number, stages=stages)))
            assert change.generation == number
        seen = await job
        assert all(generation == mark for generation, (*_, mark) in seen), seen
        assert [number for number, _ in seen] == sorted([number for number, _ in seen])
        generations.update(number for number, _ in seen)

    generations = set[int]()
    for seed in range(examples(10)):
        run(main(seed))
    assert len(generations) > 4


def test_both_ways_to_read_a_slot_stand_in_pipes_and_change_together() -> None:
    async def main() -> tuple[list[int], list[tuple[int, int]]]:
        slot = Slot(ops.map(neg))
        one = (Stream(ticks(3)) | slot | ops.to_list()).start()
        two = (Stream(ticks(3)) | ops.skip(1) | slot.with_generation | ops.to_list()).start()
        await asyncio.sleep(2.5)
        await slot.replace(ops.map(abs))
        assert repr(slot.with_generation) == "Slot(map(abs), with_generation=True)"
        return await one, await two

    assert run(main) == ([0, -1, 2], [(0, -1), (1, 2)])


# values and names ------------------------------------------------------------------------------------


def test_slots_are_found_by_name_also_deep_inside() -> None:
    inner, outer = Slot(ops.map(neg), name="inner"), Slot(name="outer")
    stream = Stream("ab") | outer | ops.merge(Stream("c") | Slot(inner | ops.buffer(Suspend(1))))
    assert slots(stream) == {"outer": outer, "inner": inner} == slots(stream | ops.to_list())
    assert slots(stream)["inner"] is inner
    with pytest.raises(ValueError, match="two slots have the name 'outer'"):
        slots(stream | Slot(name="outer"))
    with pytest.raises(TypeError, match="a stream, operators or a job"):
        slots("ab")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    async def running() -> None:
        handle = (stream | ops.drain()).start()
        assert slots(handle) == slots(stream)
        await handle.stop()

    run(running)


def test_a_name_is_a_text() -> None:
    with pytest.raises(TypeError, match="name must be a string, not 3"):
        Slot(name=3)  # type: ignore[arg-type]


def test_a_copy_is_the_same_slot_and_a_pickle_another_with_the_same_content() -> None:
    slot = Slot(ops.map(neg), name="a", bound=2)
    assert copy.copy(slot) is copy.deepcopy(slot) is slot
    stream = Stream(range(2)) | ops.map(abs) | slot
    assert slots(copy.deepcopy(stream))["a"] is slot
    unpickled = pickle.loads(pickle.dumps(stream))
    other = slots(unpickled)["a"]
    assert other is not slot
    assert repr(other) == repr(slot)
    asyncio.run(_emptied(other))
    assert (list(unpickled), list(stream)) == ([0, 1], [0, -1])


async def _emptied(slot: Slot[Any, Any]) -> None:
    async with edit():
        await slot.pop()


def test_a_slot_that_runs_is_changed_in_its_event_loop_only() -> None:
    async def main() -> list[int]:
        slot = Slot(ops.map(neg))
        job = (Stream(ticks(2)) | slot | ops.to_list()).start()
        await asyncio.sleep(1.5)
        with pytest.raises(RuntimeError, match="runs in another event loop: change it there"):
            await asyncio.to_thread(asyncio.run, slot.replace(None))
        assert slot.generation == 0
        return await job

    assert run(main, threads=True) == [0, -1]


def test_what_stands_in_a_slot_is_explained() -> None:
    slot = Slot(ops.batch(3), name="a")
    explained = (Stream(range(9)) | slot | ops.to_list()).explain()
    assert [(part.text, part.holds) for part in explained.parts[1:3]] == [("Slot(...)", 3), ("batch(3)", 0)]
    asyncio.run(_emptied(slot))
    assert (Stream(range(9)) | slot | ops.to_list()).explain().bound == explained.bound - 2
    assert slot.explain(ops.batch(5)).bound == 5
