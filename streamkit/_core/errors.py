"""What can go wrong, as a tree.

    StreamkitError
    ├── BufferOverflowError   (BufferError)    a buffer under ``Fail`` was offered more than it holds
    ├── EmitterClosedError    (RuntimeError)   an item was sent to a push source that has ended
    ├── EmptyStreamError      (LookupError)    a sink needed an item and there was none
    ├── GroupsFullError       (BufferError)    ``group_by`` met a key more than it may have groups
    ├── ObservableError       (RuntimeError)   an observable failed without an exception, or goes on
    ├── RateExceededError     (RuntimeError)   an item came sooner than ``throttle(failing=True)`` allows
    ├── RunningLoopError      (RuntimeError)   a blocking form was called where an event loop runs
    ├── SourceConsumedError   (RuntimeError)   a one-shot iterator was run a second time
    ├── StoppedError          (RuntimeError)   a job was awaited after ``handle.stop()``
    └── StreamTimeoutError    (TimeoutError)   ``timeout`` waited too long for an item

Each subclasses a builtin error too, so that code which does not import streamkit can catch it. Errors of
callbacks and sources are not wrapped; `attached` lists what failed after them.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "BufferOverflowError",
    "EmitterClosedError",
    "EmptyStreamError",
    "GroupsFullError",
    "ObservableError",
    "RateExceededError",
    "RunningLoopError",
    "SourceConsumedError",
    "StoppedError",
    "StreamTimeoutError",
    "StreamkitError",
    "attach",
    "attached",
    "raise_first",
]


class StreamkitError(Exception):
    """The root of every error that streamkit itself raises at run time."""


class BufferOverflowError(StreamkitError, BufferError):
    """A buffer whose strategy is ``Fail`` was full and was offered one more item."""


class EmitterClosedError(StreamkitError, RuntimeError):
    """An item was sent to a push source that was closed, has failed, or whose consumer has left."""


class EmptyStreamError(StreamkitError, LookupError):
    """A sink such as ``first`` or ``last`` needed an item, had no default, and the stream had none."""


class GroupsFullError(StreamkitError, BufferError):
    """An item of a new key came to ``group_by`` when it had as many groups as it may have."""


class SourceConsumedError(StreamkitError, RuntimeError):
    """A one-shot iterator was run twice; pass a callable that makes a fresh one to run again."""


class ObservableError(StreamkitError, RuntimeError):
    """An observable failed with something that is no exception, or still emits after its disposal."""


class RateExceededError(StreamkitError, RuntimeError):
    """An item came sooner than the rate of ``throttle(failing=True)`` allows."""


class RunningLoopError(StreamkitError, RuntimeError):
    """A form that starts an event loop was called in a thread where one is running."""


class StoppedError(StreamkitError, RuntimeError):
    """The job was ended by ``handle.stop()``, so it has no result."""


class StreamTimeoutError(StreamkitError, TimeoutError):
    """No item came within the seconds that ``timeout`` allows."""


def attach(error: BaseException, late: BaseException) -> None:
    """Attach `late`, which came after `error`, to `error`: `attached` lists it, and a note tells of it."""
    if late is error:
        return
    others: list[BaseException] | None = getattr(error, "__streamkit_attached__", None)
    if others is None:
        others = []
        error.__streamkit_attached__ = others  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    if any(other is late for other in others):
        return
    others.append(late)
    error.add_note(f"then failed too: {type(late).__name__}: {late}")


def raise_first(errors: Sequence[BaseException]) -> None:
    """Raise the first of `errors`, if there is one, with the others attached."""
    if errors:
        first, *others = errors
        for late in others:
            attach(first, late)
        raise first


def attached(error: BaseException) -> tuple[BaseException, ...]:
    """The errors of siblings and of clean-up that came after `error`, in the order they came.

    >>> first, second = ValueError("first"), OSError("second")
    >>> attach(first, second)
    >>> attached(first)
    (OSError('second'),)
    """
    return tuple(getattr(error, "__streamkit_attached__", ()))
