"""Arguments of the family `rate`."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import (
    COUNTS,
    FINITE,
    INFINITE,
    SIZES,
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
    "throttle": ways(
        "throttle",
        lambda lab, **given: ops.throttle(**given),
        rate=st.sampled_from([0.5, 2.0, 50.0]),
        burst=SIZES,
    ),
}
