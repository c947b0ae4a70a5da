"""Samples of the family `group`."""

from streamkit import (
    OnFull,
    Suspend,
    ops,
)
from tests.laws.lab import Sample
from tests.samples.callbacks import always, newest, parity, same

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample(
        "group_by",
        lambda lab: ops.group_by(parity, ops.map(lab.callback(same)), max_groups=2),
        calls=True,
        ordered=False,
    ),
    Sample(
        "group_by-key",
        lambda lab: ops.group_by(lab.callback(parity), ops.batch(2), max_groups=2),
        calls=True,
        needs=4,
        lossless=False,
    ),
    Sample("group_by-ends", lambda lab: ops.group_by(always, ops.take(2) | ops.tap(same), max_groups=1)),
    Sample(
        "group_by-reopen",
        lambda lab: ops.group_by(always, ops.take(2) | ops.tap(same), max_groups=1, reopen=True),
    ),
    Sample(
        "group_by-sink",
        lambda lab: ops.group_by(parity, ops.first(), max_groups=2),
        lossless=False,
    ),
    Sample(
        "group_by-evict",
        lambda lab: ops.group_by(
            parity, ops.tap(lab.drop) | ops.fold(newest, None), max_groups=1, on_full=OnFull.EVICT
        ),
        needs=2,
        lossless=False,
    ),
    Sample(
        "group_by-stage",
        lambda lab: ops.group_by(parity, ops.map(lab.callback(same), concurrency=2), max_groups=2),
        calls=True,
        ordered=False,
        lossless=False,
    ),
    Sample(
        "group_by-stage-sink",
        lambda lab: ops.group_by(
            lab.callback(parity),
            ops.buffer(Suspend(2)) | ops.tap(lab.drop) | ops.fold(newest, None),
            max_groups=1,
            on_full=OnFull.EVICT,
        ),
        calls=True,
        needs=2,
        lossless=False,
    ),
    Sample(
        "group_by-idle",
        lambda lab: ops.group_by(parity, ops.filter(always), max_groups=1, on_full=OnFull.WAIT, idle=0.001),
        ordered=False,
    ),
]
