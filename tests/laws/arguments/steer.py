"""Arguments of the family `steer`."""

from hypothesis.strategies import SearchStrategy

import streamkit
from streamkit import ops
from tests.laws.ways import (
    Way,
    ways,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "valve": ways("valve", lambda lab: ops.valve(streamkit.Valve())),
}
