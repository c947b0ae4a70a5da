"""Samples of the family `crawl`."""

from itertools import count
from typing import Any

from streamkit import (
    ops,
)
from tests.laws.lab import Lab, Sample

__all__ = ["OPERATORS"]


def nothing(_: Any) -> Any:
    return []


def first_two(lab: Lab) -> Any:
    """Makes a stream of each of the first two items, and nothing of the others."""
    numbers = count(1)
    return lab.callback(lambda _: lab.source() if next(numbers) < 3 else [])


OPERATORS = [
    Sample(
        "expand",
        lambda lab: ops.expand(lab.callback(nothing), concurrency=2),
        calls=True,
        lossless=False,
        ordered=False,
    ),
    Sample(
        "expand-streams",
        lambda lab: ops.expand(first_two(lab), concurrency=2, depth_first=True, lookahead=2),
        calls=True,
        lossless=False,
        ordered=False,
    ),
]
