"""Samples of the family `restart`."""

from typing import Any

from streamkit import (
    ops,
)
from tests.laws.lab import Lab, Sample
from tests.samples.callbacks import always

__all__ = ["OPERATORS"]


def once(lab: Lab) -> Any:
    """Tries a source again that fails once."""
    lab.failures = 1
    return ops.retry(2, backoff=0.5, when=lab.callback(always))


OPERATORS = [
    Sample("retry", lambda lab: ops.retry(2, when=lambda _: False)),
    Sample("retry-again", once, calls=True, catches=True),
    Sample("repeat", lambda lab: ops.repeat(2)),
]
