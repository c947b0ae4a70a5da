"""handle.buffers(): what became of the items in each buffer of a job, at every moment of its run."""

import asyncio
from collections.abc import AsyncIterator
from operator import add
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import (
    BufferOverflowError,
    BufferStats,
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    Fail,
    Inlet,
    Job,
    KeepLatest,
    Operator,
    Run,
    Spill,
    Stream,
    Suspend,
    Unbounded,
    attached,
    ops,
    push,
    stage,
)
from streamkit._engine.buffer.channel import Channel
from streamkit.testing import run


class Ticking:
    """A source that gives a number each second, and counts what was pulled."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.pulled = 0

    async def __call__(self) -> AsyncIterator[int]:
        for number in range(self.count):
            await asyncio.sleep(1.0)
            self.pulled += 1
            yield number


def now() -> float:
    return asyncio.get_running_loop().time()


def balanced(stats: BufferStats) -> bool:
    counted = stats.delivered + stats.dropped + stats.folded + stats.refused + stats.held
    return stats.offered == counted


class TestBuffers:
    def test_a_job_of_steps_has_none(self) -> None:
        async def main() -> None:
            handle = (Stream([1]) | ops.map(abs) | ops.drain()).start()
            await handle
            assert handle.buffers() == ()

        run(main)

    def test_each_names_its_stage_and_strategy(self) -> None:
        async def main() -> None:
            job = Stream([1]) | ops.buffer(Suspend(2)) | ops.map(abs) | ops.merge([2, 3]) | ops.drain()
            handle = job.start()
            await handle
            found = {(stats.operator.partition("(")[0], stats.strategy) for stats in handle.buffers()}
            assert found == {("buffer", Suspend(2)), ("merge", Suspend(1))}
            assert sorted(stats.offered for stats in handle.buffers()) == [1, 1, 2]

        run(main)

    def test_shows_the_state_of_a_running_job(self) -> None:
        async def main() -> None:
            async def work(_: int) -> None:
                await asyncio.sleep(100.0)

            handle = (Stream(range(9)) | ops.buffer(Suspend(4)) | ops.for_each(work)).start()
            await asyncio.sleep(250.0)  # it is filled again when a quarter is left
            (stats,) = handle.buffers()
            assert (stats.offered, stats.delivered, stats.held, stats.held_at_most) == (7, 3, 4, 4)
            assert stats.seconds_full == 50.0
            await handle.stop()
            (stats,) = handle.buffers()
            assert (stats.offered, stats.delivered, stats.held, stats.dropped) == (7, 3, 0, 4)

        run(main)

    @given(
        strategy=st.sampled_from(
            [
                Suspend(2),
                DropOldest(2),
                DropIncoming(2),
                KeepLatest(),
                Conflate(add),
                Collect(3),
                Unbounded(),
            ]
        ),
        pause=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
        stop=st.floats(0.0, 30.0),
    )
    def test_every_item_is_accounted_for_at_every_moment(
        self, strategy: Any, pause: float, stop: float
    ) -> None:
        async def main() -> None:
            async def work(_: Any) -> None:
                await asyncio.sleep(pause)

            source = Ticking(10)
            job: Job[None] = Stream(source) | ops.buffer(strategy) | ops.for_each(work)
            handle = job.start()
            while now() < stop:
                await asyncio.sleep(0.75)
                assert all(map(balanced, handle.buffers()))
            await handle.stop()
            for stats in handle.buffers():
                assert balanced(stats)
                assert stats.held == 0
                assert stats.offered == source.pulled

        run(main)


def test_a_reader_that_leaves_in_the_midst_of_a_turn_and_comes_again_gets_all() -> None:
    async def pieces(run: Run, source: Inlet[int], *, others: tuple[Inlet[int], ...]) -> AsyncIterator[int]:
        channel = run.channel()
        for inlet in (source, *others):
            run.feed(channel, inlet, Suspend(4))
        for _ in range(9):
            async for item in channel:
                yield item
                break
        async for item in channel:
            yield item

    @stage(pieces, name="pieces")
    def in_pieces(*others: Any) -> Operator[int, int]:
        return Operator(in_pieces, others=tuple([Stream(other) for other in others]))

    async def main() -> None:
        found = await (Stream(range(10)) | in_pieces(range(10, 20), range(20, 30)) | ops.to_list())
        assert sorted(found) == list(range(30))

    run(main)


def test_streams_that_an_operator_has_read_one_after_the_other_leave_sums() -> None:
    async def main() -> None:
        sources = [Stream([number]) | ops.buffer(Suspend(1)) | ops.map(str) for number in range(50)]
        handle = (Stream([]) | ops.concat(*sources) | ops.drain()).start()
        await handle
        assert len(handle.buffers()) <= 2
        assert sum(stats.delivered for stats in handle.buffers()) == 50

    run(main)


STRATEGIES = [
    *(Suspend(4), DropIncoming(4), DropOldest(4), KeepLatest(), DropAll(4), Fail(9), Conflate(add)),
    *(Unbounded(), DropOldest(4, gaps=True), Collect(4), Spill(2), None),
]


class TestWhatComesIn:
    """`offered` is counted where items come in, and the rest where they go: so a lost item shows."""

    @pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
    def test_an_item_that_is_lost_is_missed(self, strategy: Any) -> None:
        async def main() -> None:
            lane = Channel().lane(strategy)
            lane.put(1)
            lane.pop()
            lane.put(2)
            assert balanced(lane.stats())
            lane._taken_out()
            assert not balanced(lane.stats())
            lane.discard([])

        run(main)

    @given(st.lists(st.sampled_from(["append", "pop"]), max_size=40), st.integers(0, 9))
    def test_one_that_a_pump_has_appended_is_missed_too(self, steps: list[str], granted: int) -> None:
        async def main() -> None:
            channel, free = Channel(), 0
            lane = channel.lane(Suspend(50))
            for step in steps:
                if step == "pop":
                    if lane.held:
                        channel.pop()
                elif free and lane.listed:
                    free -= 1
                    lane.held.append(None)
                else:
                    lane.put(None)
                    free = lane.granted(free, granted)
                assert balanced(lane.stats())
            lane.put(None)
            lane.spent(free)
            assert lane.stats().offered == steps.count("append") + 1
            lane.held.pop()
            assert not balanced(lane.stats())

        run(main)

    def test_a_shared_lane_misses_them_too(self) -> None:
        async def main() -> None:
            stream, emitter = push(Suspend(16))
            for item in range(9):
                emitter.offer(item)
            held = stream.source.value.lanes[0].held
            held.popleft()
            held.popleft()
            assert not balanced(emitter.stats())
            emitter.close()
            assert await (stream | ops.to_list()) == list(range(2, 9))
            assert not balanced(emitter.stats())

        run(main)


class TestDropsAndFailures:
    def test_each_of_many_dropped_items_is_told_of_though_telling_fails(self) -> None:
        told: list[int] = []

        def tell(item: int, _: str) -> None:
            told.append(item)
            raise ValueError(item)

        async def main() -> None:
            lane = Channel().lane(DropAll(3, on_drop=tell))
            for item in range(3):
                lane.put(item)
            with pytest.raises(ValueError, match="0") as caught:
                lane.put(3)
            assert [error.args for error in attached(caught.value)] == [(1,), (2,)]
            assert told == [0, 1, 2]
            stats = lane.stats()
            assert (stats.offered, stats.dropped, stats.held) == (4, 3, 1)

        run(main)

    def test_an_item_that_fails_the_buffer_of_its_group_counts_once(self) -> None:
        pulled = 0

        async def source() -> AsyncIterator[int]:
            nonlocal pulled
            for number in range(9):
                pulled += 1
                yield number

        async def work(item: int) -> int:
            await asyncio.sleep(9.0)
            return item

        async def main() -> None:
            groups = ops.group_by(lambda _: 0, ops.buffer(Fail(1)) | ops.map(work), max_groups=2)
            handle = (Stream(source) | groups | ops.drain()).start()
            with pytest.raises(BufferOverflowError):
                await handle
            intake = next(each for each in handle.buffers() if each.strategy == Fail(1))
            assert balanced(intake)
            assert (intake.offered, intake.refused) == (pulled, 1)

        run(main)
