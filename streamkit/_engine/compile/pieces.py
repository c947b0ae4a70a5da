"""Pieces: a step as text, what it uses by name, and what is found in it once it is parsed.

`StepDeclaration` is what the catalogue knows of a step. `parsed` turns its pieces into syntax trees, checks
that they can be spliced, and notes what the weaver must know of them: which names they assign, which they
call, whether they stop. The functions at the end recognise what a statement says.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from keyword import iskeyword
from textwrap import dedent
from typing import Any, TypeAlias

from streamkit._core.catalogue import Declaration
from streamkit._core.contract import Contract
from streamkit._core.show import shown
from streamkit._core.value import Record

__all__ = [
    "Parsed",
    "Pieces",
    "StepDeclaration",
    "Uses",
    "absence",
    "assigned",
    "parsed",
    "signalled",
    "statement_name",
    "used",
]

Uses: TypeAlias = Mapping[str, Any] | Iterable[Callable[..., Any] | Mapping[str, Any]]
"""What the pieces of a step use by name: functions and classes, or mappings of names to values."""
SIGNALS = ("emit", "stop")
GROUP_SIGNALS = ("enter", "resume", "run", "end")


class Pieces(Record):
    """A step as text: what it does at the start, with each item, at the end, and (a sink) what it returns."""

    setup: str = ""
    each: str = ""
    finish: str = ""
    result: str = ""


class StepDeclaration(Declaration):
    """An operator that is a few lines of one loop."""

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        contract: Contract,
        *,
        pieces: Pieces,
        parameters: tuple[str, ...],
        uses: Uses = (),
        forks: bool = False,
        groups: bool = False,
    ) -> None:
        super().__init__(name, function, contract, parameters=parameters, sink=bool(pieces.result))
        self.pieces = pieces
        self.uses: Mapping[str, Any] = used(name, uses)
        """Values by the names that the pieces have for them."""
        taken = {*parameters, "item", *SIGNALS, *(GROUP_SIGNALS if groups else ())}
        if clashes := ", ".join(sorted(taken & self.uses.keys())):
            raise ValueError(f"step {name}: uses= must not have names that the step has already: {clashes}")
        self.forks = forks
        self.groups = groups

    @cached_property
    def callbacks(self) -> frozenset[str]:
        return parsed(self).called & {*self.parameters}

    @cached_property
    def variable(self) -> tuple[str, ...]:
        # a parameter that is compared with ABSENT decides too: each of the two cases is compiled apart
        decisive = self.callbacks | parsed(self).compared
        return tuple([name for name in self.parameters if name in decisive])


class Parsed(Record):
    """The pieces of a step as syntax trees, and what was found in them."""

    setup: list[ast.stmt]
    each: list[ast.stmt]
    finish: list[ast.stmt]
    result: ast.expr | None
    assigned: frozenset[str]
    called: frozenset[str]
    compared: frozenset[str]
    """The names that are assigned to; `called`, those that are called, and `compared`, with ABSENT."""
    stops: bool
    """Whether it may end the stream before the source does."""
    collects: bool
    """Whether all it does is to append each item to a list of its own, which cannot fail."""


def parsed(declaration: Declaration) -> Parsed:
    """The pieces of `declaration`, a step, parsed once."""
    assert isinstance(declaration, StepDeclaration)
    found = _parse(declaration.pieces, declaration.function.__qualname__)
    if declaration.uses and (clashes := ", ".join(sorted(found.assigned & declaration.uses.keys()))):
        raise ValueError(
            f"step {declaration.name}: uses= must not have names that a piece assigns to: {clashes}"
        )
    return found


def used(step: str, uses: Any) -> dict[str, Any]:
    """What ``uses=`` of `step` means: values by their names in the pieces. It is checked to be `Uses`."""
    if callable(uses) or isinstance(uses, str) or not hasattr(uses, "__iter__"):
        name = getattr(uses, "__name__", None)
        hint = f": write uses=({name},)" if name else ""
        raise TypeError(
            f"step {step}: uses= must be several functions and classes, or a mapping, not {shown(uses)}{hint}"
        )
    pairs: list[tuple[Any, Any]] = []
    for each in [uses] if hasattr(uses, "items") else uses:
        if callable(each):
            pairs.append((getattr(each, "__name__", None), each))
        else:
            pairs += each.items() if hasattr(each, "items") else [(None, each)]
    names: dict[str, Any] = {}
    for name, value in pairs:
        if name is None or name == "<lambda>":
            raise TypeError(
                f"step {step}: uses= must be functions and classes, not {shown(value)}, which has no name of "
                "its own: write uses={'name': ...}"
            )
        if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
            raise TypeError(f"step {step}: uses= must have names that Python code can say, not {shown(name)}")
        if name in names and names[name] is not value:
            raise ValueError(f"step {step}: uses= must not have two values of one name: {name}")
        names[name] = value
    return names


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


def statement_name(statement: ast.stmt) -> str | None:
    """``name``, if `statement` is ``name()``: a signal of a step that groups, perhaps."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=[], keywords=[])):
            return name
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
    for signal in SIGNALS:
        if names.count(signal) != sum(signalled(statement, signal) is not None for statement in statements):
            raise SyntaxError(f"step {where}: {signal}(...) must be a statement of its own")
    if any(
        n.id == "item" and not isinstance(n.ctx, ast.Load)
        for s in block
        for n in ast.walk(s)
        if isinstance(n, ast.Name)
    ):
        raise SyntaxError(f"step {where}: item cannot be assigned to")
