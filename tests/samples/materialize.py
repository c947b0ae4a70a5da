"""Samples of the family `materialize`."""

from streamkit import Next, ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("materialize", lambda lab: ops.materialize(), catches=True),
    Sample("dematerialize", lambda lab: ops.dematerialize(), shape=Next),
]
