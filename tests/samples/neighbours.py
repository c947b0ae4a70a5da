"""Samples of operators of neighbours."""

from aiostream import pipe
from reactivex import operators as of

from streamkit import (
    Suspend,
    aiostream,
    rx,
)
from tests.laws.lab import Sample
from tests.samples.callbacks import same

__all__ = ["OPERATORS"]

OPERATORS = [
    Sample("aiostream-operator", lambda lab: aiostream.operator(pipe.skip(0), pipe.enumerate())),
    Sample("rx-operator", lambda lab: rx.operator(of.map(same), of.skip(0), strategy=Suspend(2))),
]
