"""Samples of the family `race`."""

from streamkit import ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [Sample("race", lambda lab: ops.race(lab.source()), needs=2)]
