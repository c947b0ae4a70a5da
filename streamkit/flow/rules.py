"""The rules of supervision, as values: which child is started again, with what else, and how often."""

from __future__ import annotations

from enum import Enum

from streamkit._core.arguments import seconds as seconds_argument, whole
from streamkit._core.calls import answering
from streamkit._core.value import Value

__all__ = ["Intensity", "Restart", "Scope"]


class Restart(Enum):
    """Whether a child of a flow is started again when it has ended."""

    PERMANENT = "always"
    """Also when it has come to its end: a source that is polled for ever."""
    TRANSIENT = "after a failure"
    """When it has failed. When it has come to its end, its work is done."""
    TEMPORARY = "never"
    """Not by itself, and not together with others."""


class Scope(Enum):
    """What else of a flow is stopped and started again with a child that is started again."""

    ONE = "one for one"
    """Nothing: the others know nothing of it."""
    ALL = "one for all"
    """All others: they are of no use without each other."""
    REST = "rest for one"
    """What is downstream: children that are `after` it, and those after them. Where no child of the flow says
    what it is after, those that stand behind it."""


class Intensity(Value):
    """How often a flow starts children again: `restarts` times within any `seconds`, and not once more.

    >>> from streamkit.flow import Intensity
    >>> Intensity(5, seconds=60.0)
    Intensity(restarts=5, seconds=60.0)

    The next failure ends the flow. Where it is a child of another, that one decides, by its own rules; the
    outermost fails with the error. One failure counts once, however many children fall and rise with it.

    Args:
        restarts: 0 for none at all.
        seconds: how long a restart is counted.

    Raises:
        TypeError: an argument is no number.
        ValueError: `restarts` is below 0, or `seconds` is not above 0 and finite.
    """

    restarts: int
    seconds: float

    @answering
    def __init__(self, restarts: int, *, seconds: float) -> None:
        self._made_of(
            restarts=whole("restarts", restarts, least=0), seconds=seconds_argument("seconds", seconds)
        )
