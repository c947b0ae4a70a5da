"""A valve for each test that asks for one."""

import pytest

from streamkit import Valve


@pytest.fixture
def valve() -> Valve:
    return Valve()
