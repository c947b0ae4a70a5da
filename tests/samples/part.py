"""Samples of the families `part` and `pick`."""

from streamkit import ops
from tests.laws.lab import Sample
from tests.samples.callbacks import odd

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("take_last", lambda lab: ops.take_last(2)),
    Sample("skip_last", lambda lab: ops.skip_last(2), needs=3, lossless=False),
    Sample("slice", lambda lab: ops.slice(1, 8, 2), needs=2, lossless=False),
    Sample("slice-all", lambda lab: ops.slice(None)),
    Sample("element_at", lambda lab: ops.element_at(1), needs=2, lossless=False),
    Sample("find", lambda lab: ops.find(lab.callback(odd(lab))), calls=True, needs=2),
]
