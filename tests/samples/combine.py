"""Samples of the family `combine`."""

from streamkit import (
    ops,
)
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("merge", lambda lab: ops.merge(lab.source())),
    Sample("merge-lookahead", lambda lab: ops.merge(lab.source(), lab.source(), lookahead=3)),
    Sample("zip", lambda lab: ops.zip(lab.source()), needs=2, lossless=False),
    Sample("zip-strict", lambda lab: ops.zip(lab.source(), strict=True), needs=2, lossless=False),
    Sample("zip-fill", lambda lab: ops.zip(lab.source() | ops.take(2), fill=None), needs=2, lossless=False),
    Sample("zip-shorter", lambda lab: ops.zip(lab.source() | ops.take(2)), needs=2, lossless=False),
    Sample("concat", lambda lab: ops.concat(lab.source())),
]
