"""Samples of the family `thin`."""

from streamkit import ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("audit", lambda lab: ops.audit(0.5, on_drop=lab.drop)),
    Sample("throttle_first", lambda lab: ops.throttle_first(0.5, on_drop=lab.drop)),
    Sample("throttle_latest", lambda lab: ops.throttle_latest(0.5, on_drop=lab.drop)),
]
