"""Lanes that lose or fold while they are full: what their pump does by itself is counted as by a `put`."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from streamkit import (
    EMPTY,
    Conflate,
    DropIncoming,
    DropOldest,
    DropYoungest,
    KeepLatest,
    Operator,
    Stream,
    ops,
    stage,
)
from streamkit._core.strategy import Lossy, Strategy
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.flooding import Flooding, floods
from streamkit._engine.buffer.lane import Lane
from streamkit.testing import run
from tests.tiers import examples


def joined(waiting: str, item: str) -> str:
    return waiting + item


STRATEGIES: list[Strategy] = [
    *(DropIncoming(3), DropOldest(3), DropYoungest(3), KeepLatest(), DropOldest(1), Conflate(joined)),
]
STEPS = st.lists(st.sampled_from(["write", "write", "write", "read", "wait", "look", "peek"]), max_size=40)


class Twin:
    """A lane that a pump fills, and one of the same strategy that is told of each item by `put`."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.channel: Any = lane.channel
        self.other = Channel()
        self.model = Lane(self.other, lane.strategy)
        self.other.adopt(self.model)
        self.number = 0

    async def source(self, steps: list[str]) -> AsyncIterator[str]:
        """What the pump reads: between two items, somebody else does what `steps` say."""
        for step in [*steps, "look"]:
            if step == "write":
                self.number += 1
                yield str(self.number)
                self.model.put(str(self.number))
            elif step == "read":
                assert self.channel.pop() == self.other.pop()
            elif step == "wait":
                await asyncio.sleep(1.0)
            elif step == "peek":
                assert self.lane.peek() == self.model.peek()
            else:
                assert self.lane.stats() == self.model.stats()


async def _twins(
    run: Any, source: Any, *, strategy: Strategy, steps: list[str], found: list[Twin]
) -> AsyncIterator[str]:
    channel: Channel = run.channel()
    lane = channel.lane(strategy)
    twin = Twin(lane)
    found.append(twin)
    run.pump(twin.source(steps), into=lane)
    await channel.until(lambda: channel.over)  # until then, the steps alone read
    while (item := channel.pop()) is not EMPTY:
        yield item


@stage(_twins)
def twins(strategy: Strategy, *, steps: list[str], found: list[Twin]) -> Operator[Any, Any]:
    return Operator(twins, strategy=strategy, steps=steps, found=found)


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from(STRATEGIES), STEPS)
def test_what_a_pump_does_by_itself_is_what_a_put_does(strategy: Strategy, steps: list[str]) -> None:
    async def main() -> None:
        found: list[Twin] = []
        items = await (Stream([]) | twins(strategy, steps=steps, found=found) | ops.to_list())
        (twin,) = found
        assert items == [twin.other.pop() for _ in range(len(twin.model.held))]
        assert twin.lane.stats() == twin.model.stats()

    run(main)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
def test_it_floods_only_while_nobody_takes_anything(strategy: Strategy) -> None:
    async def main() -> None:
        channel = Channel()
        lane = channel.lane(strategy)
        assert isinstance(lane, Flooding)
        for number in range(5):
            lane.put(str(number))
        assert lane.flood.on
        channel.pop()
        assert not lane.flood.on
        for number in range(5):
            lane.put(str(number))
        lane.refuse()
        assert not lane.flood.on

    run(main)


@pytest.mark.parametrize(
    "strategy", [DropOldest(2, on_drop=print), DropOldest(2, gaps=True), KeepLatest(on_drop=print)], ids=repr
)
def test_one_that_has_to_tell_somebody_does_not(strategy: Lossy[bool]) -> None:
    assert not floods(strategy)
    assert floods(strategy.but(on_drop=None, gaps=False))


class Own(DropOldest):
    """A strategy of the user's own."""

    def overflow(self, held: Any, item: Any) -> tuple[Any, ...]:
        raise KeyError(item)


def test_one_of_the_users_own_does_as_it_says() -> None:
    with pytest.raises(KeyError, match="2"):
        list(Stream(range(9)) | ops.buffer(Own(2)))


# folds that fail -----------------------------------------------------------------------------------


def test_an_error_of_the_fold_comes_after_what_is_held_and_its_item_is_refused() -> None:
    def fold(waiting: int, item: int) -> int:
        return waiting + 100 // (5 - item)

    async def main() -> None:
        items: list[int] = []
        handle = (Stream(range(9)) | ops.buffer(Conflate(fold)) | ops.for_each(items.append)).start()
        with pytest.raises(ZeroDivisionError) as caught:
            await handle
        assert any("buffer(Conflate" in note for note in caught.value.__notes__)
        (stats,) = handle.buffers()
        assert (stats.offered, stats.delivered, stats.folded, stats.refused) == (6, 1, 4, 1)
        assert items == [0 + 25 + 33 + 50 + 100]

    run(main)


def test_a_fold_that_returns_an_awaitable_is_told_so() -> None:
    async def later() -> None: ...

    with pytest.raises(TypeError, match="fold must return at once"):
        list(Stream(range(9)) | ops.buffer(Conflate(lambda *_: later())))


def test_what_is_held_when_the_run_ends_is_dropped_and_not_what_stands_for_it() -> None:
    async def main() -> None:
        channel = Channel()
        lane = channel.lane(Conflate(joined))
        for item in "abc":
            lane.put(item)
        channel.leave()
        stats = lane.stats()
        assert (stats.offered, stats.folded, stats.dropped, stats.held) == (3, 2, 1, 0)

    run(main)


def test_a_fold_that_may_return_an_awaitable_now_and_then_is_looked_at_each_time() -> None:
    async def late(_: int) -> int:
        return 0

    def fold(waiting: int, item: int) -> Any:
        return late(item) if item == 7 else waiting + item

    async def source() -> AsyncIterator[int]:
        for number in range(10):
            if number % 5 == 0:
                await asyncio.sleep(1.0)
            yield number

    async def main() -> None:
        await (Stream(source) | ops.buffer(Conflate(fold)) | ops.for_each(lambda _: asyncio.sleep(3.0)))

    with pytest.raises(TypeError, match="fold must return at once"):
        run(main)
