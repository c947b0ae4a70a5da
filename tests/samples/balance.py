"""Samples of the family `balance`."""

from streamkit import ops
from tests.laws.lab import Sample
from tests.samples.callbacks import same

__all__ = ["OPERATORS", "SINKS"]

OPERATORS = [
    Sample(
        "balance",
        lambda lab: ops.balance(ops.map(lab.callback(same)), workers=3),
        calls=True,
        ordered=False,
    ),
]
SINKS = [
    Sample(
        "balance-sinks", lambda lab: ops.balance(ops.for_each(lab.callback(lab.drop)), workers=2), calls=True
    ),
]
