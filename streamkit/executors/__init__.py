"""Executors: workers to which ``on=`` sends the work of an operator.

    Threads(8)               threads of this process: for calls that wait
    Processes(4)             processes: for calls that compute
    Executor(executor, 8)    any executor of `concurrent.futures`
    Dask(client)             a cluster of Dask, with ``streamkit[dask]``
    Ray(8)                   actors of Ray, with ``streamkit[ray]``

Each says what the workers are. A run opens it and closes it; ``async with pool:`` keeps it open for several.
``prepare=`` makes in each worker, once, what the work needs there.
"""

from typing import TYPE_CHECKING

from streamkit._core.lazy import lazily

if TYPE_CHECKING:
    from streamkit.executors.dask import Dask as Dask
    from streamkit.executors.events import (
        ChunkDone as ChunkDone,
        ChunkSent as ChunkSent,
        ChunkSentAgain as ChunkSentAgain,
        Event as Event,
        WorkerAdded as WorkerAdded,
        WorkerInfo as WorkerInfo,
        WorkerLost as WorkerLost,
        WorkerPrepared as WorkerPrepared,
        WorkerRemoved as WorkerRemoved,
    )
    from streamkit.executors.futures import Executor as Executor
    from streamkit.executors.packing import RemoteTraceback as RemoteTraceback
    from streamkit.executors.processes import Processes as Processes
    from streamkit.executors.ray import Ray as Ray
    from streamkit.executors.remote import Hooks as Hooks, Worker as Worker, worker as worker
    from streamkit.executors.threads import Threads as Threads
else:
    __getattr__, __dir__, __all__ = lazily(extras=frozenset({"Dask", "Ray"}))
