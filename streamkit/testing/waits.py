"""What tasks wait for: the calls that lead from a task to what it awaits, in words."""

import asyncio
import gc
import os
from collections.abc import Iterator
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType
from typing import Any

__all__ = ["DeadlockError", "LivelockError", "codes", "task_line", "tasks", "trail"]


class DeadlockError(RuntimeError):
    """Nothing is ready, no timer is set, and no thread is expected to wake the loop.

    `waiting` has a line for each task: its name, and the calls that lead to what it waits for.

    >>> import asyncio
    >>> from streamkit.testing import DeadlockError, run
    >>> async def main() -> None:
    ...     await asyncio.Event().wait()
    >>> try:
    ...     run(main)
    ... except DeadlockError as error:
    ...     print(len(error.waiting), "Event.wait" in error.waiting[0])
    1 True
    """

    def __init__(self, message: str, waiting: tuple[str, ...] = ()) -> None:
        super().__init__("\n  ".join((message, *waiting)))
        self.waiting = waiting


class LivelockError(DeadlockError):
    """A program runs and runs, and does not end: so many callbacks of it were called in vain.

    Where `run` tries schedules, one in which `main` does not end raises it: the first after a million
    callbacks, another after 20,000 and a hundred times those of the first.

    >>> import asyncio
    >>> from streamkit.testing import LivelockError, run
    >>> async def main() -> None:
    ...     said = []
    ...     async def say(word: str) -> None:
    ...         said.append(word)
    ...     await asyncio.gather(say("one"), say("two"))
    ...     while said == ["two", "one"]:
    ...         await asyncio.sleep(0)
    >>> try:
    ...     run(main, schedules=10, seed=1)
    ... except LivelockError as error:
    ...     print(str(error).partition(" after")[0])
    main has not ended
    """


def tasks(loop: asyncio.AbstractEventLoop) -> list[asyncio.Task[Any]]:
    """The tasks that are not done. Default names (``Task-7``) put them in the order they were made."""
    return sorted(asyncio.all_tasks(loop), key=lambda task: (len(task.get_name()), task.get_name()))


def task_line(task: asyncio.Task[Any]) -> str:
    return f"{task.get_name()!r}: {' > '.join(trail(task.get_coro())) or repr(task.get_coro())}"


def trail(awaitable: object) -> list[str]:
    """The calls from `awaitable` down to what it waits for."""
    places: list[str] = []
    for each in _chain(awaitable):
        code, frame, _ = _look_into(each)
        if isinstance(each, asyncio.Task):
            places.append(f"task {each.get_name()!r}")
        elif code is not None and frame is not None:
            places.append(f"{code.co_qualname} ({os.path.basename(code.co_filename)}:{frame.f_lineno})")
    return places


def codes(awaitable: object) -> Iterator[CodeType]:
    """The code of each of those calls."""
    for each in _chain(awaitable):
        code, _, _ = _look_into(each)
        if code is not None:
            yield code


def _chain(awaitable: object) -> Iterator[object]:
    """What is awaited, one by the other; the last is a future, if it waits for one."""
    seen: set[int] = set()
    while awaitable is not None and id(awaitable) not in seen:
        seen.add(id(awaitable))
        yield awaitable
        if asyncio.isfuture(awaitable):
            return
        _, _, awaitable = _look_into(awaitable)


def _look_into(awaitable: object) -> tuple[CodeType | None, FrameType | None, object]:
    """Code and frame of `awaitable`, and what it awaits."""
    if isinstance(awaitable, CoroutineType):
        return awaitable.cr_code, awaitable.cr_frame, awaitable.cr_await
    if isinstance(awaitable, AsyncGeneratorType):
        return awaitable.ag_code, awaitable.ag_frame, awaitable.ag_await
    # Pyright would narrow `awaitable` to a generator of unknown types; `outer` stays an object.
    outer = awaitable
    if isinstance(awaitable, GeneratorType):
        return awaitable.gi_code, awaitable.gi_frame, getattr(outer, "gi_yieldfrom", None)
    # `anext(async_generator)` returns an object whose generator only the garbage collector can see.
    inner: list[object] = [held for held in gc.get_referents(awaitable) if isinstance(held, _AWAITED)]
    return None, None, inner[0] if inner else None


_AWAITED = (CoroutineType, AsyncGeneratorType, GeneratorType, asyncio.Future)
