"""Samples of the family `steer`."""

from streamkit import (
    Valve,
    ops,
)
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("valve", lambda lab: ops.valve(Valve())),
]
