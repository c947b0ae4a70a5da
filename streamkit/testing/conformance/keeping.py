"""Laws 11 and 12: what the consumer has dropped is let go of; and a run that has ended leaves nothing."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

from streamkit._engine.face.stream import Stream
from streamkit.operators.choose import take
from streamkit.sinks.effects import drain
from streamkit.testing.conformance.lab import Lab, play
from streamkit.testing.conformance.laws import Law, expect
from streamkit.testing.conformance.subject import Case, Subject, iterated

__all__ = ["RUNS", "drained", "kept_by_a_stalled_run", "nothing_of_a_run", "still_alive"]

_A_WHILE = 20.0
COUNT = 7
"""Items of each source of a run that is looked into."""


async def drained(built: Any) -> None:
    """Read `built` to its end, and keep nothing."""
    if not iterated(built):
        await built
        return
    async with built.open() as items:
        async for item in items:
            del item


def still_alive(subject: Subject, case: Case, count: int = COUNT) -> int:
    """How many items are alive when the consumer has dropped all, and the sources never yield again."""
    lab = case.lab(count=count, hang=("main", "other"))

    async def main() -> int:
        consumer = asyncio.ensure_future(drained(subject.built(lab)))
        await asyncio.sleep(_A_WHILE)
        alive = len(lab.alive)
        consumer.cancel()
        await asyncio.gather(consumer, return_exceptions=True)
        return alive

    return play(main)


def kept_by_a_stalled_run(subject: Subject, case: Case) -> None:
    """The consumer has dropped all items, and waits: no more are alive than the contract keeps."""
    found, more = still_alive(subject, case), still_alive(subject, case, 3 * COUNT)
    grown = f"{found} of {COUNT}, {more} of {3 * COUNT}"
    bound = subject.bound(subject.built(Lab()))
    if bound < float("inf"):
        expect(Law.NOTHING_PINNED, max(found, more) <= bound, f"{bound:g} items alive at most", grown)
    else:
        expect(Law.NOTHING_PINNED, more <= found, "no more alive of more items", grown)


async def _left(stream: Any) -> None:
    async with stream.open() as items:
        async for _ in items:
            break


async def _pulled(stream: Any) -> None:
    async with stream.open() as items:
        await anext(items, None)


async def _closed(stream: Any) -> None:
    items = aiter(stream)
    await anext(items, None)
    await items.aclose()


async def _bare(stream: Any) -> None:
    async for _ in stream:
        pass


async def _broken_out_of(stream: Any) -> None:
    async for _ in stream:
        break


async def _job(stream: Any) -> None:
    await (stream | take(1) | drain())


RUNS: dict[str, Callable[[Any], Awaitable[None]]] = {
    "left after an item": _left,
    "read to its end": drained,
    "pulled once": _pulled,
    "closed after an item": _closed,
    "read by a bare `async for`": _bare,
    "left by a bare `async for`": _broken_out_of,
    "awaited as a job": _job,
}


def nothing_of_a_run(subject: Subject, case: Case) -> None:
    """Runs are ended in several ways: nothing of their streams is alive after that."""

    async def main() -> list[str]:
        kept: dict[str, weakref.ref[Any]] = {}
        for name, end in RUNS.items():
            lab = case.lab(count=3)
            feed = lab.source(subject.shape)

            def make(feed: Any = feed) -> Any:
                return feed()

            kept[name] = weakref.ref(make)
            stream = subject.over(Stream(make), lab)
            await end(stream)
            del make, stream
        gc.collect()  # in here it goes only through what this run has made, as `run` freezes the rest
        await asyncio.sleep(1)
        gc.collect()
        return [name for name, ref in kept.items() if ref() is not None]

    alive = play(main)
    expect(
        Law.NOTHING_PINNED, not alive, "nothing alive of a run that has ended", f"alive: {', '.join(alive)}"
    )
