"""Contracts: what an operator promises to hold, to read ahead, to keep in order and to lose, as data.

Numbers are written as formulas over the operator's arguments (``"size - 1"``), so that the docs can
print them and `explain` can work them out from the same place.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import CodeType
from typing import Any

from streamkit._core.markers import ABSENT
from streamkit._core.value import Record

__all__ = ["NOTHING_HELD", "UNBOUNDED", "Behaviour", "Contract", "amount"]

UNBOUNDED = float("inf")


class Behaviour(StrEnum):
    """What a contract comes to, in one word."""

    PASS_THROUGH = "pass-through"
    """It keeps nothing and reads nothing ahead."""
    BOUNDED = "bounded"
    UNBOUNDED = "unbounded"
    """What it keeps has no limit."""
    LOSSY = "lossy"
    """It may lose items, which are counted."""


class Contract(Record):
    """What an operator declares of itself; formulas are Python expressions over its arguments."""

    holds: str = "0"
    """Items it keeps between two pulls, besides the one in its hand."""
    lookahead: str = "0"
    """Items it takes from its sources before anyone asks for them."""
    weight: str = "1"
    """How many of the items it receives one item that it emits counts for."""
    per_source: bool = False
    """Whether `holds` and `lookahead` are meant for each of its sources."""
    together: bool = False
    """Whether one item that it emits is made of one of each of its sources."""
    spreads: bool = False
    """Whether it emits several items for one, and so has the one in hand while they leave."""
    times: str = "1"
    """How often the pipe that it was given runs at once, each holding what that holds."""
    result: str = ""
    """What a callback or a sink keeps for as long as the run lasts; outside the bound."""
    ordered: str = "True"
    """Whether items leave in the order in which they came."""
    loses: str = "'nothing'"
    """What it loses, and when."""

    def behaviour(self, arguments: Mapping[str, Any]) -> Behaviour:
        """What it comes to with these arguments."""
        if amount(self.loses, arguments) != "nothing":
            return Behaviour.LOSSY
        holds = amount(self.holds, arguments)
        if holds == UNBOUNDED:
            return Behaviour.UNBOUNDED
        ahead = amount(self.lookahead, arguments)
        return Behaviour.BOUNDED if holds or ahead else Behaviour.PASS_THROUGH


NOTHING_HELD = Contract()
"""Of what has only the item in its hand, as most steps."""


@lru_cache(maxsize=512)
def _compiled(formula: str) -> CodeType:
    return compile(formula, "<contract>", "eval")


def amount(formula: str, arguments: Mapping[str, Any]) -> Any:
    """Work out one formula of a contract.

    >>> amount("size - 1", {"size": 3})
    2
    """
    return eval(
        _compiled(formula),
        {"__builtins__": builtins, "unbounded": UNBOUNDED, "ABSENT": ABSENT},
        dict(arguments),
    )
