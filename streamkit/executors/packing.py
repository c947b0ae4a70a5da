"""What goes to a worker and back, as bytes: items, results and errors.

We pickle them ourselves, so that whoever carries them (a socket, an executor, a cluster) sees bytes only, and
what cannot be pickled is an error of that function, that item or that result, and of nothing beside it.
"""

from __future__ import annotations

from pickle import HIGHEST_PROTOCOL, PicklingError, dumps, loads
from traceback import format_exception
from typing import Any, Final

from streamkit._core.errors import PackingError, WorkerError, noted, set_cause
from streamkit._core.markers import ABSENT
from streamkit._core.show import shown, told
from streamkit._core.workers import NoResult, Outcomes, error_told
from streamkit.executors.cloudpickle import by_value

__all__ = [
    "RemoteTraceback",
    "Unread",
    "garbled",
    "pack",
    "pack_error",
    "pack_far",
    "pack_outcomes",
    "unpack",
    "unpack_error",
    "unpack_outcomes",
]

_SCRIPT: Final = b"__main__"


class Unread(Exception):  # noqa: N818 - what a call ends with that is sent again, or becomes an error
    """Items could not be unpickled in a worker, or what became of them not here."""

    def __init__(self, error: Exception) -> None:
        super().__init__("items could not be read")
        self.error = error


class RemoteTraceback(Exception):  # noqa: N818 - it is no error, but where one came from
    """The traceback of an error in a worker, as text: the ``__cause__`` of that error here."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"in a worker:\n{self.text}"


def unpack(packed: bytes | memoryview) -> Any:
    """What was packed. A class may end the program where it is read: that is an error like others."""
    try:
        return loads(packed)
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise error_told(error) from error


def pack(value: Any) -> bytes:
    """`value` as bytes; a `PackingError` if it cannot be."""
    try:
        return dumps(value, HIGHEST_PROTOCOL)
    except Exception as error:  # of a `__reduce__`, too
        raise PackingError(f"{shown(value)} cannot be sent: {told(error)}") from error


def pack_far(value: Any) -> bytes:
    """The same for workers that do not import the script which runs here: what that defines goes along."""
    packed = pack(value)
    return by_value(value) if by_value is not None and _SCRIPT in packed else packed


def pack_outcomes(outcomes: Outcomes) -> bytes:
    """`outcomes` as bytes; in place of those that cannot be, the errors that say so."""
    sure, sent = outcomes.are_results, [*outcomes]  # a plain list: the fastest to pickle
    if not sure:
        sent = [_Sent(each.error, each.item) if type(each) is NoResult else each for each in outcomes]
    try:
        return dumps((sure, sent), HIGHEST_PROTOCOL)
    except Exception:
        return dumps((False, [_sendable(each) for each in sent]), HIGHEST_PROTOCOL)


def unpack_outcomes(packed: bytes | memoryview, seconds: float) -> Outcomes:
    """The outcomes that a worker has packed, for which it took so long; `Unread`, if they cannot be read."""
    try:
        sure, outcomes = unpack(packed)
    except Exception as error:
        raise Unread(garbled(error)) from error
    return Outcomes(outcomes, seconds, sure=sure)


def garbled(unread: Exception) -> WorkerError:
    """What `unread`, an error of reading what a worker has sent, is to those who wait for that."""
    error = WorkerError(f"what a worker has sent cannot be read here: {told(unread)}")
    set_cause(error, unread)
    return error


def _sendable(outcome: Any) -> Any:
    try:
        dumps(outcome, HIGHEST_PROTOCOL)
    except Exception as error:
        if by_value is not None and _SCRIPT.decode() in str(error):  # as it came here, see `pack_far`
            return _ByValue(by_value(outcome))
        failed = PackingError(f"the result {shown(outcome)} cannot be sent back: {told(error)}")
        return _Sent(failed, ABSENT)  # of one that has an item, it is that which cannot be sent
    return outcome


class _ByValue:
    """What is read again where it arrives, from bytes."""

    def __init__(self, packed: bytes) -> None:
        self.packed = packed

    def __reduce__(self) -> Any:
        return loads, (self.packed,)


class _Sent(NoResult):
    """A `NoResult` that can be pickled, whatever its error is, and takes the traceback along."""

    __slots__ = ("packed",)

    def __init__(self, error: Exception, item: Any) -> None:
        super().__init__(error, item)
        self.packed = pack_error(error)

    def __reduce__(self) -> Any:
        return _arrived, (self.packed, self.item)


def _arrived(packed: bytes, item: Any) -> NoResult:
    return NoResult(unpack_error(packed), item)


def pack_error(error: BaseException) -> bytes:
    """`error` and its traceback as bytes: as itself if it can be pickled and read again, or else as text."""
    text = "".join(format_exception(error))
    try:
        data = dumps(error, HIGHEST_PROTOCOL)
        # many errors can be pickled and not read again: their `__init__` takes other arguments
        if type(unpack(data)) is not type(error) or not isinstance(error, Exception):
            raise PicklingError
    except Exception:
        return dumps((None, told(error), text), HIGHEST_PROTOCOL)
    return dumps((data, told(error), text), HIGHEST_PROTOCOL)


def unpack_error(packed: bytes | memoryview) -> Exception:
    """The error that was packed in a worker, with its traceback there as its cause."""
    data, words, text = unpack(packed)
    try:
        error: Exception = WorkerError(words) if data is None else unpack(data)
    except Exception as unread:  # a module that there is only in the worker
        error = WorkerError(words)
        noted(error, f"it could not be read here: {told(unread)}")
    set_cause(error, RemoteTraceback(text))
    return error
