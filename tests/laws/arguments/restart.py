"""Arguments of the family `restart`."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.lab import Lab
from tests.laws.ways import (
    Way,
    ways,
)

__all__ = ["ARGUMENTS"]


def once(lab: Lab, backoff: float) -> Any:
    lab.failures = 1
    return ops.retry(2, backoff=backoff)


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "repeat": ways("repeat", lambda lab, times: ops.repeat(times), times=st.integers(1, 3)),
    "retry": st.builds(
        lambda backoff: Way("retry", lambda lab: once(lab, backoff), catches=True),
        st.sampled_from([0.0, 2.0]),
    ),
}
