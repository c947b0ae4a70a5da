"""Samples of the family `insert`."""

from streamkit import ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("start_with", lambda lab: ops.start_with("a", "b")),
    Sample("end_with", lambda lab: ops.end_with("a", "b")),
    Sample("intersperse", lambda lab: ops.intersperse("-")),
]
