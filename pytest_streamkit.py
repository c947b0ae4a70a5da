"""The pytest plugin of streamkit: async tests in virtual time, under many schedules, and replayed.

    @pytest.mark.streamkit(schedules=1000, seed=7)
    async def test_nothing_is_sold_twice():
        ...

A test that bears the mark is run by `streamkit.testing.run`, with what the mark says as its arguments,
whatever other plugins for async tests are there. A plain test gets the same by the fixture `streamkit_run`.

pytest loads this module wherever streamkit is installed. So it stands beside the package, imports neither it
nor asyncio before a test asks for them, and hooks into the running of tests only where one bears the mark.
"""

import inspect
import os
import re
import shlex
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import wraps
from types import MethodType
from typing import Any

import pytest

__all__ = ["StreamkitFunction", "streamkit_run"]

MARK = "streamkit"
FIXTURE = "streamkit_run"
OTHERS = frozenset({"anyio", "asyncio", "trio"})
"""Marks of other plugins. They say how a test is run, and this one is run by us."""
_TOKEN = re.compile(r'replay="([^"]+)"')


# the command line ----------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("streamkit", "tests of streams, in virtual time (streamkit)")
    group.addoption(
        "--streamkit-schedules",
        type=_at_least_one,
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


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(f"not a number of schedules: {number}")
    return number


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{MARK}(schedules=1, seed=None, faults=None, replay=None, threads=False, ...): "
        "run this async test by streamkit.testing.run, in virtual time, with these arguments",
    )
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


def together(said: Mapping[str, Any], command: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `run`: what a test says, except where the command line says something else."""
    if "replay" in command:  # the token stands for a schedule, and for what was drawn with it
        said = {name: value for name, value in said.items() if name not in {"schedules", "seed"}}
        return {**said, "replay": command["replay"]}
    if command:
        said = {name: value for name, value in said.items() if name != "replay"}
    return {**said, **command}


# collecting ----------------------------------------------------------------------------------------


class Collecting:
    """Makes the items of marked tests."""

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
            where = f"{collector.nodeid}::{name}"
            pytest.fail(
                f"{where}: the mark {MARK} is for tests that are `async def`; in any other, call the fixture "
                f"{FIXTURE}: {FIXTURE}(main, schedules=1000)",
                pytrace=False,
            )
        return None  # a plain test in a class or module that is marked as a whole

    def _items(self, collector: Any, name: str, function: Callable[..., Any]) -> list[pytest.Item]:
        @wraps(function)
        def plain() -> None:
            """What other plugins see: no `async def`, so nothing of theirs."""

        manager = collector.config.pluginmanager
        if not manager.has_plugin("streamkit-running"):
            manager.register(Running(), "streamkit-running")
        return [StreamkitFunction.instead_of(item) for item in collector._genfunctions(name, plain)]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: Sequence[pytest.Item]) -> None:
        ours = [item for item in items if is_ours(item)]
        manager = config.pluginmanager
        if ours and not manager.has_plugin("streamkit-running"):
            manager.register(Running(), "streamkit-running")
        for item in items:
            if isinstance(item, pytest.Function) and not isinstance(item, StreamkitFunction):
                _refuse_late_mark(item)
        if "replay" in commanded(config) and len(ours) > 1:
            raise pytest.UsageError(
                f"--streamkit-replay runs one test, and {len(ours)} are selected: {ours[0].nodeid}, "
                f"{ours[1].nodeid}{', ...' if len(ours) > 2 else ''}"
            )


def is_ours(item: pytest.Item) -> bool:
    return isinstance(item, StreamkitFunction) or FIXTURE in getattr(item, "fixturenames", ())


def _refuse_late_mark(item: pytest.Function) -> None:
    if item.get_closest_marker(MARK) is not None and inspect.iscoroutinefunction(inspect.unwrap(item.obj)):
        raise pytest.UsageError(
            f"{item.nodeid}: the mark {MARK} came after the test was collected, or by parametrize alone, or "
            "to a method of a unittest.TestCase; decorate the function or its class, or set `pytestmark`"
        )


class StreamkitFunction(pytest.Function):
    """A test that `streamkit.testing.run` runs."""

    options: dict[str, Any]
    """The arguments of `run`, as the mark and the command line say."""
    later: "list[Later]"
    """The async fixtures of this test, in the order in which they are made."""
    begun = False
    """Whether it is too late for more of them."""

    @classmethod
    def instead_of(cls: Any, item: Any) -> "StreamkitFunction":
        """An item with all that pytest has found out for `item`."""
        test: StreamkitFunction = cls.from_parent(
            item.parent,
            name=item.name,
            callspec=getattr(item, "callspec", None),
            fixtureinfo=item._fixtureinfo,
            keywords=item.keywords,
            originalname=item.originalname,
        )
        test.own_markers = item.own_markers
        test.options = together(_said(test), commanded(test.config))
        test.later = []
        function = test.obj

        @wraps(function)
        def plain(**arguments: object) -> object:
            __tracebackhide__ = True
            return test.run_in_virtual_time(function, arguments)

        test.obj = plain
        return test

    def iter_markers_with_node(self, name: str | None = None) -> Iterator[tuple[Any, pytest.Mark]]:
        for node, mark in super().iter_markers_with_node(name):
            if mark.name not in OTHERS:
                yield node, mark

    def setup(self) -> None:
        self.later.clear()
        self.begun = False
        super().setup()

    def run_in_virtual_time(
        self, function: Callable[..., Awaitable[object]], arguments: Mapping[str, object]
    ) -> object:
        __tracebackhide__ = True
        from streamkit.testing import run  # noqa: PLC0415 - see the docstring of this module

        async def main() -> object:
            __tracebackhide__ = True
            async with AsyncExitStack() as stack:
                made: dict[object, object] = {}
                for each in self.later:
                    made[each] = await each.make(made, stack)
                return await function(**_with(made, arguments))

        self.begun = True
        main.__name__, main.__qualname__ = function.__name__, function.__qualname__
        return run(main, **self.options)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A leak, or a deadlock, is told by its message: no line of the test raised it."""
        inside = any(entry.path == self.path for entry in excinfo.traceback)
        if inside or excinfo.value.__cause__ is not None or self.config.getoption("fulltrace"):
            return super().repr_failure(excinfo)
        return excinfo.exconly()


def _said(test: pytest.Function) -> dict[str, Any]:
    """What the marks of a test say, the closest last; wrong arguments fail the collection."""
    from streamkit.testing import run  # noqa: PLC0415

    known = [name for name in inspect.signature(run).parameters if name != "main"]
    said: dict[str, Any] = {}
    for node in test.listchain():
        for mark in node.own_markers:
            if mark.name == MARK:
                if mark.args:
                    wrong = f"takes keyword arguments only, not {mark.args[0]!r}"
                    pytest.fail(f"{test.nodeid}: the mark {MARK} {wrong}", pytrace=False)
                for name in mark.kwargs:
                    if name not in known:
                        wrong = f"has no argument {name!r}; it has {', '.join(known)}"
                        pytest.fail(f"{test.nodeid}: the mark {MARK} {wrong}", pytrace=False)
                said.update(mark.kwargs)
    return said


# async fixtures ------------------------------------------------------------------------------------


class Later:
    """An async fixture of a test in virtual time: made in the loop of the test, anew for each schedule."""

    def __init__(self, function: Callable[..., Any], arguments: Mapping[str, object]) -> None:
        self._function = function
        self._arguments = arguments

    async def make(self, made: Mapping[object, object], stack: AsyncExitStack) -> object:
        """The value of the fixture. What follows its `yield` runs when `stack` is closed."""
        begun = self._function(**_with(made, self._arguments))
        if not inspect.isasyncgenfunction(self._function):
            return await begun
        try:
            value = await anext(begun)
        except StopAsyncIteration:
            raise RuntimeError(f"the fixture {self._function.__qualname__} did not yield") from None
        stack.push_async_callback(self._finish, begun)
        return value

    async def _finish(self, begun: AsyncGenerator[object, None]) -> None:
        async for _ in begun:
            await begun.aclose()
            raise RuntimeError(f"the fixture {self._function.__qualname__} has more than one yield")


def _with(made: Mapping[object, object], arguments: Mapping[str, object]) -> dict[str, object]:
    """The arguments, with the async fixtures among them as they were made."""
    return {name: made[value] if isinstance(value, Later) else value for name, value in arguments.items()}


def _put_off(function: Callable[..., Any], later: list[Later]) -> Callable[..., Later]:
    """A plain fixture instead of an async one."""

    def put_off(*instance: object, **arguments: object) -> Later:
        made = Later(MethodType(function, *instance) if instance else function, arguments)
        later.append(made)
        return made

    return put_off


# running -------------------------------------------------------------------------------------------


class Running:
    """The hooks around the tests of a session that has some of ours."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        if not is_ours(item):
            return (yield)
        with no_real_waiting():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: Any, request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Come before other plugins, which would run async fixtures in a loop of theirs."""
        test = request.node
        if not isinstance(test, StreamkitFunction):
            return (yield)
        function = fixturedef.func
        if not inspect.iscoroutinefunction(function) and not inspect.isasyncgenfunction(function):
            _refuse_later(fixturedef, request)
            return (yield)
        if test.begun:
            late = f"the async fixture {fixturedef.argname!r} is asked for while the test runs"
            pytest.fail(f"{late}; make it an argument of the test", pytrace=False)
        owner = getattr(function, "__self__", None)
        put_off: Any = _put_off(getattr(function, "__func__", function), test.later)
        fixturedef.func = put_off if owner is None else put_off.__get__(owner)
        try:
            return (yield)
        finally:
            fixturedef.func = function

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.failed and call.excinfo is not None and is_ours(item):
            told = how_to_replay(item, call.excinfo.value)
            if told:
                report.sections.append(("streamkit", told))
        return report


def _refuse_later(fixturedef: Any, request: pytest.FixtureRequest) -> None:
    for name in fixturedef.argnames:
        if isinstance(request.getfixturevalue(name), Later):
            pytest.fail(
                f"the fixture {fixturedef.argname!r} uses the async fixture {name!r}, which is made when the "
                f"test runs, in virtual time: make {fixturedef.argname!r} async, too",
                pytrace=False,
            )


@contextmanager
def no_real_waiting() -> Generator[None]:
    """Make `time.sleep` an error where a loop in virtual time runs.

    It spans the whole of a test, its fixtures too: what they replace is put back before our own is.
    """
    real = time.sleep

    @wraps(real)
    def sleep(seconds: Any, /) -> None:
        __tracebackhide__ = True
        if seconds and _in_virtual_time():
            raise RuntimeError(
                f"time.sleep({seconds!r}) stops the loop for real, and virtual time stands still meanwhile: "
                f"await asyncio.sleep({seconds!r}), or await asyncio.to_thread(...) what has to block"
            )
        real(seconds)

    time.sleep = sleep
    try:
        yield
    finally:
        if time.sleep is sleep:
            time.sleep = real


def _in_virtual_time() -> bool:
    """Whether the loop that runs in this thread is one of ours."""
    asyncio, testing = sys.modules.get("asyncio"), sys.modules.get("streamkit.testing")
    if asyncio is None or testing is None:
        return False
    try:
        return isinstance(asyncio.get_running_loop(), testing.VirtualLoop)
    except RuntimeError:
        return False


def how_to_replay(item: pytest.Item, error: BaseException) -> str:
    """What the note of `run` says, and the line to paste; nothing if no schedule was drawn."""
    for note in getattr(error, "__notes__", ()):
        found = _TOKEN.search(note)
        if found is not None:
            path = os.path.relpath(item.path, item.config.invocation_params.dir)
            name = "::".join((path, *item.nodeid.split("::")[1:]))
            line = shlex.join(("pytest", name, "--streamkit-replay", found[1]))
            return f"{note}\nThis schedule again:\n    {line}"
    return ""


@pytest.fixture
def streamkit_run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """`streamkit.testing.run`, with the schedules, the seed or the replay token that the command line gives.

    >>> def test_nothing_is_sold_twice(streamkit_run):
    ...     streamkit_run(main, schedules=1000)
    """
    from streamkit.testing import run  # noqa: PLC0415

    command = commanded(request.config)

    def streamkit_run(main: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        return run(main, **(together(options, command) if callable(main) else options))

    return streamkit_run
