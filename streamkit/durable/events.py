"""What a reader tells beside its items: ``reader(on_event=...)`` is called with each.

Without `on_event`, they are warnings of the logger ``streamkit.durable``.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["DeadLettered", "Event", "LeaseLost", "Trimmed", "log"]

_log: Final = logging.getLogger("streamkit.durable")


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """Leases ran out while work went on, so another reader may have the same: it comes twice.

    It is not acknowledged here: that is for the reader which has it now.
    """

    group: str
    count: int
    """How many messages, this time."""
    total: int
    """How many since the run began."""


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """A message went to the dead letters."""

    group: str
    key: str | None
    times: int
    """How many times it was handed out."""
    error: str
    """What was wrong with it."""
    operator: str
    """Where; empty where nobody knows."""
    total: int
    """How many since the run began."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Entries were deleted by others before the group had acknowledged them: they are lost."""

    group: str
    count: int
    """How many entries, this time."""
    total: int
    """How many since the run began."""


Event: TypeAlias = LeaseLost | DeadLettered | Trimmed


def log(event: Event) -> None:
    """What is done with events where nobody has said it."""
    _log.warning("%r", event)
