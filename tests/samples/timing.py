"""Samples of the family `timing`."""

from streamkit import (
    ops,
)
from tests.laws.lab import Sample

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("debounce", lambda lab: ops.debounce(0.5, on_drop=lab.drop)),
    Sample("keep_alive", lambda lab: ops.keep_alive(9.0, function=lambda: None)),
    Sample("sample", lambda lab: ops.sample(0.5, on_drop=lab.drop)),
    Sample(
        "sample-signal",
        lambda lab: ops.sample(signal=lab.source(lambda item: None), on_drop=lab.drop),
        needs=100,  # all, where no signal comes while one is there
        ordered=False,
    ),
    Sample("timeout-fallback", lambda lab: ops.timeout(5.0, total=1e6, fallback=[])),
    Sample("timeout", lambda lab: ops.timeout(5.0)),
]
