"""What can go wrong, as a tree.

    StreamkitError
    ├── BufferOverflowError   (BufferError)    a buffer under ``Fail`` was offered more than it holds
    ├── CarrierError          (RuntimeError)   what keeps items between processes cannot be used
    │   └── CarrierAwayError  (ConnectionError)  it did not answer for as long as it was waited for
    ├── EmitterClosedError    (RuntimeError)   an item was sent to a push source that has ended
    ├── EmptyStreamError      (LookupError)    an item was needed, and there was none
    ├── GraphError            (ValueError)     a graph has mistakes, which it lists
    ├── GroupsFullError       (BufferError)    ``group_by`` met a key more than it may have groups
    ├── LateChangeError       (TimeoutError)   a change of a slot or graph was not done in time
    ├── NoRouteError          (LookupError)    ``route`` met a key for which there is no pipe
    ├── ObservableError       (RuntimeError)   an observable failed without an exception, or goes on
    ├── PackingError          (TypeError)      what a worker needs, or has made, cannot be pickled
    ├── PreparationError      (RuntimeError)   a worker could not be prepared
    ├── RateExceededError     (RuntimeError)   an item came sooner than ``throttle(failing=True)`` allows
    ├── RestartsExceededError (RuntimeError)   a job of a flow has ended more often than it is started again
    ├── RolledBackError       (RuntimeError)   what is new in a slot or graph has failed, and was taken out
    ├── RunningLoopError      (RuntimeError)   a blocking form was called where an event loop runs
    ├── SeveralItemsError     (ValueError)     ``single`` needed the only item and there was another
    ├── SourceConsumedError   (RuntimeError)   a one-shot iterator was run a second time
    ├── StoppedError          (RuntimeError)   a job was awaited after ``handle.stop()``
    ├── StreamTimeoutError    (TimeoutError)   ``timeout`` waited too long for an item
    ├── WorkerCrashedError    (RuntimeError)   a worker has ended in the middle of a call
    ├── WorkerError           (RuntimeError)   an error of a worker, which cannot come here as itself
    └── WorkersClosedError    (RuntimeError)   work was sent to workers that were halted

Each subclasses a builtin error too, so that code which does not import streamkit can catch it. Errors of
callbacks and sources are not wrapped; `attached` lists what failed after them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import FrameType
from typing import Any, Final, TypeAlias, TypeGuard

from streamkit._core.calls import answering
from streamkit._core.show import shown, told

__all__ = [
    "UNCAUGHT",
    "BufferOverflowError",
    "CarrierAwayError",
    "CarrierError",
    "EmitterClosedError",
    "EmptyStreamError",
    "ErrorTypes",
    "GraphError",
    "GroupsFullError",
    "LateChangeError",
    "NoRouteError",
    "ObservableError",
    "PackingError",
    "PreparationError",
    "RateExceededError",
    "RestartsExceededError",
    "RolledBackError",
    "RunningLoopError",
    "SeveralItemsError",
    "SourceConsumedError",
    "StoppedError",
    "StreamTimeoutError",
    "StreamkitError",
    "WorkerCrashedError",
    "WorkerError",
    "WorkersClosedError",
    "attach",
    "attached",
    "error_types",
    "is_error_types",
    "noted",
    "notes",
    "raise_first",
    "replaces_cancellation",
    "set_cause",
]


class StreamkitError(Exception):
    """The root of every error that streamkit itself raises at run time."""


class BufferOverflowError(StreamkitError, BufferError):
    """A buffer whose strategy is ``Fail`` was full and was offered one more item."""


class CarrierError(StreamkitError, RuntimeError):
    """A carrier of `streamkit.durable` cannot be used: its disk is full, its file is locked or no database.

    What was not stored is not acknowledged, and what was not acknowledged is handed out again.
    """


class CarrierAwayError(CarrierError, ConnectionError):
    """A carrier did not answer for as long as it was waited for: its server is gone, its file is locked."""


class EmitterClosedError(StreamkitError, RuntimeError):
    """An item was sent to a push source that was closed, has failed, or whose consumer has left."""


class EmptyStreamError(StreamkitError, LookupError):
    """A sink such as ``first``, or ``element_at``, needed an item, had no default, and there was none."""


class GraphError(StreamkitError, ValueError):
    """A graph of `streamkit.graph` has mistakes, or what it was given at its start does not fit it."""

    def __init__(self, words: str, mistakes: tuple[Any, ...] = ()) -> None:
        super().__init__(words, mistakes)
        self.mistakes = mistakes
        """Each as `streamkit.graph.Mistake`."""

    def __str__(self) -> str:
        return str(self.args[0])


class GroupsFullError(StreamkitError, BufferError):
    """An item of a new key came to ``group_by`` when it had as many groups as it may have."""


class LateChangeError(StreamkitError, TimeoutError):
    """A change of a slot, or of a graph that runs, was not done in time: it was taken back, or goes on."""


class NoRouteError(StreamkitError, LookupError):
    """An item came to ``route`` whose key has no pipe, and there is no ``otherwise``."""


class SourceConsumedError(StreamkitError, RuntimeError):
    """A one-shot iterator was run twice; pass a callable that makes a fresh one to run again."""


class ObservableError(StreamkitError, RuntimeError):
    """An observable failed with something that is no exception, or still emits after its disposal."""


class PackingError(StreamkitError, TypeError):
    """A function, an item or a result cannot be pickled, so it cannot be sent to a worker, or back."""


class PreparationError(StreamkitError, RuntimeError):
    """A worker ended before it was prepared, took too long, or what was prepared cannot be called."""


class RateExceededError(StreamkitError, RuntimeError):
    """An item came sooner than the rate of ``throttle(failing=True)`` allows."""


class RestartsExceededError(StreamkitError, RuntimeError):
    """A job of a flow, which is to run for ever, has come to its end more often than it is started again."""


class RolledBackError(StreamkitError, RuntimeError):
    """What is new in a slot, or a graph, has failed with one of its first items; what was there is again."""


class RunningLoopError(StreamkitError, RuntimeError):
    """A form that starts an event loop was called in a thread where one is running."""


class SeveralItemsError(StreamkitError, ValueError):
    """``single`` needed the only item of a stream, and the stream had another."""


class StoppedError(StreamkitError, RuntimeError):
    """The job was ended by ``handle.stop()``, so it has no result."""


class StreamTimeoutError(StreamkitError, TimeoutError):
    """No item came within the seconds that ``timeout`` allows."""


class WorkerError(StreamkitError, RuntimeError):
    """What went wrong in a worker and cannot come here as itself; ``__cause__`` has the traceback there."""


class WorkerCrashedError(StreamkitError, RuntimeError):
    """A worker ended in the middle of a call: it was killed, it left by itself, or memory ran out."""

    def __init__(self, *words: object, exit_code: int | None = None, worker: int | None = None) -> None:
        super().__init__(*words)
        self.exit_code = exit_code
        """What its process ended with: below 0 for a signal; None if nobody knows."""
        self.worker = worker
        """The index of the worker."""

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), exit_code=self.exit_code, worker=self.worker), self.args


class WorkersClosedError(StreamkitError, RuntimeError):
    """Work was sent to workers that were halted, or was under way when they were."""


ErrorTypes: TypeAlias = type[Exception] | tuple[type[Exception], ...]
"""What `isinstance` takes, to say which errors are meant."""
UNCAUGHT: Final = (RecursionError, SourceConsumedError)
"""Errors of the program, which no operator takes: to go on after them would lose items, and never end."""


def is_error_types(value: object) -> TypeGuard[ErrorTypes]:
    """Whether `value` is a type of Exception, or a tuple of them."""
    types: tuple[object, ...] = value if isinstance(value, tuple) else (value,)  # pyright: ignore[reportUnknownVariableType] - of anything
    return all(isinstance(each, type) and issubclass(each, Exception) for each in types)


def error_types(name: str, value: object, allowed: str) -> ErrorTypes:
    """Return `value` if it is the types of errors that an operator may take."""
    if not is_error_types(value):
        raise TypeError(f"{name} must be {allowed}, not {shown(value)}")
    for each in value if isinstance(value, tuple) else (value,):
        if issubclass(each, UNCAUGHT):
            raise ValueError(f"{name} must not have {each.__name__}: no operator catches that")
    return value


_ATTACHED: Final = "__streamkit_attached__"
_NOTES: Final = "__notes__"
_attributes: Callable[[BaseException], dict[str, Any]] = vars(BaseException)["__dict__"].__get__
"""The attributes of an error, read and set without a call of what its class has made of that.

A frozen dataclass refuses attributes, and a ``__getattr__`` may answer for those that nobody has set.
"""


set_cause: Callable[[BaseException, BaseException | None], None] = vars(BaseException)["__cause__"].__set__
"""Sets it in errors, too, of which no attribute can be set."""


def attach(error: BaseException, late: BaseException) -> None:
    """Attach `late`, which came after `error`, to `error`: `attached` lists it, and a note tells of it."""
    if late is error:
        return
    others: list[BaseException] = _attributes(error).setdefault(_ATTACHED, [])
    if any(other is late for other in others):
        return
    others.append(late)
    _note(error, f"then failed too: {told(late)}")


def noted(error: BaseException, note: str) -> None:
    """Put `note` on `error`, if it has none that says the same; no code of the error's class runs."""
    if note not in notes(error):
        _note(error, note)


def notes(error: BaseException) -> list[str]:
    """The notes on `error`; no code of its class runs."""
    found: Any = _attributes(error).get(_NOTES, ())
    return [each for each in found if type(each) is str] if type(found) is list else []  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - of any items


def _note(error: BaseException, note: str) -> None:
    """As ``error.add_note``, which a class may refuse. What the user has set there, and is no list, stays."""
    notes: Any = _attributes(error).setdefault(_NOTES, [])
    if type(notes) is list:
        notes.append(note)  # pyright: ignore[reportUnknownMemberType] - a list of whatever a user put there


def replaces_cancellation(error: BaseException) -> bool:
    """Whether the task was cancelled, and a clean-up on the way has raised `error` instead.

    No operator makes anything of such an error: the cancellation would be lost. An error that was raised
    `from` a cancellation is meant to replace it, as a timeout does. And what a task reads in the clean-up
    after its own cancellation may fail as anything: that cancellation came from outside of `error`'s frames.
    """
    task = None if asyncio._get_running_loop() is None else asyncio.current_task()
    if task is None or not task.cancelling():
        return False
    each: BaseException | None = error
    while each is not None and not each.__suppress_context__:
        each = each.__context__
        if isinstance(each, asyncio.CancelledError) and each.__traceback__ is not None:
            return any(frame is each.__traceback__.tb_frame for frame in _frames(error))
    return False


def _frames(error: BaseException) -> Iterator[FrameType]:
    """The frames that `error` has come through, the outermost first."""
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def raise_first(errors: Sequence[BaseException]) -> None:
    """Raise the first of `errors`, if there is one, with the others attached."""
    if errors:
        first, *others = errors
        for late in others:
            attach(first, late)
        raise first


@answering
def attached(error: BaseException) -> tuple[BaseException, ...]:
    """The errors of siblings and of clean-up that came after `error`, in the order they came.

    >>> first, second = ValueError("first"), OSError("second")
    >>> attach(first, second)
    >>> attached(first)
    (OSError('second'),)
    """
    return tuple(_attributes(error).get(_ATTACHED, ()))
