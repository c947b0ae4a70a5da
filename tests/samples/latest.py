"""Samples of the family `latest`."""

from streamkit import ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("combine_latest", lambda lab: ops.combine_latest(lab.source()), needs=2, lossless=False),
    Sample(
        "combine_latest-lookahead",
        lambda lab: ops.combine_latest(lab.source(), lab.source(), lookahead=3),
        needs=3,
        lossless=False,
    ),
    Sample(
        "with_latest_from",
        lambda lab: ops.with_latest_from(lab.source()),
        needs=2,
        lossless=False,
        ordered=False,
    ),
    Sample("zip_latest", lambda lab: ops.zip_latest(lab.source()), needs=2, lossless=False, ordered=False),
    Sample("fork_join", lambda lab: ops.fork_join(lab.source())),
]
