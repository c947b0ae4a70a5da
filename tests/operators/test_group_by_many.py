"""group_by with very many groups: what one costs does not grow with how many there are."""

import sys
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.operators.group import OnFull
from streamkit.testing import run
from tests.tiers import stride


async def waits(item: int) -> int:
    return item


def lines_of(work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """How many lines of the package run in `work`."""
    count = 0

    def traced(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if "streamkit" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        run(work)
    finally:
        sys.settrace(before)
    return count


PIPES: dict[str, Any] = {
    "tasks": lambda n: ops.group_by(lambda item: item, ops.map(waits) | ops.count(), max_groups=n),
    "tasks, no sink": lambda n: ops.group_by(lambda item: item, ops.map(waits), max_groups=n),
    "idle": lambda n: ops.group_by(lambda item: item, ops.count(), max_groups=n, idle=1.0),
    "evicted tasks": lambda n: ops.group_by(
        lambda item: item, ops.map(waits), max_groups=n // 4, on_full=OnFull.EVICT
    ),
    "evicted": lambda n: ops.group_by(
        lambda item: item, ops.count(), max_groups=n // 4, on_full=OnFull.EVICT
    ),
    "flat_map": lambda n: ops.flat_map(lambda item: [item], concurrency=n),
    "merge": lambda n: ops.merge(*[[item] for item in range(n)]),
}


@pytest.mark.parametrize("pipe", PIPES)
def test_sixteen_times_the_groups_cost_sixteen_times_the_lines(pipe: str) -> None:
    def lines(groups: int) -> int:
        job: Any = Stream(range(groups)) | PIPES[pipe](groups) | ops.drain()

        async def work() -> None:
            await job

        return lines_of(work)

    lines(16)  # what is compiled is compiled
    few = 64 // stride(4)
    small, large = lines(few), lines(16 * few)
    assert large < 17 * small, f"{small} lines for {few} groups, {large} for {16 * few}"
