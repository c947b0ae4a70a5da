"""Intakes: which sources end when they do, and that a steered job is the same in all else."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

import streamkit
from streamkit import Hub, Job, Stream, Suspend, ops, push
from streamkit.runner.intake import Intake
from streamkit.testing import run


async def for_ever() -> AsyncIterator[int]:
    number = 0
    while True:
        yield number
        number += 1
        await asyncio.sleep(1.0)


def after(job: Job[Any], seconds: float = 2.5) -> Any:
    """The result of `job` if its intake ends then."""

    async def main() -> Any:
        intake = Intake()
        asyncio.get_running_loop().call_later(seconds, intake.end)
        return await intake.steered(job)

    return run(main)


class TestEnd:
    def test_reaches_streams_in_arguments_and_in_branches(self) -> None:
        merged = Stream(for_ever) | ops.merge(Stream(for_ever) | ops.map(str)) | ops.to_list()
        assert sorted(after(merged), key=str) == [0, "0", 1, "1", 2, "2"]
        inner = ops.broadcast(ops.merge(for_ever) | ops.count(), ops.count())
        assert after(Stream(for_ever) | inner) == (6, 3)

    def test_lets_nothing_begin_that_would_come_later(self) -> None:
        job = streamkit.concat(Stream(for_ever), Stream(for_ever)) | ops.to_list()
        assert after(job) == [0, 1, 2]
        again = Stream(for_ever) | ops.take(2) | ops.repeat() | ops.to_list()
        assert after(again) == [0, 1, 0, 1, 0]

    def test_of_one_reader_leaves_what_is_shared_to_the_others(self) -> None:
        async def main() -> Any:
            shared = Stream(for_ever) | ops.share(strategy=Suspend(4))
            intake = Intake()
            other = (shared | ops.take(5) | ops.to_list()).start()
            one = intake.steered(shared | ops.to_list()).start()
            await asyncio.sleep(2.5)
            intake.end()
            return await one, await other

        assert run(main) == ([1, 2], [0, 1, 2, 3, 4])

    def test_of_a_reader_of_a_hub_leaves_the_hub(self) -> None:
        async def main() -> Any:
            hub: Hub[int] = Hub(Suspend(4))
            intake = Intake()
            one = intake.steered(hub.stream() | ops.to_list()).start()
            filling = (Stream(for_ever) | ops.take(5) | hub.sink()).start()
            await asyncio.sleep(2.5)
            intake.end()
            found = await one
            hub.close()
            await filling
            return found

        assert run(main) == [0, 1, 2]

    def test_of_a_consumer_of_a_hub_loses_nothing_that_it_holds(self) -> None:
        async def slowly(number: int) -> int:
            await asyncio.sleep(10.0)
            return number

        async def main() -> Any:
            hub: Hub[int] = Hub(Suspend(4))
            intake = Intake()
            jobs = [
                hub.stream() | ops.map(slowly) | ops.to_list(),
                hub.stream() | ops.merge() | ops.to_list(),
            ]
            found = [intake.steered(job).start() for job in jobs]
            await asyncio.sleep(0.5)
            assert await (Stream([0, 1, 2]) | hub.sink()) == 3
            intake.end()
            return [await each for each in found]

        assert run(main) == [[0, 1, 2], [0, 1, 2]]

    def test_that_came_before_counts(self) -> None:
        intake = Intake()
        intake.end()
        stream, emitter = push(Suspend(2))
        emitter.offer(1)
        assert intake.steered(stream | ops.to_list()).run() == [1]
        for source in ([1, 2], lambda: iter([1, 2]), for_ever):
            assert intake.steered(Stream(source) | ops.to_list()).run() == []


class TestSteered:
    def test_is_told_as_it_was_written(self) -> None:
        for stream in (
            Stream([1, 2]),
            Stream(for_ever),
            streamkit.interval(1.0),
            streamkit.inbox(Suspend(2)),
        ):
            job = stream | ops.map(str) | ops.to_list()
            assert repr(Intake().steered(job)) == repr(job)

    def test_gives_the_same_with_the_same_errors(self) -> None:
        job = Stream(lambda: iter([1, 0])) | ops.map(lambda number: 1 // number) | ops.to_list()
        with pytest.raises(ZeroDivisionError) as caught:
            Intake().steered(job).run()
        assert caught.value.__notes__[0].startswith("in map(<lambda>) at ")
        once = Stream(iter([1, 2])) | ops.to_list()
        assert Intake().steered(once).run() == [1, 2]
        with pytest.raises(streamkit.SourceConsumedError):
            once.run()

    def test_hands_a_time_limit_of_the_source_to_the_source(self) -> None:
        async def limited() -> AsyncIterator[int]:
            try:
                async with asyncio.timeout(1.5):
                    for number in range(9):
                        yield number
            except TimeoutError:
                yield -1

        job = (
            Stream(limited)
            | ops.buffer(Suspend(1))
            | ops.map(lambda item: asyncio.sleep(1.0, item))
            | ops.to_list()
        )
        assert after(job, 99.0) == run(lambda: job)
