"""The parts of a graph: what each node is by itself, before any is joined to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from types import CodeType
from typing import Any, Final, cast

from streamkit import ops
from streamkit._core.markers import ABSENT
from streamkit._core.show import shown
from streamkit._core.strategy import Suspend
from streamkit._core.value import Record
from streamkit._engine.face.stream import Pipe, Stream, rebuilt
from streamkit._engine.plan.link import Inlet, Link
from streamkit.graph.aligned import LEAVES_OUT, aligned
from streamkit.graph.mistakes import Fault, Report, Wrong, raise_all
from streamkit.graph.nodes import UNKNOWN, Node
from streamkit.graph.registry import Registry
from streamkit.graph.text import Text, Written
from streamkit.graph.values import Values, called, listing, table
from streamkit.graph.vocabulary import Parameter, Role, Sort

__all__ = ["Part", "Parts"]

_STRATEGY = Parameter(
    name="strategy",
    sort=Sort.STRATEGY,
    required=True,
    positional=True,
    several=False,
    takes=-1,
    text="Strategy",
)
_ITEMS = "a function, an iterable or a stream"


_LATER: Final = ops.buffer(Suspend(1))
"""In the place of an operator that cannot be made before there is a context."""
_NONE: Final[Mapping[str, Any]] = {}


class Part(Record):
    """What one node is."""

    source: Stream[Any] | None = None
    """Of a node that begins a stream."""
    pipe: Pipe | None = None
    """Its operator or sink; None for a join alone, and where streams are among its arguments."""
    places: Sequence[Any] = ()
    named: Mapping[str, Any] = _NONE
    """The arguments of an operator that has streams among them, but for those."""
    options: Mapping[str, Any] = _NONE
    """The arguments of its join."""
    buffer: Pipe | None = None
    """What its inputs wait in."""
    after: Pipe | None = None
    """What stands behind its operator; a test notes there what leaves the node."""


class Parts:
    """Makes the parts of all nodes; mistakes go to `report`."""

    def __init__(
        self,
        registry: Registry,
        report: Report,
        ways: Set[str] = frozenset(),
        context: Any = ABSENT,
        text: Text | None = None,
    ) -> None:
        self.text = text
        self.values: Values = Values(registry, context)
        self.report = report
        self.ways = ways
        """The names of nodes that are on the way to an aligned zip."""
        self.found: dict[str, Part] = {}
        self.later: str = ""
        """The name of something that makes an operator, when it has the context; nothing, if nothing does."""

    def make(self, nodes: Mapping[str, Node]) -> None:
        """Make the part of each node."""
        for name, node in nodes.items():
            if node.kind is UNKNOWN:
                continue
            try:
                self.found[name] = self.part(node)
            except Wrong as wrong:
                self.report.refused(wrong, node.path, node=name)

    def part(self, node: Node) -> Part:
        """What `node` is.

        Raises:
            Wrong: something of it is wrong; all else that is wrong stands beside that.
        """
        made, wrongs = dict[str, Any](), list[Wrong]()
        for make in (self._waits, self._joins, self._args, self._does):
            try:
                make(node, made)
            except Wrong as wrong:
                wrongs.append(wrong)
        raise_all(wrongs)
        return Part(**made)

    def _waits(self, node: Node, made: dict[str, Any]) -> None:
        if "strategy" in node.keys:
            made["buffer"] = self.buffer(node)

    def _joins(self, node: Node, made: dict[str, Any]) -> None:
        if node.join is not None:
            _, options = self.values.arguments(node.join, node.options, None)
            called(node.join, [()], options)  # which checks them
            made["options"] = options

    def _args(self, node: Node, made: dict[str, Any]) -> None:
        if "args" in node.keys:
            _check_args(node)

    def _does(self, node: Node, made: dict[str, Any]) -> None:
        """Its source, operator or sink; or the arguments of an operator that has streams among them."""
        kind = node.kind
        if kind.role is Role.JOIN:
            made["pipe"] = LEAVES_OUT if node.aligned else None
        elif kind.role is Role.SOURCE:
            made["source"] = self.source(node)
        elif kind.name in ("sink", "operator"):
            made["pipe"] = self.sink(node) if kind.name == "sink" else self.operator(node)
        elif node.name in self.ways:
            places, named = self.values.arguments(kind, node.arguments, node.keys.get("args"))
            called(kind, places, named)
            made["pipe"] = self.placed(aligned(kind.name, places[0], named), node)
        elif Sort.STREAM in kind.sorts and (streams := _streams(node)):
            known = {key: each for key, each in kind.parameters.items() if key not in streams}
            first = None if kind.first is not None and kind.first.name in streams else kind.first
            rest = kind.but(parameters=known, first=first)
            places, named = self.values.arguments(rest, node.arguments, node.keys.get("args"))
            called(kind, places, {**named, **{name: Stream[Any](()) for name in streams}})
            made |= {"places": places, "named": named}
        else:
            made["pipe"] = self.placed(self.values.made(kind, node.arguments, node.keys), node)

    def placed(self, pipe: Pipe, node: Node) -> Pipe:
        """`pipe`, of which errors name the file and the line of `node`, if it has any."""
        if self.text is None:
            return pipe
        where = cast("CodeType", Written(self.text, node.path))
        links = [Link(link.declaration, link.arguments, where, 0) for link in pipe.links]
        placed: Pipe = rebuilt(type(pipe), tuple(links))
        return placed

    def buffer(self, node: Node) -> Pipe | None:
        """What the inputs of `node` wait in, if it says so, and its operator has no strategy of its own."""
        raw = node.keys.get("strategy")
        if raw is None or "strategy" in node.kind.parameters:
            return None
        if node.kind.role is Role.SOURCE:
            raise Wrong(Fault.UNKNOWN_ARGUMENT, "what begins a stream waits for nothing", path=("strategy",))
        buffer: Any = ops.buffer
        try:
            found: Pipe = buffer(self.values.argument(raw, _STRATEGY))
        except Wrong as wrong:
            raise wrong.below("strategy") from None
        except TypeError as error:  # what the registry has by this name is none
            raise Wrong(Fault.WRONG_ARGUMENT, str(error), path=("strategy",)) from None
        return found

    def source(self, node: Node) -> Stream[Any]:
        """The stream that begins at `node`."""
        kind, raw = node.kind, node.keys[node.kind.name]
        if kind.name != "source":
            places, named = self.values.arguments(kind, node.arguments, None)
            return cast("Stream[Any]", called(kind, places, named))
        try:
            for key in node.arguments:
                if key != "source":
                    raise Wrong(Fault.UNKNOWN_ARGUMENT, f"source takes no {shown(key)}", path=(key,))
            if (items := listing(raw)) is not None:
                return Stream(items)
            entry = self.values.registry.entry(raw, "source")
            value: Any = entry.value
            given = table(node.keys.get("args", {})) or {}
            if isinstance(value, Pipe):
                raise Wrong(Fault.WRONG_ARGUMENT, f"{raw} stands for {shown(value)}, not for {_ITEMS}")
            if callable(value) and not issubclass(type(value), Inlet):
                value = self.values.bound(entry, given, 0)
            begun: Any = value  # checkers know of it now only that it is callable, or not
            return Stream(begun)
        except Wrong as wrong:
            raise (wrong if wrong.path else wrong.below("source")) from None
        except TypeError as error:
            raise Wrong(Fault.WRONG_ARGUMENT, str(error), path=("source",)) from None

    def sink(self, node: Node) -> Pipe:
        """The sink of `node`: what the registry has by its name, or what calls that with each item."""
        entry = self._entry(node)
        options = {key: value for key, value in node.arguments.items() if key != node.kind.name}
        if isinstance(entry.value, Pipe):
            if entry.value.links[-1].declaration.sink and not options:
                return entry.value
            words = (
                f"{entry.name} is an operator, not a sink" if not options else f"{entry.name} is made already"
            )
            raise Wrong(Fault.WRONG_ARGUMENT, words, path=(next(iter(options), "sink"),))
        if not callable(entry.value):
            words = f"sink must name a sink or a function; {entry.name} stands for {shown(entry.value)}"
            raise Wrong(Fault.WRONG_ARGUMENT, words, path=("sink",))
        function = self.values.bound(entry, table(node.keys.get("args", {})) or {}, 1)
        _, named = self.values.arguments(node.kind, options, None)
        kind = node.kind.but(function=ops.for_each)
        return self.placed(called(kind, [function], named), node)

    def operator(self, node: Node) -> Pipe:
        """The operator that the registry has by its name, or what makes it."""
        entry = self._entry(node)
        made = entry.value
        for key in node.arguments:
            if key != "operator":
                words = f"operator takes no {shown(key)}"
                raise Wrong(Fault.UNKNOWN_ARGUMENT, words, "give it to what makes it, in args", (key,))
        if not isinstance(made, Pipe) and callable(made):
            function = self.values.bound(entry, table(node.keys.get("args", {})) or {}, 0)
            if entry.needs_context and self.values.context is ABSENT:
                self.later = entry.name
                return _LATER
            try:
                made = function()
            except Exception as error:  # of the user's function, which is told as a mistake of this node
                raise Wrong(Fault.WRONG_ARGUMENT, f"{entry.name} failed: {error}", path=("args",)) from None
        if not isinstance(made, Pipe) or made.links[-1].declaration.sink:
            words = f"{entry.name} must be an operator, or a function that makes one, not {shown(made)}"
            raise Wrong(Fault.WRONG_ARGUMENT, words, path=("operator",))
        return made

    def _entry(self, node: Node) -> Any:
        name = node.kind.name
        try:
            return self.values.registry.entry(node.keys[name], name)
        except Wrong as wrong:
            raise wrong.below(name) from None


def _streams(node: Node) -> list[str]:
    """The arguments of its operator that are streams, and were given."""
    kind = node.kind
    return [
        each.name
        for each in kind.parameters.values()
        if each.sort is Sort.STREAM and (kind.name if each is kind.first else each.name) in node.keys
    ]


def _check_args(node: Node) -> None:
    """Raise if the arguments of its function are no table, or there is no function that they are for."""
    raw, kind = node.keys["args"], node.kind
    if table(raw) is None:
        raise Wrong(Fault.WRONG_ARGUMENT, f"args must be a table, not {shown(raw)}", path=("args",))
    for key in table(raw) or ():
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance] - data may have anything
            words = f"the name of an argument is a text, not {shown(key)}"
            raise Wrong(Fault.WRONG_ARGUMENT, words, path=("args", key))
    takes = kind.name in ("source", "sink", "operator") or (
        kind.first is not None and kind.first.sort is Sort.FUNCTION
    )
    if not takes or listing(node.keys.get(kind.name)) is not None:
        words = f"{kind.name} has no function that args are for"
        raise Wrong(Fault.UNKNOWN_ARGUMENT, words, "write arguments of an operator beside it", ("args",))
