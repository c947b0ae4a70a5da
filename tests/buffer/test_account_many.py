"""Accounts of very many buffers: a job that runs for long keeps few, and loses no count."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from streamkit import EMPTY, BufferStats, Contract, Operator, Stream, Suspend, ops, stage
from streamkit.testing import run
from tests.tiers import stride

FEW = 100


class Fetch:
    """A callback that differs for each stream that it is made for."""

    def __init__(self, user: int) -> None:
        self.user = user
        self.__name__ = f"fetch_{user}"

    async def __call__(self, item: int) -> int:
        return item


def inner(user: int) -> Any:
    """A stream with buffers whose arguments differ for each user: even the sizes do."""
    return Stream([user, user]) | ops.buffer(Suspend(2 + user)) | ops.map(Fetch(user), concurrency=2)


async def _switched(run: Any, source: Any, *, how: str) -> AsyncIterator[Any]:
    channel = run.channel()
    async for user in run.open(source):
        lane = run.feed(channel, inner(user), otherwise=Suspend(1))
        while not lane.exhausted and await channel.wait():
            if (item := channel.pop()) is not EMPTY:
                yield item
        if how == "retired":
            await run.retire(lane)
        elif how == "stopped":
            await run.stop(lane)


@stage(_switched, contract=Contract())
def switched(how: str) -> Operator[int, int]:
    """Reads the streams of its items one after the other, each through a lane of its own."""
    return Operator(switched, how=how)


async def _joined(run: Any, source: Any, *, closes: bool) -> AsyncIterator[Any]:
    async for user in run.open(source):
        items = run.open(inner(user))
        async for item in items:
            yield item
        if closes:
            await run.close(items)


@stage(_joined, pumps=False, contract=Contract())
def joined(*, closes: bool) -> Operator[int, int]:
    """Reads the streams of its items in place."""
    return Operator(joined, closes=closes)


WAYS: dict[str, Any] = {
    **{f"lanes that are {how}": lambda how=how: switched(how) for how in ("retired", "stopped", "left")},
    **{f"opened, {closes=}": lambda closes=closes: joined(closes=closes) for closes in (True, False)},
    "flat_map": lambda: ops.flat_map(inner, concurrency=4),
    "flat_map of groups": lambda: ops.flat_map(
        lambda user: Stream([user, user]) | ops.group_by(Fetch(user), ops.map(Fetch(user)), max_groups=2),
        concurrency=4,
    ),
    "flat_map in flat_map": lambda: ops.flat_map(
        lambda user: Stream([user]) | ops.flat_map(inner, concurrency=2), concurrency=4
    ),
    "groups": lambda: ops.group_by(lambda user: user, ops.map(Fetch(1)), max_groups=9, idle=0.5),
}


async def accounts(operator: Any, users: int) -> list[BufferStats]:
    async def source() -> AsyncIterator[int]:
        for user in range(users):
            yield user
            if user % 8 == 7:
                await asyncio.sleep(1.0)

    handle = (Stream(source) | operator | ops.drain()).start()
    await handle
    return [*handle.buffers()]


@pytest.mark.parametrize("way", WAYS)
def test_accounts_are_few_however_many_streams_there_were(way: str) -> None:
    few, many = 60, 480 // stride(2)
    small, large = [run(partial(accounts, WAYS[way](), n)) for n in (few, many)]
    assert len(large) <= FEW
    assert len(large) <= len(small) + 8
    per_user = [sum(stats.delivered for stats in each) / n for each, n in ((small, few), (large, many))]
    assert per_user[0] == per_user[1] > 0
    assert all(stats.held == stats.dropped == 0 for stats in large)


def test_operators_of_one_name_in_a_pipe_are_counted_apart() -> None:
    def streams(user: int) -> Any:
        few: Any = ops.filter(lambda _: False)
        first, last = ops.map(Fetch(user), concurrency=2), ops.map(Fetch(100 + user), concurrency=2)
        return Stream([user]) | first | few | last

    found = run(lambda: accounts(ops.flat_map(streams, concurrency=2), 50))
    assert sorted(stats.delivered for stats in found if stats.operator == "map(...)") == [0, 50]


def test_a_lane_that_ended_long_ago_can_still_be_looked_at_and_retired() -> None:
    async def _looks(run: Any, source: Any) -> AsyncIterator[Any]:
        channel = run.channel()
        first = run.feed(channel, [0], otherwise=Suspend(1))
        for number in range(1, 99):
            while not channel.ready:
                await channel.wait()
            yield channel.pop()
            run.feed(channel, [number], otherwise=Suspend(1))
        assert (first.exhausted, first.take()) == (True, EMPTY)
        assert await channel.choose(first) is None
        await run.retire(first)
        with pytest.raises(ValueError, match="retired"):
            await run.retire(first)

    @stage(_looks, contract=Contract())
    def looks() -> Operator[int, int]:
        return Operator(looks)

    assert run(lambda: _list(looks())) == [*range(98)]


async def _list(operator: Any) -> list[int]:
    return [*await (Stream([]) | operator | ops.to_list())]
