"""Runs each workload in a process of its own, and says of a contender that hangs or dies that it does."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.workload import APART, OURS, Workload

ROOT = Path(__file__).parent.parent
LIMIT = 20.0
"""Seconds without a word from the process: what it does then hangs."""
PROCESSES = 5
"""How many measure rows that are `close`: code lies elsewhere in each, and costs some nanoseconds more."""
Rows = dict[int, dict[str, dict[str, Any]]]
"""By size and contender."""


async def watched(workload: Workload, sizes: Sequence[int], names: Sequence[str], effort: str) -> Rows:
    """Measure `names`; a size is begun anew without the one that hung or died in it."""
    rows: Rows = {size: {} for size in sizes}
    for size in sizes:
        left = list(names)
        while left:
            ended, begun = await attempt(workload, size, left, effort, rows[size])
            if ended is None:
                break
            rows[size][begun] = {"says": ended}
            left.remove(begun)
    return rows


async def attempt(
    workload: Workload, size: int, names: Sequence[str], effort: str, rows: dict[str, Any]
) -> tuple[str | None, str]:
    """Let one process measure; if it does not come to its end: how it ended, and the contender it was at."""
    task = {"workload": workload.name, "size": size, "names": list(names), "effort": effort}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.worker",
        json.dumps(task),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    limit = LIMIT / 4 if effort == "FAST" else LIMIT
    begun, items = names[0], 0
    try:
        while line := await asyncio.wait_for(process.stdout.readline(), limit):
            said = json.loads(line)
            match said["event"]:
                case "begins":
                    begun, items = said["name"], said["items"]
                case "found":
                    rows[said["name"]] = said["row"]
                case _:
                    await process.wait()
                    return None, begun
        return f"fails: its process ends with {await process.wait()}", begun
    except TimeoutError:
        return f"slow or stuck: no result in {limit:.0f} s of {items:,} items", begun
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def medians(found: Sequence[Rows]) -> Rows:
    """Of each figure, the median of what several processes have `found`; the words, if one has words."""
    rows: Rows = {}
    for size, first in found[0].items():
        rows[size] = {}
        for name in first:
            every = [each[size][name] for each in found]
            said = [row for row in every if "says" in row]
            rows[size][name] = (
                said[0] if said else {key: median([row[key] for row in every]) for key in every[0]}
            )
    return rows


async def measured(workload: Workload, sizes: Sequence[int], fast: bool) -> Rows:
    """Everyone's rows, with a word of those that have no figures."""
    able = [name for name in workload.names if name in workload.contenders]
    together = [name for name in able if name not in APART]
    rows = await watched(workload, sizes, together, "FAST" if fast else "FULL")
    if workload.close and not fast:
        more = [await watched(workload, sizes, together, "FULL") for _ in range(PROCESSES - 1)]
        rows = medians([rows, *more])
    for name in APART:
        if name in able:
            for size, found in (
                await watched(workload, sizes, [OURS, name], "FAST" if fast else "ROUGH")
            ).items():
                rows[size][name] = found[name]
    for size in sizes:
        for name in workload.names:
            if (reason := workload.reason(name)) is not None:
                rows[size][name] = {"says": reason}
        rows[size] = {name: rows[size][name] for name in workload.names}
    return rows
