"""Samples of the family `empty`."""

from streamkit import ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("ignore_items", lambda lab: ops.tap(lab.drop) | ops.ignore_items(), needs=0),
    Sample("default_if_empty", lambda lab: ops.default_if_empty("none")),
    Sample("fail_if_empty", lambda lab: ops.fail_if_empty(KeyError), on_empty=KeyError),
]
