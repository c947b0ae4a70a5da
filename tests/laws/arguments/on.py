"""Arguments of operators whose work is done by workers."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.lab import Lab
from tests.laws.ways import FLAGS, Way, same, ways
from tests.workers import InLoop

__all__ = ["ARGUMENTS"]


def through(lab: Lab, workers: int, **given: Any) -> Any:
    return ops.on(InLoop(workers), ops.map(lab.callback(same)), **given)


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "on": ways("on", through, workers=st.integers(1, 4), chunk=st.integers(1, 5), ordered=FLAGS)
}
