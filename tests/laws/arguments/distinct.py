"""Arguments of the family `distinct`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import SIZES, Way, ways

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "distinct": ways("distinct", lambda lab: ops.distinct())
    | ways("distinct", lambda lab, **given: ops.distinct(lab.callback(id), **given), last=SIZES),
}
