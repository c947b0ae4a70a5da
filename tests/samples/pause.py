"""Samples of the family `pause`."""

from streamkit import ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("pause_while", lambda lab: ops.pause_while(lab.source(lambda item: None))),
]
