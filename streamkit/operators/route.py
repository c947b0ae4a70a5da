"""Operators that give each item to one of several branches, by what it is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from types import EllipsisType
from typing import Any, TypeVar, overload

from streamkit._core.arguments import mapping
from streamkit._core.calls import answering
from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded
from streamkit._core.markers import ABSENT, Absent
from streamkit._core.on_error import OnError
from streamkit._core.show import shown
from streamkit._engine.compile.loop import fits
from streamkit._engine.face.stage import stage
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Into, Keep, Operator, Pipe, Sink, Stream
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import followed_anyway
from streamkit._stages import forks
from streamkit._stages.outputs import (
    ByOutput,
    Tagged,
    ToOperators,
    ToSinks,
    by_output,
    by_output_to_sinks,
    name_of,
    value,
)
from streamkit._stages.route import Numbers, routed, routed_to_sinks

__all__ = ["partition", "route"]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
K = TypeVar("K", bound=Hashable)
R = TypeVar("R")
R1 = TypeVar("R1")
R2 = TypeVar("R2")

_SPLICED = Contract(keeps="True")


@stage(routed, pairs=followed_anyway, name="partition", contract=forks.MERGED)
def _parted(
    key: Any, *branches: Pipe, _numbers: Any = ABSENT, _strategies: Any = ABSENT
) -> Operator[Any, Any]:
    return Operator(_parted, key=key, branches=branches, _numbers=_numbers, _strategies=_strategies)


@stage(routed_to_sinks, pairs=followed_anyway, name="partition", contract=forks.GATHERED)
def _parted_to_sinks(
    key: Any, *branches: Pipe, names: Any = ABSENT, _numbers: Any = ABSENT, _strategies: Any = ABSENT
) -> Sink[Any, Any]:
    return Sink(
        _parted_to_sinks, key=key, branches=branches, names=names, _numbers=_numbers, _strategies=_strategies
    )


@step(each="pick(not key(item))", name="partition", forks=True, contract=_SPLICED)
def _spliced(key: Any, *branches: Pipe) -> Operator[Any, Any]:
    return Operator(_spliced, key=key, branches=branches)


@step(each="pick(not key(item))", result="()", name="partition", forks=True)
def _spliced_to_sinks(key: Any, *branches: Pipe) -> Sink[Any, Any]:
    return Sink(_spliced_to_sinks, key=key, branches=branches)


@overload
def partition(
    predicate: Callable[[A], object], true: Keep, false: Keep, *, on_error: OnError | None = None
) -> Operator[A, A]: ...
@overload
def partition(
    predicate: Callable[[A], object],
    true: Into[A, R1],
    false: Into[A, R2],
    *,
    on_error: OnError | None = None,
) -> Sink[A, tuple[R1, R2]]: ...
@overload
def partition(
    predicate: Callable[[A], object],
    true: Keep,
    false: Operator[A, C] | Callable[[Stream[A]], Inlet[C]],
    *,
    on_error: OnError | None = None,
) -> Operator[A, A | C]: ...
@overload
def partition(
    predicate: Callable[[A], object],
    true: Operator[A, B] | Callable[[Stream[A]], Inlet[B]],
    false: Keep,
    *,
    on_error: OnError | None = None,
) -> Operator[A, B | A]: ...
@overload
def partition(
    predicate: Callable[[A], object],
    true: Operator[A, B] | Callable[[Stream[A]], Inlet[B]],
    false: Operator[A, C] | Callable[[Stream[A]], Inlet[C]],
    *,
    on_error: OnError | None = None,
) -> Operator[A, B | C]: ...
@answering
def partition(
    predicate: Callable[[Any], object], true: Any, false: Any, *, on_error: OnError | None = None
) -> Any:
    """Give each item to one of two branches: `true` if the predicate is true of it, and otherwise `false`.

        items              --1-----2-----3--|
        true map(str)      --"1"---------"3"|
        false batch(2)     --------------[2]|
        partition(odd)     --"1"---------"3"[2]|

    If both branches end in sinks, this is a sink, whose result is the pair of theirs:

    >>> from streamkit import Stream, ops
    >>> def is_odd(number: int) -> bool:
    ...     return number % 2 == 1
    >>> (Stream(range(5)) | ops.partition(is_odd, ops.to_list(), ops.count())).run()
    ([1, 3], 3)

    If both are operators, their outputs are merged:

    >>> list(Stream(range(4)) | ops.partition(is_odd, ops.map(str), ops.map(lambda even: -even)))
    [0, '1', -2, '3']

    Branches of steps run inside the loop that reads the source, without a task. Each branch has a task of its
    own if a callback in it is an ``async def``, if it has a stage, or if it can end before the source.

    Emits when: a branch does.
    Waits when: the branch of the last item works on the one before, or its buffer is full and waits.
    Completes when: both branches have. One that ends early drops what is for it, counted; the other goes on.
    Closes when: both branches have ended, one fails, or the consumer leaves.

    An error of a branch ends both. An error of the source reaches each branch after the items before it.

    Args:
        predicate: called with each item; its result, awaited if it is awaitable, is true or false.
        true: operators, or operators and a sink, for the items of which it is true.
        false: the same, for the others.
        on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: `predicate` is not callable; or a branch is neither operators nor a sink, or one is one and
            the other the other.

    RxPY's ``partition`` returns two observables, which subscribe twice. Here one run serves both branches.
    """
    predicate = guarded("predicate", predicate, on_error)
    branches = true, false
    for name, branch in (("true", true), ("false", false)):
        forks.all_sinks((branch,), name)
    sinks = forks.all_sinks(branches, "true and false")
    if forks.splices(branches):
        spliced: Pipe = (_spliced_to_sinks if sinks else _spliced)(predicate, *branches)
        if fits(spliced.links[0].key):
            return spliced
    return (_parted_to_sinks if sinks else _parted)(predicate, *branches, _strategies=forks.entries(branches))


@stage(routed, pairs=followed_anyway, name="route", contract=forks.MERGED)
def _routed(
    key: Any, *branches: Pipe, names: Any = ABSENT, _numbers: Any = ABSENT, _strategies: Any = ABSENT
) -> Operator[Any, Any]:
    return Operator(
        _routed, key=key, branches=branches, names=names, _numbers=_numbers, _strategies=_strategies
    )


@stage(routed_to_sinks, pairs=followed_anyway, name="route", contract=forks.GATHERED)
def _routed_to_sinks(
    key: Any, *branches: Pipe, names: Any = ABSENT, _numbers: Any = ABSENT, _strategies: Any = ABSENT
) -> Sink[Any, Any]:
    return Sink(
        _routed_to_sinks, key=key, branches=branches, names=names, _numbers=_numbers, _strategies=_strategies
    )


_ROUTE = "pick(_numbers[key(item)])"
_ROUTE_OR_REST = "pick(_numbers.get(key(item), _rest))"
"""Where there is an `otherwise`: a ``__missing__`` would take longer than all the rest."""
_BY_NAME = "dict(zip(names, results))"


@step(each=_ROUTE, name="route", forks=True, contract=_SPLICED)
def _spliced_route(
    key: Any, *branches: Pipe, names: Any = ABSENT, _numbers: Any = ABSENT
) -> Operator[Any, Any]:
    return Operator(_spliced_route, key=key, branches=branches, names=names, _numbers=_numbers)


@step(each=_ROUTE_OR_REST, name="route", forks=True, contract=_SPLICED)
def _spliced_route_or_rest(
    key: Any, *branches: Pipe, names: Any = ABSENT, _numbers: Any = ABSENT, _rest: Any = ABSENT
) -> Operator[Any, Any]:
    return Operator(
        _spliced_route_or_rest, key=key, branches=branches, names=names, _numbers=_numbers, _rest=_rest
    )


@step(setup="results = ()", each=_ROUTE, result=_BY_NAME, name="route", forks=True)
def _spliced_route_to_sinks(
    key: Any, *branches: Pipe, names: Any = ABSENT, _numbers: Any = ABSENT
) -> Sink[Any, Any]:
    return Sink(_spliced_route_to_sinks, key=key, branches=branches, names=names, _numbers=_numbers)


@step(setup="results = ()", each=_ROUTE_OR_REST, result=_BY_NAME, name="route", forks=True)
def _spliced_route_to_sinks_or_rest(
    key: Any, *branches: Pipe, names: Any = ABSENT, _numbers: Any = ABSENT, _rest: Any = ABSENT
) -> Sink[Any, Any]:
    return Sink(
        _spliced_route_to_sinks_or_rest,
        key=key,
        branches=branches,
        names=names,
        _numbers=_numbers,
        _rest=_rest,
    )


@overload
def route(
    key: Callable[[A], object],
    routes: Mapping[K, Keep],
    *,
    otherwise: Keep | Absent = ABSENT,
    on_error: OnError | None = None,
) -> Operator[A, A]: ...
@overload
def route(
    key: Callable[[A], object], routes: Mapping[K, Into[A, R]], *, on_error: OnError | None = None
) -> Sink[A, dict[K, R]]: ...
@overload
def route(
    key: Callable[[A], object],
    routes: Mapping[K, Into[A, R]],
    *,
    otherwise: Into[A, R],
    on_error: OnError | None = None,
) -> Sink[A, dict[K | EllipsisType, R]]: ...
@overload
def route(
    key: Callable[[A], object],
    routes: Mapping[K, Operator[A, B]],
    *,
    otherwise: Operator[A, B] | Absent = ABSENT,
    on_error: OnError | None = None,
) -> Operator[A, B]: ...
@overload
def route(
    key: Callable[[A], object],
    routes: Mapping[K, Callable[[Stream[A]], Inlet[B]]],
    *,
    otherwise: Callable[[Stream[A]], Inlet[B]] | Absent = ABSENT,
    on_error: OnError | None = None,
) -> Operator[A, B]: ...
@overload
def route(
    key: Callable[[A], object],
    routes: Mapping[K, Pipe],
    *,
    otherwise: Pipe | Absent = ABSENT,
    on_error: OnError | None = None,
) -> Any: ...
@overload
def route(key: ToSinks[R]) -> Sink[Tagged[Any], dict[str, R]]: ...
@overload
def route(key: ToOperators[B]) -> Operator[Tagged[Any], B]: ...
@overload
def route(key: Mapping[Any, Into[Any, R]]) -> Sink[Tagged[Any], dict[str, R]]: ...
@overload
def route(
    key: Mapping[Any, Into[Any, R]], *, otherwise: Into[Any, R]
) -> Sink[Tagged[Any], dict[str | EllipsisType, R]]: ...
@overload
def route(
    key: Mapping[Any, Operator[Any, B]], *, otherwise: Operator[Any, B] | Absent = ABSENT
) -> Operator[Tagged[Any], B]: ...
@overload
def route(key: Mapping[Any, Pipe], *, otherwise: Pipe | Absent = ABSENT) -> Any: ...
@answering
def route(
    key: Any,
    routes: Any = ABSENT,
    *,
    otherwise: Any = ABSENT,
    on_error: OnError | None = None,
) -> Any:
    """Give each item to the branch of its key.

        items                     --a1--b2--c3--a4--|
        "a" map(number)           --1-----------4---|
        "b" map(upper)            ------B2----------|
        otherwise map(str)        ----------c3------|
        route(letter, ...)        --1---B2--c3--4---|

    If all branches end in sinks, this is a sink, whose result is the dict of theirs, by key:

    >>> from streamkit import Stream, ops
    >>> words = Stream(["tea", "oil", "ale", "tin"])
    >>> routes = {"t": ops.to_list(), "a": ops.count()}
    >>> (words | ops.route(lambda word: word[0], routes, otherwise=ops.first())).run()
    {'t': ['tea', 'tin'], 'a': 1, Ellipsis: 'oil'}

    If all are operators, their outputs are merged:

    >>> lengths = ops.route(len, {3: ops.map(str.upper)}, otherwise=ops.map(str.title))
    >>> list(Stream(["tea", "salt"]) | lengths)
    ['TEA', 'Salt']

    Or the items say themselves for which branch they are, by an `Output`; the branch gets the value:

    >>> from streamkit import Output
    >>> short, long = Output[str]("short"), Output[str]("long")
    >>> words = Stream(["tea", "rice"]) | ops.map(lambda word: (short if len(word) < 4 else long)(word))
    >>> (words | ops.route({short: ops.to_list(), long: ops.count()})).run()
    {'short': ['tea'], 'long': 1}

    Branches of steps run inside the loop that reads the source, without a task. Each branch has a task of its
    own if a callback in it is an ``async def``, if one has a stage, or if one can end before the source. Even
    so, an item for an output is handed over: the source goes on when the branch asks for the next, except
    where that begins with a ``buffer``.

    Emits when: a branch does.
    Waits when: the branch of the last item works on the one before, or its buffer is full and waits.
    Completes when: every branch has. One that ends early drops what is for it, counted; the others go on.
    Closes when: every branch has ended, one fails, or the consumer leaves.

    An error of a branch ends all. An error of the source reaches each branch after the items before it. An
    exception that is sent to an output which no route names is raised, also where there is an `otherwise`.

    Args:
        key: called with each item; returns its key, which is hashable, or an awaitable of it. In its place,
            and alone, the routes by `Output`, or by the name of one.
        routes: operators, or operators and a sink, by key. They are fixed; for keys that are known only when
            their items come, use ``group_by``.
        otherwise: the same for items with other keys, or for other outputs. The result of a sink stands
            under ``...``.
        on_error: what is done where `key` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: an argument has the wrong type, some branches are operators and some sinks; (when run) a
            key is not hashable, or an item is for no output.
        ValueError: there are no routes, or one has the key ``...``; or `on_error` is given where no key is.
        NoRouteError: (when run) an item has another key or output, and there is no `otherwise`.
    """
    tagged = isinstance(key, Mapping)
    if tagged:
        key, routes = _outputs(key, routes, otherwise, on_error)
    else:
        key = guarded("key", key, on_error)
    routes = dict(mapping("routes", routes))
    if ... in routes:
        raise ValueError("routes must not have the key ..., which stands for otherwise=")
    forks.all_sinks((*routes.values(),), "routes")
    if otherwise is not ABSENT:
        forks.all_sinks((otherwise,), "otherwise")
    rest = {} if otherwise is ABSENT else {...: otherwise}
    branches = (*routes.values(), *rest.values())
    sinks = forks.all_sinks(branches, "routes and otherwise")
    numbers = Numbers(routes, len(routes) if rest else None)
    names = (*routes, *rest)
    if forks.splices(branches):
        spliced: Pipe
        if tagged:
            form = by_output_to_sinks if sinks else by_output
            spliced = form(key, *[value() | each for each in branches], names=names, _numbers=numbers)
        elif rest:
            form = _spliced_route_to_sinks_or_rest if sinks else _spliced_route_or_rest
            spliced = form(key, *branches, names=names, _numbers=dict(numbers), _rest=len(routes))
        else:
            spliced = (_spliced_route_to_sinks if sinks else _spliced_route)(
                key, *branches, names=names, _numbers=numbers
            )
        if fits(spliced.links[0].key):
            return spliced
    staged = _routed_to_sinks if sinks else _routed
    return staged(key, *branches, names=names, _numbers=numbers, _strategies=forks.entries(branches))


def _outputs(
    given: Any, routes: object, otherwise: object, on_error: object
) -> tuple[ByOutput, dict[str, Any]]:
    """The key, and the routes by name, where routes are `given` by output."""
    if routes is not ABSENT:
        raise TypeError(
            f"key must be callable where routes are given, not {shown(given)}: or write route({{price: ...}})"
        )
    if on_error is not None:
        raise ValueError("on_error is for a key that fails, and outputs have none: send errors to an output")
    named = {name_of(output): branch for output, branch in given.items()}
    return ByOutput(named, otherwise is not ABSENT), named
