"""Arguments of the family `aggregate`."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.lab import Lab
from tests.laws.ways import SIZES, Way, mapped, marked, newest, ways

__all__ = ["ARGUMENTS"]


def summed(lab: Lab, **given: Any) -> Any:
    return ops.aggregate(mapped(lab, **given) | ops.tap(lab.drop) | ops.fold(newest, None))


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "aggregate": ways("aggregate", summed)
    | ways("aggregate-stage", summed, concurrency=st.integers(2, 6))
    | ways("aggregate", lambda lab: ops.aggregate(marked(lambda _: ops.count())(lab)))
    | ways("aggregate", lambda lab, size: ops.aggregate(ops.batch(size) | ops.first()), size=SIZES),
}
