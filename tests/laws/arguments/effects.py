"""Arguments of the family `effects`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import (
    Way,
    same,
    ways,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "tap": ways("tap", lambda lab: ops.tap(lab.callback(same))),
}
