"""Samples of the family `choose`."""

from streamkit import (
    ops,
)
from tests.laws.lab import Sample
from tests.samples.callbacks import always, number, odd

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("filter", lambda lab: ops.filter(lab.callback(odd(lab))), calls=True, needs=2),
    Sample("filter-none", lambda lab: ops.filter(None)),
    Sample("take", lambda lab: ops.take(3)),
    Sample("take-none", lambda lab: ops.take(0), needs=0),
    Sample("take_while", lambda lab: ops.take_while(lab.callback(always)), calls=True),
    Sample(
        "take_while-ends",
        lambda lab: ops.take_while(lab.callback(lambda item: item.number < 2), inclusive=True),
        calls=True,
    ),
    Sample("skip", lambda lab: ops.skip(2), needs=3, lossless=False),
    Sample(
        "skip_while",
        lambda lab: ops.skip_while(lab.callback(lambda item: item.number < 1)),
        calls=True,
        needs=2,
        lossless=False,
    ),
    Sample("distinct_until_changed", lambda lab: ops.distinct_until_changed()),
    Sample(
        "distinct_until_changed-key", lambda lab: ops.distinct_until_changed(lab.callback(number)), calls=True
    ),
]
