"""Arguments of the family `delay`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import SECONDS, SIZES, Way, ways

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "delay": ways("delay", lambda lab, **given: ops.delay(**given), seconds=SECONDS, lookahead=SIZES),
    "delay_start": ways("delay_start", lambda lab, **given: ops.delay_start(**given), seconds=SECONDS),
}
