"""What came of one run, and whether two runs failed in the same way.

>>> def fail(value: object) -> Outcome:
...     try:
...         return Outcome([1, 2].index(value), None, Course(), 0)
...     except ValueError as error:
...         return Outcome(None, error, Course(), 0)
>>> signature(fail(3).error) == signature(fail(4).error)
True
"""

import asyncio
import os
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from streamkit.testing.leaks import LeakError
from streamkit.testing.schedules.course import Course
from streamkit.testing.waits import DeadlockError

__all__ = ["Outcome", "ScheduleError", "Signature", "is_verdict", "signature"]


class ScheduleError(AssertionError):
    """A schedule cannot be run again as it was, or not all of them can be run.

    Either `main` is not deterministic: it does other things although all runs in the same order. Threads and
    files do that, and the order of a set of objects, which is that of their addresses: so does
    `asyncio.as_completed`, if it is given coroutines and not tasks. Or `main` has changed since a token was
    made.

    >>> import asyncio
    >>> from streamkit.testing import ScheduleError, run
    >>> async def main() -> None:
    ...     await asyncio.sleep(1.0)
    >>> try:
    ...     run(main, replay="v1:7~0:00000000")
    ... except ScheduleError as error:
    ...     print(str(error).partition(":")[0])
    the schedule does not fit
    """


@dataclass(slots=True)
class Outcome:
    """The result or the error of one run, the course that it took, and how many callbacks it had."""

    result: Any
    error: BaseException | None
    course: Course
    callbacks: int


Signature = tuple[object, ...]

_HERE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_ASYNCIO: Final = os.path.dirname(os.path.abspath(asyncio.__file__))


def signature(error: BaseException | None) -> Signature:
    """What two errors of one cause have in common: the type, and the last line outside of asyncio."""
    if error is None:
        return ()
    if isinstance(error, BaseExceptionGroup):
        return type(error), *signature(error.exceptions[0])  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(error, (LeakError, DeadlockError)):
        return (type(error),)
    return type(error), *_last_line(error.__traceback__)


def _last_line(trace: TracebackType | None) -> tuple[object, ...]:
    found: tuple[object, ...] = ()
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if not name.startswith((_ASYNCIO, _HERE)):
            found = name, trace.tb_lineno
        trace = trace.tb_next
    return found


def _skips(kind: type) -> bool:
    """Whether unittest or hypothesis leaves a test by such an error; neither is imported for it."""
    module = kind.__module__.partition(".")[0]
    return module == "hypothesis" or (module == "unittest" and kind.__name__ == "SkipTest")


def is_verdict(error: BaseException) -> bool:
    """Whether it says that `main` failed; not if it ends the program, or skips a test."""
    group: Any = error
    if any(_skips(kind) for kind in type(error).__mro__):
        return False
    if isinstance(error, BaseExceptionGroup):
        return group.subgroup((KeyboardInterrupt, SystemExit)) is None
    if isinstance(error, (Exception, asyncio.CancelledError)):
        return True
    return type(error).__name__ == "Failed"  # what `pytest.fail` raises
