"""Samples of operators whose work is done by workers; here, those are in the event loop."""

from streamkit import Lasting, ops
from tests.laws.lab import Sample
from tests.samples.callbacks import parity, same
from tests.workers import InLoop

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample(
        "on",
        lambda lab: ops.on(InLoop(), ops.map(lab.callback(same)), chunk=3),
        calls=True,
        needs=3,
        lossless=False,
    ),
    Sample(
        "on-unordered",
        lambda lab: ops.on(InLoop(), ops.map(lab.callback(same)) | ops.enumerate(), chunk=2, ordered=False),
        calls=True,
        needs=2,
        lossless=False,
        ordered=False,
    ),
    Sample(
        "map-on",
        lambda lab: ops.map(lab.callback(same), on=InLoop()),
        calls=True,
        lossless=False,
    ),
    Sample(
        "map-on-key",
        lambda lab: ops.map(lab.callback(same), on=InLoop(3), key=parity),
        calls=True,
        lossless=False,
        ordered=False,
    ),
    Sample(
        "map-on-chunks",
        lambda lab: ops.map(lab.callback(same), on=InLoop(), chunk=3),
        calls=True,
        needs=3,
        lossless=False,
    ),
    Sample(
        "map-on-lasting",
        lambda lab: ops.map(lab.callback(same), on=InLoop(), chunk=Lasting(2 / 64, most=4)),
        calls=True,
        lossless=False,
    ),
]
