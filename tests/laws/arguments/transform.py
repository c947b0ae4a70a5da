"""Arguments of the family `transform`."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import ABSENT, ops
from tests.laws.ways import (
    COUNTS,
    FLAGS,
    Way,
    mapped,
    newest,
    pair,
    same,
    shaped,
    ways,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "enumerate": ways("enumerate", lambda lab, start: ops.enumerate(start), start=COUNTS),
    "flatten": shaped(ways("flatten", lambda lab: ops.flatten()), pair),
    "map": ways("map", lambda lab: mapped(lab))
    | ways("map", mapped, concurrency=st.integers(2, 6), ordered=FLAGS, lookahead=COUNTS),
    "pairwise": ways("pairwise", lambda lab: ops.pairwise()),
    "scan": ways(
        "scan",
        lambda lab, initial: ops.scan(lab.callback(newest), initial),
        initial=st.sampled_from([None, ABSENT]),
    ),
    "starmap": shaped(ways("starmap", lambda lab: ops.starmap(lab.callback(same))), pair),
}
