"""Arguments of the family `transform`."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import ABSENT, Limit, ops
from tests.laws.lab import Lab
from tests.laws.ways import (
    COUNTS,
    FLAGS,
    Way,
    mapped,
    newest,
    pair,
    same,
    shaped,
    spread,
    ways,
)
from tests.workers import InLoop

__all__ = ["ARGUMENTS"]


def by_key(lab: Lab, keys: int, **given: Any) -> Any:
    return mapped(lab, key=spread(keys), **given)


def limited(lab: Lab, most: int, **given: Any) -> Any:
    """A map whose limit was raised before it runs."""
    limit = Limit(1, most=most)
    limit.set(most)
    return mapped(lab, concurrency=limit, **given)


def on_workers(lab: Lab, workers: int, **given: Any) -> Any:
    return ops.map(lab.callback(same), on=InLoop(workers), **given)


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "enumerate": ways("enumerate", lambda lab, start: ops.enumerate(start), start=COUNTS),
    "flatten": shaped(ways("flatten", lambda lab: ops.flatten()), pair),
    "map": ways("map", lambda lab: mapped(lab))
    | ways("map", mapped, concurrency=st.integers(2, 6), ordered=FLAGS, lookahead=COUNTS)
    | ways("map-key", by_key, concurrency=st.integers(2, 6), lookahead=COUNTS, keys=st.integers(1, 4))
    | ways("map-limit", limited, most=st.integers(1, 6), ordered=FLAGS, lookahead=COUNTS)
    | ways("map-on", on_workers, workers=st.integers(1, 4), chunk=st.integers(1, 5), ordered=FLAGS),
    "pairwise": ways("pairwise", lambda lab: ops.pairwise()),
    "scan": ways(
        "scan",
        lambda lab, initial: ops.scan(lab.callback(newest), initial),
        initial=st.sampled_from([None, ABSENT]),
    ),
    "starmap": shaped(ways("starmap", lambda lab: ops.starmap(lab.callback(same))), pair),
}
