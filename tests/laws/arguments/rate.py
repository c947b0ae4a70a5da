"""Arguments of the family `rate`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import (
    COUNTS,
    FINITE,
    INFINITE,
    Way,
    buffered,
    folded,
    strategies,
    ways,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "buffer": strategies(FINITE | INFINITE).map(buffered),
    "conflate": ways("conflate", lambda lab: ops.conflate(folded(lab))),
    "extrapolate": ways(
        "extrapolate",
        lambda lab, more: ops.extrapolate(lab.callback(lambda item: [item] * more)),
        more=COUNTS,
    ),
}
