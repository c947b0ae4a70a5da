"""Samples of the family `share`."""

from streamkit import (
    Suspend,
    ops,
)
from tests.laws.lab import Sample
from tests.samples.callbacks import always, same

__all__ = ["OPERATORS", "SINKS"]

OPERATORS = [
    Sample(
        "broadcast",
        lambda lab: ops.broadcast(ops.map(lab.callback(same)), ops.filter(always)),
        calls=True,
        ordered=False,
    ),
    Sample("broadcast-leaves", lambda lab: ops.broadcast(ops.take(1), ops.map(same))),
    Sample(
        "broadcast-buffer", lambda lab: ops.broadcast(ops.buffer(Suspend(2)) | ops.map(same), ops.batch(2))
    ),
]
SINKS = [
    Sample("broadcast-sinks", lambda lab: ops.broadcast(ops.to_list(), ops.count())),
    Sample(
        "broadcast-sinks-calls",
        lambda lab: ops.broadcast(ops.first(), ops.buffer(Suspend(2)) | ops.for_each(lab.callback(lab.drop))),
        calls=True,
    ),
]
