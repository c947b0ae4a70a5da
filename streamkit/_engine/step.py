"""Steps: operators that are a few lines of one loop, and the decorator that declares them.

A step is three small pieces of Python. In them ``item`` is the item that came in, ``emit(x)`` passes one
on, ``stop()`` ends the stream, and the parameters of the decorated function are there by name:

>>> from streamkit import Keep, Stream, step
>>> @step(setup="left = count", each="left -= 1; emit(item)\\nif not left: stop()")
... def firsts(count: int) -> Keep:
...     return Keep(firsts, count=count)
>>> list(Stream(range(9)) | firsts(2))
[0, 1]

A sink has the same form; ``result`` says what it returns.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from functools import lru_cache
from textwrap import dedent
from typing import Any, TypeVar

from streamkit._core.catalogue import Declaration, Pieces, Reading, register
from streamkit._core.contract import NOTHING_HELD, Contract
from streamkit._core.value import Record

__all__ = ["Parsed", "absence", "assigned", "declare_step", "named", "parsed", "signalled", "step"]

F = TypeVar("F", bound=Callable[..., Any])


def step(
    *,
    setup: str = "",
    each: str,
    finish: str = "",
    result: str = "",
    contract: Contract | None = None,
    name: str | None = None,
    forks: bool = False,
    groups: bool = False,
) -> Callable[[F], F]:
    """Declare the decorated function as a step (or, with `result`, as a sink).

    The function checks its arguments and returns ``Keep``, ``Operator`` or ``Sink`` of itself and of
    the values that the pieces use. Names that are neither parameters nor assigned in the pieces are
    looked up in the function's module. A step that `forks` has ``branches``, pipes of steps, and each
    item goes to every one of them; `each` then says nothing. One that `groups` has a ``pipe`` of steps, and
    says of each item which of many states of that pipe it meets: ``enter()`` begins a new ``state`` in
    ``groups[name]``, ``resume()`` takes up ``state``, ``run()`` gives the item to the pipe, and ``close()``
    ends it; what comes out is emitted with its ``name``.

    Raises:
        SyntaxError: a piece is no Python, or uses ``emit`` or ``stop`` in a way that cannot be spliced.
    """
    pieces = Pieces(setup=setup, each=each, finish=finish, result=result)

    def decorate(function: F) -> F:
        declare_step(function, pieces, contract, name, forks, groups)
        return function

    return decorate


def declare_step(
    function: Callable[..., Any],
    pieces: Pieces,
    contract: Contract | None,
    name: str | None,
    forks: bool = False,
    groups: bool = False,
) -> Declaration:
    """Enter the declaration; a mistake in the pieces shows here, where the step is written."""
    parameters = named(function)

    def read() -> Reading:
        found = _parse(pieces, function.__qualname__)
        return Reading(callbacks=found.called & {*parameters}, optional=found.compared & {*parameters})

    declaration = Declaration(
        name or function.__name__.strip("_"),
        function,
        contract or NOTHING_HELD,
        pieces=pieces,
        sink=bool(pieces.result),
        parameters=parameters,
        read=read,
        forks=forks,
        groups=groups,
    )
    if not (function.__module__ or "").startswith(
        "streamkit."
    ):  # ours are parsed when used, and by the tests
        _ = declaration.reading
    register(declaration)
    return declaration


def named(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters of a function; `inspect.signature` takes a hundred times as long."""
    code = function.__code__
    named = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
    return code.co_varnames[:named]


class Parsed(Record):
    """The pieces of a step as syntax trees, and what was found in them."""

    setup: list[ast.stmt]
    each: list[ast.stmt]
    finish: list[ast.stmt]
    result: ast.expr | None
    assigned: frozenset[str]
    called: frozenset[str]
    compared: frozenset[str]
    stops: bool
    """Whether it may end the stream before the source does."""
    collects: bool
    """Whether all it does is to append each item to a list of its own, which cannot fail."""


def parsed(declaration: Declaration) -> Parsed:
    """The pieces of `declaration`, parsed once."""
    assert declaration.pieces is not None
    return _parse(declaration.pieces, declaration.function.__qualname__)


@lru_cache(maxsize=1024)
def _parse(pieces: Pieces, where: str) -> Parsed:
    setup, each, finish = (
        ast.parse(dedent(text).strip("\n"), f"<step {where}>").body
        for text in (pieces.setup, pieces.each, pieces.finish)
    )
    blocks = (setup, each, finish)
    result = ast.parse(pieces.result.strip(), f"<step {where}>", "eval").body if pieces.result else None
    nodes = [node for block in blocks for statement in block for node in ast.walk(statement)]
    for block in blocks:
        _check(block, where)
    return Parsed(
        setup=setup,
        each=each,
        finish=finish,
        result=result,
        assigned=assigned([*setup, *each, *finish]),
        called=frozenset(
            n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        ),
        compared=frozenset(name for n in nodes if (name := absence(n))),
        stops=any(signalled(n, "stop") for n in nodes),
        collects=_collects(setup, each),
    )


def _collects(setup: list[ast.stmt], each: list[ast.stmt]) -> bool:
    match setup, each:
        case (
            [ast.Assign(targets=[ast.Name(id=made)], value=ast.List(elts=[]))],
            [ast.Expr(ast.Call(ast.Attribute(ast.Name(id=name), "append"), [ast.Name(id="item")], []))],
        ):
            return name == made
        case _:
            return False


def assigned(block: list[ast.stmt]) -> frozenset[str]:
    """The names that are assigned to somewhere in `block`."""
    nodes = [node for statement in block for node in ast.walk(statement)]
    return frozenset(n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


def absence(node: ast.AST) -> str | None:
    """The name in ``name is ABSENT``, if that is what `node` is."""
    match node:
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Is()], comparators=[ast.Name(id="ABSENT")]):
            return name
        case _:
            return None


def signalled(node: ast.AST, name: str) -> ast.Call | None:
    """The call, if `node` is the statement ``emit(...)`` or ``stop()``, as `name` says."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id=found)) as call) if found == name:
            return call
        case _:
            return None


def _statements(block: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in block:
        yield statement
        for inner in (getattr(statement, "body", []), getattr(statement, "orelse", [])):
            yield from _statements(inner)


def _check(block: list[ast.stmt], where: str) -> None:
    statements = list(_statements(block))
    for statement in statements:
        if not isinstance(
            statement, (ast.Expr, ast.Assign, ast.AugAssign, ast.If, ast.For, ast.Pass, ast.Raise)
        ):
            kind = type(statement).__name__
            raise SyntaxError(
                f"step {where}: only assignments, calls, if, for and raise can be spliced, not {kind}"
            )
    names = [n.id for s in block for n in ast.walk(s) if isinstance(n, ast.Name)]
    for signal in ("emit", "stop"):
        if names.count(signal) != sum(signalled(statement, signal) is not None for statement in statements):
            raise SyntaxError(f"step {where}: {signal}(...) must be a statement of its own")
    if any(
        n.id == "item" and not isinstance(n.ctx, ast.Load)
        for s in block
        for n in ast.walk(s)
        if isinstance(n, ast.Name)
    ):
        raise SyntaxError(f"step {where}: item cannot be assigned to")
