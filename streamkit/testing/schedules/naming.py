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
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import BuiltinMethodType, CodeType, FunctionType, MethodType
from typing import Any, Final

from streamkit._core.show import cut, shown
from streamkit.testing.timers import Timer
from streamkit.testing.waits import codes

__all__ = ["name_of", "task_name", "task_of"]

Number = Callable[["asyncio.Task[Any]"], int | None]

_GIVEN: Final = re.compile(r"Task-\d+")
_NAMED: Final = (FunctionType, MethodType, BuiltinMethodType, type)
"""What has a name for certain; to ask any other object runs code of users."""
_STEPS: Final = {"task_wakeup", "__step", "__wakeup"}
_INNER: Final = (os.path.dirname(asyncio.__file__), str(Path(__file__).parents[2]), "<streamkit ")
"""Where the code is that nobody who reads of a schedule has written."""
_WAKES_A_SLEEPER: Final[object] = vars(asyncio.futures)["_set_result_unless_cancelled"]
"""What the timer of `asyncio.sleep` calls."""
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
    owner: Any = callback.__self__ if type(callback) is MethodType else None
    if isinstance(owner, Timer):
        timer: Any = owner  # what is in it is private
        if timer._callback is _WAKES_A_SLEEPER:
            return _sleep(timer._args[0], number)
        return f"the timer of {_called(timer._callback, timer._args, number)}"
    return _called(callback, handle._args, number)


def task_name(task: "asyncio.Task[Any]", number: Number) -> str:
    """The name of a task, and the function of its coroutine; of ours, what it runs for others.

    A name that asyncio gave it would be another one in the next run, so its number in this run stands there.
    """
    coroutine = task.get_coro()
    function = getattr(coroutine, "__qualname__", None)
    called = _short(function) if isinstance(function, str) else shown(coroutine)
    if _is_inner(getattr(coroutine, "cr_code", None)):
        called = next((_short(code.co_qualname) for code in codes(coroutine) if not _is_inner(code)), called)
    name: object = task.get_name()
    if _GIVEN.fullmatch(str(name)):
        made = number(task)
        return f"task {called}" if made is None else f"task {made} ({called})"
    return f"task {shown(name)} ({called})"


def _called(callback: Any, arguments: Any, number: Number) -> str:
    while type(callback) is partial:
        callback = callback.func
    called = cut(_short(callback.__qualname__)) if isinstance(callback, _NAMED) else shown(callback)
    of: list[Any] = [each for each in arguments or () if isinstance(each, asyncio.Task)]
    return f"{called}({task_name(of[0], number)})" if of else f"{called}()"


def _sleep(future: Any, number: Number) -> str:
    """Whose sleep it is that the result of `future` ends."""
    sleepers = [task for callback, _ in future._callbacks or () if (task := task_of(callback)) is not None]
    return f"the sleep of {task_name(sleepers[0], number)}" if sleepers else "a sleep"


def _is_inner(code: CodeType | None) -> bool:
    return code is not None and code.co_filename.startswith(_INNER)


def _short(name: str) -> str:
    return name.replace("<locals>.", "")
