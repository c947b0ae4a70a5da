"""Memory: the most that one run of a workload holds, in a process of its own.

python -m benchmarks.memory '{"workload": ..., "name": "streamkit", "size": 3, "count": 100000}'
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.workload import HAND, OURS, Workload
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).parent.parent
COUNTS = (100_000, 1_000_000, 10_000_000)
LIMIT = 300.0


def peak() -> float:
    """MiB; on Linux from what the kernel counts since the program began, not since its parent's fork."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)


def held(workload: Workload, name: str, size: int, count: int) -> tuple[float, float] | str:
    """MiB at most in a process that ran a few items, and after it ran so many; or how that failed."""
    task = {"workload": workload.name, "name": name, "size": size, "count": count}
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.memory", json.dumps(task)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=True)
    except subprocess.SubprocessError as error:
        return f"fails: {type(error).__name__}"
    before, after = map(float, done.stdout.split())
    return before, after


def usual(workload: Workload) -> int:
    """The size that has a goal, or one in the middle."""
    return max(workload.goals, default=workload.sizes[len(workload.sizes) // 2])


def peaks(workload: Workload) -> dict[str, Any]:
    """At the usual size, streamkit and by hand."""
    size = usual(workload)
    count = workload.fit(size, workload.most)
    found: dict[str, Any] = {"size": size, "items": count}
    for name in (HAND, OURS):
        if name in workload.contenders:
            most = held(workload, name, size, count)
            found[name] = most if isinstance(most, str) else round(most[1] - most[0], 1)
    return found


def growth() -> Iterator[tuple[str, list[float | str]]]:
    """While more and more items pass: the most MiB of the whole process, for each of `COUNTS`."""
    for workload in WORKLOADS.values():
        if workload.flat is not None:
            found = [held(workload, OURS, workload.flat, count) for count in COUNTS]
            yield workload.name, [each if isinstance(each, str) else round(each[1], 1) for each in found]


def is_flat(found: list[Any]) -> bool:
    """As much for the most items as for the fewest, give or take what the allocator does."""
    return all(isinstance(each, float | int) for each in found) and found[-1] < 1.25 * found[0] + 4


def main(task: dict[str, Any]) -> None:
    workload = WORKLOADS[task["workload"]]
    run, size = workload.contenders[task["name"]], task["size"]
    asyncio.run(run(size, workload.fit(size, 1)))
    before = peak()
    asyncio.run(run(size, task["count"]))
    print(before, peak())


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
