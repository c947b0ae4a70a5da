"""Arguments of the family `insert`."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import Way, ways

__all__ = ["ARGUMENTS"]

OWN = st.lists(st.just("own"), max_size=3)

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "end_with": ways("end_with", lambda lab, items: ops.end_with(*items), items=OWN),
    "intersperse": ways("intersperse", lambda lab: ops.intersperse("-")),
    "start_with": ways("start_with", lambda lab, items: ops.start_with(*items), items=OWN),
}
