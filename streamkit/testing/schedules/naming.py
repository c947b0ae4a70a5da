"""Names of callbacks that are ready, for those who read which one went before which.

>>> import asyncio
>>> from streamkit.testing import run
>>> async def main() -> None:
...     loop = asyncio.get_running_loop()
...     handle = loop.call_soon(print, "called")
...     print(name_of(handle))
...     handle.cancel()
>>> run(main)
print()
"""

import asyncio
from functools import partial
from types import BuiltinMethodType, MethodType
from typing import Any, Final

from streamkit._core.show import cut, shown
from streamkit.testing.timers import Timer

__all__ = ["name_of", "task_name", "task_of"]

_STEPS: Final = {"task_wakeup", "__step", "__wakeup"}
_TASKS: Final[tuple[type, ...]] = (asyncio.Task, getattr(asyncio.tasks, "_PyTask", asyncio.Task))


def task_of(callback: Any) -> "asyncio.Task[Any] | None":
    """The task of which `callback` is a step; None if it is something else, such as its `cancel`.

    Tasks in C and in Python name their steps differently; a first step and one after a yield have, in C, a
    type of their own, which Python does not export.
    """
    kind = type(callback)
    if kind.__name__ == "TaskStepMethWrapper":
        return callback.__self__  # type: ignore[no-any-return]
    if (kind is MethodType or kind is BuiltinMethodType) and callback.__name__ in _STEPS:
        owner = callback.__self__
        return owner if isinstance(owner, _TASKS) else None
    return None


def name_of(handle: Any) -> str:
    """What is called: the name of a task and of its coroutine, or of a function."""
    callback = handle._callback
    task = task_of(callback)
    if task is not None:
        return task_name(task)
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, Timer):
        return f"the timer {_called(getattr(owner, '_callback', None), getattr(owner, '_args', None))}"
    return _called(callback, handle._args)


def task_name(task: "asyncio.Task[Any]") -> str:
    """The name of a task, and of the coroutine that it runs."""
    coroutine = task.get_coro()
    called = getattr(coroutine, "__qualname__", None) or shown(coroutine)
    return f"task {task.get_name()!r} ({called.removeprefix('<locals>.').replace('<locals>.', '')})"


def _called(callback: Any, arguments: Any) -> str:
    while isinstance(callback, partial):
        callback = callback.func
    name = getattr(callback, "__qualname__", None)
    if not isinstance(name, str):
        name = shown(callback)
    of = next((each for each in arguments or () if isinstance(each, asyncio.Task)), None)
    return cut(name.replace("<locals>.", "") + "()") + ("" if of is None else f" of task {of.get_name()!r}")
