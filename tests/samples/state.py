"""Samples of the family `state`."""

from typing import Any

from streamkit import ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]


def passed(state: None, item: Any) -> tuple[None, Any]:
    return state, item


OPERATORS = [
    Sample("stateful_map", lambda lab: ops.stateful_map(lambda: None, lab.callback(passed)), calls=True),
    Sample(
        "stateful_map-finish",
        lambda lab: ops.stateful_map(lambda: None, lab.callback(passed), finish=lambda _: "end"),
        calls=True,
    ),
]
