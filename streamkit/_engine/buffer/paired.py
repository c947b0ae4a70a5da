"""Paired lanes: what lanes of pairs of a delivery and an item hold, drop, fold and give.

A strategy acts on such pairs as on any items. Where it, or its callback, would look into an item, one of its
kind stands in its place that looks into the pair, and says what became of the delivery.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, cast

from streamkit._core.arguments import at_once
from streamkit._core.delivery import NO_DELIVERY, Delivery, Together, together
from streamkit._core.markers import Gap
from streamkit._core.show import named
from streamkit._core.spill import SpillStore
from streamkit._core.strategy import Collect, Conflate, Lossy, Spill, Strategy
from streamkit._engine.buffer.kinds import CollectingLane, GapLane, SpillLane, kind_of
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Reader

__all__ = ["Dropping", "gathered", "paired_kind", "paired_lane"]


def paired_lane(channel: Reader, strategy: Strategy | None) -> Lane:
    """A lane of pairs."""
    kind, strategy = paired_kind(strategy)
    return kind(channel, strategy)


def paired_kind(strategy: Strategy | None) -> tuple[type[Lane], Strategy | None]:
    """The kind of lane that holds pairs under `strategy`, and the strategy that it is given."""
    if isinstance(strategy, Lossy):
        found = cast("Lossy[bool]", strategy)
        dropping = found.but(on_drop=Dropping(found.on_drop))
        return _Gaps if found.marks_gaps else kind_of(dropping), dropping
    if isinstance(strategy, Conflate):
        folding = strategy.but(fold=_Folding(strategy.fold))
        return kind_of(folding), folding
    if isinstance(strategy, Collect):
        return _Lists, strategy
    return (_Spilled if isinstance(strategy, Spill) else kind_of(strategy)), strategy


def gathered(pairs: list[tuple[Delivery, Any]], kind: Callable[[list[Any]], Any] = tuple) -> Any:
    """One pair of several: their deliveries, and their items in a tuple, or something of another kind."""
    items = [item for _, item in pairs]
    tokens = [token for token, _ in pairs if token is not NO_DELIVERY]
    return together(tokens, 0), kind(items)


class Dropping:
    """The ``on_drop`` of a lane of pairs: what is dropped because it was full is settled, on purpose.

    What is dropped at an early end stays open, and so is handed back.
    """

    __slots__ = ("_told",)

    def __init__(self, told: Callable[[Any, str], object] | None) -> None:
        self._told = told

    def __call__(self, pair: tuple[Delivery, Any], reason: str) -> None:
        token, item = pair
        if self._told is not None:
            at_once("on_drop", self._told(item, reason))
        if reason == "full":
            token.settle()

    @property
    def __name__(self) -> str:  # as the strategy shows it
        return "settled" if self._told is None else named(self._told)


class _Folded(Together):
    """What a folded item stands for: one union, which grows in place."""

    __slots__ = ()


class _Folding:
    """The fold of a lane of pairs."""

    __slots__ = ("_fold",)

    def __init__(self, fold: Callable[[Any, Any], Any]) -> None:
        self._fold = fold

    def __call__(self, waiting: tuple[Delivery, Any], pair: tuple[Delivery, Any]) -> tuple[Delivery, Any]:
        (held, before), (token, item) = waiting, pair
        folded = at_once("fold", self._fold(before, item))
        if type(held) is not _Folded:
            return _Folded([held, token]), folded
        held.parts.append(token)
        return held, folded

    @property
    def __name__(self) -> str:
        return named(self._fold)


class _Lists(CollectingLane):
    """A lane whose pairs leave as one pair of a list."""

    __slots__ = ()
    plain = True

    def pop(self) -> Any:
        return gathered(super().pop(), list)

    def peek(self) -> Any:
        return gathered(self.held[:], list) if self.held else super().peek()


class _Gaps(GapLane):
    """A lane of pairs whose gaps concern no delivery."""

    __slots__ = ()

    def pop(self) -> Any:
        return _beside(super().pop())

    def peek(self) -> Any:
        return _beside(super().peek())


def _beside(found: Any) -> Any:
    return (NO_DELIVERY, found) if isinstance(found, Gap) else found


class _Spilled(SpillLane):
    """A lane of pairs of which only the items go to disk."""

    __slots__ = ("_tokens",)

    def __init__(self, channel: Reader, strategy: Strategy) -> None:
        super().__init__(channel, strategy)
        assert isinstance(self.held, SpillStore)
        self._tokens: deque[Delivery] = deque()

    def put(self, item: Any) -> bool:
        token, bare = item
        self._tokens.append(token)
        size = len(self.held)
        try:
            return super().put(bare)
        except BaseException:
            if len(self.held) == size:
                self._tokens.pop()
            raise

    def pop(self) -> Any:
        token = self._tokens.popleft()  # of one that cannot be read back, too: it stays open
        return token, super().pop()

    def peek(self) -> Any:
        return (self._tokens[0], super().peek()) if self._tokens else super().peek()

    def _bare(self, entry: Any) -> Any:
        return entry

    def _taken_out(self) -> list[Any]:
        super()._taken_out()
        tokens, self._tokens = self._tokens, deque()
        return [(token, None) for token in tokens]  # nobody is told of items that a disk has
