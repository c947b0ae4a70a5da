"""Arguments of the family `thin`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import SECONDS, Way, ways

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "audit": ways("audit", lambda lab, **given: ops.audit(**given, on_drop=lab.drop), seconds=SECONDS),
    "throttle_first": ways(
        "throttle_first",
        lambda lab, **given: ops.throttle_first(**given, on_drop=lab.drop),
        seconds=SECONDS,
    ),
    "throttle_latest": ways(
        "throttle_latest",
        lambda lab, **given: ops.throttle_latest(**given, on_drop=lab.drop),
        seconds=SECONDS,
    ),
}
