"""A marked test, as pytest sees it: no async function, so that other plugins leave it alone.

Its async fixtures are not made when pytest makes fixtures, but in the loop of the test, in each schedule.
"""

import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from functools import wraps
from types import MethodType
from typing import Any

import pytest
from _pytest.logging import LogCaptureHandler  # the kind that `caplog.handler` is

from pytest_streamkit.arguments import options_of
from streamkit.testing import run

__all__ = ["Later", "StreamkitFunction", "put_off"]

OTHERS = frozenset({"anyio", "asyncio", "trio"})
"""Marks of other plugins. They say how a test is run, and this one is run by us."""


class StreamkitFunction(pytest.Function):
    """A test that `streamkit.testing.run` runs."""

    options: dict[str, Any]
    """The arguments of `run`, as the mark and the command line say."""
    later: "list[Later]"
    """The async fixtures of this test, in the order in which they are made."""
    runs: int
    """How many schedules were begun."""

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
        test.options = options_of(test)
        test.later, test.runs = [], 0
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
        self.runs = 0
        super().setup()

    def run_in_virtual_time(
        self, function: Callable[..., Awaitable[object]], arguments: Mapping[str, object]
    ) -> object:
        __tracebackhide__ = True

        async def main() -> object:
            __tracebackhide__ = True
            self.runs += 1
            if self.runs > 1:
                forget_output(self.config)
            async with AsyncExitStack() as stack:
                made: dict[object, object] = {}
                for each in self.later:
                    made[each] = await each.make(made, stack)
                return await function(**_with(made, arguments))

        main.__name__, main.__qualname__ = function.__name__, function.__qualname__
        return run(main, **self.options)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A leak, or a deadlock, is told by its message: no line of the test raised it."""
        inside = any(entry.path == self.path for entry in excinfo.traceback)
        if inside or excinfo.value.__cause__ is not None or self.config.getoption("fulltrace"):
            return super().repr_failure(excinfo)
        return excinfo.exconly()


def forget_output(config: pytest.Config) -> None:
    """Forget what was printed and logged so far: a report is to show the schedule that failed, no other."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LogCaptureHandler):
            handler.clear()
    captured: Any = config.pluginmanager.getplugin("capturemanager")
    if captured is not None and captured.is_globally_capturing():
        captured.suspend_global_capture()
        captured.read_global_capture()
        captured.resume_global_capture()


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


def put_off(function: Callable[..., Any], later: list[Later]) -> Callable[..., Later]:
    """A plain fixture instead of an async one."""

    def later_value(*instance: object, **arguments: object) -> Later:
        made = Later(MethodType(function, *instance) if instance else function, arguments)
        later.append(made)
        return made

    return later_value
