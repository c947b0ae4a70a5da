"""Arguments of the family `nest`."""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.lab import Lab
from tests.laws.ways import (
    Way,
    nested,
    same,
    ways,
)

__all__ = ["ARGUMENTS"]


def switched(lab: Lab, lookahead: int) -> Any:
    """What comes out waits for something slow."""
    return nested(lab, ops.switch_map, ready=True, lookahead=lookahead) | ops.map(lab.callback(same))


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "flat_map": ways("flat_map", nested, concurrency=st.integers(1, 4), lookahead=st.integers(1, 4)),
    "concat_map": ways("concat_map", partial(nested, operator=ops.concat_map), lookahead=st.integers(1, 4)),
    "switch_map": ways("switch_map", switched, lookahead=st.integers(1, 4)),
    "exhaust_map": ways(
        "exhaust_map",
        lambda lab, lookahead: nested(
            lab, partial(ops.exhaust_map, on_drop=lab.drop), lookahead=lookahead
        ),  # what is dropped may stand in a frontier before it, and has left then
        lookahead=st.integers(1, 4),
    ),
}
