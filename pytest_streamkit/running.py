"""Hooks around the tests of a session that has some of ours: no real waiting, how a failure comes again."""

import asyncio
import inspect
import os
import re
import shlex
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import pytest

from pytest_streamkit import FIXTURE, MARK
from pytest_streamkit.item import Later, StreamkitFunction, put_off
from streamkit.testing import VirtualLoop

__all__ = ["Running", "how_to_replay", "no_real_waiting"]

_FOUND = re.compile(r'failed in (.*?seed \d+).*replay="([^"]+)"', re.DOTALL)
"""What a note of `run` says of the schedule in which it failed."""


class Running:
    """The hooks around the tests of a session that has some of ours."""

    refused: dict[pytest.Item, str]
    """Tests that cannot be run as they are to be, and why."""

    def __init__(self) -> None:
        self.refused = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if item in self.refused:
            pytest.fail(self.refused[item], pytrace=False)

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
        if test.runs:
            late = f"the async fixture {fixturedef.argname!r} is asked for while the test runs"
            pytest.fail(f"{late}; make it an argument of the test", pytrace=False)
        owner = getattr(function, "__self__", None)
        instead: Any = put_off(getattr(function, "__func__", function), test.later)
        fixturedef.func = instead if owner is None else instead.__get__(owner)
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


def is_ours(item: pytest.Item) -> bool:
    return isinstance(item, StreamkitFunction) or FIXTURE in getattr(item, "fixturenames", ())


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
    try:
        return isinstance(asyncio.get_running_loop(), VirtualLoop)
    except RuntimeError:
        return False


def how_to_replay(item: pytest.Item, error: BaseException) -> str:
    """The seed, the token and the lines to paste, out of the note of `run`; nothing where it has none."""
    found = _FOUND.search("\n".join(getattr(error, "__notes__", ())))
    if found is None:
        return ""
    path = os.path.relpath(item.path, item.config.invocation_params.dir)
    name = "::".join((path, *item.nodeid.split("::")[1:]))
    line = shlex.join(("pytest", name, "--streamkit-replay", found[2]))
    kept = f'\nor, in the test:\n    @pytest.mark.{MARK}(replay="{found[2]}")'
    return (
        f"{found[1]}; this schedule again:\n    {line}{kept if isinstance(item, StreamkitFunction) else ''}"
    )
