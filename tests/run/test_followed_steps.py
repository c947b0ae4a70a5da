"""What became of the deliveries of a durable source where a run of steps ends: at each step, in each way."""

from __future__ import annotations

import pytest

from tests.run.interrupted import everywhere
from tests.run.pipes import STEPS


@pytest.mark.parametrize("name", STEPS)
def test_nothing_is_acknowledged_early_or_lost(name: str) -> None:
    everywhere(STEPS[name], exact=name not in ("flatten, take", "sliding, take"))
