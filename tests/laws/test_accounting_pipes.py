"""Law 8 over whole pipelines: every buffer of a job accounts for its items, however the job ends."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import streamkit
from streamkit import (
    BufferOverflowError,
    BufferStats,
    DropOldest,
    Gap,
    OnFull,
    StoppedError,
    Stream,
    Tumbling,
    ops,
)
from streamkit.testing import run
from tests.laws.account import OnDrop, check_sum, strategies
from tests.laws.lab import STYLES, Lab, Sample, trying
from tests.samples import SAMPLES
from tests.tiers import examples

LENGTH = 25
PAUSES = (0.0, 0.0, 0.0, 0.5, 1.0, 3.0)
WAYS_OUT = ("end", "source fails", "callback fails", "stop", "cancel", "leave")


class Trial:
    """A job through several buffers, with random pauses everywhere, that ends in one of the `WAYS_OUT`."""

    def __init__(self, makes: list[Any], way_out: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.way_out = way_out
        self.at = self.random.randrange(LENGTH)
        """The item, or the second, of the way out."""
        self.told: list[list[tuple[int, str]]] = [[] for _ in makes]
        self.gaps = [0 for _ in makes]
        self.strategies = [make(self.teller(place)) for place, make in enumerate(makes)]
        self.found: list[int] = []
        self.taken = 0

    def teller(self, place: int) -> OnDrop:
        def tell(item: Any, reason: str) -> None:
            self.told[place].append((item[0], reason))

        return tell

    async def pause(self) -> None:
        await asyncio.sleep(self.random.choice(PAUSES))

    async def source(self) -> AsyncIterator[list[int]]:
        for number in range(LENGTH):
            await self.pause()
            if self.way_out == "source fails" and number == self.at:
                raise OSError("the source fails")
            self.taken += 1
            yield [number]

    async def note(self, item: list[int]) -> None:
        self.found += item
        if self.way_out == "callback fails" and len(self.found) > self.at:
            raise OSError("the callback fails")
        await self.pause()

    def job(self) -> Any:
        stream: Any = Stream(self.source)
        for place, strategy in enumerate(self.strategies):
            stream = stream | ops.buffer(strategy) | ops.filter(self.counter(place))
            if isinstance(strategy, streamkit.Collect):
                stream = stream | ops.flatten()
        if self.way_out == "leave":
            stream = stream | ops.take(self.at)
        return stream | ops.for_each(self.note)

    def counter(self, place: int) -> Callable[[Any], bool]:
        """Counts the gaps behind a buffer, and leaves them out."""

        def is_item(value: Any) -> bool:
            if isinstance(value, Gap):
                self.gaps[place] += value.count
            return not isinstance(value, Gap)

        return is_item

    async def main(self) -> None:
        loop = asyncio.get_running_loop()
        handle = self.job().start()
        awaiting = loop.create_task(self.result(handle))
        if self.way_out == "stop":
            loop.call_later(self.at, lambda: loop.create_task(handle.stop()))
        elif self.way_out == "cancel":
            loop.call_later(self.at, awaiting.cancel)
        while not awaiting.done():
            for stats in handle.buffers():
                check_sum(stats)
                assert 0.0 <= stats.seconds_full <= loop.time()
            await asyncio.sleep(self.random.choice((0.25, 1.0)))
        ended = await asyncio.gather(awaiting, return_exceptions=True) == [True]
        assert handle.done
        self.check({id(stats.strategy): stats for stats in handle.buffers()}, ended)

    async def result(self, handle: Any) -> bool:
        """Whether the job came to its end."""
        try:
            await handle
        except (OSError, StoppedError, BufferOverflowError):
            return False
        return self.way_out != "leave"

    def check(self, buffers: dict[int, BufferStats], ended: bool) -> None:
        assert self.found == sorted(set(self.found)), "delivered twice, or out of order"
        for place, strategy in enumerate(self.strategies):
            if id(strategy) not in buffers:
                continue  # it was stopped before it began
            stats = buffers[id(strategy)]
            check_sum(stats)
            assert stats.held == 0
            if getattr(strategy, "on_drop", None) is not None:
                numbers = [number for number, _ in self.told[place]]
                assert len(numbers) == len(set(numbers)) == stats.dropped, "told twice, or not at all"
                reasons = {reason for _, reason in self.told[place]}
                assert reasons <= ({"full"} if ended else {"full", "closed"})
            if ended:
                assert self.gaps[place] == (stats.dropped if strategy.marks_gaps else 0)
        if ended and all(strategy.loses == "nothing" for strategy in self.strategies):
            assert self.found == [*range(LENGTH)], "something was lost"


@settings(max_examples=examples(150))
@given(
    st.lists(strategies(of_a_lane=False), min_size=1, max_size=3),
    st.sampled_from(WAYS_OUT),
    st.integers(0, 10**6),
)
def test_every_buffer_of_a_pipeline_accounts_for_its_items(makes: list[Any], way_out: str, seed: int) -> None:
    trial = Trial(makes, way_out, seed)
    with trying(*trial.strategies):
        run(trial.main)


def test_the_buffers_of_all_stages_add_up() -> None:
    async def slow(item: int) -> int:
        await asyncio.sleep(item % 3)
        return item

    async def main() -> None:
        job = (
            Stream(range(30))
            | ops.merge(lambda: range(30), range(30), lookahead=3)
            | ops.map(slow, concurrency=4)
            | ops.zip(range(90), lookahead=2)
            | ops.timeout(99.0)
            | ops.for_each(lambda pair: asyncio.sleep(pair[0] % 2))
        )
        handle = job.start()
        while not handle.done:
            for stats in handle.buffers():
                check_sum(stats)
            await asyncio.sleep(0.5)
        await handle
        assert sorted({stats.operator.split("(")[0] for stats in handle.buffers()}) == [
            "map",
            "merge",
            "timeout",
            "zip",
        ]
        assert all(stats.held == 0 and stats.dropped == 0 for stats in handle.buffers())

    run(main)


def test_what_batch_within_keeps_for_a_list_counts_in_what_it_held_at_most() -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(3):
            yield number
            await asyncio.sleep(1.0)

    async def main() -> BufferStats:
        handle = (Stream(source) | ops.batch_within(4, seconds=99.0) | ops.drain()).start()
        await asyncio.sleep(2.5)
        (stats,) = handle.buffers()
        await handle
        return stats

    stats = run(main)
    assert stats.held == 3
    check_sum(stats)


class LookingLab(Lab):
    """Its callbacks look at the buffers when they are called, and so does what is told of dropped items."""

    handle: Any = None
    wrong: BaseException | None = None
    """What the first look has found: an operator may take an error of a callback."""

    def look(self) -> None:
        try:
            for stats in () if self.handle is None else self.handle.buffers():
                check_sum(stats)
        except AssertionError as error:
            self.wrong = self.wrong or error

    def callback(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def looks(*arguments: Any) -> Any:
            self.look()
            return function(*arguments)

        return super().callback(looks)

    def drop(self, item: Any, _: object = None) -> None:
        self.look()
        super().drop(item)


@pytest.mark.spread
@pytest.mark.parametrize("seconds", [3.0, 99.0], ids=["stopped", "to its end"])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_buffer_of_every_operator_adds_up_all_the_time(sample: Sample, seconds: float) -> None:
    async def main(lab: LookingLab) -> None:
        async def slowly(_: Any) -> None:
            lab.look()
            await asyncio.sleep(0.7)

        built: Any = sample.built(lab)
        job = built if sample.sink else built | ops.for_each(slowly)
        lab.handle = handle = job.start()
        while not handle.done and asyncio.get_running_loop().time() < seconds:
            lab.look()
            await asyncio.sleep(0.25)
        await handle.stop()
        lab.look()
        assert all(stats.held == 0 for stats in handle.buffers())
        if lab.wrong is not None:
            raise lab.wrong

    for style in STYLES:
        with trying(style):
            kind = "sync" if style == "ready" else "async"
            run(lambda style=style, kind=kind: main(LookingLab(style, kind, count=9)))


FORKS: dict[str, Callable[[Any], Any]] = {
    "partition": lambda pipe: ops.partition(lambda number: number % 2, pipe, pipe),
    "route": lambda pipe: ops.route(lambda number: number % 3, {0: pipe, 1: pipe}, otherwise=pipe),
    "balance": lambda pipe: ops.balance(pipe, pipe),
    "broadcast": lambda pipe: ops.broadcast(pipe, pipe),
    "group_by": lambda pipe: ops.group_by(lambda number: number % 3, pipe, max_groups=3),
    "group_by, reopened": lambda pipe: ops.group_by(
        lambda number: number % 3, pipe, max_groups=2, reopen=True, on_full=OnFull.EVICT
    ),
    "window": lambda pipe: ops.window(Tumbling(count=7), pipe),
}


@pytest.mark.parametrize("fork", FORKS)
@given(
    count=st.integers(0, 3),
    capacity=st.integers(1, 3),
    way_out=st.sampled_from(["end", "source fails", "stop"]),
    seed=st.integers(0, 999),
)
def test_whatever_a_branch_has_dropped_is_told(
    fork: str, *, count: int, capacity: int, way_out: str, seed: int
) -> None:
    chance = random.Random(seed)
    told: list[tuple[Any, str]] = []

    async def source() -> AsyncIterator[int]:
        for number in range(LENGTH):
            await asyncio.sleep(chance.choice(PAUSES))
            yield number
        if way_out == "source fails":
            raise OSError("the source fails")

    async def main() -> None:
        strategy = DropOldest(capacity, on_drop=lambda item, reason: told.append((item, reason)))
        pipe = (
            ops.buffer(strategy) | ops.tap(lambda _: asyncio.sleep(chance.choice(PAUSES))) | ops.take(count)
        )
        handle = (Stream(source) | FORKS[fork](pipe) | ops.drain()).start()
        if way_out == "stop":
            await asyncio.sleep(chance.uniform(0.0, 30.0))
            await handle.stop()
        with suppress(OSError, StoppedError):
            await handle
        counted = [stats for stats in handle.buffers() if stats.strategy == strategy]
        assert sum(stats.dropped for stats in counted) == len(told)
        for stats in handle.buffers():
            check_sum(stats)

    run(main)
