"""Samples of the family `slide`."""

from streamkit import ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("sliding", lambda lab: ops.sliding(3), needs=3, lossless=False),
    Sample("sliding-apart", lambda lab: ops.sliding(2, step=3), needs=2, lossless=False),
]
