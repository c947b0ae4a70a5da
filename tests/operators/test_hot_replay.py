"""share: what is replayed to those who come late, the end that they are told, and sources that linger."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import (
    Collect,
    Conflate,
    DropOldest,
    KeepLatest,
    OnFull,
    SourceConsumedError,
    Stream,
    Suspend,
    Tumbling,
    Unbounded,
    ops,
)
from streamkit.testing import run
from tests.operators.sharing import Ticks, read
from tests.tiers import examples

MANY = examples(1_000_000)


class TestReplay:
    def test_who_comes_late_gets_the_last_items_and_then_what_comes(self) -> None:
        shared = Stream(Ticks(6)) | ops.share(2)

        async def main() -> None:
            times: list[float] = []
            loop = asyncio.get_running_loop()
            late = read(shared | ops.tap(lambda _: times.append(loop.time())), begin=3.5)
            assert (await asyncio.gather(read(shared), late))[1] == [1, 2, 3, 4, 5]
            assert times == [3.5, 3.5, 4.0, 5.0, 6.0]

        run(main)

    def test_less_than_that_if_less_has_come(self) -> None:
        shared = Stream(Ticks(3)) | ops.share(99)

        async def main() -> None:
            assert await asyncio.gather(read(shared), read(shared, begin=1.5)) == [[0, 1, 2]] * 2

        run(main)

    @pytest.mark.parametrize(
        ("strategy", "expected"),
        [
            (Suspend(1), [1, 2, 3, 4, 5]),
            (KeepLatest(), [1, 2, 3, 4, 5]),
            (DropOldest(1, gaps=True), [1, 2, 3, 4, 5]),
            (Conflate(max), [1, 2, 3, 4, 5]),
            (Unbounded(), [1, 2, 3, 4, 5]),
            (Collect(9), [[1, 2], [3], [4], [5]]),
        ],
    )
    def test_all_of_it_comes_whatever_the_strategy(self, strategy: Any, expected: list[Any]) -> None:
        shared = Stream(Ticks(6)) | ops.share(2, strategy=strategy)

        async def main() -> None:
            assert (await asyncio.gather(read(shared), read(shared, begin=3.5)))[1] == expected

        run(main)

    def test_a_late_reader_that_is_slow_holds_the_others_as_any_does(self) -> None:
        source = Ticks()
        shared = Stream(source) | ops.share(3)

        async def main() -> None:
            quick = asyncio.create_task(read(shared))
            await asyncio.sleep(3.5)
            async with shared.open() as items:
                async for item in items:
                    assert item == 0
                    await asyncio.sleep(60.0)
                    assert source.pulled == 4  # the one that its buffer has room for
                    break
            quick.cancel()
            await asyncio.wait([quick])

        run(main)

    def test_after_very_many_items_it_has_kept_as_many_as_it_says(self) -> None:
        class Item:
            alive = 0

            def __init__(self) -> None:
                Item.alive += 1

            def __del__(self) -> None:
                Item.alive -= 1

        shared = Stream(lambda: (Item() for _ in range(MANY))) | ops.share(10, strategy=Suspend(64))

        async def main() -> int:
            counted = await (shared | ops.count())
            assert Item.alive == 10
            replayed = await (shared | ops.to_list())
            assert Item.alive == len(replayed) == 10
            return counted

        assert run(main) == MANY


class TestTheEnd:
    def test_who_comes_after_it_gets_what_is_replayed_and_the_end(self) -> None:
        source = Ticks(4)
        shared = Stream(source) | ops.share(2)

        async def main() -> None:
            assert await read(shared) == [0, 1, 2, 3]
            assert await read(shared) == await read(shared, begin=99.0) == [2, 3]

        run(main)
        assert len(source.opened) == 1

    def test_without_replay_the_end_alone(self) -> None:
        shared = Stream("ab") | ops.share()
        assert list(shared) == ["a", "b"]
        assert list(shared) == []  # also in another event loop, now that it has ended

    def test_an_error_reaches_all_readers_after_what_they_hold(self) -> None:
        source = Ticks(2, error=OSError("broken"))
        shared = Stream(source) | ops.share(1, strategy=Suspend(9))
        found: list[list[int]] = [[], [], []]

        async def note(number: int, begin: float) -> None:
            await asyncio.sleep(begin)
            with pytest.raises(OSError, match="broken") as raised:
                async for item in shared:
                    found[number].append(item)
            assert raised.value is source.error

        async def main() -> None:
            await asyncio.gather(note(0, 0.0), note(1, 1.5), note(2, 99.0))

        run(main)
        assert found == [[0, 1], [0, 1], [1]]
        assert len(source.opened) == len(source.closed) == 1

    def test_the_error_does_not_gather_the_frames_of_its_readers(self) -> None:
        shared = Stream(Ticks(0, error=OSError("broken"))) | ops.share()

        async def main() -> list[int]:
            depths: list[int] = []
            for _ in range(9):
                try:
                    await read(shared)
                except OSError as error:
                    trace, depth = error.__traceback__, 0
                    while trace is not None:
                        trace, depth = trace.tb_next, depth + 1
                    depths.append(depth)
            return depths

        depths = run(main)
        assert len({*depths[1:]}) == 1

    def test_a_source_that_was_left_before_its_end_runs_anew(self) -> None:
        source = Ticks(4)
        shared = Stream(source) | ops.share(2)

        async def main() -> None:
            assert await read(shared, count=3) == [0, 1, 2]
            assert await read(shared, count=3) == [0, 1, 2]  # with nothing to replay

        run(main)
        assert len(source.opened) == len(source.closed) == 2

    def test_one_that_can_run_only_once_says_so(self) -> None:
        shared = Stream(iter("abc")) | ops.share()
        assert list(shared | ops.take(1)) == ["a"]
        with pytest.raises(SourceConsumedError):
            list(shared)

    def test_who_comes_while_the_source_closes_waits_for_that(self) -> None:
        source = Ticks(closing=5.0)
        shared = Stream(source) | ops.share()

        async def main() -> None:
            await asyncio.gather(read(shared, count=1), read(shared, begin=2.0, count=1))

        run(main)
        assert source.opened == [0.0, 6.0]
        assert source.closed == [6.0, 12.0]

    def test_and_may_leave_before_that(self) -> None:
        source = Ticks(closing=5.0)
        shared = Stream(source) | ops.share()

        async def main() -> None:
            first = asyncio.create_task(read(shared, count=1))
            await asyncio.sleep(2.0)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await read(shared, begin=2.0)
            await first
            assert await read(shared, count=1) == [0]

        run(main)
        assert source.opened == [0.0, 6.0]


class TestLinger:
    def test_the_source_stays_open_for_who_comes_in_time(self) -> None:
        source = Ticks()
        shared = Stream(source) | ops.share(linger=10.0)

        async def main() -> None:
            assert await read(shared, count=2) == [0, 1]
            assert await read(shared, begin=11.0, count=2) == [2, 3]
            await asyncio.sleep(10.5)

        run(main)
        assert source.opened == [0.0]
        assert source.closed == [23.0]

    @pytest.mark.parametrize(("replay", "expected"), [(0, [3, 4]), (1, [2, 3])])
    def test_what_comes_of_a_pull_that_was_under_way_is_kept_to_be_replayed(
        self, replay: int, expected: list[int]
    ) -> None:
        source = Ticks()
        shared = Stream(source) | ops.share(replay, linger=50.0)

        async def main() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2.5):
                    await read(shared)
            await asyncio.sleep(40.0)
            assert source.pulled == 3  # and it is not pulled again
            assert await read(shared, count=2, begin=45.0) == expected
            await asyncio.sleep(51.0)

        run(main)

    def test_after_that_a_new_run_begins(self) -> None:
        source = Ticks()
        shared = Stream(source) | ops.share(1, linger=2.0)

        async def main() -> None:
            await read(shared, count=2)
            assert await read(shared, begin=9.0, count=1) == [0]
            await asyncio.sleep(3.0)

        run(main)
        assert source.opened == [0.0, 9.0]
        assert source.closed == [4.0, 12.0]

    def test_who_comes_in_the_turn_in_which_the_time_ends_gets_items_too(self) -> None:
        """The time ends in a callback, and the run in a task, which begins after the reader has joined."""
        shared = Stream(Ticks()) | ops.share(linger=2.0)

        async def main() -> None:
            late = asyncio.create_task(read(shared, begin=3.0, count=2))  # its timer is the first
            assert await read(shared, count=1) == [0]
            assert await late == [0, 1]
            await asyncio.sleep(3.0)

        run(main)

    def test_a_program_that_ends_meanwhile_closes_the_source(self) -> None:
        closed: list[str] = []

        async def source() -> AsyncIterator[int]:
            try:
                yield 1
                yield 2
            finally:
                await asyncio.sleep(0)
                closed.append("closed")

        shared = Stream(source) | ops.share(linger=60.0)

        async def main() -> list[int]:
            return await read(shared, count=1)

        assert asyncio.run(main()) == [1]
        assert closed == ["closed"]
        assert asyncio.run(main()) == [1]  # a new run, in a new loop
        assert list(shared) == [1, 2]


class Kept:
    """An item that is counted."""

    alive = 0

    def __init__(self) -> None:
        Kept.alive += 1

    def __del__(self) -> None:
        Kept.alive -= 1


@pytest.mark.parametrize(
    "pipes",
    [
        lambda pipe: ops.window(Tumbling(count=3), pipe),
        lambda pipe: ops.group_by(id, pipe, max_groups=1, on_full=OnFull.EVICT),
    ],
    ids=["window", "group_by"],
)
def test_nothing_is_kept_to_be_replayed_where_nobody_can_come(pipes: Any) -> None:
    async def source() -> AsyncIterator[Kept]:
        for _ in range(30):
            yield Kept()
            await asyncio.sleep(1.0)

    async def main() -> int:
        most = 0
        async with (Stream(source) | pipes(ops.share(2))).open() as items:
            async for item in items:
                del item
                most = max(most, Kept.alive)
        return most

    gc.disable()
    try:
        assert run(main) <= 4
    finally:
        gc.enable()


def test_nothing_is_kept_to_be_replayed_of_a_source_that_was_left() -> None:
    async def source() -> AsyncIterator[Kept]:
        while True:
            yield Kept()

    async def main() -> int:
        shared = Stream(source) | ops.share(2)
        await (shared | ops.take(3) | ops.drain())
        return Kept.alive

    assert run(main) == 0
