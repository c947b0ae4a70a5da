"""Fanning out: each item goes to every branch of a broadcast; each branch has tasks of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned, Failing, Rescue, Target
from streamkit._engine.face.job import Job
from streamkit._engine.face.stream import Pipe
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run
from streamkit._stages.branches import Outcome

__all__ = ["gathered", "merged"]


class Fan(Target):
    """The target of a broadcast's pump: puts each item into every branch's lane, in lock-step."""

    def __init__(self, channel: Failing) -> None:
        super().__init__(channel)
        self.branches: list[Lane] = []

    def put(self, item: Any) -> bool:
        self.branches = [lane for lane in self.branches if lane.open]
        if not self.branches:
            raise Abandoned
        wait = False
        for lane in self.branches:
            wait = lane.put(item) or wait
        return wait

    def full(self) -> bool:
        return any(lane.full() for lane in self.branches)

    async def room(self, rescue: Rescue | None = None) -> None:
        for lane in self.branches:
            if lane.full():
                await lane.room(rescue)

    def close(self) -> None:
        error = self.channel.error
        for lane in self.branches:
            if error is not None and lane.open:
                lane.channel.fail(error)
            lane.close()


def _begin(
    run: Run, source: Inlet[Any], branches: tuple[Pipe, ...], strategies: tuple[Strategy | None, ...]
) -> tuple[Outcome, list[Inlet[Any]]]:
    """Pump the source into one channel per branch; return what each branch reads."""
    out = run.adopt(Outcome(run.halt))
    fan = Fan(out.source)
    inlets: list[Inlet[Any]] = []
    for number, (branch, strategy) in enumerate(zip(branches, strategies, strict=True)):
        channel = run.adopt(Channel())
        fan.branches.append(lane := channel.lane(strategy))
        lane.account.placed(number)
        inlets.append(Inlet(run.reading(channel).source, branch.links[strategy is not None :]))
    run.pump(source, into=fan)
    return out, inlets


async def merged(
    run: Run, source: Inlet[Any], *, branches: tuple[Pipe, ...], _strategies: tuple[Strategy | None, ...]
) -> AsyncIterator[Any]:
    """Run branches that are operators; yield what they emit."""
    out, inlets = _begin(run, source, branches, _strategies)
    for inlet in inlets:
        run.pump(inlet, into=out.lane(Suspend(1)))
    async for item in out:
        yield item
        del item  # nothing is held while the branches have nothing
    out.raise_source_error()


async def gathered(
    run: Run, source: Inlet[Any], *, branches: tuple[Pipe, ...], _strategies: tuple[Strategy | None, ...]
) -> tuple[Any, ...]:
    """Run branches that are sinks; return their results."""
    out, inlets = _begin(run, source, branches, _strategies)
    results: list[Any] = [None] * len(branches)

    async def work(number: int, job: Job[Any]) -> None:
        results[number] = await run.part(job, run.book and run.book.chapter(after=True))

    for number, inlet in enumerate(inlets):
        job: Job[Any] = Job(Inlet(inlet.source, ()), inlet.links)
        run.spawn(partial(work, number, job), out, out.lane(None))
    await out.wait()
    out.raise_source_error()
    return tuple(results)
