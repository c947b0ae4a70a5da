"""A chunk, done by a worker that is not ours: one of somebody's executor, or of a cluster.

What goes there and comes back is bytes; the worker reads the work of each run once.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from time import perf_counter
from typing import Final

from streamkit._core.workers import Outcomes, Work
from streamkit.executors.packing import pack_error, pack_outcomes, unpack, unpack_error, unpack_outcomes
from streamkit.executors.remote import Place
from streamkit.executors.sending import Unread

__all__ = ["FAILED", "Answer", "answered", "done_by", "done_elsewhere"]

Answer = tuple[str, bytes, float]
"""What a worker says, and how long it took."""
_DONE: Final = "done"
_UNREAD: Final = "unread"
FAILED: Final = "failed"
_MANY: Final = 16
"""Runs whose work is kept; another has its work read again."""
_known: OrderedDict[str, Work] = OrderedDict()
_lock = Lock()


def done_elsewhere(key: str, work: bytes, payload: bytes) -> Answer:
    """What becomes of the items in `payload`, as bytes. Runs in a worker that was not prepared."""
    return done_by(None, key, work, payload)


def done_by(place: Place | None, key: str, work: bytes, payload: bytes) -> Answer:
    """The same in a worker whose `place` was prepared."""
    begun = perf_counter()
    try:
        found = _work(key, work)
        try:
            items = unpack(payload)
        except Exception as error:
            return _UNREAD, pack_error(error), 0.0
        packed = pack_outcomes(found.done(items) if place is None else place.done(found, items))
    except Exception as error:
        return FAILED, pack_error(error), perf_counter() - begun
    return _DONE, packed, perf_counter() - begun


def answered(answer: Answer) -> Outcomes:
    """What such a worker has answered; raises what went wrong there."""
    kind, data, seconds = answer
    if kind == _UNREAD:
        raise Unread(unpack_error(data))
    if kind == FAILED:
        raise unpack_error(data)
    return unpack_outcomes(data, seconds)


def _work(key: str, data: bytes) -> Work:
    with _lock:
        work = _known.get(key)
        if work is None:
            work = _known[key] = unpack(data)
            if len(_known) > _MANY:
                _known.popitem(last=False)
        return work
