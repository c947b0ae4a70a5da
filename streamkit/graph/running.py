"""Graphs that run, and are changed meanwhile: each node in a task, and lanes between them.

A change touches the nodes in which the new graph is different, and no others. What is taken out gets the
end of its input, and passes on what it holds by its old ways; what takes its place begins when it is gone.
Readers that stay read the old way to its end, and then the new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

from streamkit._core.arguments import seconds, whole
from streamkit._core.errors import StoppedError
from streamkit._engine.buffer.account import BufferStats, Sums
from streamkit._engine.face.explanation import Explanation
from streamkit.graph.applied import Applied, results
from streamkit.graph.build import Assembly
from streamkit.graph.difference import Difference, Lineup, Steps, check_runs
from streamkit.graph.exchange import Exchange
from streamkit.graph.lanes import Mark, Port
from streamkit.graph.mistakes import Fault, Report, refuse
from streamkit.graph.nodes import Edge, Node
from streamkit.graph.parts import Part
from streamkit.graph.registry import Registry
from streamkit.graph.renewal import renewed
from streamkit.graph.text import Text
from streamkit.graph.trials import Heir, Trial, heirs
from streamkit.graph.unit import Unit, parts_of, stopped
from streamkit.graph.wiring import Wiring
from streamkit.live.watchfiles import watch

__all__ = ["Applied", "RunningGraph"]


class Plan(Protocol):
    """What is asked of a graph."""

    @property
    def nodes(self) -> Mapping[str, Node]: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def text(self) -> Text | None: ...
    @property
    def wiring(self) -> Wiring: ...
    def diff(self, new: Self) -> Difference: ...
    def parts(self, context: Any = ...) -> Mapping[str, Part]: ...
    @classmethod
    def load(cls, path: str | PathLike[str], *, registry: Registry) -> Self: ...


G = TypeVar("G", bound=Plan)


class _Step(Generic[G]):
    """From one graph to the next."""

    def __init__(self, exchange: Exchange, before: G, after: G, tried: G, trials: Collection[Trial]) -> None:
        self.exchange = exchange
        self.before = before
        self.after = after
        self.tried = tried
        """What runs if it is rolled back."""
        self._trials = trials

    @property
    def untried(self) -> bool:
        """Whether it has nodes on trial, and none of them has had an item."""
        return bool(self._trials) and not any(trial.met for trial in self._trials)


class RunningGraph(Generic[G]):
    """A graph that runs: await it for its result, stop it, or apply another graph to it.

    `Graph.start` makes one.
    """

    def __init__(self, graph: G, context: Any, room: int) -> None:
        self._graph = graph
        self._context = context
        self._room = room
        """How many items wait on each edge, at most, where no more need to."""
        self._loop = asyncio.get_running_loop()
        self._units: dict[str, Unit] = {}
        self._old: set[Unit] = set()
        """Those that were taken out, and still run."""
        self._past = Sums()
        """Of those that are gone."""
        self._applied: dict[Applied, _Step[G]] = {}
        self._error: BaseException | None = None
        self._over = asyncio.Event()
        self._stopped = False
        assembly = Assembly(graph.wiring, graph.parts(context))
        names = tuple(graph.nodes)
        self._refuse_or(graph, assembly, Difference(added=names), {})
        self._exchange(assembly, Difference(added=names), self._made(assembly, names, {}), _nobody, {})
        self._task = self._loop.create_task(self._main(), name=repr(graph))

    @property
    def graph(self) -> G:
        """What runs now: the graph that was applied last."""
        return self._graph

    @property
    def done(self) -> bool:
        """Whether it has ended, and everything is closed."""
        return self._task.done()

    async def apply(self, graph: G, *, deadline: float | None = None, rollback: int = 0) -> Applied:
        """Go over to `graph`: change the nodes in which it is different, and touch no others.

        All is checked and made before anything is touched. This then returns at once: await what it returns
        to know that nothing of the old nodes is left.

        Args:
            graph: of the same registry.
            deadline: how many seconds this waits for the old nodes to be gone. If no item has left a node by
                its new ways until then, nothing is changed. If one has, the change goes on.
            rollback: how many items of each new node are on trial. If one of them fails, the graph becomes
                what it was before (the nodes in question anew), and that gets the item, and all of which
                nothing has come out yet; its error is that of what this returns. Until then, they are kept.
                For new nodes that are steps, in the place of others or between two, and for new branches.

        Raises:
            GraphError: `graph` has mistakes; or the one that runs cannot become this one. Nothing is changed.
            LateChangeError: it was not done by the deadline.
            RuntimeError: it has ended, or runs in another event loop.
            TypeError: an argument has the wrong type.
            ValueError: `graph` has another registry; a number is negative; or this cannot be rolled back.
        """
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("the graph runs in another event loop: apply it there")
        whole("rollback", rollback, least=0)
        if deadline is not None:
            deadline = seconds("deadline", deadline)
        while under_way := [mark for mark in self._marks() if not mark.over]:
            await under_way[0].passed()
        if self._over.is_set() or self._task.done():
            raise RuntimeError("the graph has ended: start the new one")
        assembly, found = Assembly(graph.wiring, graph.parts(self._context)), self._graph.diff(graph)
        lined = dict[Heir, Lineup]()
        if not rollback:
            running = {name for name, unit in self._units.items() if not (unit.done or unit.stopped)}
            found, lined = renewed(self._graph.wiring, graph.wiring, found, assembly.parts, running)
        self._refuse_or(graph, assembly, found, lined)
        applied, tried = Applied(found), self._graph
        trials = dict[str, Trial]()
        if rollback:
            back, tried = self._heirs(graph, found, assembly.parts)
            trials = {name: Trial(rollback, heir, applied.proved) for name, heir in back.items()}
        fresh = self._made(assembly, (*found.added, *found.replaced), trials)
        for unit in (*self._units.values(), *self._old):
            unit.prove()
        exchange = self._exchange(assembly, found, fresh, applied.ended, lined)
        step = self._applied[applied] = _Step(exchange, self._graph, graph, tried, trials.values())
        self._graph = graph
        applied.begins(exchange.old, exchange.left, len(trials))
        self._look()
        if deadline is not None:
            await self._within(applied, step, deadline)
        return applied

    async def follow(
        self, path: str | PathLike[str], *, on_error: Callable[[Exception], object] | None = None
    ) -> None:
        """Apply the graph in a file: now, and whenever it changes, until the graph has ended.

        Run it as a task beside that. A file that cannot be read, or applied, changes nothing.

        Args:
            path: of the file, as for `Graph.load`.
            on_error: is told why a file was not applied. Without it, that is raised here, and ends this.

        Raises:
            ImportError: watchfiles is not installed: ``streamkit[watchfiles]``.
        """

        async def loaded(file: Path) -> None:
            if not self._over.is_set():
                await self.apply(type(self._graph).load(file, registry=self._graph.registry))

        watching = self._loop.create_task(watch(path, loaded, on_error))
        try:
            await asyncio.wait([watching, self._task], return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            await asyncio.wait([watching])
        if not watching.cancelled():
            watching.result()

    async def stop(self) -> None:
        """End it; return when everything is closed. Awaiting it then raises `StoppedError`."""
        if not self._task.done():
            if not self._stopped:
                self._stopped = True
                self._over.set()
            await asyncio.wait([self._task])
        await self._closed()

    async def _closed(self) -> None:
        """Close what is left: the task may have been cancelled before it began."""
        if self._task.done():
            self._over.set()
            await stopped([*self._units.values(), *self._old])

    def __await__(self) -> Generator[Any, None, Any]:
        return self._result().__await__()

    async def _result(self) -> Any:
        try:
            found = await self._task
        finally:
            await self._closed()
        if self._stopped:  # not in the task, which would log it where nobody awaits this
            raise StoppedError(f"{self._graph!r} was stopped")
        return found

    def __repr__(self) -> str:
        return f"<RunningGraph {'done' if self.done else 'running'} {self._graph!r}>"

    def explain(self) -> Explanation:
        """What each node that runs is, what waits between them, and the bound in items, as it is now.

        While a change is under way, nodes that were taken out are among that until they have ended.
        """
        units = [*[self._units[node.name] for node in self._graph.wiring.order], *self._old]
        return Explanation(parts=tuple(parts_of(units)))

    def buffers(self) -> tuple[BufferStats, ...]:
        """What became of the items on each edge, and in each buffer of a node; of those gone, the sums.

        An edge goes by the names of its nodes, ``"quotes -> price"``.
        """
        units = [*[self._units[node.name] for node in self._graph.wiring.order], *self._old]
        return (*[stats for unit in units for stats in unit.stats()], *self._past.stats())

    # changes -----------------------------------------------------------------------------------

    async def _within(self, applied: Applied, step: _Step[G], deadline: float) -> None:
        try:
            async with asyncio.timeout(deadline):
                await applied
        except TimeoutError:
            if applied.done:  # both at one moment: it was in time
                await applied
                return
            if self._graph is not step.after or not step.exchange.waits:
                raise applied.late() from None
            step.exchange.withdraw()
            self._old = self._old - {*step.exchange.old.values()} | {*step.exchange.fresh.values()}
            self._graph = step.before
            applied.withdrawn()
            del self._applied[applied]
            if tasks := [unit.task for unit in step.exchange.fresh.values() if unit.task is not None]:
                await asyncio.wait(tasks)
            await applied

    def _marks(self) -> list[Mark]:
        """What goes through nodes for changes that were applied."""
        return [mark for step in self._applied.values() for mark in step.exchange.marks.values()]

    def _refuse_or(
        self, graph: G, assembly: Assembly, found: Difference, lined: Mapping[Heir, Lineup]
    ) -> None:
        """Raise if the nodes that run cannot become those of `graph`."""
        report, fresh = Report(), (*found.added, *found.replaced)
        check_runs(graph.nodes, assembly.parts, fresh, report)
        Steps(self._graph.wiring, graph.wiring, found, assembly.parts, report, lined).check()
        for name in found.rewired:
            unit = self._units[name]
            for edge, old, read in zip(graph.nodes[name].edges, unit.node.edges, unit.inputs, strict=True):
                if read.over and edge.source != old.source:
                    words = f"{name} has ended, or reads nothing there any more"
                    report.add(Fault.NOT_LIVE, edge.path, words, "give it a new name", node=name)
        for name in fresh if self._units else ():
            node, readers = graph.nodes[name], graph.wiring.readers[name]
            if readers and all(self._is_over(reader, edge, fresh) for reader, edge in readers):
                words = f"what reads {name} has ended"
                report.add(Fault.NOT_LIVE, node.path, words, "give that a new name", node=name)
        located = graph.text.located if graph.text is not None else None
        refuse(report.mistakes if located is None else [located(each) for each in report.mistakes])

    def _is_over(self, reader: Node, edge: Edge, fresh: Collection[str]) -> bool:
        return reader.name not in fresh and self._units[reader.name].inputs[reader.edges.index(edge)].over

    def _heirs(
        self, graph: G, found: Difference, parts: Mapping[str, Part]
    ) -> tuple[dict[str, Heir | None], G]:
        """Who gets the items of nodes on trial that fail, and the graph that is then.

        That is the one that runs. If its own new nodes are on trial, and none has had an item, it may be as
        wrong: then it is the one before, where that has room for all of those items.
        """
        back = heirs(self._graph.wiring, graph.wiring, found, parts)
        steps = [step for step in self._applied.values() if step.after is self._graph]
        if not steps or not (step := steps[-1]).untried:
            return back, self._graph
        try:
            more = heirs(step.tried.wiring, graph.wiring, step.tried.diff(graph), parts)
        except ValueError:  # the two changes together cannot be taken back, and this one can
            return back, self._graph
        if not back.keys() <= more.keys():
            return back, self._graph
        return {name: more[name] for name in back}, step.tried

    def _made(self, assembly: Assembly, names: Iterable[str], trials: Mapping[str, Trial]) -> dict[str, Unit]:
        nodes = assembly.wiring.nodes
        return {name: Unit(nodes[name], assembly, self, trials.get(name)) for name in names}

    def _exchange(
        self,
        assembly: Assembly,
        found: Difference,
        fresh: Mapping[str, Unit],
        told: Callable[[Port | Mark], object],
        lined: Mapping[Heir, Lineup],
    ) -> Exchange:
        exchange = Exchange(self._units, assembly, found, fresh, self._room, told, lined)
        self._old |= {unit for unit in exchange.old.values() if not unit.done}
        self._past.add(*[stats for unit in exchange.old.values() if unit.done for stats in unit.stats()])
        return exchange

    def failed(self, unit: Unit, error: BaseException) -> None:
        """A node has failed on trial: go back to the graph that was before, and let nothing be lost."""
        found = [each for each in self._applied.items() if unit in each[1].exchange.fresh.values()]
        if self._over.is_set() or not found:
            return
        [(applied, step)] = found
        if unit.trial is not None:
            unit.trial.failed = True
        if applied.error is not None:  # it was on its way out already
            self._inherit(unit, self._units)
            return
        applied.failed(unit.node.name, error)
        assembly = Assembly(step.tried.wiring, step.tried.parts(self._context))
        back = step.after.diff(step.tried)
        fresh = self._made(assembly, (*back.added, *back.changed), {})
        self._inherit(unit, {**self._units, **fresh})
        self._graph = step.tried
        applied.follows(self._exchange(assembly, back, fresh, applied.ended, {}).left)

    def _inherit(self, unit: Unit, units: Mapping[str, Unit]) -> None:
        """Give what `unit` has left to who has its place."""
        trial = unit.trial
        if trial is not None and trial.heir is not None:
            name, place = trial.heir
            units[name].inputs[place].inherit(unit.inputs[0], trial.kept, unit.port)

    # ends --------------------------------------------------------------------------------------

    def ended(self, unit: Unit) -> None:
        """A node runs no more."""
        error = None if unit.trial is not None and unit.trial.failed else unit.error
        told = unit.port.end(error)
        if error is not None and not told:
            self._error = self._error or error
            self._over.set()
        if unit in self._old:
            self._old.discard(unit)
            self._past.add(*unit.stats())
        for applied, step in self._applied.items():
            step.exchange.ended(unit)
            applied.ended(unit)
        self._applied = {each: step for each, step in self._applied.items() if not each.done}
        self._look()

    def _look(self) -> None:
        """See whether all has ended."""
        if not self._old and all(unit.done for unit in self._units.values() if unit.ends):
            self._over.set()

    async def _main(self) -> Any:
        """Wait for the end of all, and close what is left."""
        try:
            await self._over.wait()
        finally:
            self._over.set()
            await stopped([*self._units.values(), *self._old])
        if self._error is not None:
            raise self._error
        if self._stopped:
            return None
        found = results(self._units)
        return found if len(found) > 1 else next(iter(found.values()))


def _nobody(what: Port | Mark) -> None:
    """Who is told that a graph has begun."""
