"""Named outputs: items that say which branch they are for, and which branches there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from streamkit._core.contract import Contract
from streamkit._core.errors import NoRouteError, noted
from streamkit._core.show import shown
from streamkit._core.value import Value
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Into, Keep, Operator, Pipe, Sink, Stream
from streamkit._engine.plan.link import Inlet
from streamkit._stages.forks import all_sinks

__all__ = [
    "ByOutput",
    "Output",
    "Tagged",
    "ToOperators",
    "ToSinks",
    "by_output",
    "by_output_to_sinks",
    "name_of",
    "value",
]

B = TypeVar("B")
R = TypeVar("R")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
B_co = TypeVar("B_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)


class Tagged(NamedTuple, Generic[T_co]):
    """An item that says for which output it is: what an `Output` makes of a value."""

    output: str
    """The name of the output."""
    value: T_co
    """What its branch gets."""


class Routes(Mapping[str, Any]):
    """Branches by the names of their outputs."""

    def __init__(self, branches: Mapping[str, Any]) -> None:
        self._branches = dict(branches)

    def __getitem__(self, name: str) -> Any:
        return self._branches[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._branches)

    def __len__(self) -> int:
        return len(self._branches)

    def __or__(self, other: Any) -> Any:
        """These, and `other` ones."""
        return type(self)({**self, **other}) if isinstance(other, Routes) else NotImplemented

    def __repr__(self) -> str:
        return repr(self._branches)


class ToOperators(Routes, Generic[B_co]):
    """Routes to operators, which make items of this type."""

    if TYPE_CHECKING:

        def __or__(self, other: ToOperators[B]) -> ToOperators[B_co | B]: ...


class ToSinks(Routes, Generic[R_co]):
    """Routes to sinks, whose results are of this type."""

    if TYPE_CHECKING:

        def __or__(self, other: ToSinks[R]) -> ToSinks[R_co | R]: ...


class Output(Value, Generic[T]):
    """A named output, and the type of what goes there: ``price = Output[float]("price")``.

    A function sends to it by what it returns or yields, ``price(1.5)``; ``ops.route({price: ...})`` gives
    each output a branch. Two of one name are one output.

    >>> from streamkit import Output, Stream, ops
    >>> even, odd = Output[int]("even"), Output[int]("odd")
    >>> numbers = Stream(range(5)) | ops.map(lambda number: odd(number) if number % 2 else even(number))
    >>> (numbers | ops.route({even: ops.to_list(), odd: ops.count()})).run()
    {'even': [0, 2, 4], 'odd': 2}

    Args:
        name: which it is. A dict of routes may have the name in its place.

    Raises:
        TypeError: `name` is not a text.
    """

    name: str

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"name must be a text, not {shown(name)}")
        self._made_of(name=name)

    def __call__(self, value: T) -> Tagged[T]:
        """`value`, for this output."""
        return Tagged(self.name, value)

    @overload
    def to(self, branch: Keep) -> ToOperators[T]: ...
    @overload
    def to(self, branch: Into[T, R]) -> ToSinks[R]: ...
    @overload
    def to(self, branch: Operator[T, B] | Callable[[Stream[T]], Inlet[B]]) -> ToOperators[B]: ...
    def to(self, branch: Any) -> Any:
        """The route to `branch`, where type checkers hold that it takes what this output has.

        ``ops.route(price.to(store) | error.to(report))`` is ``ops.route({price: store, error: report})``.

        Raises:
            TypeError: `branch` is neither operators nor a sink.
        """
        kind: Any = ToSinks if all_sinks((branch,), "branch") else ToOperators
        return kind({self.name: branch})

    def __repr__(self) -> str:
        return f"Output({self.name!r})"


@step(each="emit(item.value)")
def value() -> Operator[Any, Any]:
    """The value of a tagged item: how a branch begins that stands in the loop which reads the source."""
    return Operator(value)


_PICK = "pick(_numbers[item.output if type(item) is Tagged and item.output in _numbers else key(item)])"
"""Without a call, unless the item is none of an output, or of one that is not named."""


@step(each=_PICK, name="route", forks=True, contract=Contract(keeps="True"))
def by_output(key: ByOutput, *branches: Pipe, names: Any, _numbers: Any) -> Operator[Any, Any]:
    """A ``route`` by outputs in the loop that reads the source, to operators."""
    return Operator(by_output, key=key, branches=branches, names=names, _numbers=_numbers)


@step(setup="results = ()", each=_PICK, result="dict(zip(names, results))", name="route", forks=True)
def by_output_to_sinks(key: ByOutput, *branches: Pipe, names: Any, _numbers: Any) -> Sink[Any, Any]:
    """The same, to sinks."""
    return Sink(by_output_to_sinks, key=key, branches=branches, names=names, _numbers=_numbers)


def name_of(key: object) -> str:
    """The name of an output, which a dict of routes has as a key."""
    if isinstance(key, Output):
        return key.name
    if not isinstance(key, str):
        raise TypeError(
            f"routes must be a mapping of outputs, or their names, to branches, not of {shown(key)}"
        )
    return key


class ByOutput:
    """Says for which output an item is: the key of a ``route`` by outputs."""

    def __init__(self, names: Iterable[str], rest: bool) -> None:
        self._names = frozenset(names)
        self._rest = rest
        """Whether a branch takes what is for others."""

    def __call__(self, item: Any) -> str:
        if not isinstance(item, Tagged):
            raise TypeError(f"an item must be what an Output makes, such as price(1.5), not {shown(item)}")
        name, value = item  # pyright: ignore[reportUnknownVariableType] - of any type
        if name not in self._names:
            self._unknown(name, value)
        return name

    def _unknown(self, name: str, value: Any) -> None:
        """No branch bears the name. An error that was sent there fails the run: nobody else hears of it."""
        if isinstance(value, Exception):
            noted(value, f"it was sent to the output {name!r}, which no branch takes by name")
            raise value
        if not self._rest:
            raise NoRouteError(f"no branch takes the output {name!r}: add one, or otherwise=")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByOutput) and (self._names, self._rest) == (other._names, other._rest)

    def __hash__(self) -> int:
        return hash((self._names, self._rest))

    def __repr__(self) -> str:
        return "outputs"
