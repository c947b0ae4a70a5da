"""share: readers that come and go at random, beside RxPY's and beside what they were promised."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings, strategies as st
from reactivex import operators as rx_ops
from reactivex.testing import ReactiveTest, TestScheduler

from streamkit import Stream, Suspend, Unbounded, ops
from streamkit.testing import run
from tests.tiers import examples, stride

ENDS = ("completes", "fails", "goes on")
START = 200
"""When the test scheduler of RxPY begins, which counts whole ticks."""


class Stay(NamedTuple):
    """When a reader comes and when it leaves, if the stream has not ended before."""

    begin: float
    end: float


@st.composite
def stays(draw: st.DrawFn) -> list[Stay]:
    """Of readers that come between two items, and leave between two items."""
    begins = draw(st.lists(st.integers(0, 9), min_size=1, max_size=5, unique=True))
    lasting = [draw(st.integers(1, 9)) for _ in begins]
    # each at a moment of its own
    return [
        Stay(begin + 0.3 + place / 100, begin + long + 0.6 + place / 100)
        for place, (begin, long) in enumerate(zip(begins, lasting, strict=True))
    ]


def by_rxpy(count: int, end: str, shared: Any, readers: list[Stay]) -> list[list[Any]]:
    """What each reader got of a source of an item a second, and when: values, and then how it ended."""
    scheduler = TestScheduler()
    ticks = [ReactiveTest.on_next(100 * (number + 1), number) for number in range(count)]
    if end == "completes":
        ticks.append(ReactiveTest.on_completed(100 * count + 1))
    elif end == "fails":
        ticks.append(ReactiveTest.on_error(100 * count + 1, OSError()))
    stream = scheduler.create_cold_observable(*ticks).pipe(*shared)
    observers = [scheduler.create_observer() for _ in readers]
    for reader, observer in zip(readers, observers, strict=True):

        def join(*_: Any, reader: Stay = reader, observer: Any = observer) -> None:
            subscription = stream.subscribe(observer, scheduler=scheduler)
            scheduler.schedule_absolute(START + 100 * reader.end, lambda *_: subscription.dispose())

        scheduler.schedule_absolute(START + 100 * reader.begin, join)
    scheduler.start()
    return [
        [
            (
                message.value.value if message.value.kind == "N" else message.value.kind,
                (message.time - START) / 100,
            )
            for message in observer.messages
        ]
        for observer in observers
    ]


def by_ours(count: int, end: str, shared: Any, readers: list[Stay]) -> list[list[Any]]:
    async def ticks() -> AsyncIterator[int]:
        for number in range(count):
            await asyncio.sleep(1.0)
            yield number
        await asyncio.sleep(0.01)
        if end == "fails":
            raise OSError
        if end == "goes on":
            await asyncio.sleep(1e6)

    stream = Stream(ticks) | shared

    async def read(stay: Stay) -> list[Any]:
        loop = asyncio.get_running_loop()
        found: list[Any] = []
        await asyncio.sleep(stay.begin)
        try:
            async with asyncio.timeout(stay.end - stay.begin):
                async for item in stream:
                    found.append((item, loop.time()))
            found.append(("C", loop.time()))
        except OSError as error:
            if not isinstance(error, TimeoutError):
                found.append(("E", loop.time()))
        return found

    async def main() -> list[list[Any]]:
        return await asyncio.gather(*map(read, readers))

    return run(main)


def rounded(found: list[list[Any]]) -> list[list[Any]]:
    return [[(value, round(when, 2)) for value, when in each] for each in found]


class TestBesideRxPY:
    @settings(max_examples=examples(60))
    @given(st.integers(0, 8), st.sampled_from(ENDS), stays())
    def test_share_gives_the_same_at_the_same_time(self, count: int, end: str, readers: list[Stay]) -> None:
        ours = by_ours(count, end, ops.share(strategy=Unbounded()), readers)
        assert rounded(ours) == rounded(by_rxpy(count, end, [rx_ops.share()], readers))

    @settings(max_examples=examples(60))
    @given(st.integers(0, 8), st.sampled_from(ENDS), st.integers(1, 4), stays())
    def test_and_so_does_replay_while_somebody_reads(
        self, count: int, end: str, replay: int, readers: list[Stay]
    ) -> None:
        readers = [Stay(0.1, 99.0), *readers]  # one that stays: a second run of RxPY's replays the first
        ours = by_ours(count, end, ops.share(replay, strategy=Unbounded()), readers)
        shared = [rx_ops.replay(buffer_size=replay), rx_ops.ref_count()]
        assert rounded(ours) == rounded(by_rxpy(count, end, shared, readers))

    def test_a_second_run_replays_nothing_of_the_first_which_rxpy_does(self) -> None:
        readers = [Stay(0.1, 2.5), Stay(5.0, 6.5)]
        (_, theirs) = by_rxpy(9, "goes on", [rx_ops.replay(buffer_size=1), rx_ops.ref_count()], readers)
        (_, ours) = by_ours(9, "goes on", ops.share(1, strategy=Unbounded()), readers)
        assert [value for value, _ in theirs] == [1, 0]
        assert [value for value, _ in ours] == [0]


class TestAThousandReaders:
    """They join and leave at random; each gets what it was promised."""

    @pytest.mark.spread
    @pytest.mark.parametrize("seed", range(3)[:: stride(2)])
    @pytest.mark.parametrize("replay", [0, 5])
    def test_get_every_item_of_their_time(self, seed: int, replay: int) -> None:
        choose = random.Random(seed)
        sent: list[int] = []
        """Items that the source gave, in the order of the run; a new run begins a new list."""
        runs: list[list[int]] = []

        async def source() -> AsyncIterator[int]:
            own: list[int] = []
            runs.append(own)
            while True:
                if choose.random() < 0.2:
                    await asyncio.sleep(choose.choice([0, 0.5]))
                own.append(len(sent))
                sent.append(len(sent))
                yield own[-1]

        shared = Stream(source) | ops.share(replay, strategy=Suspend(3), linger=choose.choice([0.0, 5.0]))

        async def read() -> int:
            await asyncio.sleep(choose.random() * 50)
            before, found, count = len(sent), list[int](), choose.randint(1, 40)
            async with shared.open() as items:
                async for item in items:
                    found.append(item)
                    if len(found) == count:
                        break
                    if choose.random() < 0.3:
                        await asyncio.sleep(choose.choice([0, 0, 0.1]))
            (own,) = [each for each in runs if found[0] in each]
            place = own.index(found[0])
            assert found == own[place : place + len(found)]  # none is missing, none comes twice
            assert found[0] >= before - replay - 1  # not older than what it was promised
            return len(found)

        async def main() -> None:
            assert sum(await asyncio.gather(*[read() for _ in range(1000)])) > 5000
            await asyncio.sleep(6.0)

        run(main)
