"""Arguments of the family `until`."""

from typing import Any

from hypothesis.strategies import SearchStrategy

from streamkit import Stream, ops
from tests.laws.lab import Lab
from tests.laws.ways import COUNTS, Way, skipped, ways

__all__ = ["ARGUMENTS"]


def signal(lab: Lab, count: int) -> Any:
    """A stream whose first item comes when its source has brought `count` others."""
    return Stream(lab.source()) | skipped(lab, count)


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "take_until": ways("take_until", lambda lab, count: ops.take_until(signal(lab, count)), count=COUNTS),
    "skip_until": ways("skip_until", lambda lab, count: ops.skip_until(signal(lab, count)), count=COUNTS),
}
