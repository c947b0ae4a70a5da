"""Samples of the family `aggregate`."""

from streamkit import ops
from tests.laws.lab import Sample
from tests.samples.callbacks import newest, same

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample(
        "aggregate",
        lambda lab: ops.aggregate(ops.map(lab.callback(same)) | ops.tap(lab.drop) | ops.fold(newest, None)),
        calls=True,
    ),
    Sample("aggregate-early", lambda lab: ops.aggregate(ops.first())),
    Sample(
        "aggregate-stage",
        lambda lab: ops.aggregate(
            ops.map(lab.callback(same), concurrency=2) | ops.tap(lab.drop) | ops.fold(newest, None)
        ),
        calls=True,
        needs=50,
        lossless=False,
    ),
]
