"""A chunk, done by a worker that is not ours: one of somebody's executor, or of a cluster.

What goes there and comes back is bytes; the worker reads the work of each run once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from struct import Struct
from threading import Lock
from time import perf_counter
from typing import Final

from streamkit._core.workers import Outcomes, Work
from streamkit.executors.packing import (
    Unread,
    pack_error,
    pack_outcomes,
    unpack,
    unpack_error,
    unpack_outcomes,
)
from streamkit.executors.remote import Place

__all__ = ["answered", "done_by", "done_elsewhere", "failure", "work_of"]

_HEAD: Final = Struct("!Bd")
"""What an answer begins with: its kind, and how long it took. It is bytes, which go fastest everywhere."""
_DONE: Final = 0
_UNREAD: Final = 1
_FAILED: Final = 2
_MANY: Final = 16
"""Runs whose work is kept; another has its work read again."""
_known: OrderedDict[str, Work] = OrderedDict()
_lock = Lock()


def done_elsewhere(key: str, work: bytes, payload: bytes) -> bytes:
    """What becomes of the items in `payload`, as bytes. Runs in a worker that was not prepared."""
    return done_by(None, partial(work_of, key, work), payload)


def done_by(place: Place | None, find: Callable[[], Work], payload: bytes) -> bytes:
    """The same in a worker whose `place` was prepared, and in which `find` gives the work."""
    begun = perf_counter()
    try:
        work = find()
        try:
            items = unpack(payload)
        except Exception as error:
            return _HEAD.pack(_UNREAD, 0.0) + pack_error(error)
        packed = pack_outcomes(work.done(items) if place is None else place.done(work, items))
    except Exception as error:
        return failure(pack_error(error), perf_counter() - begun)
    return _HEAD.pack(_DONE, perf_counter() - begun) + packed


def failure(error: bytes, seconds: float = 0.0) -> bytes:
    """The answer of a worker in which no call can be made, with the error that was packed there."""
    return _HEAD.pack(_FAILED, seconds) + error


def answered(answer: bytes) -> Outcomes:
    """What such a worker has answered; raises what went wrong there."""
    kind, seconds = _HEAD.unpack_from(answer)
    data = memoryview(answer)[_HEAD.size :]
    if kind == _DONE:
        return unpack_outcomes(data, seconds)
    error = unpack_error(data)
    raise Unread(error) if kind == _UNREAD else error


def work_of(key: str, data: bytes) -> Work:
    """The work of a run, which is read once."""
    with _lock:
        work = _known.get(key)
        if work is None:
            work = _known[key] = unpack(data)
            if len(_known) > _MANY:
                _known.popitem(last=False)
        return work
