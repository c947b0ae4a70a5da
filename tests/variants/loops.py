"""Event loops of other kinds, for all tests, by `pytest --loop eager` and `--loop debug`, or for one test.

`make variants` runs the laws under each. Development mode is no matter of the loop but of the interpreter:
`PYTHONDEVMODE=1 PYTHONWARNINGS=error`, which workers inherit, unlike `-X dev -W error`.
"""

import asyncio
import gc
import os
import sys
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any, TypeVar
from unittest.mock import patch

__all__ = ["KINDS", "loops_of", "play_on"]

T = TypeVar("T")

DEBUG = "PYTHONASYNCIODEBUG"
"""The environment variable that every event loop reads when it is made, as `asyncio.run` does."""


@contextmanager
def _usual() -> Iterator[None]:
    yield


@contextmanager
def _debug() -> Iterator[None]:
    """Each loop in debug mode, as `asyncio.run(debug=True)` sets it."""
    with patch.dict(os.environ, {DEBUG: "1"}):
        yield


@contextmanager
def _eager() -> Iterator[None]:
    """On each loop, tasks run to their first wait where they are made.

    Python 3.13 names a task "None" that a factory has made, so those that have no name get one here:
    tests tell the order by it in which tasks were made.
    """
    if sys.version_info < (3, 12):
        raise ValueError("tasks can be eager from Python 3.12 on")
    numbers = count(1)
    make, begin = BaseEventLoop.create_task, BaseEventLoop.__init__

    def init(self: Any) -> None:
        begin(self)
        self.set_task_factory(asyncio.eager_task_factory)

    def create_task(self: Any, coro: Any, *, name: str | None = None, context: Any = None) -> Any:
        return make(self, coro, name=name or f"Task-{next(numbers)}", context=context)

    with (
        patch.object(BaseEventLoop, "__init__", init),
        patch.object(BaseEventLoop, "create_task", create_task),
    ):
        yield


KINDS: dict[str, Callable[[], Any]] = {"usual": _usual, "debug": _debug, "eager": _eager}


def loops_of(kind: str) -> ExitStack:
    """Entered: every event loop made from now on is of that kind, until `close`.

    Raises:
        ValueError: there is none of that kind in this version of Python.
    """
    stack = ExitStack()
    stack.enter_context(KINDS[kind]())
    return stack


class Left(AssertionError):  # noqa: N818
    """What a run on a loop in real time has left behind."""


def play_on(make: Callable[[], asyncio.AbstractEventLoop], main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main` on a loop that `make` makes; fail if it leaves a task, or an error that nobody has seen.

    As `streamkit.testing.run` does on a loop of its own; here time is real, so nothing must wait for any.
    """
    told: list[dict[str, Any]] = []

    async def watched() -> T:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context))
        result = await main()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            raise Left(f"tasks that main has left: {left}")
        return result

    with asyncio.Runner(loop_factory=make) as runner:
        result = runner.run(watched())
        gc.collect(1)  # what nobody has retrieved is told when it is collected
    if told:
        raise Left(f"what nobody has seen: {told}")
    return result
