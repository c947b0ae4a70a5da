"""Contracts: what an operator holds, reads ahead, keeps in order and loses, as data.

Numbers are formulas over the operator's arguments (``"size - 1"``): the docs print them, and `explain`
evaluates them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import CodeType
from typing import Any

from streamkit._core.limit import Limit
from streamkit._core.markers import ABSENT
from streamkit._core.value import Record

__all__ = ["NOTHING_HELD", "PASSED_ON", "PER_SOURCE", "UNBOUNDED", "Behaviour", "Contract", "amount"]

UNBOUNDED = float("inf")


class Behaviour(StrEnum):
    """A contract, summed up in one word."""

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
    keys: str = "0"
    """Keys of items that it keeps to know those again. They are outside the bound, which counts items."""
    weight: str = "1"
    """How many received items one emitted item counts for: ``"size"`` for lists of `size`."""
    keeps: str = "False"
    """Whether it emits the items that it receives, as they are, and makes nothing of them."""
    opens: bool = False
    """Whether it emits what stands inside the items that it receives, as ``flatten`` does."""
    per_source: bool = False
    """Whether `holds` and `lookahead` count for each of its sources."""
    chooses: bool = False
    """Whether it reads all of its sources, but holds items of one of them only, as ``race`` does."""
    others_hold: str = ""
    """What `holds` is for each source but the first, where that differs: the others then count, too."""
    others_lookahead: str = ""
    """What `lookahead` is for each source but the first, where that differs."""
    again_holds: str = ""
    """What `holds` is for each reader but the first of a run that several share, where that differs."""
    together: bool = False
    """Whether it makes one item out of one item of each source, as ``zip`` does."""
    aligned: str = "False"
    """Whether its n-th item is made of the n-th item of its source, or of each of them. Of a step, its pieces
    tell that."""
    spreads: bool = False
    """Whether it emits several items for one. It then has that one in hand until the last has left."""
    regroups: bool = False
    """Whether all that its ``finish`` does is to pass on items that it holds back, if it is a step.

    It then does so after an error of the source or of a step before it, too; the error comes behind them.
    """
    at_end: bool = False
    """Whether it emits nothing before its source has ended."""
    times: str = "1"
    """How many instances of the pipe in its arguments run at once; each holds what the pipe holds."""
    result: str = ""
    """What a callback or a sink keeps until the run ends. It is outside the bound."""
    ordered: str = "True"
    """Whether items leave in the order in which they came."""
    loses: str = "'nothing'"
    """What it loses, and when."""

    @property
    def mixed(self) -> bool:
        """Whether the first source and the others are read in different ways."""
        return bool(self.others_hold or self.others_lookahead)

    @property
    def of_others(self) -> tuple[str, str]:
        """The formulas of `holds` and `lookahead` for each source but the first, if it is `mixed`."""
        return self.others_hold or self.holds, self.others_lookahead or self.lookahead

    def behaviour(self, arguments: Mapping[str, Any]) -> Behaviour:
        """The behaviour with these arguments."""
        if amount(self.loses, arguments) != "nothing":
            return Behaviour.LOSSY
        holds, ahead = amount(self.holds, arguments), amount(self.lookahead, arguments)
        if self.mixed:
            others = [amount(formula, arguments) for formula in self.of_others]
            holds, ahead = max(holds, others[0]), max(ahead, others[1])
        keys = amount(self.keys, arguments)
        if UNBOUNDED in (holds, keys):
            return Behaviour.UNBOUNDED
        return Behaviour.BOUNDED if holds or ahead or keys else Behaviour.PASS_THROUGH


NOTHING_HELD = Contract()
"""The contract of most steps: they have only the item in hand."""

PASSED_ON = Contract(keeps="True")
"""The contract of those of them that pass items on as they are."""

PER_SOURCE = Contract(
    holds="lookahead",
    lookahead="lookahead",
    per_source=True,
    keeps="True",
    ordered="'within each source'",
)
"""The contract of those that read several sources ahead, and pass on the items of each as they are."""


@lru_cache(maxsize=512)
def _compiled(formula: str) -> CodeType:
    return compile(formula, "<contract>", "eval")


def amount(formula: str, arguments: Mapping[str, Any]) -> Any:
    """Work out one formula of a contract. A limit counts as the most that it may be.

    >>> amount("size - 1", {"size": 3})
    2
    """
    counted = {name: value.most if isinstance(value, Limit) else value for name, value in arguments.items()}
    return eval(_compiled(formula), {"unbounded": UNBOUNDED, "ABSENT": ABSENT}, counted)
