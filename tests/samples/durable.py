"""Samples of what carriers declare."""

from streamkit import ops
from streamkit.durable import Json
from tests.durable.memory import Memory
from tests.laws.lab import Sample
from tests.samples.callbacks import number

__all__ = ["SINKS"]

SINKS = [
    Sample("writer", lambda lab: ops.map(number) | Memory(codec=Json()).writer(batch=2)),
]
