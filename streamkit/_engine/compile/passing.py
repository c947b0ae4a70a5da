"""Passing names: which variables of a step hold something for one turn of the loop only.

A loop that waits for its source lets go of them, and a step may write its result over the item that it was
given, if nothing reads that again. So a loop of many steps holds one item, as one by hand does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from streamkit._engine.compile.pieces import Parsed

__all__ = ["lazy", "loads", "passing", "stores"]

_LAZY = (ast.Lambda, ast.GeneratorExp)


def loads(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The names that are read somewhere in `nodes`."""
    return _names(nodes, ast.Load)


def stores(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The names that are assigned to somewhere in `nodes`."""
    return _names(nodes, ast.Store)


def lazy(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The names that are read in `nodes` by what may run later: lambdas and generator expressions."""
    return loads(each for node in nodes for each in ast.walk(node) if isinstance(each, _LAZY))


def passing(pieces: Parsed) -> frozenset[str]:
    """The variables that ``each`` assigns to before it reads them, and nothing else of the step reads."""
    kept = stores(pieces.setup) | loads(pieces.finish) | lazy(pieces.each)
    if pieces.result is not None:
        kept |= loads([pieces.result])
    return frozenset(name for name in stores(pieces.each) - kept if _begins(pieces.each, name))


def _begins(block: list[ast.stmt], name: str) -> bool:
    """Whether `block` assigns to `name` before it reads it, on each way through it that reads it."""
    mentions = [each for each in block if name in _names([each], (ast.Load, ast.Store))]
    if not mentions:
        return True
    match mentions:
        case [ast.Assign(targets=targets, value=value), *_]:
            return name not in loads([value, *targets]) and name in stores(targets)
        case [ast.For(target=target, iter=source)]:
            return name not in loads([source]) and name in stores([target])
        case [ast.If(test=test, body=body, orelse=orelse)]:
            return name not in loads([test]) and _begins(body, name) and _begins(orelse, name)
        case _:
            return False


def _names(nodes: Iterable[ast.AST], context: type | tuple[type, ...]) -> frozenset[str]:
    return frozenset(
        each.id
        for node in nodes
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, context)
    )
