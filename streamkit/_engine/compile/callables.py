"""Callables: whether one makes all its results in one way, so that its first tells of the others.

A function that calls another may return what that returns: a value now, and an awaitable then. One that ends
in an operator does not, and neither does ``len``. It is read off the bytecode: a call costs a hundred opcodes
of its own, which looking at its result makes a few more; an operator costs one.
"""

from __future__ import annotations

import inspect
import math
import operator
from opcode import opmap
from types import BuiltinFunctionType, CodeType, MethodDescriptorType
from typing import Any

__all__ = ["computes", "operates"]

_OPERATORS = frozenset(
    opmap[name]
    for name in (
        "BINARY_OP",
        "COMPARE_OP",
        "IS_OP",
        "CONTAINS_OP",
        "UNARY_NOT",
        "UNARY_NEGATIVE",
        "UNARY_INVERT",
        "BUILD_TUPLE",
        "BUILD_LIST",
        "BUILD_SET",
        "BUILD_MAP",
        "BUILD_STRING",
        "BUILD_CONST_KEY_MAP",
        "FORMAT_VALUE",
        "FORMAT_SIMPLE",
        "FORMAT_WITH_SPEC",
        "LIST_EXTEND",
        "LOAD_CONST",
        "LOAD_SMALL_INT",
    )
    if name in opmap
)
_CARRIES = frozenset(
    opmap[name] for name in ("COPY", "SWAP", "JUMP_IF_TRUE_OR_POP", "JUMP_IF_FALSE_OR_POP") if name in opmap
)
"""What may bring a value to a ``return`` from elsewhere than the opcode before it."""
_LEAVES = frozenset({opmap["RETURN_VALUE"], opmap["JUMP_FORWARD"]})
"""What returns the value that was made last, or takes it to a ``return``."""
_BINARY, _CACHE = opmap["BINARY_OP"], opmap["CACHE"]
_ARITHMETIC = 26
"""How many operators `BINARY_OP` has. Since Python 3.14, the next number is for subscripts."""
_GENERATES = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_COMPUTING = frozenset(
    {len, repr, ascii, ord, chr, hash, id, isinstance, issubclass, callable, format, hex, oct, bin}
)
_OPERATOR = getattr(operator.add, "__self__", None)
"""The module that `operator` has its functions from."""
_FINDING = frozenset({operator.getitem, getattr(operator, "call", None)})
_SCALARS = (str, bytes, int, float)


def operates(code: CodeType) -> bool:
    """Whether a function returns only what operators and displays make; or generators."""
    if code.co_flags & _GENERATES:
        return True
    text, made = code.co_code, False
    for place in range(0, len(text), 2):
        found = text[place]
        if found in _CARRIES or (found in _LEAVES and not made):
            return False
        if found != _CACHE:
            made = found in _OPERATORS and (found != _BINARY or text[place + 1] < _ARITHMETIC)
    return True


def computes(value: Any) -> bool:
    """Whether a callable that is written in C computes what it returns, and does not find it somewhere."""
    if type(value) is MethodDescriptorType:
        return value.__objclass__ in _SCALARS
    if type(value) is not BuiltinFunctionType:
        return False
    owner = value.__self__
    if owner is math or owner is _OPERATOR:
        return value not in _FINDING
    return type(owner) in _SCALARS or value in _COMPUTING
