"""How long an import takes in a new process, over ``import asyncio``."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

from benchmarks.workload import OURS, PEERS

TIMED = """
import asyncio, warnings
from time import process_time
warnings.simplefilter("ignore")
start = process_time()
{statement}
print(process_time() - start)
"""

FIRST = "streamkit, with Stream and ops"
STATEMENTS = {FIRST: "from streamkit import Stream, ops"}
"""What is timed in place of ``import name``. The door of streamkit loads nothing before a name is used."""


def seconds(name: str) -> float | str:
    done = subprocess.run(
        [sys.executable, "-c", TIMED.format(statement=STATEMENTS.get(name, f"import {name}"))],
        env={key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"},
        capture_output=True,
        text=True,
        check=False,
    )
    return float(done.stdout) if done.returncode == 0 else f"fails: {done.stderr.strip().splitlines()[-1]}"


def imports(rounds: int) -> dict[str, float | str]:
    """Medians of rounds in turns, in seconds; or how it fails."""
    names = (OURS, FIRST, *PEERS)
    found: dict[str, list[float | str]] = {name: [seconds(name)] for name in names}  # and it is compiled
    for _ in range(rounds):
        for name in names:
            found[name].append(seconds(name))
    return {name: _middle(all_[1:]) for name, all_ in found.items()}


def _middle(found: list[float | str]) -> float | str:
    numbers = [each for each in found if isinstance(each, float)]
    return float(f"{median(numbers):.4g}") if numbers else found[0]
