"""Samples of the family `stamp`."""

from streamkit import ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("timestamp", lambda lab: ops.timestamp(), timed=True),
    Sample("timestamp-clock", lambda lab: ops.timestamp(lab.callback(lambda: 0.0)), calls=True),
    Sample("time_interval", lambda lab: ops.time_interval()),
]
