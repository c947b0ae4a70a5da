"""Samples of operators of users, as docs/operators.md has them."""

from tests import own
from tests.laws.lab import Sample
from tests.samples.callbacks import alone

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample(
        "own-switch_map",
        lambda lab: own.switch_map(lab.callback(alone)),
        calls=True,
        needs=100,  # all, where items come faster than those of the streams that are made of them
        lossless=False,
    ),
    Sample(
        "own-switch_map-streams",
        lambda lab: own.switch_map(lab.callback(lambda _: lab.source())),
        calls=True,
        needs=100,
        lossless=False,
    ),
    Sample(
        "own-with_latest_from",
        lambda lab: own.with_latest_from(lab.source()),
        needs=2,
        lossless=False,
        ordered=False,
    ),
    Sample("own-prefer", lambda lab: own.prefer(lab.source()), ordered=False),
    Sample("own-slow", lambda lab: own.slow(0.5, lambda: None)),
    Sample("own-take_last", lambda lab: own.take_last(2)),
]
