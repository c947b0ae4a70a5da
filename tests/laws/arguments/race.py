"""Arguments of the family `race`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import OTHERS, Way, sources, ways

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "race": ways("race", lambda lab, others: ops.race(*sources(lab, others)), others=OTHERS),
}
