"""Arguments of the family `group`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import (
    SIZES,
    Way,
    evicting,
    grouped,
    staged,
    staged_to_sinks,
    ways,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "group_by": ways("group_by", grouped, groups=SIZES)
    | ways(
        "group_by-batch",
        lambda lab, groups, size: grouped(lab, groups, ops.batch(size)),
        groups=SIZES,
        size=SIZES,
    )
    | ways("group_by-evict", evicting, groups=SIZES)
    | ways("group_by-stage", staged, groups=SIZES)
    | ways("group_by-stage-sink", staged_to_sinks, groups=SIZES),
}
