"""What became of the deliveries of a durable source, wherever a run of stages ends: at every step, in every way."""

from __future__ import annotations

import pytest

from tests.durable.interrupted import everywhere
from tests.durable.pipes import STAGES


@pytest.mark.parametrize("name", STAGES)
def test_nothing_is_acknowledged_early_or_lost(name: str) -> None:
    everywhere(STAGES[name])
