"""Arguments of the family `latest`.

After the first tuple, another has one new item only. So the first must wait for something slow: then it is in
hand, and all are full.
"""

from typing import Any

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.lab import Lab
from tests.laws.ways import OTHERS, SIZES, Way, same, sources, ways

__all__ = ["ARGUMENTS"]


def combined(lab: Lab, others: int, lookahead: int) -> Any:
    latest = ops.combine_latest(*sources(lab, others), lookahead=lookahead)
    return latest | ops.map(lab.callback(same))


def paced(lab: Lab, others: int) -> Any:
    return ops.with_latest_from(*sources(lab, others)) | ops.map(lab.callback(same))


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "combine_latest": ways("combine_latest", combined, others=OTHERS, lookahead=SIZES),
    "with_latest_from": ways("with_latest_from", paced, others=OTHERS),
    "zip_latest": ways(
        "zip_latest", lambda lab, others: ops.zip_latest(*sources(lab, others)), others=OTHERS
    ),
    "fork_join": ways("fork_join", lambda lab, others: ops.fork_join(*sources(lab, others)), others=OTHERS),
}
