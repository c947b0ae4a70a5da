"""Samples of a `map` that something governs: a key, or a limit that changes."""

from streamkit import (
    Adaptive,
    Limit,
    ops,
)
from tests.laws.lab import Sample
from tests.samples.callbacks import parity, same

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample(
        "map-key",
        lambda lab: ops.map(lab.callback(same), concurrency=3, key=parity, lookahead=1),
        calls=True,
        lossless=False,
        ordered=False,
    ),
    Sample(
        "map-limit",
        lambda lab: ops.map(lab.callback(same), concurrency=Limit(2, most=3)),
        calls=True,
        lossless=False,
    ),
    Sample(
        "map-adaptive",
        lambda lab: ops.map(lab.callback(same), concurrency=Adaptive(1, 3, latency=0.5), ordered=False),
        calls=True,
        lossless=False,
        ordered=False,
    ),
]
