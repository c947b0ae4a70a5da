"""Arguments of the family `slide`."""

from typing import Any

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.arguments.part import but
from tests.laws.lab import Lab
from tests.laws.ways import SIZES, Way, ways

__all__ = ["ARGUMENTS"]


def slid(lab: Lab, count: int, step: int) -> Any:
    """What stands between two lists is left out."""
    return but(lab, lambda number: number % step < count, ops.sliding(count, step=step))


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "sliding": ways("sliding", slid, count=SIZES, step=SIZES),
}
