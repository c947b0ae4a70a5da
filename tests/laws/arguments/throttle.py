"""Arguments of the family `throttle`."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import RateLimit, ops
from tests.laws.ways import SIZES, Way, ways

__all__ = ["ARGUMENTS"]

RATES = st.sampled_from([0.5, 2.0, 50.0])
ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "throttle": ways("throttle", lambda lab, **given: ops.throttle(**given), rate=RATES, burst=SIZES)
    | ways("throttle-shared", lambda lab, **given: ops.throttle(RateLimit(**given)), rate=RATES, burst=SIZES)
    | ways(
        "throttle-key",
        lambda lab, **given: ops.throttle(**given, key=lab.callback(lambda _: "one"), max_keys=1),
        rate=RATES,
        burst=SIZES,
        lookahead=SIZES,
    ),
}
