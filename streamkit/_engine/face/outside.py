"""Jobs for code outside of coroutines: what `Job` has from above, and the types of that in `outside.pyi`."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from streamkit._core.lazy import from_door
from streamkit._engine.run.blocking import require_no_loop

__all__ = ["Outside"]

R_co = TypeVar("R_co", covariant=True)


class Outside(Generic[R_co]):
    """What jobs inherit."""

    __slots__ = ()

    _awaited: bool

    def start_in_thread(self, *, name: str | None = None) -> Any:
        """Run in a thread of its own, which has an event loop, and return what hands it items and ends it.

        >>> import streamkit
        >>> from streamkit import Suspend, ops
        >>> job = streamkit.inbox(Suspend(8), of=str) | ops.for_each(print)
        >>> with job.start_in_thread() as running:
        ...     running.put("a")
        a

        Args:
            name: of the thread, by which errors tell it from others.

        Raises:
            RunningLoopError: an event loop runs in this thread; there, ``job.start()``.
        """
        self._awaited = True
        require_no_loop("job.start_in_thread()", "job.start()")
        return from_door("streamkit", "Running")(self, name)
