"""Samples of the family `throttle`."""

from streamkit import RateLimit, ops
from tests.laws.lab import Sample
from tests.samples.callbacks import parity

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("throttle", lambda lab: ops.throttle(1e4, burst=2)),
    Sample("throttle-cost", lambda lab: ops.throttle(1e4, cost=lab.callback(lambda item: 1)), calls=True),
    Sample("throttle-failing", lambda lab: ops.throttle(1.0, burst=100, failing=True)),
    Sample("throttle-shared", lambda lab: ops.throttle(RateLimit(1e4, burst=2))),
    Sample(
        "throttle-key",
        lambda lab: ops.throttle(1e4, burst=2, key=lab.callback(parity), max_keys=2, lookahead=2),
        calls=True,
        ordered=False,
    ),
]
