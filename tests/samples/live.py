"""Samples of slots: with steps, without anything, with stages, and behind a buffer."""

from streamkit import Suspend, ops
from streamkit.live import Slot
from streamkit.live.content import of_generation
from tests.laws.lab import Sample
from tests.samples.callbacks import same

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("Slot", lambda lab: Slot(ops.map(lab.callback(same)) | ops.enumerate()), calls=True),
    Sample("Slot-empty", lambda lab: Slot(name="a") | Slot()),
    Sample(
        "Slot-stages",
        lambda lab: Slot(ops.map(lab.callback(same), concurrency=2)),
        calls=True,
        lossless=False,
    ),
    Sample("Slot-generation", lambda lab: Slot(ops.map(lab.callback(same))).with_generation, calls=True),
    Sample("of_generation", lambda lab: of_generation(1)),
    Sample("Slot-buffer", lambda lab: ops.buffer(Suspend(2)) | Slot(ops.map(lab.callback(same))), calls=True),
]
