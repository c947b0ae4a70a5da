"""Samples of several operators, joined."""

from streamkit import (
    Suspend,
    ops,
)
from tests.laws.lab import Sample
from tests.samples.callbacks import always, same

__all__ = ["OPERATORS", "SINKS"]

OPERATORS = [
    Sample(
        "pipe-steps",
        lambda lab: ops.map(lab.callback(same)) | ops.filter(always) | ops.enumerate(),
        calls=True,
    ),
    Sample("pipe-stages", lambda lab: ops.buffer(Suspend(2)) | ops.map(same) | ops.merge(lab.source())),
    Sample("pipe-in-place", lambda lab: ops.concat(lab.source()) | ops.tap(same) | ops.buffer(Suspend(1))),
    Sample(
        "pipe-all",
        lambda lab: ops.merge(lab.source() | ops.buffer(Suspend(1))) | ops.batch(2) | ops.timeout(9.0),
        needs=2,
        lossless=False,
    ),
]
SINKS = [
    Sample("pipe-sink", lambda lab: ops.buffer(Suspend(1)) | ops.merge(lab.source()) | ops.to_list()),
]
