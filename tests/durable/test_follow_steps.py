"""What became of the deliveries of a durable source, wherever a run of steps ends: at every step, in every way."""

from __future__ import annotations

import pytest

from tests.durable.interrupted import everywhere
from tests.durable.pipes import STEPS


@pytest.mark.parametrize("name", STEPS)
def test_nothing_is_acknowledged_early_or_lost(name: str) -> None:
    everywhere(STEPS[name], exact=name != "flatten, take")
