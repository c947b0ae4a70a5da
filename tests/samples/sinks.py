"""Samples of sinks."""

from streamkit import (
    ops,
)
from tests.laws.lab import Sample
from tests.samples.callbacks import newest

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
]
