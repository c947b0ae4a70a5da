"""Forms: what the items of a run look like to its stage, where that does more than to move them.

Behind a durable source they are pairs of a delivery and an item. A stage that calls a callback with them,
makes one of several, makes some by itself or leaves some out says so by the form of its run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.delivery import NO_DELIVERY, Delivery, settled, together
from streamkit._core.guarded import Dropped
from streamkit._core.markers import EMPTY
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.kinds import kind_of
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.paired import Dropping, gathered, paired_kind
from streamkit._engine.compile.key import Mode, Pairs, mode_of
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.run.apart import BEGUN
from streamkit._engine.run.start import start

__all__ = ["PAIRS", "Bare", "Form"]

Call: TypeAlias = Callable[..., Any]
OnDrop: TypeAlias = Callable[[Any, str], object] | None


class Form:
    """Items as they are."""

    def of(self, function: Call) -> Call:
        """`function`, which says something of an item, called with what the stage has for it."""
        return function

    def becomes(self, function: Call) -> Call:
        """`function`, whose result takes the place of the item that it is called with."""
        return function

    def told(self, on_drop: OnDrop) -> OnDrop:
        """What is called with each item that a lane drops."""
        return on_drop

    def listed(self, items: list[Any]) -> Any:
        """A list of several, as one item."""
        return items

    def row(self, items: list[Any]) -> Any:
        """A tuple of several, as one item."""
        return tuple(items)

    def latest(self, count: int) -> list[Any]:
        """Places for the latest item of each of so many streams, which is made something of again and again.

        What is put into one takes the place of the item before it; to clear all says that nothing more comes.
        """
        return [EMPTY] * count

    again: Callable[[list[Any]], Any] = tuple
    """A tuple of the items in such places, which stay there."""

    def made(self, item: Any) -> Any:
        """An item that the stage has made of none."""
        return item

    def left_out(self, item: Any) -> None:
        """An item goes no further, on purpose."""

    def source(self, items: Any) -> Source:
        """What the stage gives to a stream inside of it."""
        return Source(items)

    def kind(self, strategy: Strategy | None) -> tuple[type[Lane], Strategy | None]:
        """The kind of lane that holds such items under a strategy, and the strategy that it is given."""
        return kind_of(strategy), strategy


class Bare:
    """A run whose items are as they are; of one whose items are pairs, `paired` says otherwise."""

    tracked: bool = False
    """Whether they are pairs of a delivery and an item: those that it reads, and those that it gives."""
    form: Form = Form()
    """What they look like to the stage."""
    starts: Any = staticmethod(start)
    """Makes the loops over what it opens."""
    begins: Mapping[Any, Callable[..., Opened | None]] = BEGUN
    """What begins stages, where that is more than to call them."""


class _Pairs(Form):
    """Pairs of a delivery and an item."""

    def of(self, function: Call) -> Call:
        def called(pair: tuple[Any, Any]) -> Any:
            return function(pair[1])

        return called

    def becomes(self, function: Call) -> Call:
        return _awaited(function) if mode_of(function) is Mode.ASYNC else _called(function)

    def told(self, on_drop: OnDrop) -> OnDrop:
        return Dropping(on_drop)

    def listed(self, items: list[Any]) -> Any:
        return gathered(items, list)

    def row(self, items: list[Any]) -> Any:
        return gathered(items)

    def latest(self, count: int) -> list[Any]:
        return _Latest([EMPTY] * count)

    def again(self, items: list[Any]) -> Any:
        tokens = [token for token, _ in items if token is not NO_DELIVERY]
        return together(tokens, len(tokens)), tuple([item for _, item in items])

    def made(self, item: Any) -> Any:
        return NO_DELIVERY, item

    def left_out(self, item: Any) -> None:
        item[0].settle()

    def source(self, items: Any) -> Source:
        return _OfPairs(items)

    def kind(self, strategy: Strategy | None) -> tuple[type[Lane], Strategy | None]:
        return paired_kind(strategy)


class _Latest(list[Any]):
    """The latest pair of each of several streams. It is one place of its delivery, until another comes."""

    def __setitem__(self, place: Any, pair: Any) -> None:
        before = self[place]
        super().__setitem__(place, pair)
        if before is not EMPTY:
            before[0].settle()

    def clear(self) -> None:
        settled([token for token, _ in self])
        super().clear()


class _OfPairs(Source):
    """Pairs, as the source of a stream."""

    __slots__ = ()

    tracked = True

    def open(self, *, blocking: bool = False) -> Opened:
        opened = super().open(blocking=blocking)
        opened.pairs = Pairs.TAKES
        return opened


PAIRS = _Pairs()


def _ended(token: Delivery, error: Exception) -> None:
    """A call has no result: its item is left out on purpose, or is to blame."""
    if isinstance(error, Dropped):
        token.settle()
    else:
        token.mark()


def _awaited(function: Call) -> Call:
    async def awaited(pair: Any) -> Any:
        token, item = pair
        del pair
        try:
            return token, await function(item)
        except Exception as error:
            _ended(token, error)
            raise

    return awaited


def _called(function: Call) -> Call:
    async def waited(token: Any, result: Any) -> Any:
        try:
            return token, await pending(result)
        except Exception as error:
            _ended(token, error)
            raise

    def called(pair: Any) -> Any:
        token, item = pair
        try:
            result = function(item)
        except Exception as error:
            _ended(token, error)
            raise
        return waited(token, result) if is_awaitable(result) else (token, result)

    return called
