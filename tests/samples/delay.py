"""Samples of the family `delay`."""

from streamkit import ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("delay", lambda lab: ops.delay(0.5, lookahead=2)),
    Sample("delay_start", lambda lab: ops.delay_start(0.5)),
]
