"""Samples of the family `distinct`."""

from operator import attrgetter

from streamkit import ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("distinct", lambda lab: ops.distinct()),
    Sample("distinct-key", lambda lab: ops.distinct(lab.callback(attrgetter("number"))), calls=True),
    Sample("distinct-last", lambda lab: ops.distinct(lab.callback(attrgetter("number")), last=2), calls=True),
]
