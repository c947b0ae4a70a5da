"""Edges that can be changed: between two nodes that run, each in a task, items wait in a lane.

A port is where they leave a node. Each of them goes to all lanes that are there when it comes; a change of
those waits for the item that is on its way. So one item has the old readers, and the next one the new ones.
An input has its lanes one behind the other: what comes by a new one waits until the old one is empty.

The lanes of the engine belong to the run of one pipe, which opens and closes them. These join runs that come
and go, and all of a change has to happen between the same two items, which a `Hub` does not promise.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any

from streamkit._core.markers import EMPTY

__all__ = ["Input", "Lane", "Port"]


class Lane:
    """Items on their way from one node to one of its readers."""

    __slots__ = ("_reader", "_writer", "closed", "error", "gone", "items", "port", "room")

    def __init__(self, port: Port, room: int) -> None:
        self.port: Port = port
        self.room: int = room
        """How many items wait here at most."""
        self.items: deque[Any] = deque()
        self.closed: bool = False
        """Whether nothing more comes."""
        self.error: BaseException | None = None
        """With what it ends, then."""
        self.gone: bool = False
        """Whether nobody reads it any more."""
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    @property
    def full(self) -> bool:
        return len(self.items) >= self.room

    def put(self, item: Any) -> None:
        self.items.append(item)
        _wake(self._reader)

    async def vacancy(self) -> None:
        """Wait for room, or until nobody reads any more."""
        while self.full and not self.gone:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer

    async def take(self) -> Any:
        """The next item; EMPTY at the end."""
        while not self.items:
            if self.closed:
                if self.error is not None:
                    raise self.error
                return EMPTY
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        item = self.items.popleft()
        if 2 * len(self.items) <= self.room:  # so that tasks take turns for several items, not for each
            _wake(self._writer)
        return item

    def close(self, error: BaseException | None = None) -> None:
        """Nothing more comes."""
        self.closed, self.error = True, error
        _wake(self._reader)

    def abandon(self) -> None:
        """Nobody reads it any more."""
        self.gone = True
        self.items.clear()
        _wake(self._writer)
        self.port.left(self)

    def widen(self, room: int) -> None:
        """Let as many items wait from now on."""
        self.room = room
        if not self.full:
            _wake(self._writer)


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


class Port:
    """Where items leave a node. `unread` is called when nobody is there for them any more."""

    def __init__(self, unread: Callable[[], object]) -> None:
        self.stays = True
        """Whether its node is one of the graph as it is now."""
        self._lanes: tuple[Lane, ...] = ()
        self._unread = unread
        self._busy = False
        """Whether an item is on its way to the lanes."""
        self._changes: list[tuple[Lane, bool]] = []
        """Lanes that come, and that go, behind that item."""
        self._over = False
        """Whether nothing more is to leave."""

    async def send(self, item: Any) -> None:
        """Put `item` into each lane, at once where there is room: no reader waits for the room of another."""
        self._busy = True
        try:
            full: list[Lane] = []
            for lane in self._lanes:
                if lane.full:
                    full.append(lane)
                else:
                    lane.put(item)
            for lane in full:
                await lane.vacancy()
                if not lane.gone:
                    lane.put(item)
        finally:
            self._busy = False
            if self._changes or self._over or not self._lanes:
                self._settle()
        if self._over:
            await asyncio.sleep(0)  # in which the node is ended, if its source never waits

    def change(self, lanes: Iterable[tuple[Lane, bool]]) -> None:
        """Add each lane that is true, and close each that is not, all between the same two items."""
        self._changes += lanes
        self._settle()

    def leave(self) -> None:
        """Let nothing more leave than the item that is on its way."""
        self._over = True
        self._settle()

    def end(self, error: BaseException | None) -> bool:
        """The node has ended; whether there is somebody to be told the `error`."""
        self._busy, self._over = False, True
        told = any(not lane.gone for lane in self._lanes)
        self._settle(error)
        return told

    def left(self, lane: Lane) -> None:
        """Its reader is not there any more."""
        self._lanes = tuple([each for each in self._lanes if each is not lane])
        self._settle()

    def _settle(self, error: BaseException | None = None) -> None:
        if self._busy:
            return
        for lane, comes in self._changes:
            if comes and not lane.gone:
                self._lanes += (lane,)
            elif not comes:
                lane.close()
                self._lanes = tuple([each for each in self._lanes if each is not lane])
        self._changes.clear()
        if self._over:
            for lane in self._lanes:
                lane.close(error)
            self._lanes = ()
        if not self._lanes:
            self._unread()


class Input:
    """What a node reads by one of its edges, whichever node stands at the other end of it."""

    def __init__(self) -> None:
        self.lanes: deque[Lane] = deque()
        """What is read, and then what follows that."""
        self.over: bool = False
        """Whether nothing more is read here."""

    async def items(self) -> AsyncGenerator[Any, None]:
        """What comes by all of its lanes."""
        try:
            while self.lanes:
                while (item := await self.lanes[0].take()) is not EMPTY:
                    yield item
                    del item
                self.lanes.popleft()
        finally:
            self.leave()

    def leave(self) -> None:
        """Nobody reads here any more."""
        self.over = True
        while self.lanes:
            self.lanes.popleft().abandon()
