"""Streams and pipes: what users compose.

Type checkers follow a pipe by the class of each operator. `Keep` keeps the item type. A callback's types give
the types of `Operator` and `Sink`. A `Shape` (``batch``, ``to_list``) maps any item type to another by its
``__call__``. At run time all are the same: a tuple of links.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any, Generic, Never, TypeAlias, TypeVar, overload

from streamkit._core.arguments import Composed, Unawaited
from streamkit._core.catalogue import Declaration, declared
from streamkit._core.markers import ABSENT
from streamkit._core.places import USERS, caller, looked_at
from streamkit._engine.face.explain import explain
from streamkit._engine.face.explanation import Explanation
from streamkit._engine.face.following import require_followed, require_room
from streamkit._engine.face.job import Job
from streamkit._engine.face.methods import Methods
from streamkit._engine.face.mistakes import (
    OF_PIPES,
    OF_STREAMS,
    added,
    attribute,
    behind_sink,
    beside,
    called,
    element,
    entered,
    made,
    no_items,
    no_operator,
    no_result,
    one_source,
)
from streamkit._engine.plan.link import Inlet, Link, piped
from streamkit._engine.plan.source import SEEN, Source
from streamkit._engine.run.blocking import iterate_blocking
from streamkit._engine.run.iterate import iterate
from streamkit._engine.run.open import BareIterator, OpenStream, of_statement

__all__ = ["Into", "Keep", "Operator", "Pipe", "Shape", "Sink", "SourceLike", "Stream", "plainly", "rebuilt"]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
R = TypeVar("R")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
A_contra = TypeVar("A_contra", contravariant=True)
B_co = TypeVar("B_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)
P = TypeVar("P", bound="Pipe")

SourceLike: TypeAlias = (
    Iterable[T] | AsyncIterable[T] | Callable[[], Iterable[T]] | Callable[[], AsyncIterable[T]]
)
"""What a stream may begin with."""


_SHORT = 16
"""How many operators are copied where a stream is extended: to keep those before it alive costs more."""
_frame = sys._getframe  # pyright: ignore[reportPrivateUsage] - `inspect.stack()` costs a thousand times more


class Stream(Inlet[T_co], Methods[T_co], Unawaited):
    """A source and the operators after it. Immutable and cold: it runs anew each time it is iterated.

    >>> from streamkit import Stream, ops
    >>> evens = Stream(range(10)) | ops.filter(lambda number: number % 2 == 0)
    >>> list(evens)
    [0, 2, 4, 6, 8]

    Args:
        source: an iterable, an async iterable, or a callable that makes either; with a callable, each
            run gets a fresh one, and closes it, as in ``Stream(lambda: open(path))``.

    Raises:
        TypeError: `source` is none of these.
        SourceConsumedError: (when run) the source is a one-shot iterator that was run before.
    """

    __slots__ = ()
    __array_ufunc__ = None

    def __init__(
        self, source: SourceLike[T_co] | Source, _links: tuple[Link, ...] = (), *_others: Never
    ) -> None:
        if _others or type(_links) is not tuple or (_links and type(_links[0]) is not Link):
            one_source((source, _links, *_others))
        kind: type = type(source)
        if kind in SEEN:  # as they are most often: this is all that is done with such a source
            self._source, self._links = Source(source), _links
            return
        if kind is FunctionType:
            no_operator(source)
        super().__init__(source, _links)

    @overload
    def __or__(self, other: Keep) -> Stream[T_co]: ...
    @overload
    def __or__(self, other: Operator[T_co, B]) -> Stream[B]: ...
    @overload
    def __or__(self, other: Sink[T_co, R]) -> Job[R]: ...
    @overload
    def __or__(self, other: Callable[[Stream[T_co]], R]) -> R: ...
    def __or__(self, other: Any) -> Any:
        if not isinstance(other, Pipe):
            return beside(self, other)
        links = other._links  # pyright: ignore[reportPrivateUsage] - of a pipe; a property costs a call
        if self._source.tracked:
            require_followed(self, links)
        if links[-1].declaration.sink:
            job: Job[Any] = Job(self, links, awaited=False)
            return job
        joined: Stream[Any] = _new(Stream)  # what its `__init__` checks was checked of this one
        joined._source = self._source
        before = self._links
        joined._links = before + links if type(before) is tuple and len(before) < _SHORT else [self, links]
        return joined

    if not TYPE_CHECKING:  # type checkers refuse what these answer

        def __await__(self) -> Any:
            no_result()

        def __add__(self, other: object) -> Any:
            return added(self, other)

        def __getitem__(self, where: object) -> Any:
            element(where)

        def __aenter__(self) -> Any:
            entered()

        def __aexit__(self, *error: object) -> Any:
            entered()  # pragma: no cover - `async with` looks for it, and then calls what is above

        def __getattr__(self, name: str) -> Any:
            raise attribute(self, name, OF_STREAMS, operators="stream | ")

    def pipe(self, *operators: Pipe) -> Any:
        """Join `operators` with ``|``, without static types."""
        result: Any = self
        for operator in operators:
            result = result | operator
        return result

    def __aiter__(self) -> AsyncGenerator[T_co, None]:
        if self._source.tracked:
            require_room(self)
        if of_statement(_frame(1)):
            return iterate(self)
        return BareIterator(self)

    def __iter__(self) -> Iterator[T_co]:
        return iterate_blocking(self)

    def open(self) -> OpenStream[T_co]:
        """Use as ``async with stream.open() as items``: when the block ends, the run has ended.

        After ``break`` out of a bare ``async for``, clean-up that waits is finished in the background.
        ``asyncio.wait_for(anext(items), 1.0)`` loses nothing: after a timeout, the next pull gets the item.
        So it is with ``items = aiter(stream)``. An ``async for`` that is cancelled in a pull ends the run.
        """
        return OpenStream(self)

    def explain(self, *, code: bool = False) -> Explanation:
        """What is fused, what buffers where, and the bound in items; with `code`, the generated loops."""
        return explain(self.source, self.links, code=code)

    def __repr__(self) -> str:
        return piped(f"Stream({self.source!r})", self.links)


class Pipe(Composed):
    """One operator, or several joined: a value that can be compared, printed, pickled and reused."""

    __slots__ = ("_links",)
    __array_ufunc__ = None

    def __init__(self, operator: Callable[..., Any], /, **arguments: Any) -> None:
        """An operator with its arguments; ``step`` or ``stage`` has declared the function `operator`."""
        try:  # what `declared` asks for, without a call: any callable may have it
            declaration: Declaration = operator.__streamkit__  # type: ignore[attr-defined]  # pyright: ignore
        except AttributeError:
            declaration = declared(operator)
        frame = _frame(1)
        if frame.f_code is declaration.body:  # its arguments are all there; it was called by what answers
            frame = _frame(3)
            if frame.f_globals.get("__name__") not in USERS:
                frame = looked_at(frame)
        else:
            frame = caller(frame.f_back or frame)  # an operator of a user's own is where it is called
            seen = declaration.seen
            if tuple(arguments) not in seen.forms:
                if not declaration.needed <= arguments.keys() <= declaration.taken:
                    made(self, declaration, arguments)
                seen.forms.add(tuple(arguments))
        self._links: tuple[Link, ...] = (Link(declaration, arguments, frame.f_code, frame.f_lasti),)

    @property
    def links(self) -> tuple[Link, ...]:
        """The operators in it, in order."""
        return self._links

    def _ends(self) -> bool:
        return self._links[-1].declaration.sink

    def _then(self, other: Any) -> Any:
        if not isinstance(other, Pipe):
            return beside(self, other)
        if self._ends():
            behind_sink(self, other)
        return rebuilt(type(other) if type(self) is Keep else _face(other), self._links + other._links)

    def __ror__(self, left: Any) -> Any:
        return Stream(left) | self

    def apply(self, stream: Stream[Any]) -> Any:
        """Join this operator to `stream`; the ``__call__`` of a `Shape` calls this."""
        if not isinstance(stream, Stream):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            called(self, stream)
        return stream | self

    if not TYPE_CHECKING:  # type checkers refuse what these answer

        def __call__(self, stream: Any, /) -> Any:
            return self.apply(stream)

        def __getattr__(self, name: str) -> Any:
            raise attribute(self, name, OF_PIPES, operators="operator | ")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pipe) and self._links == other._links

    def __hash__(self) -> int:
        return hash(self._links)

    def __repr__(self) -> str:
        return piped("", self._links)

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuilt, (type(self), self._links)

    if not TYPE_CHECKING:
        __init__.__defaults__ = (ABSENT,)

        def __aiter__(self) -> Any:
            no_items(self)

        def __iter__(self) -> Any:
            no_items(self)


class Keep(Pipe):
    """An operator that keeps the item type: ``take``, ``skip``, ``buffer``."""

    __slots__ = ()

    def __or__(self, other: P) -> P:
        joined: P = self._then(other)
        return joined

    def __ror__(self, left: SourceLike[T]) -> Stream[T]:
        joined: Stream[T] = super().__ror__(left)
        return joined


class Operator(Pipe, Generic[A_contra, B_co]):
    """An operator typed by a callback: ``map``, ``filter``, ``scan``."""

    __slots__ = ()

    @overload
    def __or__(self, other: Keep) -> Operator[A_contra, B_co]: ...
    @overload
    def __or__(self, other: Operator[B_co, C]) -> Operator[A_contra, C]: ...
    @overload
    def __or__(self, other: Sink[B_co, R]) -> Sink[A_contra, R]: ...
    @overload
    def __or__(self, other: Callable[[Stream[B_co]], Stream[C]]) -> Operator[A_contra, C]: ...
    @overload
    def __or__(self, other: Callable[[Stream[B_co]], Job[R]]) -> Sink[A_contra, R]: ...
    def __or__(self, other: Any) -> Any:
        return self._then(other)

    def __ror__(self, left: SourceLike[A_contra]) -> Stream[B_co]:
        joined: Stream[B_co] = super().__ror__(left)
        return joined


class Sink(Pipe, Generic[A_contra, R_co]):
    """Consumes a stream into a result, typed by a callback: ``fold``, ``for_each``."""

    __slots__ = ()

    def __ror__(self, left: SourceLike[A_contra]) -> Job[R_co]:
        joined: Job[R_co] = super().__ror__(left)
        return joined


class Shape(Pipe):
    """An operator or sink whose result type depends on the item type: ``batch``, ``zip``, ``to_list``.

    A generic ``__call__`` of the subclass tells type checkers how, and applies the operator.
    """

    __slots__ = ()

    @overload
    def __or__(self, other: Operator[Any, C]) -> Operator[Any, C]: ...
    @overload
    def __or__(self, other: Sink[Any, R]) -> Sink[Any, R]: ...
    @overload
    def __or__(self, other: Callable[[Stream[Any]], Stream[C]]) -> Operator[Any, C]: ...
    @overload
    def __or__(self, other: Callable[[Stream[Any]], Job[R]]) -> Sink[Any, R]: ...
    def __or__(self, other: Any) -> Any:
        return self._then(other)


Into: TypeAlias = Sink[A, R] | Callable[[Stream[A]], Job[R]]
"""A sink of any shape."""


_new: Callable[..., Any] = object.__new__


def plainly(function: Callable[..., Any], kind: Callable[..., Pipe]) -> None:
    """Have a call of `function` with a plain function, and nothing else, make a pipe of this `kind` at once.

    That is for operators of ours which do nothing else then (``test_what_is_made_plainly``).
    """
    declaration = declared(function)
    name = declaration.parameters[0]
    make: Callable[..., Any] = kind
    codes = declaration.seen.codes

    def plain(value: Any) -> Any:
        frame = _frame(2)
        if frame.f_globals.get("__name__") not in USERS:
            frame = looked_at(frame)
        link: Any = _new(Link)  # what its `__init__` does for such a step, without the call
        link.declaration = declaration  # one by one: to assign two at once costs an opcode more
        link.arguments = {name: value}
        link._where = frame.f_code
        link._at = frame.f_lasti
        link.blamed = None
        link.awaited = False
        known = codes.get(id(value.__code__))
        link.known = None if known is None else known[1]
        pipe = _new(make)
        pipe._links = (link,)
        return pipe

    declaration.plain = plain


def _face(pipe: Pipe) -> type[Pipe]:
    return Sink if pipe.links[-1].declaration.sink else Operator


def rebuilt(kind: type[Pipe], links: tuple[Link, ...]) -> Any:
    """A pipe of these `links`."""
    pipe = kind.__new__(kind)
    pipe._links = links  # pyright: ignore[reportPrivateUsage]
    return pipe
