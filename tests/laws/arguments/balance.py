"""Arguments of the family `balance`."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.arguments.route import BUFFERS, branch
from tests.laws.lab import Lab
from tests.laws.ways import FLAGS, Way, same, ways

__all__ = ["ARGUMENTS"]


def balanced(lab: Lab, buffered: int, workers: int, *, sinks: bool) -> Any:
    parts = ops.balance(branch(lab, buffered, sinks=sinks), workers=workers)
    return parts if sinks else parts | ops.map(lab.callback(same))


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "balance": ways("balance", balanced, buffered=BUFFERS, workers=st.integers(1, 3), sinks=FLAGS),
}
