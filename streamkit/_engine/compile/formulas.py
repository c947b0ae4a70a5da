"""The formulas of a user's contract, checked where the operator is declared."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection
from typing import Final

from streamkit._core.contract import Contract
from streamkit._core.show import shown
from streamkit._engine.compile.syntax import parse

__all__ = ["check_contract"]

_FORMULAS: Final = (
    *("holds", "lookahead", "weight", "others_hold", "others_lookahead"),
    *("again_holds", "times", "ordered", "loses"),
)
_WORDS: Final = {"unbounded", "ABSENT", *vars(builtins)}


def check_contract(contract: object, operator: str, parameters: Collection[str]) -> None:
    """Raise for a contract with a formula that could not be worked out from the operator's arguments.

    Raises:
        TypeError: `contract` is no contract, or a formula is no text.
        SyntaxError: a formula is no Python expression.
        NameError: a formula names what is no argument.
    """
    if not isinstance(contract, Contract):
        raise TypeError(f'contract must be a Contract such as Contract(holds="1"), not {shown(contract)}')
    for part in _FORMULAS:
        formula, where = getattr(contract, part), f"contract of {operator}: {part}"
        if not isinstance(formula, str):
            raise TypeError(f"{where} must be a formula in quotes, not {shown(formula)}")
        if unknown := ", ".join(sorted(_names(formula, where) - {*parameters})):
            has = f"its arguments are {', '.join(parameters)}" if parameters else "it has no arguments"
            raise NameError(f"{where}={formula!r} names {unknown}, but {has}")


def _names(formula: str, where: str) -> set[str]:
    """What a formula reads that is no word of all formulas."""
    if not formula:
        return set()
    try:
        nodes = [node for node in ast.walk(parse(formula, mode="eval")) if isinstance(node, ast.Name)]
    except SyntaxError as error:
        words = (
            ", and words stand in quotes of their own: loses=\"'late items'\""
            if where.endswith(" loses")
            else ""
        )
        raise SyntaxError(f"{where}={formula!r} is no Python expression: {error.msg}{words}") from None
    made = {node.id for node in nodes if not isinstance(node.ctx, ast.Load)}
    return {node.id for node in nodes} - made - _WORDS
