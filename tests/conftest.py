"""What every test gets: a check that it leaves nothing behind, a steady clock; and which tier is run."""

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import streamkit.testing
from streamkit._engine.compile import pace
from streamkit.testing.leaks import frozen
from tests import packs, tiers
from tests.packs import asked_by_name
from tests.variants.loops import KINDS, loops_of

pytest_plugins = ["pytester"]  # the tests of plugins run a pytest inside

EXAMPLES = 50
"""How many examples hypothesis tries of a test, where the test says nothing else."""
LOOK = 0.00001
"""Seconds that pass from one look at the clock to the next."""
ENDING_SECONDS = 10.0
"""How long a thread that is just ending may take."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.register(packs, "packs")
    parser.addoption("--full", action="store_true", help="all cases of all matrices, and all examples")
    parser.addoption(
        "--share", type=int, metavar="N", help="the default tier, and one case in N of the others"
    )
    parser.addoption("--turn", default="", help="which of the others --share takes: any text")
    parser.addoption("--loop", choices=KINDS, default="usual", help="what kind of event loops all tests get")


def pytest_configure(config: pytest.Config) -> None:
    tiers.choose(full=config.getoption("--full"))
    try:
        config.add_cleanup(loops_of(config.getoption("--loop")).close)
    except ValueError as error:
        raise pytest.UsageError(f"--loop: {error}") from None
    # Time limits fail on slow machines only, and say nothing of the code.
    common: Any = {"deadline": None, "max_examples": tiers.examples(EXAMPLES)}
    if "MUTANT_UNDER_TEST" in os.environ:  # `make mutants` runs a test several times in one process
        common["suppress_health_check"] = [HealthCheck.differing_executors]
    settings.register_profile("dev", **common)
    settings.register_profile("ci", **common, derandomize=True, print_blob=True)
    settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end: garbage collections in between would only go through it again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Collect once what tests have left: pytest would go through all that it holds five times."""
    gc.collect()
    gc.freeze()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Workers tell each other of a case by its name, so an address must not stand in it."""
    if " at 0x" in item.nodeid:
        raise pytest.UsageError(f"an address is in the name of a case, so give it another: {item.nodeid}")


@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None]:
    """Leave cases out before pytest makes items of them: of three in four, that is half of a collection."""
    yield
    calls, test, config = metafunc._calls, metafunc.definition, metafunc.config
    if calls and not asked_by_name(config):
        if of := config.getoption("--share"):
            calls[:] = tiers.shared(test, calls, of, config.getoption("--turn"))
        else:
            calls[:] = tiers.fewer(test, calls, full=config.getoption("--full"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full") or asked_by_name(config):
        return
    of, turn = config.getoption("--share"), config.getoption("--turn")
    left = {
        item
        for item in items
        if item.get_closest_marker("full") and not (of and tiers.drawn(item.nodeid, of, turn))
    }
    if left:
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=[*left])


@pytest.fixture(autouse=True)
def around(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread or a running event loop; and give it a steady clock, and new objects.

    Loops let others run by a clock that is the same on a busy machine and an idle one. Who collects garbage
    goes through what the test has made, not for half a second all of pytest's; nor do runs count what is
    frozen: they know. A test of how they freeze bears the mark `freezes`. It is one fixture, for each takes
    as long as a short test.
    """
    before = set(threading.enumerate())
    names = vars(pace)  # `monkeypatch` would be a fixture more
    clock, names["perf_counter"] = names["perf_counter"], count(0.0, LOOK).__next__
    freezes = "freezes" in request.keywords
    with nullcontext() if freezes else frozen():
        yield
        if not freezes:
            gc.collect()  # what the test has let go of, which the next would freeze: tasks above all
    names["perf_counter"] = clock
    threads = _still_alive(set(threading.enumerate()) - before)
    assert not threads, f"the test left threads running: {threads}"
    assert not _loop_runs(), "the test left an event loop marked as running in this thread"


@pytest.fixture
def real_clock(around: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the machine: for endless loops, whose turn by the steady clock would be seconds long."""
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", time.perf_counter)


@pytest.fixture
def frozen_by_a_program(around: None) -> Iterator[None]:
    """A program has frozen what there is, which runs do not know."""
    gc.freeze()
    yield
    gc.unfreeze()


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
