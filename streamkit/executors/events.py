"""What happens in a pool, as values: ``on_event=`` hears of it; and how its workers are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamkit._core.value import Record

__all__ = [
    "ChunkDone",
    "ChunkSent",
    "ChunkSentAgain",
    "Event",
    "WorkerAdded",
    "WorkerInfo",
    "WorkerLost",
    "WorkerPrepared",
    "WorkerRemoved",
]


class Event(Record):
    """What has happened in a pool; each kind is a class of its own."""

    worker: int
    """The index of the worker; -1 of a spare."""


class WorkerAdded(Event):
    """A worker starts: at the beginning, by ``add_worker``, or in the place of one that has ended."""

    worker: int


class WorkerPrepared(Event):
    """A worker is ready."""

    worker: int
    seconds: float
    """How long it took to prepare it."""


class WorkerLost(Event):
    """A worker has ended that should not have: it was killed, or has left by itself."""

    worker: int
    exit_code: int | None
    """What its process ended with: below 0 for a signal."""


class WorkerRemoved(Event):
    """A worker has ended: with the pool, by ``remove_worker``, or because another takes its place."""

    worker: int


class ChunkSent(Event):
    """A worker was given a chunk of items."""

    worker: int
    chunk: int
    """Its number, from 0, in the order in which chunks came."""
    items: int


class ChunkDone(Event):
    """A worker has done a chunk."""

    worker: int
    chunk: int
    items: int
    seconds: float
    done: int
    """Items that all workers have done so far."""
    total: int
    """Items that the pool was sent so far."""


class ChunkSentAgain(Event):
    """A worker was lost in the middle of a chunk, which is sent again: whole, or in halves."""

    worker: int
    chunk: int
    items: int
    killed: int
    """Workers that were lost so far with it, or with what it was part of."""


class WorkerInfo(Record):
    """How a worker is."""

    index: int
    arguments: Mapping[str, Any]
    """What it was prepared with."""
    ready: bool
    """Whether it is prepared, and does work."""
    pid: int | None
    """Of its process; None of a thread, and until it has started."""
    load: int
    """Chunks that it has now."""
    peak: int
    """The most chunks that it had at once."""
    chunks: int
    """Chunks that it has done."""
    items: int
    """Items that it has done."""
    seconds: float
    """How long it has worked."""
    crashes: int
    """How often its process was lost."""
    memory: int
    """The most bytes that its process has needed, as of its last chunk; 0 of a thread."""
