"""The pipes that are put behind a durable source, and run with every kind of end at every step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from streamkit import (
    Collect,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Gap,
    Hopping,
    KeepLatest,
    Limit,
    OnFull,
    Output,
    Resume,
    Session,
    Spill,
    Stream,
    Suspend,
    Tumbling,
    Unbounded,
    Valve,
    interval,
    never,
    ops,
    timer,
)
from streamkit.executors import Threads
from streamkit.live import Slot
from tests.run.ledger import MANY, Trial

Out = Callable[[Any], None]
Piped = Callable[[Stream[Any], "Calls"], Any]


class Calls:
    """The callbacks of a pipe: one of their calls may fail."""

    def __init__(self, out: Out, failing: int = 0) -> None:
        self._out = out
        self.failing = failing
        """Which call fails; none, if it is 0."""
        self.many = 0

    def same(self, item: Any) -> Any:
        self.many += 1
        if self.many == self.failing:
            raise ValueError("the call that is to fail")
        return item

    def odd(self, item: Any) -> bool:
        return bool(self.same(item) % 2)

    def twice(self, item: Any) -> list[Any]:
        return [self.same(item), item]

    async def slow(self, item: Any) -> Any:
        await asyncio.sleep(0)
        return self.same(item)

    async def uneven(self, item: Any) -> Any:
        for _ in range(3 if item % 2 else 1):
            await asyncio.sleep(0)
        return self.same(item)

    async def stream(self, item: Any) -> AsyncIterator[Any]:
        for _ in range(2):
            await asyncio.sleep(0)
            yield self.same(item)

    def buffered(self, item: Any) -> Any:
        return Stream([item, self.same(item), item]) | ops.buffer(Suspend(2))

    def fails(self, item: Any) -> Any:
        if self.same(item) == MANY + 3:
            raise KeyError(item)
        return item

    def tagged(self, item: Any) -> Any:
        return Output[Any]("odd" if self.odd(item) else "even")(item)

    def stamp(self, item: Any) -> float:
        self.heavy(item)
        return float(item)

    def apart(self, item: Any) -> float:
        return float(self.same(item) - (4 if item == MANY + 4 else 0))

    def heavy(self, item: Any) -> float:
        self.same(item)
        if item == MANY + 4:
            raise KeyError("it has no weight")
        return item % 2 + 1

    def dropped(self, item: Any, reason: str) -> None:
        assert item >= MANY
        assert reason in ("full", "closed")

    async def seen(self, item: Any) -> Any:
        return item if isinstance(item, Gap) else await self.late(item)

    async def late(self, item: Any) -> Any:
        await asyncio.sleep(1 if item % 3 else 0)
        return self.same(item)

    async def store(self, item: Any) -> None:
        self.same(item)
        await asyncio.sleep(0)
        self._out(item)

    def put(self, item: Any) -> None:
        self.same(item)
        self._out(item)


STEPS: dict[str, Piped] = {
    "map": lambda s, c: s | ops.map(c.same) | ops.for_each(c.put),
    "filter": lambda s, c: s | ops.filter(c.odd) | ops.for_each(c.store),
    "flatten": lambda s, c: s | ops.map(c.twice) | ops.flatten() | ops.for_each(c.store),
    "flatten, take": lambda s, c: s | ops.map(c.twice) | ops.flatten() | ops.take(3) | ops.for_each(c.put),
    "take": lambda s, c: s | ops.take(3) | ops.for_each(c.store),
    "take_while": lambda s, c: s | ops.take_while(lambda n: n < 1003) | ops.for_each(c.store),
    "skip, distinct": lambda s, c: s | ops.skip(1) | ops.distinct(last=9) | ops.for_each(c.put),
    "insert": lambda s, c: s | ops.start_with(1) | ops.intersperse(2) | ops.end_with(3) | ops.for_each(c.put),
    "inserted, buffer": lambda s, c: (
        s
        | ops.start_with(1)
        | ops.intersperse(2)
        | ops.end_with(3)
        | ops.buffer(Suspend(2))
        | ops.for_each(c.store)
    ),
    "concat_map, buffer": lambda s, c: (
        s | ops.concat_map(c.stream) | ops.buffer(Suspend(3)) | ops.for_each(c.store)
    ),
    "batch": lambda s, c: s | ops.batch(4) | ops.for_each(c.store),
    "batch, take": lambda s, c: s | ops.batch(2) | ops.take(2) | ops.for_each(c.store),
    "batch twice": lambda s, c: s | ops.batch(2) | ops.map(c.same) | ops.batch(2) | ops.for_each(c.store),
    "flatten, batch": lambda s, c: (
        s | ops.map(c.twice) | ops.flatten() | ops.batch(3) | ops.for_each(c.store)
    ),
    "pairwise": lambda s, c: s | ops.pairwise() | ops.map(c.same) | ops.for_each(c.store),
    "sliding": lambda s, c: s | ops.sliding(3) | ops.map(c.same) | ops.for_each(c.store),
    "sliding apart": lambda s, c: s | ops.sliding(2, step=3) | ops.map(c.same) | ops.for_each(c.store),
    "skip_last": lambda s, c: s | ops.skip_last(2) | ops.map(c.same) | ops.for_each(c.store),
    "take_last": lambda s, c: s | ops.take_last(2) | ops.map(c.same) | ops.for_each(c.store),
    "concat_map": lambda s, c: s | ops.concat_map(c.twice) | ops.for_each(c.store),
    "groups": lambda s, c: s | ops.group_by(c.odd, ops.batch(2), max_groups=3) | ops.for_each(c.store),
    "group sinks": lambda s, c: s | ops.group_by(c.odd, ops.to_list(), max_groups=3) | ops.for_each(c.store),
    "evicted": lambda s, c: (
        s
        | ops.group_by(lambda n: n % 3, ops.batch(2), max_groups=2, on_full=OnFull.EVICT)
        | ops.for_each(c.store)
    ),
    "window": lambda s, c: s | ops.window(Tumbling(count=2), ops.to_list()) | ops.for_each(c.store),
    "broadcast": lambda s, c: s | ops.broadcast(ops.map(c.same), ops.batch(4)) | ops.for_each(c.store),
    "branches": lambda s, c: s | ops.broadcast(ops.for_each(c.put), ops.batch(3) | ops.for_each(c.put)),
    "partition": lambda s, c: s | ops.partition(c.odd, ops.batch(2), ops.map(c.same)) | ops.for_each(c.store),
    "aggregate": lambda s, c: s | ops.take(4) | ops.aggregate(ops.to_list()) | ops.for_each(c.store),
    "for_each slow": lambda s, c: s | ops.map(c.slow) | ops.for_each(c.store),
}


STAGES: dict[str, Piped] = {
    "buffer": lambda s, c: (
        s | ops.map(c.same) | ops.buffer(Suspend(2)) | ops.map(c.slow) | ops.for_each(c.store)
    ),
    "buffer, take": lambda s, c: s | ops.buffer(Suspend(1)) | ops.take(3) | ops.for_each(c.store),
    "buffer read": lambda s, c: s | ops.buffer(Suspend(3)) | ops.map(c.slow),
    "unbounded": lambda s, c: s | ops.buffer(Unbounded()) | ops.map(c.slow) | ops.for_each(c.store),
    "collect": lambda s, c: s | ops.buffer(Collect(3)) | ops.map(c.slow) | ops.for_each(c.store),
    "conflate": lambda s, c: (
        s | ops.map(c.same) | ops.conflate(together) | ops.map(c.slow) | ops.for_each(c.store)
    ),
    "spill": lambda s, c: s | ops.buffer(Spill(2)) | ops.map(c.slow) | ops.for_each(c.store),
    "map": lambda s, c: s | ops.map(c.slow, concurrency=3) | ops.for_each(c.store),
    "map unordered": lambda s, c: s | ops.map(c.uneven, concurrency=3, ordered=False) | ops.for_each(c.put),
    "map ordered": lambda s, c: s | ops.map(c.uneven, concurrency=3) | ops.for_each(c.put),
    "map plain": lambda s, c: s | ops.map(c.same, concurrency=3) | ops.for_each(c.put),
    "map ahead": lambda s, c: (
        s | ops.map(c.slow, concurrency=2, lookahead=2) | ops.batch(2) | ops.for_each(c.put)
    ),
    "map by key": lambda s, c: s | ops.map(c.slow, concurrency=2, key=c.odd) | ops.for_each(c.put),
    "map limited": lambda s, c: s | ops.map(c.slow, concurrency=Limit(2)) | ops.for_each(c.put),
    "map, take": lambda s, c: s | ops.map(c.slow, concurrency=2) | ops.take(3) | ops.for_each(c.put),
    "flattened map": lambda s, c: (
        s | ops.map(c.twice) | ops.flatten() | ops.map(c.slow, concurrency=3) | ops.for_each(c.put)
    ),
    "for_each": lambda s, c: s | ops.for_each(c.store, concurrency=3),
    "merge": lambda s, c: s | ops.merge([1, 2], slowly([3, 4])) | ops.map(c.slow) | ops.for_each(c.put),
    "merge ahead": lambda s, c: s | ops.merge([1, 2], lookahead=3) | ops.batch(2) | ops.for_each(c.store),
    "zip": lambda s, c: s | ops.zip(range(9)) | ops.map(c.slow) | ops.for_each(c.put),
    "zip filled": lambda s, c: s | ops.zip(slowly([1, 2]), fill=0) | ops.map(c.slow) | ops.for_each(c.put),
}


TIMED: dict[str, Piped] = {
    "batch_within": lambda s, c: (
        s | ops.map(c.late) | ops.batch_within(3, seconds=1.5) | ops.for_each(c.store)
    ),
    "batch_within, take": lambda s, c: (
        s | ops.batch_within(2, seconds=1) | ops.take(2) | ops.for_each(c.store)
    ),
    "weighed": lambda s, c: (
        s
        | ops.map(c.late)
        | ops.batch_within(9, seconds=9, weight=c.heavy, heaviest=3, on_error=Resume(errors=KeyError))
        | ops.for_each(c.store)
    ),
    "dropped lists": lambda s, c: (
        s
        | ops.map(c.late)
        | ops.buffer(DropOldest(2, on_drop=c.dropped))
        | ops.batch_within(2, seconds=1)
        | ops.for_each(c.store)
    ),
    "timeout": lambda s, c: s | ops.map(c.late) | ops.timeout(0.5, fallback=[1, 2]) | ops.for_each(c.store),
    "timeout enough": lambda s, c: s | ops.map(c.late) | ops.timeout(5) | ops.for_each(c.store),
    "keep_alive": lambda s, c: (
        s | ops.map(c.late) | ops.keep_alive(0.4, function=int) | ops.for_each(c.store)
    ),
    "window of seconds": lambda s, c: (
        s | ops.map(c.late) | ops.window(Tumbling(seconds=2), ops.to_list()) | ops.for_each(c.put)
    ),
    "windows that overlap": lambda s, c: (
        s | ops.map(c.late) | ops.window(Hopping(seconds=2, every=1), ops.to_list()) | ops.for_each(c.put)
    ),
    "session": lambda s, c: (
        s | ops.map(c.late) | ops.window(Session(gap=0.5), ops.to_list()) | ops.for_each(c.put)
    ),
    "window of event time": lambda s, c: (
        s
        | ops.map(c.late)
        | ops.window(Tumbling(seconds=2), ops.to_list(), timestamp=c.stamp, on_error=Resume(errors=KeyError))
        | ops.for_each(c.put)
    ),
    "late for its window": lambda s, c: (
        s
        | ops.map(c.late)
        | ops.window(Tumbling(seconds=2), ops.to_list(), timestamp=c.apart)
        | ops.for_each(c.put)
    ),
    "delay": lambda s, c: s | ops.map(c.late) | ops.delay(2) | ops.for_each(c.store),
    "delay_start": lambda s, c: s | ops.delay_start(2) | ops.map(c.late) | ops.for_each(c.store),
    "throttle": lambda s, c: s | ops.throttle(2) | ops.map(c.same) | ops.for_each(c.store),
    "throttle by cost": lambda s, c: (
        s
        | ops.throttle(2, cost=c.heavy, on_error=Resume(errors=KeyError))
        | ops.map(c.same)
        | ops.for_each(c.store)
    ),
    "throttle by key": lambda s, c: (
        s
        | ops.throttle(2, key=c.odd, max_keys=3, cost=c.heavy, on_error=Resume(errors=KeyError))
        | ops.for_each(c.store)
    ),
    "throttle held back": lambda s, c: (
        s | ops.map(c.late) | ops.buffer(KeepLatest()) | ops.throttle(0.6) | ops.for_each(c.store)
    ),
    "throttle_first": lambda s, c: s | ops.map(c.late) | ops.throttle_first(1.5) | ops.for_each(c.store),
    "throttle_latest": lambda s, c: s | ops.map(c.late) | ops.throttle_latest(1.5) | ops.for_each(c.store),
    "audit": lambda s, c: s | ops.map(c.late) | ops.audit(1.5) | ops.for_each(c.store),
    "sample": lambda s, c: s | ops.map(c.late) | ops.sample(1.5, on_drop=c.dropped) | ops.for_each(c.store),
    "sample, signal": lambda s, c: (
        s | ops.map(c.late) | ops.sample(signal=interval(1.5)) | ops.for_each(c.store)
    ),
    "debounce": lambda s, c: s | ops.map(c.late) | ops.debounce(0.5) | ops.for_each(c.store),
    "take_until": lambda s, c: s | ops.map(c.late) | ops.take_until(timer(2.5)) | ops.for_each(c.store),
    "skip_until": lambda s, c: s | ops.map(c.late) | ops.skip_until(timer(2.5)) | ops.for_each(c.store),
    "pause_while": lambda s, c: (
        s
        | ops.map(c.late)
        | ops.pause_while(interval(0.5) | ops.map(lambda n: n % 2))
        | ops.for_each(c.store)
    ),
    "valve": lambda s, c: s | ops.map(c.late) | ops.valve(Valve()) | ops.for_each(c.store),
    "interleave": lambda s, c: s | ops.map(c.late) | ops.interleave([1, 2, 3]) | ops.for_each(c.store),
    "merge_sorted": lambda s, c: (
        s
        | ops.map(c.late)
        | ops.merge_sorted([1, 2, 3000], key=c.heavy, on_error=Resume(errors=KeyError))
        | ops.for_each(c.put)
    ),
    "merge_sorted bare": lambda s, c: s | ops.merge_sorted([1, 2, 3000]) | ops.for_each(c.put),
    "merge_prioritized": lambda s, c: (
        s | ops.map(c.late) | ops.merge_prioritized([1, 2]) | ops.for_each(c.put)
    ),
    "race": lambda s, c: s | ops.map(c.late) | ops.race(never()) | ops.for_each(c.put),
    "drop incoming": lambda s, c: s | ops.buffer(DropIncoming(2)) | ops.map(c.late) | ops.for_each(c.store),
    "drop youngest": lambda s, c: s | ops.buffer(DropYoungest(2)) | ops.map(c.late) | ops.for_each(c.store),
    "drop all": lambda s, c: s | ops.buffer(DropAll(2)) | ops.map(c.late) | ops.for_each(c.store),
    "gaps": lambda s, c: s | ops.buffer(DropOldest(2, gaps=True)) | ops.map(c.seen) | ops.for_each(c.put),
    "drop before map": lambda s, c: (
        s | ops.buffer(DropOldest(2)) | ops.map(c.late, concurrency=2) | ops.for_each(c.store)
    ),
}


JOINED: dict[str, Piped] = {
    "flat_map": lambda s, c: s | ops.flat_map(c.twice, concurrency=2) | ops.for_each(c.store),
    "flat_map streams": lambda s, c: (
        s | ops.flat_map(c.stream, concurrency=3) | ops.map(c.slow) | ops.for_each(c.put)
    ),
    "flat_map buffered": lambda s, c: (
        s | ops.flat_map(c.buffered, concurrency=2) | ops.map(c.slow) | ops.for_each(c.put)
    ),
    "flat_map, take": lambda s, c: (
        s | ops.flat_map(c.stream, concurrency=2) | ops.take(4) | ops.for_each(c.put)
    ),
    "concat_map ahead": lambda s, c: s | ops.concat_map(c.stream, lookahead=2) | ops.for_each(c.store),
    "concat_map streams": lambda s, c: s | ops.concat_map(c.stream) | ops.for_each(c.store),
    "exhaust_map": lambda s, c: s | ops.map(c.slow) | ops.exhaust_map(c.stream) | ops.for_each(c.put),
    "concat": lambda s, c: (
        s | ops.map(c.same) | ops.concat([1, 2], slowly([3])) | ops.map(c.slow) | ops.for_each(c.put)
    ),
    "catch": lambda s, c: (
        s | ops.map(c.fails) | ops.catch(lambda error: [1, 2]) | ops.map(c.slow) | ops.for_each(c.put)
    ),
    "broadcast": lambda s, c: s | ops.broadcast(ops.map(c.slow), ops.batch(4)) | ops.for_each(c.store),
    "broadcast ended": lambda s, c: s | ops.broadcast(ops.map(c.slow), ops.take(2)) | ops.for_each(c.put),
    "broadcast to sinks": lambda s, c: (
        s | ops.broadcast(ops.for_each(c.store), ops.map(c.slow) | ops.for_each(c.put))
    ),
    "broadcast buffered": lambda s, c: (
        s
        | ops.broadcast(
            ops.buffer(Suspend(2)) | ops.map(c.slow), ops.buffer(DropOldest(1)) | ops.map(c.uneven)
        )
        | ops.for_each(c.put)
    ),
    "partition": lambda s, c: (
        s | ops.partition(c.odd, ops.map(c.slow), ops.map(c.slow) | ops.batch(2)) | ops.for_each(c.put)
    ),
    "partition ended": lambda s, c: (
        s | ops.partition(c.odd, ops.map(c.slow), ops.map(c.slow) | ops.take(1)) | ops.for_each(c.put)
    ),
    "route": lambda s, c: (
        s | ops.route(c.odd, {True: ops.map(c.slow), False: ops.map(c.uneven)}) | ops.for_each(c.put)
    ),
    "outputs": lambda s, c: (
        s
        | ops.map(c.tagged)
        | ops.route({"odd": ops.map(c.slow), "even": ops.map(c.uneven)})
        | ops.for_each(c.put)
    ),
    "balance": lambda s, c: s | ops.balance(ops.map(c.slow), ops.map(c.uneven)) | ops.for_each(c.put),
    "balance to sinks": lambda s, c: s | ops.balance(ops.for_each(c.store), ops.for_each(c.store)),
    "zip_latest": lambda s, c: s | ops.map(c.slow) | ops.zip_latest(slowly([1, 2, 3])) | ops.for_each(c.put),
    "with_latest_from": lambda s, c: (
        s | ops.map(c.slow) | ops.with_latest_from(slowly([1, 2])) | ops.for_each(c.put)
    ),
    "fork_join": lambda s, c: s | ops.map(c.slow) | ops.fork_join([1]) | ops.for_each(c.put),
    "group_by": lambda s, c: s | ops.group_by(c.odd, ops.map(c.slow), max_groups=2) | ops.for_each(c.put),
    "group_by ended": lambda s, c: (
        s | ops.group_by(c.odd, ops.map(c.slow) | ops.take(2), max_groups=2) | ops.for_each(c.put)
    ),
    "group_by in lists": lambda s, c: (
        s | ops.group_by(c.odd, ops.map(c.slow) | ops.batch(2), max_groups=2) | ops.for_each(c.put)
    ),
    "slot": lambda s, c: s | Slot(ops.map(c.slow) | ops.batch(2)) | ops.for_each(c.store),
    "slots": lambda s, c: (
        s | Slot(ops.map(c.slow)) | ops.map(c.same) | Slot(ops.filter(c.odd)) | ops.for_each(c.put)
    ),
    "slot of stages": lambda s, c: (
        s
        | ops.map(c.same)
        | Slot(ops.map(c.slow, concurrency=2) | ops.buffer(Suspend(2)))
        | ops.for_each(c.put)
    ),
    "extrapolate": lambda s, c: s | ops.map(c.slow) | ops.extrapolate(lambda _: [1]) | ops.for_each(c.put),
}


WORKERS: dict[str, Piped] = {
    "on threads": lambda s, c: s | ops.map(twofold, on=Threads(2)) | ops.map(c.same) | ops.for_each(c.put),
    "chunks on threads": lambda s, c: (
        s | ops.map(twofold, on=Threads(2), chunk=2) | ops.map(c.same) | ops.for_each(c.put)
    ),
    "pipe on threads": lambda s, c: (
        s | ops.on(Threads(2), ops.map(twofold), chunk=2) | ops.map(c.same) | ops.for_each(c.put)
    ),
}


def twofold(item: int) -> int:
    """What workers make of an item."""
    return item


async def items_of(stream: Any, out: Out) -> None:
    """Take what comes out of a stream by a loop of one's own."""
    async for item in stream:
        out(item)
        await asyncio.sleep(0)


def work(piped: Piped, trial: Trial, stream: Stream[Any], failing: int = 0) -> tuple[Any, Calls]:
    """A run of the pipe over `stream`, whose callbacks tell `trial`; and these."""
    calls = Calls(trial.out, failing)
    made = piped(stream, calls)
    waits: Awaitable[Any] = items_of(made, trial.out) if isinstance(made, Stream) else made
    return waits, calls


def together(one: Any, other: Any) -> list[Any]:
    """What is folded of two items."""
    return [*(one if isinstance(one, list) else [one]), other]


async def slowly(items: list[int]) -> AsyncIterator[int]:
    """Items of another source, which nothing acknowledges."""
    for item in items:
        await asyncio.sleep(0)
        yield item
