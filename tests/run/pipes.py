"""Pipes that are put behind a durable source, and run with every kind of end at every step."""

from __future__ import annotations

from streamkit import Collect, Limit, OnFull, Spill, Suspend, Tumbling, Unbounded, ops
from tests.run.calling import Piped, slowly, together

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
    "pairwise, batch": lambda s, c: s | ops.pairwise() | ops.batch(4) | ops.for_each(c.store),
    "skip_last, batch twice": lambda s, c: (
        s | ops.skip_last(2) | ops.batch(2) | ops.pairwise() | ops.batch(9) | ops.for_each(c.put)
    ),
    "sliding": lambda s, c: s | ops.sliding(3) | ops.map(c.same) | ops.for_each(c.store),
    "sliding apart": lambda s, c: s | ops.sliding(2, step=3) | ops.map(c.same) | ops.for_each(c.store),
    "skip_last": lambda s, c: s | ops.skip_last(2) | ops.map(c.same) | ops.for_each(c.store),
    "take_last": lambda s, c: s | ops.take_last(2) | ops.map(c.same) | ops.for_each(c.store),
    "take_last, filter": lambda s, c: s | ops.take_last(3) | ops.filter(c.odd) | ops.for_each(c.store),
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
