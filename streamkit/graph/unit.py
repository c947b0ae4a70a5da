"""A node of a graph that runs: its task, what it reads, where its items leave, and the trial it may be on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, Protocol

from streamkit import ops
from streamkit._core.contract import Behaviour
from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.pace import ENDED
from streamkit._engine.face.explain import explained
from streamkit._engine.face.explanation import Part
from streamkit._engine.face.stream import Pipe, Stream
from streamkit._engine.face.weight import ONE, Weight, heaviest
from streamkit._engine.run.ending import interrupt
from streamkit.graph.build import Assembly
from streamkit.graph.inputs import Input
from streamkit.graph.lanes import Port
from streamkit.graph.nodes import Node
from streamkit.graph.trials import Trial
from streamkit.graph.vocabulary import Role

__all__ = ["Owner", "Unit", "parts_of", "stopped"]

_MOST: Final = 1024
"""Items that a node passes on at its end without waiting for room, where it may hold any number."""


_IN_HAND: Final = "(in hand)"
"""What is told of the item that a node hands on, where no step of its own has that in hand."""


class Owner(Protocol):
    """Who has the nodes, and hears of them."""

    def failed(self, unit: Unit, error: BaseException) -> None:
        """It has ended by an error, on trial. What it has left may go to others now."""

    def ended(self, unit: Unit) -> None:
        """It runs no more."""


class Unit:
    """One node that runs."""

    def __init__(self, node: Node, assembly: Assembly, owner: Owner, trial: Trial | None = None) -> None:
        self.node = node
        """As the graph has it now: it may read other nodes than when it began."""
        self.trial = trial
        self.inputs: list[Input] = [Input(trial) for _ in node.edges]
        self.port: Port = Port(self._unread)
        self.before: Unit | None = None
        """What stood in its place, and is to end first."""
        self.task: asyncio.Task[Any] | None = None
        self.stopped: bool = False
        for read in self.inputs:
            read.passed = lambda mark: mark.arrive(self.port)
        self._owner = owner
        self._gone = asyncio.Event()
        self._book = Book()
        streams: dict[str, list[Stream[Any]]] = {}
        for edge, read in zip(node.edges, self.inputs, strict=True):
            streams.setdefault(edge.source, []).append(Stream(read.items))
        ways = {source: iter(each) for source, each in streams.items()}
        stream, pipe = assembly.begun(node, ways), assembly.pipe(node, ways)
        if self.ends:
            assert pipe is not None
            if trial is not None:
                trial.one = pipe.links[-1].declaration.name == "for_each"
        else:
            stream = stream if pipe is None else stream | pipe
            pipe = ops.for_each(self.port.send if trial is None else self._give)
        self._stream: Stream[Any] = stream
        self._sink: Pipe = pipe

    @property
    def ends(self) -> bool:
        """Whether it is a sink."""
        return self.node.kind.role is Role.SINK

    @property
    def done(self) -> bool:
        """Whether it has ended, has left its inputs, and the graph was told."""
        return self._gone.is_set()

    # it runs -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Run, in a task."""
        self.task = asyncio.get_running_loop().create_task(self._run(), name=self.node.name)
        if self.stopped:
            self.task.cancel(ENDED)
        self.task.add_done_callback(self._finish)

    async def _run(self) -> Any:
        if self.before is not None:
            before, self.before = self.before, None
            await before._gone.wait()
        job = self._stream | self._sink
        return await job.work(self._book)

    def _give(self, item: Any) -> Awaitable[None] | None:
        """Let `item` leave, on trial."""
        assert self.trial is not None
        self.trial.gave(begins=not self.inputs)
        return self.port.send(item)

    def stop(self) -> None:
        """End it, with what is under way; that cuts no clean-up short."""
        if not self.stopped and not self.done:
            self.stopped = True
            if self.task is not None:
                interrupt(self.task)

    def prove(self) -> None:
        """Have it on trial no more."""
        if self.trial is not None:
            self.trial.end()

    def _unread(self) -> None:
        if not self.ends:
            self.stop()

    @property
    def error(self) -> BaseException | None:
        """With what it has ended."""
        assert self.task is not None
        if self.task.cancelled():
            return None if self.stopped else asyncio.CancelledError()
        return self.task.exception()

    def _finish(self, _: object) -> None:
        if self.trial is not None and not self.trial.over and (error := self.error) is not None:
            self._owner.failed(self, error)
        self.prove()
        for read in self.inputs:
            read.leave()
        self._gone.set()
        self._owner.ended(self)

    def leaves(self) -> None:
        """It is taken out: let it pass on all that it has, whether its readers have room for that or not.

        Who has its place waits for its end, and its readers may wait for an item of that.
        """
        self.port.stays = False
        parts, _ = self.parts([ONE] * len(self.inputs))
        left = sum([len(lane.items) + 1 for read in self.inputs for lane in read.lanes])
        more = left + int(min(sum([part.holds for part in parts]), _MOST))
        for lane in self.port.lanes:
            lane.widen(lane.room, more)

    def returns(self) -> None:
        """It is not taken out."""
        self.port.stays = True
        for lane in self.port.lanes:
            lane.widen(lane.room)

    # what is told of it ------------------------------------------------------------------------

    def stats(self) -> list[BufferStats]:
        """What became of the items on the edges that it reads, and in its own buffers."""
        own = [each.but(operator=f"{self.node.name}: {each.operator}") for each in self._book.stats()]
        return [*[stats for read in self.inputs for stats in read.stats()], *own]

    def parts(self, above: Sequence[Weight]) -> tuple[list[Part], Weight]:
        """What it holds, where items of each input count for `above`; and what one counts for that leaves.

        Nobody asks for what comes out of a node that is no sink: all of that is read ahead.
        """
        begin, times = (
            (above[0], 1.0) if len(above) == 1 else (ONE, max([1.0, *[each.items for each in above]]))
        )
        source, links = self._stream.source, self._stream.links
        own, weight = explained(source, links, begin)
        found, _ = explained(source, links + self._sink.links, begin)
        if not self.ends:  # what hands its items on is no operator of the graph
            found[-1] = found[-1].but(text=own[-1].text if len(own) == len(found) else _IN_HAND)
        read = {repr(Stream(each.items).source) for each in self.inputs}
        parts = [
            part.but(
                text=f"{self.node.name}: {part.text}",
                holds=part.holds * times,
                lookahead=part.lookahead * times if self.ends else part.holds * times,
            )
            for part in found
            if part.kind != "source" or part.text not in read
        ]
        return parts, weight if times == 1 else Weight(weight.items * times)


async def stopped(units: Sequence[Unit]) -> None:
    """Stop them all, and wait until they run no more."""
    for unit in units:
        unit.stop()
    if running := [unit.task for unit in units if unit.task is not None and not unit.task.done()]:
        await asyncio.wait(running)


def parts_of(units: Sequence[Unit]) -> list[Part]:
    """The parts of a graph of these nodes, each behind the edges that it reads."""
    by_port = {unit.port: unit for unit in units}
    weights: dict[Port, Weight] = {}
    told: dict[Unit, list[Part]] = {}
    left = [*units]
    while left:
        unit = left[-1]
        needed = [by_port[lane.port] for read in unit.inputs for lane in read.lanes if lane.port in by_port]
        missing = [] if unit in told else [each for each in needed if each.port not in weights]
        if missing:
            left += missing
            continue
        left.pop()
        if unit not in told:
            told[unit], weights[unit.port] = _told(unit, weights)
    return [part for unit in units for part in told[unit]]


def _told(unit: Unit, weights: Mapping[Port, Weight]) -> tuple[list[Part], Weight]:
    """The edges that `unit` reads, and itself."""
    found, above = list[Part](), list[Weight]()
    for read in unit.inputs:
        each = [weights.get(lane.port, ONE) for lane in read.lanes]
        above.append(heaviest(each))
        for lane, weight in zip(read.lanes, each, strict=True):
            holds = max(lane.room + lane.more, len(lane.items)) * weight.items
            strategy = repr(Suspend(lane.room))
            part = Part(text=lane.name, kind="edge", holds=holds, lookahead=holds, strategy=strategy)
            found.append(part.but(behaviour=Behaviour.BOUNDED))
    parts, weight = unit.parts(above)
    return found + parts, weight
