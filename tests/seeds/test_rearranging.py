"""Rearranging a pipeline that runs: what was asked for, and answered by hand, as tests by their numbers.

The question was how to insert, pop and re-route functions in a pipeline that runs, without taking it apart.
"""

import asyncio
from collections.abc import AsyncIterator

from streamkit import Stream, Suspend, ops, push
from streamkit.live import Slot, slots
from streamkit.testing import run


def add_one(number: int) -> int:
    return number + 1


def times_ten(number: int) -> int:
    return 10 * number


class Source:
    """Numbers, each when it is asked for; `sent` is told of each when everything is done with it."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.sent = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.begun = 0
        self.ended = 0

    async def __call__(self) -> AsyncIterator[int]:
        self.begun += 1
        try:
            for number in range(self.count):
                self.goes_on.clear()
                self.sent.set()
                await self.goes_on.wait()
                yield number
            self.sent.set()
        finally:
            self.ended += 1

    async def give(self, count: int = 1) -> None:
        """Give the next `count` items, and wait until the source is asked for another."""
        for _ in range(count):
            await self.sent.wait()
            self.sent.clear()
            self.goes_on.set()
            await self.sent.wait()


def test_so1_a_function_is_inserted_into_a_pipeline_that_runs() -> None:
    async def main() -> list[int]:
        source, slot = Source(4), Slot(ops.map(add_one))
        job = (Stream(source.__call__) | slot | ops.to_list()).start()
        await source.give(2)
        await slot.insert(1, ops.map(times_ten))
        await source.give(2)
        return await job

    assert run(main) == [1, 2, 30, 40]


def test_so2_a_function_is_popped_out() -> None:
    async def main() -> list[int]:
        source, slot = Source(5), Slot(ops.map(add_one))
        job = (Stream(source.__call__) | slot | ops.to_list()).start()
        await source.give(2)
        await slot.insert(1, ops.map(times_ten))
        await source.give(2)
        await slot.pop(0)
        await source.give(1)
        return await job

    assert run(main) == [1, 2, 30, 40, 40]


def test_so3_the_other_functions_are_not_taken_apart_and_keep_their_state() -> None:
    async def main() -> list[tuple[int, int]]:
        source, slot = Source(6), Slot(ops.map(add_one))
        counted = Stream(source.__call__) | ops.enumerate() | ops.map(lambda pair: pair[0])
        job = (counted | slot | ops.enumerate(1) | ops.to_list()).start()
        for content in (ops.map(times_ten), ops.map(add_one) | ops.map(times_ten), None):
            await source.give(2)
            await slot.replace(content)
        result = await job
        assert (source.begun, source.ended) == (1, 1)
        return result

    assert run(main) == [(1, 1), (2, 2), (3, 20), (4, 30), (5, 50), (6, 60)]


def test_so4_a_handle_from_outside_says_where_items_go_next() -> None:
    async def main() -> tuple[list[str], list[str]]:
        source = Source(4)
        job = Stream(source.__call__) | Slot(ops.map("first {}".format), name="target") | ops.to_list()
        handle = job.start()
        await source.give(2)
        await slots(job)["target"].replace(ops.map("second {}".format))
        await source.give(2)
        return await handle, [*slots(job)]

    assert run(main) == (["first 0", "first 1", "second 2", "second 3"], ["target"])


def test_so5_the_route_is_switched_in_the_middle_and_back() -> None:
    async def main() -> list[str]:
        source, slot = Source(4), Slot(ops.map("b{}".format))
        job = (Stream(source.__call__) | slot | ops.to_list()).start()
        await source.give(1)
        await slot.replace(ops.map("c{}".format))
        await source.give(2)
        await slot.replace(ops.map("b{}".format))
        await source.give(1)
        return await job

    assert run(main) == ["b0", "c1", "c2", "b3"]


def test_so6_the_source_survives_changes_and_sinks_need_nothing() -> None:
    async def main() -> list[int]:
        source, slot, seen = Source(5), Slot(ops.map(add_one)), list[int]()
        job = (Stream(source.__call__) | slot | ops.for_each(seen.append)).start()
        for _ in range(5):
            await source.give(1)
            await slot.insert(0, ops.map(add_one))
        await job
        assert (source.begun, source.ended) == (1, 1)
        return seen

    assert run(main) == [1, 3, 5, 7, 9]


def test_so7_stages_with_tasks_of_their_own_change_their_order() -> None:
    async def one(number: int) -> int:
        await asyncio.sleep(0.3 if number % 2 else 0.1)
        return number + 1

    async def ten(number: int) -> int:
        await asyncio.sleep(0.1 if number % 2 else 0.3)
        return number * 10

    async def main() -> list[int]:
        numbers, emitter = push(Suspend(1), of=int)
        first, second = ops.map(one, concurrency=2), ops.map(ten, concurrency=2)
        slot = Slot(first | second)
        job = (numbers | slot | ops.to_list()).start()
        for number in range(2):
            await emitter.send(number)
        await asyncio.sleep(0.05)  # both are inside
        change = await slot.replace(second | first)
        for number in range(2, 6):
            await emitter.send(number)
        await change
        emitter.close()
        return await job

    assert run(main) == [10, 20, 21, 31, 41, 51]


def test_so8_a_last_item_passes_through_every_stage_and_ends_all() -> None:
    def until_stop(name: str) -> Slot[str, str]:
        return Slot(
            ops.map(f"{name}({{}})".format, concurrency=2)
            | ops.take_while(lambda item: "STOP" not in item, inclusive=True)
        )

    async def main() -> list[str]:
        items, emitter = push(Suspend(8), of=str)
        first, second = until_stop("a"), until_stop("b")
        job = (items | first | second | ops.to_list()).start()
        await emitter.send("1")
        await asyncio.sleep(1.0)
        await second.replace(until_stop("c").content)
        for item in ("2", "STOP", "3"):
            await emitter.send(item)
        return await job

    assert run(main) == ["b(a(1))", "c(a(2))", "c(a(STOP))"]
