"""Arguments of the family `materialize`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import Way, ways

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "dematerialize": ways("dematerialize", lambda lab: ops.materialize() | ops.dematerialize()),
    "materialize": ways("materialize", lambda lab: ops.materialize()),
}
