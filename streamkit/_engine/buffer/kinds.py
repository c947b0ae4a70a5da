"""The kinds of lanes, for strategies that need more than `Lane` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamkit._core.markers import EMPTY, Gap
from streamkit._core.spill import SpillStore
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.flooding import FoldingLane, SheddingLane, floods
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Reader

__all__ = ["CollectingLane", "ListLane", "SpillLane", "kind_of", "lane_of"]


class HandOver(Lane):
    """A lane without a buffer: the writer waits until the reader asks for an item."""

    __slots__ = ()
    inline = True
    channel: Any

    def full(self) -> bool:
        return self.limit >= 0 and (len(self.held) >= self.limit or not self.channel.asking)


class SpillLane(Lane):
    """A lane with some items on disk: writing an item or reading it back can fail."""

    __slots__ = ("blame",)
    inline = True

    def __init__(self, channel: Reader, strategy: Strategy) -> None:
        super().__init__(channel, strategy)
        self.blame: Callable[[BaseException], BaseException] = channel.blame
        """Names the operator whose buffer this is in an error of reading an item back."""
        assert isinstance(self.held, SpillStore)
        self.held.lost = self._lost

    @property
    def there(self) -> Any:
        held: Any = self.held
        return held.first

    def put(self, item: Any) -> bool:
        held: Any = self.held
        if self.limit < 0 or not held.size:
            return super().put(item)
        self.taken_in += 1
        try:
            held.append(item)
        except BaseException:
            self.account.unread()
            raise
        if held.size > self.most:  # noqa: PLR1730 - max() costs a call per item
            self.most = held.size
        return False

    def _lost(self, error: BaseException) -> BaseException:
        """An item cannot be read back from disk: it counts as refused."""
        self.account.unread()
        return self.blame(error)

    def _taken_out(self) -> list[Any]:
        assert isinstance(self.held, SpillStore)
        self.held.close()
        return super()._taken_out()


class ListLane(Lane):
    """A lane that holds its items in a list, for its kinds give many of them at once."""

    __slots__ = ()

    def __init__(self, channel: Reader, strategy: Strategy) -> None:
        super().__init__(channel, strategy)
        items: Any = []  # it costs less to append to a list, and to take all of it
        self.held = items

    def _taken_out(self) -> list[Any]:
        held: Any = self.held
        items: list[Any] = held[:]
        held.clear()
        return items


class CollectingLane(ListLane):
    """A lane whose `pop` returns all held items as one list."""

    __slots__ = ()
    plain = True

    def pop(self) -> Any:
        held: Any = self.held
        items = held[:]
        del held[: len(items)]  # what has interrupted this, and has appended more, has done that behind them
        self.delivered += len(items)
        self.loosen()
        return items

    def peek(self) -> Any:
        items: Any = self.held
        return items[:] or EMPTY


class GapLane(Lane):
    """A lane that numbers the items it is offered. A hole in the numbers comes out as a `Gap`."""

    __slots__ = ("_expected",)

    def __init__(self, channel: Reader, strategy: Strategy) -> None:
        super().__init__(channel, strategy)
        self._expected: int = 1

    def put(self, item: Any) -> bool:
        return super().put(_Numbered(self._taken + 1, item))

    def _bare(self, entry: Any) -> Any:
        return entry.item

    def close(self) -> None:
        if self.open and self._last() < self._taken:
            self.held.append(_Numbered(self._taken + 1, EMPTY))
            if len(self.held) == 1:
                if not self.listed:
                    self.listed = True
                    self.channel.enlist(self)
                self.channel.wake()
        super().close()

    @property
    def _taken(self) -> int:
        """How many items were put in, dropped ones included."""
        return self.delivered + self.account.dropped + self.account.folded + self.count

    def _last(self) -> int:
        number: int = self.held[-1].number if self.held else self._expected - 1
        return number

    def pop(self) -> Any:
        first = self.held[0]
        number, item = first.number, first.item
        missing = number - self._expected
        self._expected = number
        if missing:
            if item is EMPTY:
                self.held.popleft()
                self.loosen()
            return Gap(missing)
        self._expected += 1
        self.held.popleft()
        self.delivered += 1
        self.loosen()
        return item

    def peek(self) -> Any:
        if not self.held:
            return EMPTY
        missing = self.held[0].number - self._expected
        return Gap(missing) if missing else self.held[0].item

    @property
    def count(self) -> int:
        return super().count - self._marked

    @property
    def _marked(self) -> bool:
        return bool(self.held) and self.held[-1].item is EMPTY

    def discard(self, errors: list[BaseException]) -> None:
        if self._marked:
            self.held.pop()
        super().discard(errors)


class _Numbered:
    __slots__ = ("item", "number")

    def __init__(self, number: int, item: Any) -> None:
        self.number = number
        self.item = item


def kind_of(strategy: Strategy | None) -> Any:
    """The kind of lane that `strategy` needs."""
    if floods(strategy):
        return FoldingLane if strategy.folds else SheddingLane
    if strategy is None:
        return HandOver
    if strategy.collects:
        return CollectingLane
    if strategy.marks_gaps:
        return GapLane
    return SpillLane if strategy.spills else Lane


def lane_of(channel: Reader, strategy: Strategy | None) -> Lane:
    """Make a lane of that kind."""
    lane: Lane = kind_of(strategy)(channel, strategy)
    return lane
