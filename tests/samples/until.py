"""Samples of the family `until`."""

from asyncio import Event

from streamkit import ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("take_until", lambda lab: ops.take_until(Event())),
    Sample("skip_until", lambda lab: ops.skip_until(lab.source()), needs=2, ordered=False),
]
