"""More of them: with a clock, with streams that part and join, and with workers."""

from __future__ import annotations

from streamkit import (
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Hopping,
    KeepLatest,
    Resume,
    Session,
    Suspend,
    Tumbling,
    Valve,
    interval,
    never,
    ops,
    timer,
)
from streamkit.executors import Threads
from streamkit.live import Slot
from tests.run.calling import Piped, slowly

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
    "concat_map, concat": lambda s, c: (
        s | ops.concat_map(c.stream) | ops.concat([1, 2]) | ops.concat_map(c.stream) | ops.for_each(c.put)
    ),
    "concat_map, catch": lambda s, c: (
        s | ops.concat_map(c.twice) | ops.catch(lambda error: [1, 2]) | ops.for_each(c.put)
    ),
    "exhaust_map": lambda s, c: s | ops.map(c.slow) | ops.exhaust_map(c.stream) | ops.for_each(c.put),
    "switch_map": lambda s, c: s | ops.map(c.uneven) | ops.switch_map(c.stream) | ops.for_each(c.put),
    "switch_map ahead": lambda s, c: (
        s
        | ops.map(c.uneven)
        | ops.switch_map(c.buffered, lookahead=3)
        | ops.map(c.slow)
        | ops.for_each(c.store)
    ),
    "switch_map, take": lambda s, c: (
        s | ops.map(c.slow) | ops.switch_map(c.stream) | ops.take(2) | ops.for_each(c.put)
    ),
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
    "combine_latest": lambda s, c: (
        s | ops.map(c.slow) | ops.combine_latest(slowly([1, 2, 3]), lookahead=2) | ops.for_each(c.put)
    ),
    "combine_latest, take": lambda s, c: (
        s | ops.map(c.uneven) | ops.combine_latest(slowly([1, 2])) | ops.take(4) | ops.for_each(c.store)
    ),
    "combine_latest of none": lambda s, c: (
        s | ops.map(c.slow) | ops.combine_latest(slowly([])) | ops.for_each(c.put)
    ),
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
