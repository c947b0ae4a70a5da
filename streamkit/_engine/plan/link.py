"""Links: operators with their arguments, in the order of the pipe, and what a stage reads from."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from operator import attrgetter
from types import CodeType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeGuard, TypeVar

from streamkit._core.arguments import Composed
from streamkit._core.catalogue import Declaration
from streamkit._core.guarded import policy_among
from streamkit._core.markers import ABSENT
from streamkit._core.places import line_of, placed
from streamkit._core.show import cut, named
from streamkit._core.value import alike, copied, hashed
from streamkit._engine.compile.key import Mode, StepKey, key_of
from streamkit._engine.plan.source import Opened, Source

if TYPE_CHECKING:
    from streamkit._core.contract import Contract
    from streamkit._engine.buffer.book import Book

__all__ = [
    "Inlet",
    "Link",
    "StageDeclaration",
    "awaited",
    "flattened",
    "piped",
    "returned",
    "returned_by",
    "shared",
    "shares",
    "unfolded",
]

T_co = TypeVar("T_co", covariant=True)

_OPENED: Final = "a stage reads its source through its run: write async for item in run.open(source)"
NESTED = 20
"""How many streams inside of one another are shown, at most."""


class Link:
    """One operator as it stands in a pipe: its declaration, its arguments and where it was written."""

    __slots__ = ("_at", "_where", "arguments", "awaited", "blamed", "declaration", "known")

    def __init__(
        self, declaration: Declaration, arguments: dict[str, Any], where: CodeType | str, at: int
    ) -> None:
        """It stands in a file and a line; or in the code that runs there, at one of its instructions."""
        self.declaration: Declaration = declaration
        self.arguments: dict[str, Any] = arguments
        self._where, self._at = where, at
        self.known: StepKey | None = declaration.seen.only
        self.blamed: Link | None = None
        """The link that errors name instead of this one; None for this one."""
        self.awaited: bool = declaration.stage is not None and any(map(_awaits, arguments.values()))
        """Whether an argument has a source for whose reader others wait, however deep inside."""
        if declaration.late:
            _ = self.key  # which refuses a callback that may drop an item where there is none

    @property
    def key(self) -> StepKey:
        """What of it decides the code of its loop. Once it was asked for, it is `known`."""
        key = self.known
        if key is None:
            of = self.declaration
            inner = self.branches if of.forks or of.groups else ()
            branches = tuple([tuple([link.key for link in branch]) for branch in inner]) if inner else ()
            self.known = key = key_of(of, self.arguments, branches)
        return key

    def but(self, arguments: dict[str, Any], declaration: Declaration | None = None) -> Link:
        """A link at the same place with other `arguments`, of the same operator or of another."""
        return Link(declaration or self.declaration, arguments, self._where, self._at)

    @property
    def branches(self) -> tuple[tuple[Link, ...], ...]:
        """The links of each branch of a fork; of a `group_by`, the links of the pipe of a group."""
        if self.declaration.groups:
            return (self.arguments["pipe"].links,)
        return tuple([pipe.links for pipe in self.arguments["branches"]]) if self.declaration.forks else ()

    @property
    def place(self) -> str:
        """The line that put it into the pipe, as ``file:line``; errors name it."""
        return placed(*self.written)

    @property
    def written(self) -> tuple[str, int]:
        """The file and the line. They are found only here: that takes as long as all else about a link."""
        where = self._where
        return (where, self._at) if isinstance(where, str) else (where.co_filename, line_of(where, self._at))

    @property
    def waits(self) -> bool:
        """Whether a callback of it or its branches is known to be asynchronous, or may be at its end."""
        return (
            bool(self.declaration.closes or self.declaration.nests)
            or Mode.ASYNC in self.key.modes.values()
            or any(link.waits for branch in self.branches for link in branch)
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Link):
            return NotImplemented
        mine, others = self.arguments, other.arguments
        return (
            self.declaration is other.declaration
            and mine.keys() == others.keys()
            and all(alike(mine[name], others[name]) for name in mine)
        )

    def __hash__(self) -> int:
        return hash((id(self.declaration), *map(hashed, self.arguments.values())))

    def __repr__(self) -> str:
        return self.told(0)

    def told(self, depth: int) -> str:
        """It, as it was written; of pipes and streams that are `depth` deep in others, not all."""
        shown: list[str] = []
        for name, parameter in inspect.signature(self.declaration.function).parameters.items():
            value = self.arguments.get(name, ABSENT)
            if name.startswith("_") or value is ABSENT or _is_default(value, parameter.default):
                continue
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                shown += [_argument(each, depth) for each in value[:_MANY]]
                if len(value) > _MANY:
                    shown.append(f"... {len(value) - _MANY} more ...")
            elif parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                shown.append(f"{name}={_argument(value, depth)}")
            else:
                shown.append(_argument(value, depth))
        policy = policy_among(self.arguments.values())
        if policy is not None:
            shown.append(f"on_error={policy!r}")
        return f"{self.declaration.name}({', '.join(shown)})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Link:
        arguments = {name: copied(value, memo) for name, value in self.arguments.items()}
        return self.but(arguments)

    def __reduce__(self) -> tuple[Callable[..., Link], tuple[Any, ...]]:
        return Link, (self.declaration, self.arguments, *self.written)


def _is_stream(value: object) -> TypeGuard[Inlet[Any]]:
    return isinstance(value, Inlet)


def _is_several(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


def _awaits(value: object) -> bool:
    """Whether an argument of a stage, or a stream, has a source that is `awaited`."""
    if _is_several(value):
        return any(map(_awaits, value))
    if _is_stream(value):
        return value.source.awaited or any(map(_AWAITED, value.links))
    return isinstance(value, Composed) and any(map(_AWAITED, value.links))


_AWAITED: Final = attrgetter("awaited")


def awaited(*values: object) -> Iterator[Any]:
    """The sources that are `awaited` in `values`, arguments of stages or streams, and in theirs."""
    left: list[object] = [value for value in values if _awaits(value)]
    seen: set[int] = set()  # links that several streams have, as behind a share: each is gone into once
    while left:
        value = left.pop()
        left += value if _is_several(value) else ()
        links: Sequence[Link] = value.links if _is_stream(value) or isinstance(value, Composed) else ()
        if _is_stream(value) and value.source.awaited:
            yield value.source
        new = [link for link in links if link.awaited and id(link) not in seen]
        seen.update(map(id, new))
        left += [argument for link in new for argument in link.arguments.values()]


def shares(link: Link) -> bool:
    """Whether the runs of `link` share one run of the stream before it."""
    return isinstance(link.declaration, StageDeclaration) and link.declaration.shares


def shared(inlet: Inlet[Any]) -> bool:
    """Whether what `inlet` begins with belongs to no single run: several share it, and may come and go."""
    return any(map(shares, inlet.links))


def piped(begin: str, links: Sequence[Link], depth: int = 0) -> str:
    """`links` as they were written, after what they `begin` with; of a very long pipe, both ends."""
    parts = [link.told(depth) for link in (links if len(links) <= 2 * _END else links[:_END])]
    if len(links) > 2 * _END:
        parts += [f"... {len(links) - 2 * _END} more ...", *[link.told(depth) for link in links[-_END:]]]
    return " | ".join([begin, *parts] if begin else parts)


def _argument(value: Any, depth: int) -> str:
    if not isinstance(value, (Inlet, Composed)):
        return named(value)
    if depth > _DEEP:
        return "..."
    inlet: Inlet[Any] | None = value if isinstance(value, Inlet) else None  # pyright: ignore[reportUnknownVariableType]
    return cut(piped("" if inlet is None else f"Stream({inlet.source!r})", value.links, depth + 1))


_DEEP, _END, _MANY = 1, 10, 20


def _is_default(value: Any, default: Any) -> bool:
    """Whether an argument need not be shown. A value of a user is not compared."""
    return value is default or (type(value) is type(default) and type(value) in _PLAIN and value == default)


_PLAIN: Final = frozenset({bool, float, int, str})


def flattened(links: Sequence[Link]) -> list[Link]:
    """`links`, then the links of their branches: the order in which the compiler numbers the steps."""
    found = [*links]
    for link in links:
        for branch in link.branches:
            found += flattened(branch)
    return found


class StageDeclaration(Declaration, ABC):
    """An operator that owns tasks, a buffer or a clock.

    `face.stage` implements how a run begins, because `plan` may not import `run`.
    """

    pairs: Any = None  # why it cannot take pairs of a delivery and an item, a function of its arguments

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        contract: Contract,
        *,
        stage: Callable[..., Any],
        parameters: tuple[str, ...],
        pumps: bool,
        buffers: bool,
        direct: bool,
        relays: bool,
        joins: bool,
        shares: bool,
    ) -> None:
        sink = inspect.iscoroutinefunction(stage)
        super().__init__(name, function, contract, parameters=parameters, sink=sink)
        self.stage = self.runs = stage
        self.pumps = pumps
        self.buffers = buffers
        self.direct = direct
        self.relays = relays
        """Whether it passes what is thrown into it on to the stream that it has opened."""
        self.joins = joins
        """Whether one that stands in a source of another of the same kind is a part of that."""
        self.shares = shares
        """Whether its runs share one of the stream before it, which none opens for itself."""

    @cached_property
    def generates(self) -> bool:
        return inspect.isasyncgenfunction(self.stage)

    @property
    def _own_parameters(self) -> list[inspect.Parameter]:
        """Those of the function that runs it, but for the run and the stream before it."""
        return [*inspect.signature(self.runs).parameters.values()][2:]

    @cached_property
    def needed(self) -> frozenset[str]:
        return frozenset(
            each.name
            for each in self._own_parameters
            if each.default is each.empty and each.kind in (each.KEYWORD_ONLY, each.POSITIONAL_OR_KEYWORD)
        )

    @cached_property
    def taken(self) -> frozenset[str]:
        own = self._own_parameters
        several = {*self.parameters} if any(each.kind is each.VAR_KEYWORD for each in own) else set[str]()
        return frozenset({each.name for each in own} | several)

    @abstractmethod
    def begin(self, link: Link, inlet: Inlet[Any], book: Book | None) -> Opened:
        """Begin a run of `link` over `inlet`, entered in `book`; return what the loop after it reads."""

    @abstractmethod
    async def result(self, link: Link, inlet: Inlet[Any], book: Book | None) -> Any:
        """Run the sink `link` over `inlet` to its end, and return its result."""


class Inlet(Generic[T_co]):
    """A stream as a stage sees it: something to hand to ``run.pump`` or ``run.open``."""

    __slots__ = ("_links", "_source")

    _source: Source
    _links: tuple[Link, ...] | list[Any]
    """The operators; or, until somebody asks for them all, the stream that was extended and those after it.

    So a loop that extends a stream again and again does not copy them each time.
    """

    def __init__(self, source: Any, links: tuple[Link, ...] = ()) -> None:
        if isinstance(source, Source):
            self._source, self._links = source, links
        elif isinstance(source, Inlet):  # a stream of a stream is that stream
            self._source, self._links = source._source, source._links
        else:
            self._source, self._links = Source(source), links

    @property
    def source(self) -> Source:
        """What the stream begins with."""
        return self._source

    @property
    def links(self) -> tuple[Link, ...]:
        """The operators after it."""
        links: tuple[Link, ...] | list[Any] = self._links
        if not isinstance(links, tuple):
            parts = list[tuple[Link, ...]]()
            while not isinstance(links, tuple):
                before, added = links
                parts.append(added)
                links = before._links
            parts.append(links)
            self._links = links = tuple(chain.from_iterable(reversed(parts)))
        return links

    @property
    def native(self) -> Any:
        """The range, list or tuple, if the stream is one without operators; else None."""
        return self._source.native if not self.links else None

    if not TYPE_CHECKING:  # pragma: no branch - so it is in programs; checkers refuse what these answer

        def __aiter__(self) -> Any:
            raise TypeError(_OPENED)

        def __iter__(self) -> Any:
            raise TypeError(_OPENED)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Inlet):
            return NotImplemented
        return self._source is other._source and self.links == other.links

    def __hash__(self) -> int:
        return hash((id(self._source), *[id(link.declaration) for link in self.links]))

    def __getstate__(self) -> Any:
        """What copies and pickles have: the links, and not the streams that it was made of."""
        self._links = self.links
        return super().__getstate__()


def returned(value: Any) -> Inlet[Any]:
    """What a function of a pipe has returned, as a stream. What is no stream yet, the run closes."""
    if _is_stream(value):
        return value
    return Inlet(value if isinstance(value, Source) else Source.returned(value))


def returned_by(function: object, value: Any) -> Inlet[Any]:
    """What a user's `function` has returned, as a stream; an error of that names the function."""
    try:
        return returned(value)
    except TypeError as error:
        words = str(error).removeprefix("source must be")
        hint = ": for no items, return []" if value is None else ""
        raise TypeError(f"{named(function)} must return{words}{hint}") from None


def unfolded(inlet: Inlet[T_co]) -> Inlet[T_co]:
    """`inlet` for one run. If its source is a callable that makes a stream, that stream is continued.

    So streams of calls inside calls are one pipe. A callable before a stage is called by that, if at all.
    """
    while (source := inlet.source.made()) is not inlet.source:
        made: Any = source.value
        if not isinstance(made, Inlet):
            return Inlet(source, inlet.links)
        inlet = Inlet(made.source, made.links + inlet.links)
        if any(link.declaration.stage is not None for link in made.links):
            break
    return inlet
