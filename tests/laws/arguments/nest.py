"""Arguments of the family `nest`."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.laws.ways import (
    Way,
    nested,
    ways,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "flat_map": ways("flat_map", nested, concurrency=st.integers(1, 4), lookahead=st.integers(1, 4)),
}
