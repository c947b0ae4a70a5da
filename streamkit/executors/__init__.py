"""Executors: workers to which ``on=`` sends the work of an operator.

    Threads(8)               threads of this process: for calls that wait
    Processes(4)             processes: for calls that compute
    Executor(executor, 8)    any executor of `concurrent.futures`

Each says what the workers are. A run opens it and closes it; ``async with pool:`` keeps it open for several.
``prepare=`` makes in each worker, once, what the work needs there.
"""

from streamkit.executors.events import (
    ChunkDone,
    ChunkSent,
    ChunkSentAgain,
    Event,
    WorkerAdded,
    WorkerInfo,
    WorkerLost,
    WorkerPrepared,
    WorkerRemoved,
)
from streamkit.executors.futures import Executor
from streamkit.executors.packing import RemoteTraceback
from streamkit.executors.processes import Processes
from streamkit.executors.remote import Hooks, Worker, worker
from streamkit.executors.threads import Threads

__all__ = [
    "ChunkDone",
    "ChunkSent",
    "ChunkSentAgain",
    "Event",
    "Executor",
    "Hooks",
    "Processes",
    "RemoteTraceback",
    "Threads",
    "Worker",
    "WorkerAdded",
    "WorkerInfo",
    "WorkerLost",
    "WorkerPrepared",
    "WorkerRemoved",
    "worker",
]
