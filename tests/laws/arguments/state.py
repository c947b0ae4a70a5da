"""Arguments of the family `state`."""

from typing import Any

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import Way, ways

__all__ = ["ARGUMENTS"]


def passed(state: None, item: Any) -> tuple[None, Any]:
    return state, item


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "stateful_map": ways("stateful_map", lambda lab: ops.stateful_map(lambda: None, lab.callback(passed))),
}
