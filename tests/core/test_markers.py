"""Markers of something missing, and what a gap says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from streamkit import Gap
from streamkit._core.markers import ABSENT, DROPPED, EMPTY

THEN, NOW = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)


def told(gap: Any) -> tuple[Any, ...]:
    return gap.count, gap.reason, gap.since, gap.until, repr(gap)


def test_a_gap_says_what_is_known_of_it() -> None:
    whole = Gap(None, "lost", since=THEN, until=NOW)
    assert told(whole) == (
        None,
        "lost",
        THEN,
        NOW,
        f"Gap(count=None, reason='lost', since={THEN!r}, until={NOW!r})",
    )
    assert told(Gap(3)) == (3, "", None, None, "Gap(count=3)")
    assert told(Gap(0)) == (0, "", None, None, "Gap(count=0)")
    assert Gap(3) == Gap(3, "") != Gap(3, "lost")
    assert [*map(repr, (ABSENT, DROPPED, EMPTY))] == ["ABSENT", "DROPPED", "EMPTY"]
