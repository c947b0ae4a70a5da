"""The faults of sources and consumers that pipes are tried with."""

from collections.abc import Mapping
from typing import Any

from streamkit.testing import AfterEnd, FaultySource, Leave
from tests.laws.lab import Boom

__all__ = ["CONSUMERS", "FAULTS", "cut_short", "faults_of"]


def _faults() -> dict[str, dict[str, Any]]:
    fails, slow = {"at": 3, "error": Boom("source")}, {"close_seconds": 5.0}
    dirty = {"close_error": Boom("clean-up")}
    return {
        "nothing": {},
        "turns": {"every": 0.0},
        "drips": {"every": 1.0},
        "fails at once": {"at": 0, "error": Boom("source")},
        "fails": fails,
        "fails at the end": {"error": Boom("source")},
        "fails once": {**fails, "times": 1},
        "drips and fails": {**fails, "every": 1.0},
        "hangs": {"at": 3, "hangs": True},
        "drips and hangs": {"at": 3, "hangs": True, "every": 1.0},
        "goes on": {"after_end": AfterEnd.ITEMS},
        "goes on after an error": {**fails, "after_end": AfterEnd.ITEMS},
        "fails after its end": {"every": 0.0, "after_end": AfterEnd.ERROR},
        "hangs after its end": {"after_end": AfterEnd.HANG},
        "closes slowly": slow,
        "drips and closes slowly": {"every": 1.0, **slow},
        "hangs and closes slowly": {"at": 2, "hangs": True, **slow},
        "fails to close": dirty,
        "drips and fails to close": {"every": 1.0, **dirty},
        "fails, and again to close": {**fails, **slow, **dirty},
        "ignores a cancellation": {"every": 1.0, "ignores_cancel": 1},
        "ignores one and closes slowly": {"every": 1.0, "ignores_cancel": 1, **slow},
    }


CONSUMERS: dict[str, dict[str, Any]] = {
    "takes all": {},
    "takes turns": {"every": 0.0},
    "is slow": {"every": 2.0},
    "stalls": {"at": 2, "stall": 30.0},
    "leaves at once": {"at": 0, "leave": Leave.CLOSE},
    "leaves": {"at": 2, "leave": Leave.CLOSE},
    "breaks": {"at": 2, "leave": Leave.BREAK},
    "is cancelled": {"at": 2, "leave": Leave.CANCEL},
    "raises": {"at": 2, "error": Boom("consumer")},
}
"""What each consumer does wrong, by its name."""

FAULTS = [*_faults()]
"""The names of what sources do wrong."""


def faults_of(name: str) -> dict[str, Any]:
    """What such a source does wrong, with new errors: nothing hangs on them from an earlier run."""
    return _faults()[name]


def cut_short(source: FaultySource[Any], consumer: Mapping[str, Any]) -> bool:
    """Whether the consumer was cancelled while the source, at its own end, cleaned up in that task.

    No pipe stands between them then: Python throws the cancellation into the clean-up.
    """
    if consumer.get("leave") is not Leave.CANCEL:
        return False
    return any(visit.ended and visit.cancelled and not visit.closed for visit in source.visits)
