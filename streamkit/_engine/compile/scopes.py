"""Scopes: which names in a piece are the step's own, and which belong to a lambda or comprehension in it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TypeAlias

__all__ = ["COMPREHENSIONS", "Comprehension", "Flow", "arguments_of", "assigned", "owned", "scoped", "unset"]

Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

_NOTHING: frozenset[str] = frozenset()


def scoped(
    node: ast.AST, hidden: frozenset[str] = _NOTHING, around: tuple[ast.expr, ...] = ()
) -> Iterator[tuple[ast.AST, frozenset[str], tuple[ast.expr, ...]]]:
    """`node` and all that is in it, each with what is around it.

    That is the names which mean something else there than in the piece, because a lambda or comprehension
    has a variable of that name; and those lambdas and comprehensions themselves. What is evaluated before
    one is entered (defaults, the first iterable) is outside of it.
    """
    yield node, hidden, around
    if isinstance(node, ast.Lambda):
        before: list[ast.AST] = [*node.args.defaults, *[each for each in node.args.kw_defaults if each]]
        inside: list[ast.AST] = [node.body]
    elif isinstance(node, COMPREHENSIONS):
        first, *others = node.generators
        elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        before, inside = [first.iter], [first.target, *first.ifs, *others, *elements]
    else:
        for child in ast.iter_child_nodes(node):
            yield from scoped(child, hidden, around)
        return
    for child in before:
        yield from scoped(child, hidden, around)
    for child in inside:
        yield from scoped(child, hidden | owned(node), (*around, node))


def owned(node: ast.Lambda | Comprehension) -> frozenset[str]:
    """The names of the variables that a lambda or comprehension has for itself."""
    if isinstance(node, ast.Lambda):
        return frozenset(each.arg for each in arguments_of(node.args)) | assigned([node.body])
    return frozenset(
        each.id
        for generator in node.generators
        for each in ast.walk(generator.target)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    )


def arguments_of(arguments: ast.arguments) -> list[ast.arg]:
    """All parameters of a lambda."""
    several = [each for each in (arguments.vararg, arguments.kwarg) if each]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *several]


def assigned(block: Iterable[ast.AST]) -> frozenset[str]:
    """The names that are assigned to somewhere in `block`, which lambdas and comprehensions do not own."""
    return frozenset(
        each.id
        for node in block
        for each, hidden, _ in scoped(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store) and each.id not in hidden
    )


class Flow:
    """Follows statements in their order, to find variables that may be read before they are assigned."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.early: set[str] = set()
        """Those of `names` that may be read before they are assigned."""

    def after(self, block: Iterable[ast.stmt], known: frozenset[str]) -> frozenset[str]:
        """What has a value behind `block`, if what is `known` has one before it."""
        for statement in block:
            match statement:
                case ast.If(test=test, body=body, orelse=orelse):
                    known = self._read(test, known)
                    known = self.after(body, known) & self.after(orelse, known)
                case ast.For(iter=source, target=target, body=body, orelse=orelse):
                    known = self._read(source, known)
                    self.after(body, known | assigned([target]))
                    known = self.after(orelse, known)
                case ast.Raise() | ast.Expr(value=ast.Call(func=ast.Name(id="stop"))):
                    self._read(statement, known)
                    return self.names  # what is behind it is not reached
                case ast.AugAssign(target=ast.Name(id=name)):
                    self.early |= {name} - known
                    known = self._read(statement, known)
                case _:
                    known = self._read(statement, known)
        return known

    def _read(self, node: ast.AST, known: frozenset[str]) -> frozenset[str]:
        """What is known behind `node`; a ``:=`` in it counts for what stands to the right of it."""
        parts = [(each, hidden) for each, hidden, _ in scoped(node)]
        named = [each for each, _ in parts if isinstance(each, ast.NamedExpr)]
        for each, hidden in parts:
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load) and each.id not in hidden:
                spot = (each.lineno, each.col_offset)
                before = {part.target.id for part in named if (part.lineno, part.col_offset) < spot}
                self.early |= ({each.id} & self.names) - known - before
        return known | assigned([node])


def unset(block: Iterable[ast.stmt], names: frozenset[str]) -> ast.Name | None:
    """Where `block`, when it first runs, reads one of `names` before it can have assigned to that.

    Only what is read whenever the block gets there counts: not the branches of an ``if``, which may be for
    later items.
    """
    for statement in block:
        names -= {each.target.id for each in ast.walk(statement) if isinstance(each, ast.NamedExpr)}
        for node in _certain(statement):
            changed = isinstance(statement, ast.AugAssign) and node is statement.target
            if (
                isinstance(node, ast.Name)
                and node.id in names
                and (changed or isinstance(node.ctx, ast.Load))
            ):
                return node
        names -= assigned([statement])
    return None


def _certain(node: ast.AST) -> Iterator[ast.AST]:
    """`node` and what is evaluated whenever it is."""
    yield node
    match node:
        case ast.If(test=first) | ast.IfExp(test=first) | ast.For(iter=first):
            parts: list[ast.AST] = [first]
        case ast.BoolOp(values=[first, *_]):
            parts = [first]
        case ast.Compare(left=first, comparators=[second, *_]):
            parts = [first, second]
        case ast.Lambda():
            parts = [*node.args.defaults]
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            parts = [node.generators[0].iter]
        case _:
            parts = [*ast.iter_child_nodes(node)]
    for part in parts:
        yield from _certain(part)
