"""`cut`: a job with hops becomes several, which run in processes of their own."""

from __future__ import annotations

from typing import Any

from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._engine.face.job import Job
from streamkit._stages.hop import HopSource

__all__ = ["cut"]


@answering
def cut(job: Job[Any]) -> tuple[Job[Any], ...]:
    """The parts of a job, from hop to hop: each stores what the next one reads.

    Every process that imports the same program can run another part, as often as it likes:

        job = Stream(urls) | ops.through(inbox, group="fetch") | ops.map(fetch) | ops.for_each(store)
        before, after = cut(job)
        (before if sys.argv[1] == "read" else after).run()

    The first part ends when its source does, and returns how many items it has stored. The others wait for
    more, until they are stopped.

    Raises:
        TypeError: `job` is no job.
        ValueError: it has no hop.
    """
    if not isinstance(job, Job):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"job must be a stream with a sink, not {shown(job)}")
    parts: list[Job[Any]] = []
    while isinstance(source := job._source, HopSource):  # pyright: ignore[reportPrivateUsage] - what it is made of
        parts.append(Job(source.reader, job._links))  # pyright: ignore[reportPrivateUsage]
        job._awaited = True  # pyright: ignore[reportPrivateUsage] - it is used, if not as a whole
        job = source.before
    if not parts:
        raise ValueError(f"job must have a hop, as in | ops.through(carrier, group=...) |, not {shown(job)}")
    return (job, *reversed(parts))
