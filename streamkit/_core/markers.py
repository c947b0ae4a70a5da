"""Markers of something missing, for places where ``None`` is an ordinary value."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from streamkit._core.value import Value

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["ABSENT", "DROPPED", "EMPTY", "Absent", "Gap", "Marker"]


class Marker(Enum):
    """The type of the markers: an enum, so that type checkers can tell them from other values."""

    ABSENT = "absent"
    DROPPED = "dropped"
    EMPTY = "empty"

    def __repr__(self) -> str:
        return self.name


ABSENT: Final = Marker.ABSENT
"""Stands for an argument that was not given."""
DROPPED: Final = Marker.DROPPED
"""What a callback returns for an item that is dropped, as it failed with that."""
EMPTY: Final = Marker.EMPTY
"""What `Channel.pop` returns when nothing is held."""
Absent: TypeAlias = Literal[Marker.ABSENT]
"""The type of `ABSENT` alone."""


class Gap(Value):
    """An item that says that items are missing here.

    Under a strategy with ``gaps=True`` it says how many were dropped. Of a connector it says why, and when:
    what it is connected to was lost for a while, and nobody knows what came meanwhile.
    """

    count: int | None
    """How many items are missing; None where nobody knows."""
    reason: str = ""
    """Why, if they were not dropped by a strategy."""
    since: datetime | None = None
    """When the last item came before it, or the connection was made; in UTC, by the clock here."""
    until: datetime | None = None
    """When it was there again."""

    def __init__(
        self,
        count: int | None,
        reason: str = "",
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        parts = {"count": count, "reason": reason, "since": since, "until": until}
        self._made_of(**{name: part for name, part in parts.items() if name == "count" or part})
