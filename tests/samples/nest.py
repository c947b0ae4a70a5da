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
    Sample(
        "flat_map-one",
        lambda lab: ops.flat_map(lab.callback(alone), concurrency=1),
        calls=True,
        lossless=False,
    ),
    Sample(
        "flat_map-one-streams",
        lambda lab: ops.flat_map(lab.callback(lambda _: lab.source()), concurrency=1),
        calls=True,
        needs=2,
        lossless=False,
    ),
    Sample("concat_map", lambda lab: ops.concat_map(lab.callback(alone)), calls=True, lossless=False),
    Sample(
        "concat_map-ahead",
        lambda lab: ops.concat_map(lab.callback(alone), lookahead=2),
        calls=True,
        lossless=False,
    ),
    Sample(
        "switch_map",
        lambda lab: ops.switch_map(lab.callback(alone)),
        calls=True,
        needs=100,  # all, where items come faster than those of the streams that are made of them
        lossless=False,
        timed=True,
    ),
    Sample(
        "switch_map-streams",
        lambda lab: ops.switch_map(lab.callback(lambda _: lab.source()), lookahead=2),
        calls=True,
        needs=200,  # of both
        lossless=False,
        timed=True,
    ),
    Sample(
        "exhaust_map",
        lambda lab: ops.exhaust_map(lab.callback(alone), on_drop=lab.drop),
        calls=True,
        timed=True,
        lossless=False,
    ),
    Sample(
        "exhaust_map-streams",
        lambda lab: ops.exhaust_map(lab.callback(lambda _: lab.source())),
        calls=True,
        timed=True,
        needs=100,
        lossless=False,
    ),
]
