"""How long a loop ran is no matter of real time here."""

from itertools import count

import pytest


@pytest.fixture(autouse=True)
def busy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether loops think at each look at the clock that they have run too long, as `busy` says."""
    seconds = 1.0 if getattr(request, "param", False) else 0.0
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", count(0.0, seconds).__next__)
    return bool(seconds)
