"""Lasting: what a step keeps of an item beyond its turn, and makes something of later.

Of a loop that acknowledges deliveries, each step must say so (``keeps=``), or keep nothing. Here it is found
from the pieces which do: a variable that lasts takes in something of an item, and comes into what is emitted.
What only decides about later items, as the last key of ``distinct_until_changed`` does, comes into nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from streamkit._engine.compile.passing import loads, stores
from streamkit._engine.compile.pieces import Parsed

__all__ = ["emits", "lasts", "returns"]

_WORDS = frozenset({"emit", "run", "end", "enter", "pick"})
"""What passes something on, at once or perhaps."""

_NEW = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.JoinedStr)
"""What is a thing of its own, of which no change reaches what it is made of."""


def emits(block: Iterable[ast.AST]) -> bool:
    """Whether something may be passed on in `block`."""
    return any(name in _WORDS for node in block for name, _ in _calls(node))


def lasts(pieces: Parsed) -> bool:
    """Whether something of an item may come into what is emitted in a later turn."""
    later = _later(pieces)
    parts = [*pieces.setup, *pieces.each, *pieces.finish, *pieces.failed]
    given = [call for part in parts for name, call in _calls(part) if name in _WORDS]
    return any(loads(call.args) & later for call in given)


def returns(pieces: Parsed, *, counts: bool) -> bool:
    """Whether something of an item may come into the result of a sink; or (`counts`) that there was one."""
    if pieces.result is None:
        return False
    found = _later(pieces) | stores(pieces.each if counts else [])
    return bool(loads([pieces.result]) & _spread(found, [*pieces.each, *pieces.finish]))


def _later(pieces: Parsed) -> frozenset[str]:
    """The variables that may have something of an item at the next one, and those that are made of them."""
    lasting = pieces.assigned - pieces.passing
    beside = _beside(pieces)
    tainted = frozenset({"item"})
    while True:
        more = _spread(tainted, pieces.each)
        for node in pieces.each:
            pairs = [pair for each in ast.walk(node) for pair in _assigned(each)]
            parts = [pair for pair in pairs if not isinstance(pair[0], ast.Name)]
            changed = frozenset(_base(part) for part, value in parts if loads([value, part]) & more)
            for name, call in _calls(node):
                if loads([*call.args, *[each.value for each in call.keywords]]) & more:
                    # it may change what it is a method of, and what else it was given
                    changed |= {_base(call.func)}
                    if name not in _WORDS:
                        given = {each.id for each in call.args if isinstance(each, ast.Name)}
                        changed |= given & (lasting | beside.keys())
            changed &= pieces.assigned
            more |= changed.union(*[beside.get(name, ()) for name in changed])
        if more == tainted:
            return _spread(tainted & lasting, [*pieces.each, *pieces.finish, *pieces.failed]) - {"item"}
        tainted = more


def _beside(pieces: Parsed) -> dict[str, frozenset[str]]:
    """By a variable: those that it may be a part of, or have as a part, so that it changes with them."""
    pairs = [
        pair for node in [*pieces.setup, *pieces.each] for each in ast.walk(node) for pair in _assigned(each)
    ]
    found: dict[str, frozenset[str]] = {}
    for target, value in pairs:
        name = _base(target)
        if isinstance(value, _NEW):
            continue
        for other in loads([value]) & pieces.assigned - {name}:
            found[name] = found.get(name, frozenset()) | {other}
            found[other] = found.get(other, frozenset()) | {name}
    while True:
        more = {name: others.union(*[found[each] for each in others]) for name, others in found.items()}
        if more == found:
            return found
        found = more


def _spread(names: frozenset[str], block: Iterable[ast.AST]) -> frozenset[str]:
    """`names`, and those that are assigned something of them in `block`."""
    pairs = [pair for node in block for each in ast.walk(node) for pair in _assigned(each)]
    while True:
        more = names | {_base(target) for target, value in pairs if loads([value]) & names}
        if more == names:
            return names
        names = more


def _assigned(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """What `node` assigns to, and of what."""
    targets: list[Any]
    match node:
        case ast.Assign():
            targets, value = node.targets, node.value
        case ast.AugAssign() | ast.NamedExpr():
            targets, value = [node.target], node.value
        case ast.For() | ast.comprehension():
            targets, value = [node.target], node.iter
        case _:
            return
    for target in targets:
        parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        for part in parts:
            yield part, value
            if isinstance(part, ast.Subscript):
                yield part, part.slice


def _base(node: ast.AST) -> str:
    """The variable that `node` is, or is a part of."""
    while not isinstance(node, ast.Name):
        inner = getattr(node, "value", None)
        if not isinstance(inner, ast.AST):
            return ""
        node = inner
    return node.id


def _calls(node: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """The calls in `node`, by the name that is called; a method has none."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            yield each.func.id if isinstance(each.func, ast.Name) else "", each
