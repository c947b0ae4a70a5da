"""Samples of the family `recover`."""

from streamkit import (
    ops,
)
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("catch", lambda lab: ops.catch(lab.callback(lambda _: lab.source())), calls=True, catches=True),
]
