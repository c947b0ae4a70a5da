"""Building: parts joined into streams and a job, as one would write them by hand.

- Nodes in a row are one pipe.
- Where several read a node, and what follows each of them is read by nobody else, they are the branches of a
  ``broadcast``: they run in the loop of their source, where that is possible.
- Where some of them meet again, or meet others, the node is shared: its source is opened when the last of its
  readers has come, so that none misses the first item.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping
from functools import partial
from typing import Any, Final, TypeAlias, cast

from streamkit import ops
from streamkit._core.contract import UNBOUNDED, amount
from streamkit._core.strategy import Suspend
from streamkit._core.value import Record
from streamkit._engine.buffer.book import Book
from streamkit._engine.face.job import Job
from streamkit._engine.face.stream import Pipe, Sink, Stream, rebuilt
from streamkit._engine.plan.link import Inlet, Link
from streamkit.graph.aligned import LEAVES_OUT
from streamkit.graph.nodes import Node
from streamkit.graph.parts import Part
from streamkit.graph.vocabulary import Role
from streamkit.graph.wiring import Wiring
from streamkit.operators.hot import among
from streamkit.sources.combine import merge

__all__ = ["Assembly", "GraphJob"]

Shape: TypeAlias = "str | tuple[Shape, ...]"
"""The name of a sink; of a broadcast, those of its branches."""
_DEEP: Final = 8
"""Broadcasts within each other: each nests the loop deeper. Beyond that, nodes are shared."""
_MOST: Final = 1024
"""Items that wait for each reader of a node which is shared, at most, unless the graph says more."""


class Piece(Record):
    """A stream, and the sink behind it."""

    stream: Stream[Any]
    sink: Pipe
    shape: Shape


class GraphJob(Job[Any]):
    """The job of a graph: built anew for each run, where nodes are shared, so that no two runs share one."""

    __slots__ = ("_assembly", "_shape")

    def __init__(self, assembly: Assembly, *, awaited: bool = False) -> None:
        stream, links, shape = assembly.built()
        super().__init__(stream, links, awaited=awaited)
        self._assembly = assembly
        self._shape: Shape = "" if isinstance(shape, str) else shape
        """The names of what is in the result; nothing, if that is the result of the one sink."""

    def work(self, book: Book | None) -> Coroutine[Any, Any, Any]:
        """The coroutine of a new run. Its stages are entered in `book`."""
        if self._assembly.shares:
            stream, links, _ = self._assembly.built()
            self._links = stream.links + links
        made = super().work(book)
        return _by_name(made, self._shape) if self._shape else made

    def __reduce__(self) -> tuple[Any, ...]:
        self._awaited = True
        return partial(GraphJob, awaited=True), (self._assembly,)


async def _by_name(made: Coroutine[Any, Any, Any], shape: Shape) -> dict[str, Any]:
    found: dict[str, Any] = {}
    result: Any = await made
    left: list[tuple[Shape, Any]] = [(shape, result)]
    while left:
        names, result = left.pop()
        if isinstance(names, str):
            found[names] = result
        else:
            if isinstance(result, dict):  # of several streams, by their numbers
                numbered = cast("dict[int, Any]", result)
                result = [numbered[number] for number in range(len(names))]
            left += zip(names, result, strict=True)
    return dict(sorted(found.items()))


class Assembly:
    """Joins the parts of a graph."""

    def __init__(self, wiring: Wiring, parts: Mapping[str, Part]) -> None:
        self.wiring = wiring
        self.parts: dict[str, Part] = dict(parts)
        self.depths: dict[str, int] = _depths(wiring)
        """By the name of a node behind which the graph is a tree, how deep that nests broadcasts."""
        self.shares: bool = any(
            len(wiring.readers[node.name]) > 1 and not self._splits(node) for node in wiring.order
        )

    def job(self) -> GraphJob:
        """The job of the graph."""
        return GraphJob(self)

    def built(self) -> tuple[Inlet[Any], tuple[Link, ...], Shape]:
        """The stream of the job, its sink, and the names of what is in the result."""
        pieces = self._pieces()
        if len(pieces) == 1:
            return pieces[0].stream, pieces[0].sink.links, pieces[0].shape
        aggregate: Any = ops.aggregate
        results: list[Stream[Any]] = [
            piece.stream | aggregate(piece.sink) | ops.map(partial(_numbered, number))
            for number, piece in enumerate(pieces)
        ]
        whole: Stream[Any] = merge(*results)
        return whole, ops.to_dict().links, tuple([piece.shape for piece in pieces])

    def _pieces(self) -> list[Piece]:
        """The streams of the graph that end in sinks."""
        streams: dict[str, Iterator[Stream[Any]]] = {}
        """By the name of a node, the stream of it for each of its readers in turn."""
        pieces: list[Piece] = []
        below: set[str] = set()
        """Nodes that are part of a branch."""
        branches = self._branches()
        for node in self.wiring.order:
            name, readers = node.name, self.wiring.readers[node.name]
            if name in below:
                below.update([reader.name for reader, _ in readers])
                continue
            stream = self.begun(node, streams)
            if node.kind.role is Role.SINK:
                sink = self.pipe(node, streams)
                assert sink is not None
                pieces.append(Piece(stream=stream, sink=sink, shape=name))
                continue
            for pipe in (self.pipe(node, streams), self.parts[name].after):
                stream = stream if pipe is None else stream | pipe
            if len(readers) > 1 and self._splits(node):
                below.update([reader.name for reader, _ in readers])
                sink, shape = branches[name]
                pieces.append(Piece(stream=stream, sink=sink, shape=shape))
                continue
            ways = [stream]
            if len(readers) > 1:
                shares = among(len(readers), Suspend(self.room(node)))
                ways = [stream | share for share in shares]
            streams[name] = iter(ways)
        return pieces

    def begun(self, node: Node, streams: Mapping[str, Iterator[Stream[Any]]]) -> Stream[Any]:
        """What the operator of `node` reads: its inputs, joined."""
        part = self.parts[node.name]
        if part.source is not None:
            return part.source
        inputs = [next(streams[edge.source]) for edge in node.inputs]
        if part.buffer is not None:
            inputs = [stream | part.buffer for stream in inputs]
        if node.join is None:
            return inputs[0]
        assert node.join.function is not None
        joined: Stream[Any] = inputs[0] | node.join.function(*inputs[1:], **part.options)
        return joined | LEAVES_OUT if node.aligned and node.kind.role is not Role.JOIN else joined

    def pipe(self, node: Node, streams: Mapping[str, Iterator[Stream[Any]]]) -> Pipe | None:
        """The operator or sink of `node`, with the streams that are arguments of it."""
        part = self.parts[node.name]
        others = {edge.parameter: next(streams[edge.source]) for edge in node.edges if edge.parameter}
        if not others:
            return part.pipe
        assert node.kind.function is not None
        found: Pipe = node.kind.function(*part.places, **part.named, **others)
        return found

    def _splits(self, node: Node) -> bool:
        """Whether the readers of `node` are the branches of a broadcast."""
        return 0 < self.depths.get(node.name, 0) <= _DEEP

    def _branches(self) -> dict[str, tuple[Pipe, Shape]]:
        """By the name of a node that splits, the sink that all of its branches are."""
        chains: dict[str, tuple[list[Link], Shape]] = {}
        """By the name of a node, its links and those behind it, the last first; only of trees."""
        found: dict[str, tuple[Pipe, Shape]] = {}
        for node in reversed(self.wiring.order):
            name, readers = node.name, self.wiring.readers[node.name]
            if self.depths.get(name, _DEEP + 1) > _DEEP:
                continue
            links = list[Link]()
            shape: Shape = name
            if len(readers) == 1:
                links, shape = chains.pop(readers[0][0].name)
            elif readers:
                each = [chains.pop(reader.name) for reader, _ in readers]
                pipes: list[Pipe] = [rebuilt(Sink, tuple(reversed(links))) for links, _ in each]
                sink: Pipe = ops.broadcast(*pipes)
                shape = tuple([inner for _, inner in each])
                found[name] = sink, shape
                links = [*reversed(sink.links)]
            part = self.parts[name]
            for pipe in (part.after, part.pipe, part.buffer):
                links += reversed(pipe.links) if pipe is not None else ()
            chains[name] = links, shape
        return found

    def room(self, node: Node) -> int:
        """How many items wait for each reader of `node`: so many that no way holds back another by itself.

        A way that holds eight, as eight calls are in flight, has the others wait with eight.
        """
        if len(self.wiring.readers[node.name]) < 2:
            return 1
        most = 1.0
        for reader, _ in self.wiring.readers[node.name]:
            held, at = 0.0, reader
            while at.join is None:
                pipe = self.parts[at.name].pipe
                for link in pipe.links if pipe is not None else ():
                    held += amount(link.declaration.contract.holds, link.arguments)
                if len(self.wiring.readers[at.name]) != 1:
                    break
                at = self.wiring.readers[at.name][0][0]
            most = max(most, held + 1)
        return int(most) if most < UNBOUNDED and most <= _MOST else _MOST


def _depths(wiring: Wiring) -> dict[str, int]:
    """By the names of nodes behind which nothing meets: how deep broadcasts nest there."""
    depths: dict[str, int] = {}
    for node in reversed(wiring.order):
        readers = [reader for reader, _ in wiring.readers[node.name]]
        if any(
            len(reader.edges) > 1 or reader.join is not None or reader.name not in depths
            for reader in readers
        ):
            continue
        inner = max([depths[reader.name] for reader in readers], default=0)
        depths[node.name] = inner + (len(readers) > 1)
    return depths


def _numbered(number: int, result: Any) -> tuple[int, Any]:
    return number, result
