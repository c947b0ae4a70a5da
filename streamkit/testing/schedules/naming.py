"""Names of callbacks that are ready, for those who read which one went before which.

>>> import asyncio
>>> from streamkit.testing import run
>>> async def main() -> None:
...     loop = asyncio.get_running_loop()
...     handle = loop.call_soon(print, "called")
...     print(name_of(handle, lambda task: None))
...     handle.cancel()
>>> run(main)
print()
"""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from types import BuiltinMethodType, MethodType
from typing import Any, Final

from streamkit._core.show import cut, shown
from streamkit.testing.timers import Timer

__all__ = ["name_of", "task_name", "task_of"]

Number = Callable[["asyncio.Task[Any]"], int | None]

_GIVEN: Final = re.compile(r"Task-\d+")
_STEPS: Final = {"task_wakeup", "__step", "__wakeup"}
_TASKS: Final[tuple[type, ...]] = (asyncio.Task, getattr(asyncio.tasks, "_PyTask", asyncio.Task))


def task_of(callback: object) -> "asyncio.Task[Any] | None":
    """The task of which `callback` is a step; None if it is something else, such as its `cancel`.

    Tasks in C and in Python name their steps differently; a first step and one after a yield have, in C, a
    type of their own, which Python does not export.
    """
    kind = type(callback)
    bound: Any = callback
    if kind.__name__ == "TaskStepMethWrapper":
        step: asyncio.Task[Any] = bound.__self__
        return step
    if (kind is MethodType or kind is BuiltinMethodType) and bound.__name__ in _STEPS:
        owner: Any = bound.__self__
        return owner if isinstance(owner, _TASKS) else None  # type: ignore[return-value]
    return None


def name_of(handle: Any, number: Number) -> str:
    """What is called: a task and its coroutine, or a function. `number` says the numbers of tasks."""
    callback = handle._callback
    task = task_of(callback)
    if task is not None:
        return task_name(task, number)
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, Timer):
        return f"the timer of {_called(_private(owner, '_callback'), _private(owner, '_args'), number)}"
    return _called(callback, handle._args, number)


def task_name(task: "asyncio.Task[Any]", number: Number) -> str:
    """The name of a task, and the function of its coroutine.

    A name that asyncio gave it would be another one in the next run, so its number in this run stands there.
    """
    coroutine = task.get_coro()
    function = getattr(coroutine, "__qualname__", None)
    called = _short(function) if isinstance(function, str) else shown(coroutine)
    name: object = task.get_name()
    if _GIVEN.fullmatch(str(name)):
        made = number(task)
        return f"task {called}" if made is None else f"task {made} ({called})"
    return f"task {shown(name)} ({called})"


def _private(handle: Any, name: str) -> Any:
    """What is private in a handle."""
    return getattr(handle, name, None)


def _called(callback: Any, arguments: Any, number: Number) -> str:
    while isinstance(callback, partial):
        callback = callback.func
    name = getattr(callback, "__qualname__", None)
    called = cut(_short(name)) if isinstance(name, str) else shown(callback)
    of: list[Any] = [each for each in arguments or () if isinstance(each, asyncio.Task)]
    return f"{called}({task_name(of[0], number)})" if of else f"{called}()"


def _short(name: str) -> str:
    return name.replace("<locals>.", "")
