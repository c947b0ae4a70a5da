"""Samples of the family `hot`."""

from streamkit import DropOldest, ops
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("share", lambda lab: ops.share()),
    Sample("share-replay", lambda lab: ops.share(2, strategy=DropOldest(2, on_drop=lab.drop))),
]
