"""Passing names: which variables of a step hold something for one turn of the loop only.

A loop that waits for its source lets go of them, and a step may write its result over the item that it was
given, if nothing reads that again. So a loop of many steps holds one item, as one by hand does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["lazy", "loads", "passing", "stores"]

_NONE: frozenset[str] = frozenset()
_LAZY = (ast.Lambda, ast.GeneratorExp)


def loads(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The names that are read somewhere in `nodes`."""
    return _NONE.union(*[_names(node)[0] for node in nodes])


def stores(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The names that are assigned to somewhere in `nodes`."""
    return _NONE.union(*[_names(node)[1] for node in nodes])


def lazy(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The names that are read in `nodes` by what may run later: lambdas and generator expressions."""
    return loads(each for node in nodes for each in ast.walk(node) if isinstance(each, _LAZY))


def passing(
    setup: list[ast.stmt], each: list[ast.stmt], finish: list[ast.stmt], result: ast.expr | None
) -> frozenset[str]:
    """The variables that ``each`` assigns to before it reads them, and nothing else of the step reads."""
    kept = stores(setup) | loads(finish) | lazy(each)
    if result is not None:
        kept |= loads([result])
    return frozenset(name for name in stores(each) - kept if _begins(each, name))


def _begins(block: list[ast.stmt], name: str) -> bool:
    """Whether `block` assigns to `name` before it reads it, on each way through it that reads it."""
    mentions = [each for each in block if name in _names(each)[0] | _names(each)[1]]
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


@lru_cache(maxsize=4096)
def _names(node: ast.AST) -> tuple[frozenset[str], frozenset[str]]:
    """The names that are read in `node`, and those that are assigned to; pieces are asked for each loop."""
    names = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
    read = frozenset(each.id for each in names if isinstance(each.ctx, ast.Load))
    return read, frozenset(each.id for each in names if isinstance(each.ctx, ast.Store))
