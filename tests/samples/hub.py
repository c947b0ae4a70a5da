"""Samples of the sinks of hubs."""

from streamkit import DropOldest, Hub
from tests.laws.lab import Sample

__all__ = ["SINKS"]

SINKS = [
    Sample("hub-sink", lambda lab: Hub[object](DropOldest(2, on_drop=lab.drop), balance=True).sink()),
]
