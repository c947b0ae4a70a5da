"""Samples of sinks."""

import asyncio

from streamkit import ops
from tests.laws.lab import Sample
from tests.samples.callbacks import always, never, newest, number, same

__all__ = ["SINKS"]

SINKS = [
    Sample("to_list", lambda lab: ops.to_list()),
    Sample("fold", lambda lab: ops.fold(lab.callback(newest), None), calls=True),
    Sample("count", lambda lab: ops.count()),
    Sample("first", lambda lab: ops.first()),
    Sample("first-default", lambda lab: ops.skip(9) | ops.first(default=None)),
    Sample("last", lambda lab: ops.last()),
    Sample("for_each", lambda lab: ops.for_each(lab.callback(lab.drop)), calls=True),
    Sample(
        "for_each-concurrency", lambda lab: ops.for_each(lab.callback(lab.drop), concurrency=3), calls=True
    ),
    Sample("drain", lambda lab: ops.drain()),
    Sample("to_queue", lambda lab: ops.to_queue(asyncio.Queue(), end=None)),
    Sample("single", lambda lab: ops.take(1) | ops.single()),
    Sample("to_set", lambda lab: ops.map(number) | ops.to_set()),
    Sample("to_dict", lambda lab: ops.enumerate() | ops.to_dict()),
    Sample(
        "to_dict-key", lambda lab: ops.to_dict(key=lab.callback(number), value=lab.callback(same)), calls=True
    ),
    Sample("reduce", lambda lab: ops.reduce(lab.callback(newest), default=None), calls=True, needs=2),
    Sample("sum", lambda lab: ops.map(number) | ops.sum()),
    Sample("mean", lambda lab: ops.map(number) | ops.mean(default=None)),
    Sample("min", lambda lab: ops.map(number) | ops.min(default=None)),
    Sample("min-key", lambda lab: ops.min(key=lab.callback(number), default=None), calls=True),
    Sample("max", lambda lab: ops.map(number) | ops.max(default=None)),
    Sample("max-key", lambda lab: ops.max(key=lab.callback(number), default=None), calls=True),
    Sample("all", lambda lab: ops.map(always) | ops.all()),
    Sample("all-predicate", lambda lab: ops.all(lab.callback(always)), calls=True),
    Sample("any", lambda lab: ops.map(number) | ops.any()),
    Sample("any-predicate", lambda lab: ops.any(lab.callback(never)), calls=True),
    Sample("contains", lambda lab: ops.map(number) | ops.contains(2)),
    Sample("is_empty", lambda lab: ops.is_empty()),
    Sample(
        "sequence_equal", lambda lab: ops.map(number) | ops.sequence_equal(lab.source() | ops.map(number))
    ),
]
