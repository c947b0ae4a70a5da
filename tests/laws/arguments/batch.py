"""Arguments of the family `batch`."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import (
    SECONDS,
    SIZES,
    Way,
    ways,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "batch": ways("batch", lambda lab, size: ops.batch(size), size=SIZES),
    "batch_within": ways(
        "batch_within",
        lambda lab, **given: ops.batch_within(**given),
        count=SIZES,
        seconds=SECONDS,
    )
    | ways(
        "batch_within",
        lambda lab, weighs, **given: ops.batch_within(
            **given, weight=lab.callback(lambda item: weighs), heaviest=8.0
        ),
        count=SIZES,
        seconds=SECONDS,
        weighs=st.sampled_from([0, 1]),
    ),
}
