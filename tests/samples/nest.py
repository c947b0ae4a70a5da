"""Samples of the family `nest`."""

from streamkit import (
    ops,
)
from tests.laws.lab import Sample
from tests.samples.callbacks import alone

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample(
        "flat_map",
        lambda lab: ops.flat_map(lab.callback(alone), concurrency=2),
        calls=True,
        lossless=False,
        ordered=False,
    ),
    Sample(
        "flat_map-streams",
        lambda lab: ops.flat_map(lab.callback(lambda _: lab.source()), concurrency=2, lookahead=2),
        calls=True,
        needs=2,
        lossless=False,
        ordered=False,
    ),
]
