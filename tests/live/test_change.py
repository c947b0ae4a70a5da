"""Changes: of several slots at once, and with a deadline."""

import asyncio
import weakref
from collections.abc import AsyncIterator
from contextvars import Context
from operator import neg
from typing import Any

import pytest

from streamkit import LateChangeError, Stream, Suspend, ops
from streamkit.live import Slot, edit
from streamkit.testing import run
from tests.files import over
from tests.live.torn import KINDS, Mark, torn
from tests.tiers import examples


async def ticks(count: int) -> AsyncIterator[int]:
    for number in range(count):
        await asyncio.sleep(1.0)
        yield number


# several slots at once --------------------------------------------------------------------------------------


@over(KINDS, named=str)
def test_no_item_sees_the_old_content_of_one_slot_and_the_new_one_of_another(kind: str) -> None:
    """`python -m tests.live.torn 100000` tries more."""
    run(lambda: torn(*KINDS[kind]), schedules=examples(100), seed=1)


def test_nothing_is_changed_by_an_edit_that_fails() -> None:
    async def main() -> None:
        first, second = Slot(ops.map(neg)), Slot(ops.map(str))
        with pytest.raises(TypeError, match="content must be operators"):
            async with edit():
                await first.replace(None)
                await second.replace(ops.to_list())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        assert (first.generation, second.generation) == (0, 0)
        async with edit() as change:
            await first.insert(0, ops.map(abs))
            await first.insert(0, ops.skip(1))  # behind what came before in this edit
            assert await second.pop() is change
            with pytest.raises(RuntimeError, match="an edit is open here already"):
                async with edit():
                    raise AssertionError
            with pytest.raises(ValueError, match="deadline and rollback"):
                await first.pop(deadline=1.0)
            assert (len(first), first.generation) == (1, 0)
        assert (len(first), len(second), first.generation, second.generation) == (3, 0, 1, 1)
        assert (change.done, change.generation) == (True, 1)
        assert repr(change) == "<Change done, generation 1>"

    run(main)


def test_an_edit_is_over_for_tasks_that_were_begun_inside_of_it() -> None:
    async def main() -> None:
        slot, ended = Slot(ops.map(neg)), asyncio.Event()

        async def later() -> None:
            await ended.wait()
            await slot.pop()
            async with edit():
                await slot.insert(0, ops.map(abs))

        one = edit()
        async with one:
            task = asyncio.create_task(later())
            await slot.insert(0, ops.map(abs))
        ended.set()
        await task
        assert (slot.generation, len(slot)) == (3, 2)
        with pytest.raises(RuntimeError, match="this edit has ended"):
            async with one:
                raise AssertionError

    run(main)


def test_a_change_that_has_not_begun_is_not_waited_for_in_vain() -> None:
    async def main() -> None:
        slot = Slot(ops.map(neg))
        change = None
        with pytest.raises(RuntimeError, match="has not begun"):
            async with edit():
                change = await slot.pop()
                await change
        assert (repr(change), slot.generation) == ("<Change not begun, generation 0>", 0)

    run(main)


def test_an_edit_does_not_undo_what_others_have_changed_meanwhile() -> None:
    async def main() -> None:
        slot = Slot(ops.map(neg))

        async def others() -> None:
            await slot.insert(0, ops.filter(bool))

        with pytest.raises(RuntimeError, match=r"Slot\(.*\) was changed by others"):
            async with edit():
                await slot.insert(1, ops.map(abs))
                # a task of its own context: not one of this edit
                await asyncio.create_task(others(), context=Context())
        assert (slot.generation, repr(slot)) == (1, "Slot(filter(bool) | map(neg))")
        async with edit():
            await asyncio.create_task(others(), context=Context())
            await slot.replace(None)  # whatever stands there
        assert (slot.generation, len(slot)) == (3, 0)

    run(main)


@over([
    (lambda one, two: one | ops.buffer(Suspend(2)) | two, r"buffer\(.*\) stands between two slots"),
    (lambda one, two: one | ops.batch(2) | two, r"batch\(2\) stands between two slots"),
    (lambda one, two: one | Slot(ops.batch(2)) | two, r"Slot\(batch\(2\)\) stands between two slots"),
    (lambda one, two: ops.merge(Stream(ticks(3)) | one) | two, "do not stand one behind the other"),
    (lambda one, two: one | ops.buffer(Suspend(2)) | one | two, "stands between two slots"),
])  # fmt: skip
def test_slots_between_which_items_may_wait_are_not_changed_at_once(case: Any) -> None:
    make, words = case

    async def main() -> None:
        one, two = Slot[Any, Any](ops.map(abs)), Slot[Any, Any]()
        job = (Stream(ticks(3)) | make(one, two) | ops.drain()).start()
        await asyncio.sleep(1.5)
        with pytest.raises(ValueError, match=words):
            async with edit():
                await one.pop()
                await two.replace(ops.map(str))
        assert (one.generation, two.generation) == (0, 0)
        await job

    run(main)


def test_changes_that_come_faster_than_items_are_gone_over_to_in_order() -> None:
    async def main() -> list[tuple[int, ...]]:
        one, two = Slot[Any, Any](ops.map(Mark(0))), Slot[Any, Any](ops.map(Mark(0)))
        job = (Stream(ticks(3)) | one | two | ops.to_list()).start()
        await asyncio.sleep(1.5)
        async with edit() as first:
            await one.replace(ops.map(Mark(1)))
            await two.replace(ops.map(Mark(1)))
        second = await two.replace(ops.map(Mark(2)))
        third = await one.replace(ops.map(Mark(3)))
        await asyncio.gather(first, second, third)
        return await job

    assert run(main) == [(0, 0, 0), (1, 3, 2), (2, 3, 2)]


# with a deadline --------------------------------------------------------------------------------------------


def test_a_change_that_nobody_asks_for_in_time_is_taken_back() -> None:
    async def stalled(item: int) -> int:
        await asyncio.sleep(10.0 if item == 1 else 0.0)
        return item

    async def main() -> list[int]:
        slot = Slot(ops.map(neg))
        job = (
            Stream(ticks(4)) | slot | ops.map(lambda item: -item) | ops.map(stalled) | ops.to_list()
        ).start()
        await asyncio.sleep(2.5)
        with pytest.raises(LateChangeError, match="taken back: nobody asked for another item in time"):
            await slot.replace(ops.map(abs), deadline=2.0)
        assert (slot.generation, repr(slot)) == (0, "Slot(map(neg))")
        change = await slot.replace(ops.map(lambda item: -10 * item), deadline=30.0)
        assert change.done
        return await job

    assert run(main) == [0, 1, 20, 30]


def test_an_edit_has_a_deadline_too_and_what_is_done_at_that_moment_is_in_time() -> None:
    async def main() -> list[int]:
        slot = Slot(ops.map(abs))
        job = (Stream(ticks(4)) | slot | ops.to_list()).start()
        await asyncio.sleep(1.5)
        with pytest.raises(LateChangeError, match="taken back"):
            async with edit(deadline=0.25):
                await slot.replace(ops.map(str))
        async with edit(deadline=0.25) as change:  # at the time of the next item
            await slot.replace(ops.map(neg))
        assert change.done
        return await job

    assert run(main) == [0, -1, -2, -3]


def test_a_change_that_has_begun_goes_on_behind_its_deadline() -> None:
    async def main() -> list[int]:
        async def slow(item: int) -> int:
            await asyncio.sleep(5.0)
            return item

        slot = Slot(ops.map(slow, concurrency=3))
        job = (Stream(ticks(3)) | slot | ops.to_list()).start()
        await asyncio.sleep(2.5)
        with pytest.raises(
            LateChangeError, match="goes on: an old content has still to pass on what it holds"
        ):
            await slot.replace(ops.map(neg), deadline=2.0)
        assert slot.generation == 1
        return await job

    assert run(main) == [0, 1, -2]


def test_one_that_others_stand_on_is_not_taken_back() -> None:
    async def main() -> list[Any]:
        slot = Slot[Any, Any](ops.map(neg))
        job = (Stream(ticks(2)) | slot | ops.to_list()).start()
        await asyncio.sleep(0.1)
        first = asyncio.create_task(slot.replace(ops.map(abs), deadline=0.3))
        await asyncio.sleep(0.1)
        await slot.insert(1, ops.map(str))
        with pytest.raises(LateChangeError, match="goes on"):
            await first
        return await job

    assert run(main) == ["0", "1"]


def test_what_is_taken_back_leaves_the_change_before_it_to_be_taken_back_too() -> None:
    async def main() -> list[int]:
        slot = Slot(ops.map(neg))
        job = (Stream(ticks(3)) | slot | ops.to_list()).start()
        await asyncio.sleep(1.1)
        first = asyncio.create_task(slot.replace(ops.map(lambda item: 10 * item), deadline=0.4))
        await asyncio.sleep(0.1)
        with pytest.raises(LateChangeError, match="taken back"):
            await slot.replace(ops.map(lambda item: 100 * item), deadline=0.1)
        with pytest.raises(LateChangeError, match="taken back"):
            await first
        return await job

    assert run(main) == [0, -1, -2]


def test_a_change_with_which_a_stream_has_begun_is_not_taken_back() -> None:
    async def main() -> tuple[list[int], list[int]]:
        slot = Slot(ops.map(neg))
        stream = Stream(ticks(3)) | slot | ops.to_list()
        job = stream.start()
        await asyncio.sleep(1.1)
        change = asyncio.create_task(slot.replace(ops.map(lambda item: 10 * item), deadline=0.5))
        await asyncio.sleep(0.1)
        other = (Stream(ticks(3)) | slot | ops.to_list()).start()
        with pytest.raises(LateChangeError, match="goes on: a stream has begun with its content"):
            await change
        return await job, await other

    assert run(main) == ([0, 10, 20], [0, 10, 20])


def test_a_change_that_is_over_lets_go_of_the_old_content() -> None:
    async def main() -> None:
        async def contents() -> list[weakref.ref[Any]]:
            kept: list[weakref.ref[Any]] = []
            for number in range(5):
                mark = Mark(number)
                kept.append(weakref.ref(mark))
                await (await slot.replace(ops.map(mark)))
            return kept

        slot = Slot[Any, Any]()
        *gone, stands = await contents()
        assert [each() for each in gone] == [None] * 4
        assert stands() is not None

    run(main)
