"""What became of the deliveries of a durable source where a run of stages ends: at each step, in each way."""

from __future__ import annotations

import re

import pytest

from tests.run.interrupted import everywhere
from tests.run.pipes import STAGES
from tests.run.pipes_joined import JOINED, TIMED, WORKERS

OPEN = re.compile("ended|take|catch|zip_latest|of none")
"""Pipes that have something in hand where they end, or a failed item: that is handed back."""


@pytest.mark.parametrize("name", STAGES)
def test_nothing_is_acknowledged_early_or_lost(name: str) -> None:
    everywhere(STAGES[name], exact="take" not in name)


@pytest.mark.parametrize("name", TIMED)
def test_nothing_is_acknowledged_early_or_lost_in_time(name: str) -> None:
    everywhere(TIMED[name], seconds=0.25, exact="take" not in name and name != "timeout")


@pytest.mark.parametrize("name", JOINED)
def test_nothing_is_acknowledged_early_or_lost_where_streams_part_and_join(name: str) -> None:
    everywhere(JOINED[name], exact=not OPEN.search(name), lossy=name == "exhaust_map")


@pytest.mark.parametrize("name", WORKERS)
def test_nothing_is_acknowledged_early_or_lost_by_workers(name: str) -> None:
    everywhere(WORKERS[name], threads=True)
