"""What streamkit alone takes, by pytest-benchmark, to be compared with another commit: ``make times``."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from benchmarks.workload import OURS, Workload
from benchmarks.workloads import WORKLOADS

ITEMS = 20_000
CASES = [
    pytest.param(workload, size, id=f"{workload.name}, {size}")
    for workload in WORKLOADS.values()
    if not workload.missing
    for size in workload.goals or workload.sizes[-1:]
]


@pytest.mark.parametrize(("workload", "size"), CASES)
def test_streamkit(benchmark: Any, workload: Workload, size: int) -> None:
    run, count = workload.contenders[OURS], workload.fit(size, ITEMS)
    benchmark.group = workload.name
    benchmark.extra_info["items"] = count
    # one loop for all rounds: a new one costs ten times what an empty job does
    with asyncio.Runner() as runner:
        benchmark.pedantic(lambda: runner.run(run(size, count)), rounds=5, warmup_rounds=1)
