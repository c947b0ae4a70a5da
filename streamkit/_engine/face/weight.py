"""Weights: how many items of the source an item further on in a pipe counts for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from streamkit._core.contract import Contract, amount

__all__ = ["ONE", "Weight", "heaviest"]


class Weight(NamedTuple):
    """How many items of the source one item somewhere in a pipe counts for, at most."""

    items: float
    inside: Weight | None = None
    """What each thing that stands inside it counts for: a `Weight`. None if that may be all of it."""

    @property
    def opened(self) -> Weight:
        """What a thing counts for that was taken out of it."""
        return self if self.inside is None else self.inside

    def after(self, contract: Contract, arguments: Mapping[str, Any]) -> Weight:
        """What an item counts for that an operator of this `contract` has made of such items."""
        if contract.opens:
            return self.opened
        if amount(contract.keeps, arguments):
            return self
        if contract.weight == "1":  # a callback may put all of the item into each thing that it returns
            return Weight(self.items)
        return Weight(min(self.items * amount(contract.weight, arguments), _MOST), self)


_MOST: Final = 2.0**63
"""More than fit in any memory; a product of many weights would have too many digits for a float."""
ONE = Weight(1)


def heaviest(weights: Sequence[Weight]) -> Weight:
    """What an item counts for that comes from anywhere, if items from each place count for `weights`."""
    left: list[Weight] = [each for each in weights if each.inside is not None or each.items > ONE.items] or [
        ONE
    ]
    levels = list[float]()
    while len(left) > 1:
        levels.append(max(each.items for each in left))
        if all(each.inside is None for each in left):
            break
        left = [each.opened for each in left]
    found = left[0] if len(left) == 1 else Weight(levels.pop())
    for items in reversed(levels):
        found = Weight(items, found)
    return found
