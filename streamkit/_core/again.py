"""Errors that are raised more than once, each time with the traceback that they were handed over with.

Python adds the frames that an error passes to its traceback, each time that it is raised. An error that many
runs raise would gather the frames of all of them, and keep alive what those hold.
"""

from __future__ import annotations

from types import TracebackType
from typing import NoReturn

__all__ = ["forget_earlier", "origin", "throw"]


def throw(error: BaseException, trace: TracebackType | None) -> NoReturn:
    """Raise `error`, with `trace` for the frames that it has passed so far."""
    raise error.with_traceback(trace)


def origin(error: BaseException) -> TracebackType | None:
    """The traceback that `error` had before it was first thrown here."""
    found = trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is throw.__code__:
            found = trace.tb_next
        trace = trace.tb_next
    return found


def forget_earlier(error: BaseException) -> None:
    """Leave, of the traceback of `error`, what was added since it last passed the frame that caught it now.

    A source that raises one error each time that it is run would add to it for ever.
    """
    newest = trace = error.__traceback__
    while newest is not None and trace is not None and trace.tb_next is not None:
        if trace.tb_next.tb_frame is newest.tb_frame:
            trace.tb_next = None
            return
        trace = trace.tb_next
