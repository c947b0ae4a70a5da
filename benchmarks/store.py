"""What was measured, kept in a file for each version of Python: benchmarks/results/3.11.json and so on."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.workload import OURS, PEERS

RESULTS = Path(__file__).parent / "results"
LIBRARIES = (OURS, *PEERS, "janus", "persist-queue", "litequeue")
ABSENT = "not installed"
Row = dict[str, Any]
"""`items`, `seconds` per item and `ratio` to streamkit; or what it `says` instead."""


@dataclass
class Results:
    """All figures of one version of Python."""

    python: str
    libraries: dict[str, str] = field(default_factory=dict[str, str])
    workloads: dict[str, dict[str, dict[str, Row]]] = field(
        default_factory=dict[str, dict[str, dict[str, Row]]]
    )
    """By workload, size (as a string, for JSON) and contender."""
    imports: dict[str, Any] = field(default_factory=dict[str, Any])
    peaks: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    growth: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])

    @property
    def short(self) -> str:
        return ".".join(self.python.split(".")[:2])

    def row(self, workload: str, size: int, name: str) -> Row:
        """What is known of a contender; an empty row where nothing is."""
        return self.workloads.get(workload, {}).get(str(size), {}).get(name, {})

    def save(self) -> None:
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps(vars(self), indent=1)
        (RESULTS / f"{self.short}.json").write_text(text + "\n", encoding="utf-8", newline="\n")


def here() -> Results:
    """Nothing yet, for the Python that runs this."""
    found: dict[str, str] = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ABSENT
    return Results(platform.python_version(), found)


def stored() -> list[Results]:
    """Everything that was saved, the oldest Python first."""
    paths = sorted(RESULTS.glob("*.json"), key=lambda path: [int(part) for part in path.stem.split(".")])
    return [Results(**json.loads(path.read_text(encoding="utf-8"))) for path in paths]


def current() -> Results:
    """What was saved for the Python that runs this, to be gone on with; or nothing yet."""
    short = "{}.{}".format(*sys.version_info[:2])
    old = next((each for each in stored() if each.short == short), None)
    new = here()
    if old is not None:
        for name, known in old.libraries.items():  # what is not here now was measured with that
            if new.libraries.get(name, ABSENT) == ABSENT:
                new.libraries[name] = known
        new.workloads, new.imports, new.peaks, new.growth = old.workloads, old.imports, old.peaks, old.growth
    return new
