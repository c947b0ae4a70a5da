"""Samples of the family `recover`."""

from streamkit import (
    ops,
)
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]


def nothing() -> None:
    pass


OPERATORS = [
    Sample("catch", lambda lab: ops.catch(lab.callback(lambda _: lab.source())), calls=True, catches=True),
    Sample("on_close", lambda lab: ops.on_close(lab.callback(nothing))),
]
