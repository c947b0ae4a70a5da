"""What every test gets: a check that it leaves nothing behind, virtual time, and hypothesis's settings."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import settings

import streamkit.testing

# Time limits fail on slow machines only, and say nothing of the code.
settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

LOOK = 0.00001
"""Seconds that pass from one look at the clock to the next."""
ENDING_SECONDS = 1.0
"""How long a thread that is just ending may take."""


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread or a running event loop."""
    before = set(threading.enumerate())
    yield
    threads = _still_alive(set(threading.enumerate()) - before)
    assert not threads, f"the test left threads running: {threads}"
    assert not _loop_runs(), "the test left an event loop marked as running in this thread"


@pytest.fixture(autouse=True)
def steady_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops let others run by a clock that is the same on a busy machine and an idle one."""
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", count(0.0, LOOK).__next__)


@pytest.fixture(scope="session")
def run() -> Callable[..., Any]:
    """`streamkit.testing.run`: runs a coroutine in virtual time and fails if it leaves anything."""
    return streamkit.testing.run


def _still_alive(threads: set[threading.Thread]) -> list[str]:
    until = time.monotonic() + ENDING_SECONDS
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return sorted(thread.name for thread in threads if thread.is_alive())


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
