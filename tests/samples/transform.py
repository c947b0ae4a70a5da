"""Samples of the family `transform`."""

from streamkit import (
    Suspend,
    ops,
)
from tests.laws.lab import Sample
from tests.samples.callbacks import newest, pair, same

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("map", lambda lab: ops.map(lab.callback(same)), calls=True),
    Sample(
        "map-concurrency", lambda lab: ops.map(lab.callback(same), concurrency=3), calls=True, lossless=False
    ),
    Sample(
        "map-unordered",
        lambda lab: ops.map(lab.callback(same), concurrency=2, ordered=False),
        calls=True,
        lossless=False,
        ordered=False,
    ),
    Sample(
        "map-lookahead",
        lambda lab: ops.map(lab.callback(same), concurrency=2, lookahead=2),
        calls=True,
        lossless=False,
    ),
    Sample(
        "map-buffer",
        lambda lab: ops.buffer(Suspend(2)) | ops.map(lab.callback(same), concurrency=2),
        calls=True,
        lossless=False,
    ),
    Sample("starmap", lambda lab: ops.starmap(lab.callback(same)), shape=pair, calls=True),
    Sample("flatten", lambda lab: ops.flatten(), shape=pair),
    Sample("enumerate", lambda lab: ops.enumerate(1)),
    Sample("pairwise", lambda lab: ops.pairwise(), needs=2),
    Sample("scan", lambda lab: ops.scan(lab.callback(newest)), calls=True),
    Sample("scan-initial", lambda lab: ops.scan(lab.callback(newest), None), calls=True),
]
