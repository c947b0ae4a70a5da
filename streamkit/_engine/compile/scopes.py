"""Scopes: which names in a piece are the step's own, and which belong to a lambda or comprehension in it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TypeAlias

__all__ = ["COMPREHENSIONS", "Comprehension", "arguments_of", "assigned", "owned", "scoped"]

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
