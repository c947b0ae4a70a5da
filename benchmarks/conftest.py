"""Prints the ratios at the end of a run; a benchmark never fails for being slow."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ratio import table


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    terminalreporter.section(f"ratios in this run, Python {version}")
    for line in table():
        terminalreporter.write_line(line)
