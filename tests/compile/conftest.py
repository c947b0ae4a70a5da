"""What tests of the compiler's wing share."""

import pytest

from streamkit._engine.compile import pace
from tests.compile.clocks import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """In units of the time that a loop may run."""
    found = Clock()
    monkeypatch.setattr(pace, "BUDGET", 1.0)
    monkeypatch.setattr(pace, "perf_counter", found)
    return found
