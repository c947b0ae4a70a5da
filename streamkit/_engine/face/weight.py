"""Weights: how many items of the source an item further on in a pipe counts for; also behind shared runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from streamkit._core.contract import amount
from streamkit._core.guarded import policy_among
from streamkit._engine.compile.pieces import parsed
from streamkit._engine.plan.link import Link, shares
from streamkit._engine.plan.source import Source

__all__ = ["ONE", "Runs", "Weight", "heaviest", "paired"]


class Weight(NamedTuple):
    """How many items of the source one item somewhere in a pipe counts for, at most."""

    items: float
    inside: Weight | None = None
    """What each thing that stands inside it counts for: a `Weight`. None if that may be all of it."""
    run: tuple[int, ...] = ()
    """The shared run, if the n-th item is made of the n-th item of that."""
    apart: Weight | None = None
    """What one counts for where some are left out, or it is taken apart, if that is more.

    Of readers of one run that meet in a ``zip``, one may be ahead of the others by as much as those hold. So
    the pair is made of two items. But each item between these is in one of the next pairs, too, or held on
    the way: pairs that follow each other have as many items as they are, and those that the ways hold.
    """

    @property
    def alone(self) -> Weight:
        """What an item counts for, whatever has become of those before and behind it."""
        return self._replace(run=()) if self.apart is None else self.apart

    def after(self, link: Link) -> Weight:
        """What an item counts for that the operator of `link` has made of such items."""
        changed = self.alone._after(link)
        if not (self.run and _is_aligned(link)):
            return changed
        return self._replace(inside=changed.inside, apart=None if self.apart is None else changed)

    def _after(self, link: Link) -> Weight:
        contract, arguments = link.declaration.contract, link.arguments
        if contract.opens:
            return self if self.inside is None else self.inside
        if amount(contract.keeps, arguments):
            return self
        if contract.weight == "1":  # a callback may put all of the item into each thing that it returns
            return Weight(self.items)
        return Weight(min(self.items * amount(contract.weight, arguments), _MOST), self)


def _is_aligned(link: Link) -> bool:
    """Whether the n-th item that comes out of an operator is made of the n-th that comes in.

    Not, where an item is left out if a callback fails.
    """
    of, arguments = link.declaration, link.arguments
    if policy_among(arguments.values()) is not None:
        return False
    if of.stage is None:
        return parsed(of).passes_each
    contract = of.contract
    if of.buffers or shares(link):
        return bool(amount(contract.keeps, arguments)) and amount(contract.loses, arguments) == "nothing"
    return bool(amount(contract.aligned, arguments))


def paired(weights: Sequence[Weight], link: Link) -> Weight:
    """What an item counts for that is made of one item of each source, which count for `weights`."""
    alone = [each.alone for each in weights]
    total = Weight(min(sum(each.items for each in alone), _MOST), heaviest(alone))
    runs = {each.run for each in weights}
    if len(runs) > 1 or not (run := runs.pop()) or not _is_aligned(link):
        return total
    return Weight(max(each.items for each in weights), total.inside, run, total)


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
        left = [each if each.inside is None else each.inside for each in left]
    found = left[0] if len(left) == 1 else Weight(levels.pop())
    for items in reversed(levels):
        found = Weight(items, found)
    return found


class Runs:
    """The shared runs that were explained, each with what an item counts for that it puts into the lanes."""

    def __init__(self) -> None:
        self._weights: dict[tuple[int, ...], Weight] = {}

    def add(self, source: Source | None, links: Sequence[Link], place: int, weight: Weight) -> None:
        """The reader at `place`, whose items count for `weight`, is explained, if one stands there."""
        if run := self._joined(source, links, place):
            self._weights[run] = weight

    def last(self, source: Source | None, links: Sequence[Link]) -> tuple[int, Weight | None]:
        """The place of the last reader whose run was explained, and the weight; without one, 0 and None."""
        for place in range(len(links) - 1, -1, -1):
            weight = self._weights.get(self._joined(source, links, place))
            if weight is not None:
                return place, weight
        return 0, None

    def read(self, source: Source | None, links: Sequence[Link], place: int, last: Link) -> tuple[int, ...]:
        """The run of which a reader, the `last` link at `place`, gets all; nothing, if none stands there."""
        return self._joined(source, links, place) if last is links[place] and _is_aligned(last) else ()

    @staticmethod
    def _joined(source: Source | None, links: Sequence[Link], place: int) -> tuple[int, ...]:
        """What tells the run that is joined at `place` from others; nothing, if there is no such run.

        Links and sources are told apart by their identity, as ``==`` goes through all that is inside of them.
        So readers of one run may be taken for those of two: that is too much, and never too little.
        """
        if source is None or source.alone or not shares(links[place]):
            return ()  # a branch, or what only one run can read: each begins a run of its own
        runs = links[place].arguments.get("_shares")
        return () if runs is None else (id(runs), id(source), *map(id, links[:place]))
