"""How a loop begins that takes the place of another: with the states of its steps, and an item in hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator
from types import CellType
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.compile.key import Kind

__all__ = ["Entry", "Rest", "States"]

States = list[Any]
"""By the index of a step: what it keeps; None, if it is to begin."""


class _Once:
    """One item, to be iterated over."""

    __slots__ = ("_item",)

    def __init__(self, item: Any) -> None:
        self._item = item

    def __aiter__(self) -> _Once:
        return self

    async def __anext__(self) -> Any:
        item, self._item = self._item, EMPTY
        if item is EMPTY:
            raise StopAsyncIteration
        return item


class Rest:
    """What a loop has taken of a channel, and not gone through: the item in its hand, and what follows."""

    __slots__ = ("_item", "_rest")

    def __init__(self, item: Any, rest: Iterator[Any]) -> None:
        self._item = item
        self._rest = rest

    def __iter__(self) -> Rest:
        return self

    def __next__(self) -> Any:
        item, self._item = self._item, EMPTY
        return next(self._rest) if item is EMPTY else item

    def back(self, item: Any) -> Rest:
        """The same, with `item` in front again: however often that happens, it is one."""
        self._item = item
        return self


def _once(item: list[Any]) -> Generator[Any, None, None]:
    yield item.pop()


class Entry:
    """What a loop asks for that goes on with the state of another, and an item which that had in hand."""

    channel: Channel | None = None

    def __init__(self, kind: Kind, states: States, item: Any = EMPTY) -> None:
        self.kind = kind
        self.pushes: bool = False
        """Whether the loop is in push form, and what is in hand is sent into it."""
        self.rest: Rest = Rest(EMPTY, iter(()))
        """That."""
        self.edits: CellType = CellType(None)
        """Has True in it while the loop is to be left."""
        self._states: States | None = states
        self._item = item

    def entered(self) -> States | None:
        states, self._states = self._states, None
        return states

    def taken(self) -> tuple[States, Any]:
        """Both at once, for several loops."""
        item, self._item = self._item, EMPTY
        return self.entered() or [], item

    def given(self) -> Any:
        if self.pushes:
            return None
        item, self._item = self._item, EMPTY
        if item is EMPTY or self.kind is Kind.CHANNEL:
            return None if item is EMPTY else item
        return _Once(item) if self.kind is Kind.ASYNC else _once([item])

    def pushed(self) -> None:
        """The next loop is in push form."""
        hand: Any = self._item
        self.rest, self._item = Rest(EMPTY, iter(())) if hand is EMPTY else hand, EMPTY
        self.pushes = True

    def put(self, states: States, item: Any = EMPTY) -> None:
        """What the next loop begins with."""
        self._states, self._item, self.pushes = states, item, False

    def reads(self, channel: Channel) -> Callable[[], Awaitable[bool]]:
        self.channel = channel
        return channel.wait
