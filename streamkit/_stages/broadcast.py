"""Fanning out: each item goes to every branch of a broadcast; each branch has tasks of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

from streamkit._core.delivery import Delivery
from streamkit._core.strategy import Strategy, Suspend, Unbounded
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned, Failing, Rescue, Target
from streamkit._engine.face.job import Job
from streamkit._engine.face.stream import Pipe
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run
from streamkit._stages.branches import Outcome
from streamkit._stages.bursts import Bursts

__all__ = ["Fan", "begin", "gathered", "join", "merged", "results"]


class Fan(Target):
    """The target of the pump of a stage with branches, each of which has a lane."""

    def __init__(self, channel: Failing) -> None:
        super().__init__(channel)
        self.branches: list[Lane] = []

    def close(self) -> None:
        error = self.channel.error
        for lane in self.branches:
            if error is not None and lane.open:
                lane.channel.fail(error)
            lane.close()


class _Broadcast(Fan):
    """Puts each item into the lane of every branch, in lock-step."""

    def put(self, item: Any) -> bool:
        self.going()
        wait = False
        for lane in self.branches:
            wait = lane.put(item) or wait
        return wait

    def going(self) -> None:
        """Only branches that have not ended get items."""
        self.branches = [lane for lane in self.branches if lane.open]
        if not self.branches:
            raise Abandoned

    def full(self) -> bool:
        return any(lane.full() for lane in self.branches)

    async def room(self, rescue: Rescue | None = None) -> None:
        for lane in self.branches:
            if lane.full():
                await lane.room(rescue)


class _Paired(_Broadcast):
    """The same of pairs of a delivery and an item: each branch is one place of the delivery."""

    def __init__(self, out: Outcome) -> None:
        super().__init__(out.source)
        self.out = out
        self.all: list[Lane] = []
        """The lanes of all branches, also of those that have ended."""

    def going(self) -> None:
        self.all = self.all or self.branches
        super().going()

    def put(self, item: Any) -> bool:
        self.going()
        token: Delivery = item[0]
        token.count += len(self.all) - 1
        if len(self.branches) < len(self.all):
            for lane, place in zip(self.all, self.out.places, strict=True):
                if not lane.open:
                    self.out.left_out(place, token, ended=not place.open)
        return super().put(item)


class _InBursts(Bursts, _Broadcast):
    """The same, for branches that take in all that there is room for: no error can come of that later."""

    def wanted(self) -> Sequence[Lane]:
        self.going()
        return self.branches

    def dealt(self, burst: list[Any]) -> None:
        for lane in self.branches:
            if lane.open:
                lane.extend(burst)

    def full(self) -> bool:
        self.deal()
        return super().full()

    def close(self) -> None:
        self.deal()
        super().close()


def _fan(run: Run, out: Outcome, strategies: tuple[Strategy | None, ...]) -> Fan:
    if run.tracked:
        return _Paired(out)
    if all(type(strategy) in (Suspend, Unbounded) for strategy in strategies):
        return _InBursts(out.source, run.loop)
    return _Broadcast(out.source)


def begin(
    run: Run,
    source: Inlet[Any],
    fan: Fan,
    branches: tuple[Pipe, ...],
    strategies: tuple[Strategy | None, ...],
) -> list[Inlet[Any]]:
    """Pump the source into the lanes of `fan`, one per branch; return what each branch reads."""
    inlets: list[Inlet[Any]] = []
    for number, (branch, strategy) in enumerate(zip(branches, strategies, strict=True)):
        channel = run.adopt(Channel())
        fan.branches.append(lane := channel.lane(strategy))
        lane.account.placed(number)
        inlets.append(Inlet(run.reading(channel).source, branch.links[strategy is not None :]))
    run.pump(source, into=fan)
    return inlets


def join(run: Run, out: Outcome, inlets: Sequence[Inlet[Any]]) -> None:
    """Run branches that are operators; what they emit comes out of `out`."""
    for inlet in inlets:
        run.pump(inlet, into=out.lane(Suspend(1)))


async def results(run: Run, out: Outcome, inlets: Sequence[Inlet[Any]]) -> list[Any]:
    """Run branches that are sinks; return their results."""
    found: list[Any] = [None] * len(inlets)

    async def work(number: int, job: Job[Any]) -> None:
        found[number] = await run.part(job, run.book and run.book.chapter(after=True))

    for number, inlet in enumerate(inlets):
        job: Job[Any] = Job(Inlet(inlet.source, ()), inlet.links)
        run.spawn(partial(work, number, job), out, out.lane(None))
    await out.wait()
    out.raise_source_error()
    return found


async def merged(
    run: Run, source: Inlet[Any], *, branches: tuple[Pipe, ...], _strategies: tuple[Strategy | None, ...]
) -> AsyncIterator[Any]:
    """Run branches that are operators; yield what they emit."""
    out = run.adopt(Outcome(run.halt))
    join(run, out, begin(run, source, _fan(run, out, _strategies), branches, _strategies))
    async for item in out:
        yield item
        del item  # nothing is held while the branches have nothing
    out.raise_source_error()


async def gathered(
    run: Run, source: Inlet[Any], *, branches: tuple[Pipe, ...], _strategies: tuple[Strategy | None, ...]
) -> tuple[Any, ...]:
    """Run branches that are sinks; return their results."""
    out = run.adopt(Outcome(run.halt))
    inlets = begin(run, source, _fan(run, out, _strategies), branches, _strategies)
    return tuple(await results(run, out, inlets))
