"""Arguments of the family `pause`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import Way, ways

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "pause_while": ways("pause_while", lambda lab: ops.pause_while(lab.source())),
}
