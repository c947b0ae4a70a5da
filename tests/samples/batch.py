"""Samples of the family `batch`."""

from streamkit import (
    ops,
)
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("batch", lambda lab: ops.batch(2), needs=2, lossless=False),
    Sample("batch-uneven", lambda lab: ops.batch(3), needs=3, lossless=False),
    Sample("batch_within", lambda lab: ops.batch_within(2, seconds=5.0), needs=2),
    Sample(
        "batch_within-weight",
        lambda lab: ops.batch_within(
            3, seconds=0.5, weight=lab.callback(lambda item: item.number), heaviest=2.0
        ),
        calls=True,
        needs=3,
        lossless=False,
    ),
]
