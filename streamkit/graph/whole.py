"""Graphs: read, checked, and made into a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike, fspath
from types import MappingProxyType
from typing import Any, Final

from streamkit._core.arguments import whole
from streamkit._core.errors import GraphError
from streamkit._core.markers import ABSENT
from streamkit._core.show import shown
from streamkit._engine.face.explanation import Explanation
from streamkit._engine.face.job import Job
from streamkit._engine.run.blocking import require_loop
from streamkit.graph.aligned import ways
from streamkit.graph.annotations import typed
from streamkit.graph.build import Assembly, GraphJob
from streamkit.graph.cases import Case, read_cases
from streamkit.graph.diagram import as_dot, as_mermaid
from streamkit.graph.difference import Difference, difference
from streamkit.graph.formats import copied, format_of, read_text
from streamkit.graph.mistakes import Fault, Mistake, Report, Wrong, either, refuse
from streamkit.graph.nodes import Node, read
from streamkit.graph.parts import Part, Parts
from streamkit.graph.picture import as_svg
from streamkit.graph.registry import Registry
from streamkit.graph.running import RunningGraph
from streamkit.graph.text import Text
from streamkit.graph.values import table
from streamkit.graph.wiring import Wiring, check_wiring

__all__ = ["Graph"]

_FORMS: Final[Mapping[str, Callable[[Wiring], str]]] = {"mermaid": as_mermaid, "dot": as_dot, "svg": as_svg}


class Graph:
    """A pipeline as data: nodes with names, each of which says where its items come from.

    >>> from streamkit.graph import Graph, Registry
    >>> registry = Registry({"work.double": lambda number: 2 * number})
    >>> graph = Graph(
    ...     {
    ...         "nodes": {
    ...             "numbers": {"source": [1, 2, 3]},
    ...             "double": {"map": "work.double", "input": "numbers"},
    ...             "out": {"to_list": True, "input": "double"},
    ...         }
    ...     },
    ...     registry=registry,
    ... )
    >>> graph.check()
    ()
    >>> graph.job().run()
    [2, 4, 6]

    Args:
        data: the graph, as tables and lists.
        registry: what its names stand for.
    """

    def __init__(self, data: Mapping[str, Any], *, registry: Registry) -> None:
        self._text: Text | None = None
        self._begin(data, registry, [])

    @classmethod
    def load(cls, path: str | PathLike[str], *, registry: Registry) -> Graph:
        """A graph from a file of TOML, JSON or YAML, as its suffix says; mistakes name the file and the line.

        Raises:
            ImportError: it is YAML, and pyyaml is not installed: ``streamkit[yaml]``.
            OSError: the file cannot be read.
            ValueError: the suffix is another.
        """
        kind = format_of(path)
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return cls.read(file.read(), format=kind, registry=registry, file=fspath(path))

    @classmethod
    def read(cls, text: str, *, format: str, registry: Registry, file: str = "") -> Graph:
        """A graph from the text of a file; `format` is ``"toml"``, ``"json"`` or ``"yaml"``.

        Raises:
            ImportError: it is YAML, and pyyaml is not installed: ``streamkit[yaml]``.
            ValueError: the format is another.
        """
        graph = cls.__new__(cls)
        graph._text, mistakes = read_text(text, format, file)
        graph._begin(graph._text.data if graph._text is not None else {"nodes": {}}, registry, mistakes)
        return graph

    def _begin(self, data: Any, registry: Registry, before: list[Mistake]) -> None:
        self._data: dict[str, Any] = {"nodes": {}}
        self._registry = registry
        report = Report()
        try:
            self._data = copied(data)
        except Wrong as wrong:
            report.refused(wrong, ())
        self._nodes: dict[str, Node] = read(self._data, report)
        if not (self._nodes or before or report.mistakes):
            report.add(Fault.WRONG_ARGUMENT, ("nodes",), "there is no node, so that nothing would run")
        self._wiring = Wiring(self._nodes)
        self._ways = ways(self._wiring, report)
        self._parts = Parts(registry, report, self._ways, text=self._text)
        self._parts.make(self._nodes)
        check_wiring(self._wiring, report)
        typed(self._wiring, self._parts, report)
        self._cases: list[Case] = []
        if "tests" in (table(self._data) or ()):
            self._cases = read_cases(self._data["tests"], self._nodes, report)
            for case in self._cases if self._parts.values.needed else ():
                if case.context is None:
                    words = f"{self._parts.values.needed} asks for the context"
                    report.add(Fault.MISSING_ARGUMENT, case.path, words, "write context in the test")
        located = self._text.located if self._text is not None else None
        found = report.mistakes if located is None else [located(each) for each in report.mistakes]
        found = sorted([*before, *found], key=lambda each: (each.line, each.column, each.where))
        self._mistakes: tuple[Mistake, ...] = tuple(found)

    def check(self) -> tuple[Mistake, ...]:
        """Every mistake that the graph has, at once; nothing runs."""
        return self._mistakes

    def job(self, *, context: Any = ABSENT) -> Job[Any]:
        """The job of the graph. Its result is that of the sink; of several, a dict of theirs by name.

        Args:
            context: what every function gets that has a parameter of this name.

        Raises:
            GraphError: the graph has mistakes; or a function asks for the context, and there is none.
        """
        return Assembly(self._wiring, self.parts(context)).job()

    def start(self, *, context: Any = ABSENT, room: int = 1) -> RunningGraph[Graph]:
        """Run it in the running event loop, so that other graphs can be applied to it meanwhile.

        Each node runs in a task of its own. A graph that is not to be changed costs less as a `job`.

        Args:
            context: as of `job`. Functions of nodes that come later get it, too.
            room: how many items wait between two nodes, at most, where no more need to. With more, tasks take
                turns less often, and sources are read ahead further.

        Raises:
            GraphError: the graph has mistakes; a function asks for the context, and there is none; or it has
                a node that cannot run so, as ``retry``.
            RuntimeError: no event loop runs in this thread.
            TypeError: `room` is no whole number.
            ValueError: `room` is below 1.
        """
        require_loop("graph.start()", "graph.job().run()")
        return RunningGraph(self, context, whole("room", room, least=1))

    def diff(self, new: Graph) -> Difference:
        """The nodes in which `new` is different.

        Raises:
            ValueError: it has another registry, where names may stand for something else.
        """
        if new._registry is not self._registry:
            raise ValueError("both graphs must have the same registry")
        return difference(self._wiring, new._wiring, (self._ways, new._ways))

    def explain(self) -> Explanation:
        """What is fused, what buffers where, and the bound in items, before anything runs.

        Raises:
            GraphError: the graph has mistakes; or an operator is made only when there is a context, and
                ``graph.job(context=...).explain()`` says it then.
        """
        refuse(self._mistakes)
        if self._parts.later:
            words = f"{self._parts.later} makes an operator when it has the context"
            raise GraphError(f"{words}: write graph.job(context=...).explain()")
        job: GraphJob = Assembly(self._wiring, self._parts.found).job()
        return job.explain()

    def to_data(self) -> dict[str, Any]:
        """The graph as data: a graph made of this is the same."""
        found: dict[str, Any] = copied(self._data)
        return found

    def diagram(self, form: str = "mermaid") -> str:
        """The graph, drawn: as text for ``"mermaid"`` or ``"dot"`` (Graphviz), or as a picture, ``"svg"``.

        A graph with mistakes can be drawn too; nodes of which nothing is known are left out.

        Raises:
            ValueError: there is no such form.
        """
        draw = _FORMS.get(form)
        if draw is None:
            raise ValueError(f"form must be {either([*_FORMS])}, not {shown(form)}")
        return draw(self._wiring)

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The nodes by their full names, those of inner graphs as ``outer.inner``."""
        return MappingProxyType(self._nodes)

    @property
    def registry(self) -> Registry:
        """What its names stand for."""
        return self._registry

    @property
    def wiring(self) -> Wiring:
        """Its nodes, and the edges between them."""
        return self._wiring

    @property
    def text(self) -> Text | None:
        """What it was read from; None for a dict."""
        return self._text

    @property
    def cases(self) -> tuple[Case, ...]:
        """The tests that stand in it.

        Raises:
            GraphError: it has mistakes.
        """
        refuse(self._mistakes)
        return tuple(self._cases)

    def parts(self, context: Any = ABSENT) -> Mapping[str, Part]:
        """What each node is by itself, by its name: what is joined to make the job.

        Raises:
            GraphError: the graph has mistakes; or a function asks for the context, and there is none.
        """
        refuse(self._mistakes)
        parts = self._parts
        if parts.values.needed and context is ABSENT:
            raise GraphError(f"{parts.values.needed} asks for the context: write graph.job(context=...)")
        if parts.values.asked and context is not ABSENT:
            report = Report()
            parts = Parts(self._registry, report, self._ways, context, self._text)
            parts.make(self._nodes)
            refuse(report.mistakes)
        return MappingProxyType(parts.found)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Graph):
            return NotImplemented
        return self._data == other._data and self._registry is other._registry

    def __hash__(self) -> int:
        return hash(tuple(self._nodes))

    def __repr__(self) -> str:
        return f"Graph({', '.join(self._nodes)})"
