"""Samples of the family `effects`."""

from streamkit import (
    ops,
)
from tests.laws.lab import Sample
from tests.samples.callbacks import same

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("tap", lambda lab: ops.tap(lab.callback(same)), calls=True),
]
