"""Arguments of the family `stamp`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import Way, ways

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "time_interval": ways("time_interval", lambda lab: ops.time_interval()),
    "timestamp": ways("timestamp", lambda lab: ops.timestamp())
    | ways("timestamp", lambda lab: ops.timestamp(lab.callback(lambda: 0.0))),
}
