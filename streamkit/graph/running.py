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

from streamkit import ops
from streamkit._core.errors import StoppedError
from streamkit._engine.compile.pace import ENDED
from streamkit._engine.face.stream import Pipe, Stream
from streamkit.graph.build import Assembly
from streamkit.graph.difference import Difference, check_difference, check_runs
from streamkit.graph.lanes import Input, Lane, Port
from streamkit.graph.mistakes import Fault, Report, refuse
from streamkit.graph.nodes import Edge, Node
from streamkit.graph.parts import Part
from streamkit.graph.registry import Registry
from streamkit.graph.text import Text
from streamkit.graph.vocabulary import Role
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


class Unit:
    """One node that runs. `ended` is called when it does so no more."""

    def __init__(self, node: Node, assembly: Assembly, ended: Callable[[Unit], object]) -> None:
        self.node = node
        """As the graph has it now: it may read other nodes than when it began."""
        self.inputs: list[Input] = [Input() for _ in node.edges]
        self.port: Port = Port(self._unread)
        self.before: Unit | None = None
        """What stood in its place, and is to end first."""
        self.task: asyncio.Task[Any] | None = None
        self.stopped: bool = False
        self._ended = ended
        self._gone = asyncio.Event()
        streams: dict[str, list[Stream[Any]]] = {}
        for edge, read in zip(node.edges, self.inputs, strict=True):
            streams.setdefault(edge.source, []).append(Stream(read.items))
        ways = {source: iter(each) for source, each in streams.items()}
        stream, pipe = assembly.begun(node, ways), assembly.pipe(node, ways)
        if self.ends:
            assert pipe is not None
        else:
            stream = stream if pipe is None else stream | pipe
            pipe = ops.for_each(self.port.send)
        self._stream: Stream[Any] = stream
        self._sink: Pipe = pipe

    @property
    def ends(self) -> bool:
        """Whether it is a sink."""
        return self.node.kind.role is Role.SINK

    @property
    def done(self) -> bool:
        return self.task is not None and self.task.done()

    def begin(self) -> None:
        """Run, in a task."""
        self.task = asyncio.get_running_loop().create_task(self._run(), name=self.node.name)
        self.task.add_done_callback(self._finish)

    async def _run(self) -> Any:
        if self.before is not None:
            before, self.before = self.before, None
            await before._gone.wait()
        return await (self._stream | self._sink)

    def stop(self) -> None:
        """End it, with what is under way; a second time, that cuts no clean-up short."""
        if self.task is not None and not self.stopped and not self.task.done():
            self.stopped = True
            self.task.cancel(ENDED)

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
        for read in self.inputs:
            read.leave()
        self._gone.set()
        self._ended(self)


class Applied:
    """A graph that was applied to one that runs. ``await`` it to know that nothing of the old one is left.

    It gives the results of the sinks that were taken out, or were changed, by their names.
    """

    def __init__(self, difference: Difference, old: Mapping[str, Unit]) -> None:
        self.difference: Difference = difference
        """What was changed."""
        self._old = old
        self._left = {unit for unit in old.values() if not unit.done}
        self._over = asyncio.Event()
        self.ended(None)

    @property
    def done(self) -> bool:
        """Whether nothing is left of what was taken out."""
        return self._over.is_set()

    def ended(self, unit: Unit | None) -> None:
        """A node runs no more."""
        if unit is not None:
            self._left.discard(unit)
        if not self._left:
            self._over.set()

    def __await__(self) -> Generator[Any, None, dict[str, Any]]:
        yield from self._over.wait().__await__()
        return _results(self._old)

    def __repr__(self) -> str:
        return f"<Applied {'done' if self.done else 'under way'}: {self.difference}>"


def _results(units: Mapping[str, Unit]) -> dict[str, Any]:
    """Those of the sinks that have ended by themselves."""
    found: dict[str, Any] = {}
    for name, unit in sorted(units.items()):
        task = unit.task
        if unit.ends and task is not None and not task.cancelled() and task.exception() is None:
            found[name] = task.result()
    return found


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
        self._applied: list[Applied] = []
        self._error: BaseException | None = None
        self._over = asyncio.Event()
        self._stopped = False
        assembly = Assembly(graph.wiring, graph.parts(context))
        names = tuple(graph.nodes)
        self._refuse_or(graph, assembly, Difference(added=names))
        self._exchange(assembly, Difference(added=names), self._made(assembly, names))
        self._task = self._loop.create_task(self._main(), name=repr(graph))

    @property
    def graph(self) -> G:
        """What runs now: the graph that was applied last."""
        return self._graph

    @property
    def done(self) -> bool:
        """Whether it has ended, and everything is closed."""
        return self._task.done()

    async def apply(self, graph: G) -> Applied:
        """Go over to `graph`: change the nodes in which it is different, and touch no others.

        All is checked and made before anything is touched. This then returns at once: await what it returns
        to know that nothing of the old nodes is left.

        Raises:
            GraphError: `graph` has mistakes; or the one that runs cannot become this one. Nothing is changed.
            RuntimeError: it has ended, or runs in another event loop.
            ValueError: `graph` has another registry.
        """
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("the graph runs in another event loop: apply it there")
        if self._over.is_set() or self._task.done():
            raise RuntimeError("the graph has ended: start the new one")
        assembly = Assembly(graph.wiring, graph.parts(self._context))
        found = self._graph.diff(graph)
        self._refuse_or(graph, assembly, found)
        fresh = self._made(assembly, (*found.added, *found.changed))
        old = {name: self._units[name] for name in (*found.removed, *found.changed)}
        self._graph = graph
        applied = Applied(found, old)
        self._applied.append(applied)
        self._exchange(assembly, found, fresh)
        self._look()
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

    def __await__(self) -> Generator[Any, None, Any]:
        return self._task.__await__()

    def __repr__(self) -> str:
        return f"<RunningGraph {'done' if self.done else 'running'} {self._graph!r}>"

    # changes -----------------------------------------------------------------------------------

    def _refuse_or(self, graph: G, assembly: Assembly, found: Difference) -> None:
        """Raise if the nodes that run cannot become those of `graph`."""
        report, fresh = Report(), (*found.added, *found.changed)
        check_runs(graph.nodes, assembly.parts, fresh, report)
        check_difference(self._graph.wiring, graph.wiring, found, report)
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

    def _made(self, assembly: Assembly, names: Iterable[str]) -> dict[str, Unit]:
        return {name: Unit(assembly.wiring.nodes[name], assembly, self._ended) for name in names}

    def _exchange(self, assembly: Assembly, found: Difference, fresh: Mapping[str, Unit]) -> None:
        """Take out what is not in the new graph, put in what is `fresh`, and join all anew."""
        changes: dict[Port, list[tuple[Lane, bool]]] = {}

        def leave(read: Input) -> None:
            """Nothing more comes by the last lane."""
            if read.lanes and read.lanes[-1].port.stays:
                changes.setdefault(read.lanes[-1].port, []).append((read.lanes[-1], False))

        old = [self._units.pop(name) for name in (*found.removed, *found.changed)]
        for unit in old:
            unit.port.stays = False
        for unit in old:
            for read in unit.inputs:
                leave(read)
        nodes, units = assembly.wiring.nodes, {**self._units, **fresh}
        rooms = {name: max(self._room, assembly.room(node)) for name, node in nodes.items()}
        for name, unit in units.items():
            for place, edge in enumerate(nodes[name].edges):
                read, source, room = unit.inputs[place], units[edge.source], rooms[edge.source]
                if (
                    name not in fresh
                    and unit.node.edges[place].source == edge.source
                    and edge.source not in fresh
                ):
                    for lane in read.lanes:
                        lane.widen(room)
                elif not read.over:
                    leave(read)
                    read.lanes.append(Lane(source.port, room))
                    changes.setdefault(source.port, []).append((read.lanes[-1], True))
            unit.node = nodes[name]
        self._units = units
        self._old |= {unit for unit in old if not unit.done}
        for port, lanes in changes.items():
            port.change(lanes)
        for unit in old:
            if not unit.inputs:
                unit.port.leave()
        for name, unit in fresh.items():
            unit.before = next((each for each in old if each.node.name == name and not each.done), None)
            unit.begin()

    # ends --------------------------------------------------------------------------------------

    def _ended(self, unit: Unit) -> None:
        error = unit.error
        told = unit.port.end(error)
        if error is not None and not told:
            self._error = self._error or error
            self._over.set()
        self._old.discard(unit)
        for applied in self._applied:
            applied.ended(unit)
        self._applied = [each for each in self._applied if not each.done]
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
            units = [*self._units.values(), *self._old]
            for unit in units:
                unit.stop()
            if running := [unit.task for unit in units if unit.task is not None and not unit.task.done()]:
                await asyncio.wait(running)
        if self._error is not None:
            raise self._error
        if self._stopped:
            raise StoppedError(f"{self._graph!r} was stopped")
        results = _results(self._units)
        return results if len(results) > 1 else next(iter(results.values()))
