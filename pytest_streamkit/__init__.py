"""The pytest plugin of streamkit: async tests in virtual time, under many schedules, and replayed.

    @pytest.mark.streamkit(schedules=1000, seed=7)
    async def test_nothing_is_sold_twice():
        ...

A test that bears the mark is run by `streamkit.testing.run`, with what the mark says as its arguments,
whatever other plugins for async tests are there. A plain test gets the same by the fixture `streamkit_run`.

pytest loads this module wherever streamkit is installed. So it stands beside the package, and imports neither
it nor asyncio, nor its own modules, before a test asks for them:

    arguments   of `run`: what the mark and the command line say together
    item        a marked test, and its async fixtures
    running     hooks around tests: no real waiting, the report
"""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import pytest

__all__ = ["streamkit_run"]

MARK = "streamkit"
FIXTURE = "streamkit_run"
RUNNING = "streamkit-running"


# the command line ----------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("streamkit", "tests of streams, in virtual time (streamkit)")
    group.addoption(
        "--streamkit-schedules",
        type=int,
        metavar="N",
        help="run each test that bears the mark streamkit under N schedules, whatever the mark says",
    )
    group.addoption(
        "--streamkit-seed",
        type=int,
        metavar="S",
        help="draw the schedules from this seed, whatever the mark says",
    )
    group.addoption(
        "--streamkit-replay",
        metavar="TOKEN",
        help="run the one test that is selected under the schedule that a failure has printed",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{MARK}(schedules=1, seed=None, faults=None, replay=None, threads=False, ...): "
        "run this async test by streamkit.testing.run, in virtual time, with these arguments",
    )
    command = commanded(config)
    if command:
        from pytest_streamkit.arguments import wrong

        if "replay" in command and len(command) > 1:
            raise pytest.UsageError("--streamkit-replay says all: with it, give neither schedules nor seed")
        if said := wrong(command):
            raise pytest.UsageError(f"--streamkit-*: {said}")
    # All other plugins are registered by now. Of hooks that want to be first, the one registered last is.
    config.pluginmanager.register(Collecting(), "streamkit-collecting")


def pytest_report_header(config: pytest.Config) -> str | None:
    given = " ".join(f"{name}={value}" for name, value in commanded(config).items())
    return f"streamkit: {given}" if given else None


def commanded(config: pytest.Config) -> dict[str, Any]:
    """The arguments of `run` that the command line gives."""
    names = ("schedules", "seed", "replay")
    given = {name: config.getoption(f"--streamkit-{name}") for name in names}
    return {name: value for name, value in given.items() if value is not None}


# collecting ----------------------------------------------------------------------------------------


class Collecting:
    """Makes the items of marked tests."""

    def __init__(self) -> None:
        self._kinds: tuple[type[pytest.Item], ...] = ()  # of marked tests, once there are some

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(
        self, collector: pytest.Module | pytest.Class, name: str, obj: Any
    ) -> list[pytest.Item] | None:
        if not collector.istestfunction(obj, name):
            return None
        function = getattr(obj, "__func__", obj)
        if not inspect.isfunction(function):
            return None
        own = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == MARK]
        if not own and collector.get_closest_marker(MARK) is None:
            return None
        if inspect.iscoroutinefunction(function):
            return self._items(collector, name, function)
        if own:
            pytest.fail(f"{collector.nodeid}::{name}: {_no_coroutine(function)}", pytrace=False)
        return None  # a plain test in a class or module that is marked as a whole

    def _items(self, collector: Any, name: str, function: Callable[..., Any]) -> list[pytest.Item]:
        @wraps(function)
        def plain() -> None:
            """What other plugins see: no `async def`, so nothing of theirs."""

        self._get_ready(collector.config)
        from pytest_streamkit.item import StreamkitFunction

        self._kinds = (StreamkitFunction,)
        return [StreamkitFunction.instead_of(item) for item in collector._genfunctions(name, plain)]

    def _get_ready(self, config: pytest.Config, refused: "dict[pytest.Item, str] | None" = None) -> None:
        """Add the hooks around tests, which a session without a test of ours does not get."""
        from pytest_streamkit.running import Running

        running: Any = config.pluginmanager.getplugin(RUNNING)
        if running is None:
            running = Running()
            config.pluginmanager.register(running, RUNNING)
        running.refused.update(refused or {})

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: Sequence[pytest.Item]) -> None:
        """Refuse single tests. They tell it when they are set up; workers of pytest-xdist do so, too."""
        ours: list[pytest.Item] = []
        refused: dict[pytest.Item, str] = {}
        for item in items:
            if isinstance(item, self._kinds) or FIXTURE in getattr(item, "fixturenames", ()):
                ours.append(item)
            elif isinstance(item, pytest.Function) and _is_marked_late(item):
                refused[item] = (
                    f"{item.nodeid}: the mark {MARK} came after the test was collected, or by parametrize "
                    "alone, or to a method of a unittest.TestCase; decorate the function, or set `pytestmark`"
                )
        if "replay" in commanded(config) and len(ours) > 1:
            said = f"--streamkit-replay runs one test, and {len(ours)} are selected: {ours[0].nodeid}, ..."
            refused.update(dict.fromkeys(ours, said))
        if ours or refused:
            self._get_ready(config, refused)


def _no_coroutine(function: Callable[..., Any]) -> str:
    """Why the mark cannot stand at a function that is no `async def`, and what to write instead."""
    instead = f"call the fixture {FIXTURE}: {FIXTURE}(main, schedules=1000)"
    if inspect.isasyncgenfunction(function):
        return f"the mark {MARK} is for tests without a `yield`, which makes it an async generator"
    if getattr(function, "is_hypothesis_test", False):
        return (
            f"the mark {MARK} cannot stand at a test of hypothesis: write a plain `def`, and in it {instead}"
        )
    return f"the mark {MARK} is for tests that are `async def`; in any other, {instead}"


def _is_marked_late(item: pytest.Function) -> bool:
    return item.get_closest_marker(MARK) is not None and inspect.iscoroutinefunction(inspect.unwrap(item.obj))


@pytest.fixture(scope="session")  # hypothesis refuses those of a function: they stay the same for its inputs
def streamkit_run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """`streamkit.testing.run`, with the schedules, the seed or the replay token that the command line gives.

    def test_nothing_is_sold_twice(streamkit_run):
        streamkit_run(main, schedules=1000)
    """
    from pytest_streamkit.arguments import together
    from streamkit.testing import run

    command = commanded(request.config)

    def streamkit_run(main: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        return run(main, **(together(options, command) if callable(main) else options))

    return streamkit_run
