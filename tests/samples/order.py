"""Samples of the family `order`."""

from typing import Any

from streamkit import ops
from tests.laws.items import items_in
from tests.laws.lab import Sample

__all__ = ["OPERATORS", "number"]


def number(item: Any) -> int:
    """A key of whatever an operator has passed on."""
    return next((each.number for each in items_in(item)), 0)


OPERATORS = [
    Sample(
        "merge_sorted",
        lambda lab: ops.merge_sorted(lab.source(), key=lab.callback(number)),
        calls=True,
        needs=2,
        ordered=False,
    ),
    Sample(
        "merge_sorted-lookahead",
        lambda lab: ops.merge_sorted(lab.source(), key=number, reverse=True, lookahead=3),
        needs=2,
        ordered=False,
    ),
    Sample("merge_prioritized", lambda lab: ops.merge_prioritized(lab.source()), ordered=False),
    Sample("interleave", lambda lab: ops.interleave(lab.source())),
    Sample("interleave-count", lambda lab: ops.interleave(lab.source(), count=2, lookahead=3)),
]
