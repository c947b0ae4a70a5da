"""Samples of operators whose work is done by workers; here, those are in the event loop."""

from streamkit import Resume, ops
from streamkit._core.workers import Lasting
from tests.laws.lab import Sample
from tests.samples.callbacks import parity, same
from tests.workers import InLoop

__all__ = ["OPERATORS"]

SYNC = ("sync",)
"""Workers have no event loop for what a callback would wait for."""

OPERATORS = [
    Sample(
        "on",
        lambda lab: ops.on(InLoop(), ops.map(lab.callback(same)), chunk=3),
        calls=True,
        lossless=False,
        kinds=SYNC,
    ),
    Sample(
        "on-unordered",
        lambda lab: ops.on(InLoop(3), ops.map(lab.callback(same)) | ops.enumerate(), chunk=2, ordered=False),
        calls=True,
        lossless=False,
        ordered=False,
        kinds=SYNC,
    ),
    Sample(
        "map-on",
        lambda lab: ops.map(lab.callback(same), on=InLoop()),
        calls=True,
        lossless=False,
        kinds=SYNC,
    ),
    Sample(
        "map-on-key",
        lambda lab: ops.map(lab.callback(same), on=InLoop(3), key=parity, on_error=Resume(lab.drop)),
        calls=True,
        lossless=False,
        ordered=False,
        kinds=SYNC,
    ),
    Sample(
        "map-on-chunks",
        lambda lab: ops.map(lab.callback(same), on=InLoop(), chunk=3),
        calls=True,
        lossless=False,
        kinds=SYNC,
    ),
    Sample(
        "map-on-lasting",
        lambda lab: ops.map(lab.callback(same), on=InLoop(), chunk=Lasting(0.02, most=4)),
        calls=True,
        lossless=False,
        kinds=SYNC,
    ),
]
