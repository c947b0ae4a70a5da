"""Edges that can be changed: between two nodes that run, each in a task, items wait in a lane.

A port is where they leave a node. Each of them goes to all lanes that are there when it comes; a change of
those waits for the item that is on its way. So one item has the old readers, and the next one the new ones.

The lanes of the engine belong to the run of one pipe, which opens and closes them. These join runs that come
and go, and all of a change has to happen between the same two items, which a `Hub` does not promise.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from streamkit._core.markers import EMPTY
from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.account import Account, BufferStats

__all__ = ["Lane", "Mark", "Port", "Reader"]


class Lane:
    """Items on their way from one node to one of its readers. `name` says which these are."""

    __slots__ = (
        *("_account", "_loop", "_most", "_put", "_reader", "_writer", "closed", "error", "gone", "items"),
        *("marks", "more", "name", "port", "reader", "room"),
    )

    def __init__(self, port: Port, room: int, name: str, place: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._account = Account(Suspend(room), self._loop.time)
        self._account.placed(place)
        self._put = self._most = 0
        self.port: Port = port
        self.name: str = name
        self.room: int = room
        """How many items wait here at most."""
        self.more: int = 0
        """How many more, as the node they come from is to end, and passes on what it has."""
        self.items: deque[Any] = deque()
        self.marks: deque[tuple[int, Mark]] = deque()
        """Each with how many items have come before it."""
        self.reader: Reader | None = None
        self.closed: bool = False
        """Whether nothing more comes."""
        self.error: BaseException | None = None
        """With what it ends, then."""
        self.gone: bool = False
        """Whether nobody reads it any more."""
        self._reader: asyncio.Future[Any] | None = None
        """Who waits for an item; it is given that, or EMPTY if there is an end."""
        self._writer: asyncio.Future[None] | None = None

    @property
    def full(self) -> bool:
        return len(self.items) >= self.room + self.more

    def put(self, item: Any) -> None:
        """Let `item` wait here; or have it, who waits for one: it is in the hand of that then."""
        self._put += 1
        if (reader := self._reader) is not None:
            self._reader = None
            if not reader.done():
                reader.set_result(item)
                return
        self.items.append(item)
        if (held := len(self.items)) > self._most:
            self._most = held

    def refuse(self) -> None:
        """Nobody reads it any more: the item that has waited for room goes nowhere here."""
        self._account.refuse()

    async def vacancy(self) -> None:
        """Wait for room, or until nobody reads any more."""
        self._account.full()
        try:
            while self.full and not self.gone:
                self._writer = self._loop.create_future()
                await self._writer
        finally:
            self._account.not_full()

    def taken(self) -> Any:
        """The next of the items that are here."""
        items = self.items
        item = items.popleft()
        if self._writer is not None and 2 * len(items) <= self.room:
            # not for each, so that tasks take turns for several items
            _wake(self._writer)
            self._writer = None
        return item

    async def take(self) -> Any:
        """The next item; EMPTY at the end."""
        while not self.items:
            if self.closed:
                if self.error is not None:
                    raise self.error
                return EMPTY
            reader = self._reader = self._loop.create_future()
            try:
                item = await reader
            except asyncio.CancelledError:
                if reader.done() and not reader.cancelled() and reader.result() is not EMPTY:
                    self.items.appendleft(reader.result())
                raise
            if item is not EMPTY:
                return item
        return self.taken()

    def mark(self, mark: Mark) -> None:
        """Let `mark` pass when all items that have come up to now have been read, and done with."""
        if self._reader is not None and not self._reader.done() and self.reader is not None:
            self.reader.passed(mark)
        else:
            self.marks.append((self._put, mark))

    def pass_marks(self) -> None:
        """The next item is asked for: what was read before is done with."""
        read = self._put - len(self.items) - self._account.dropped
        while self.marks and self.marks[0][0] <= read:
            _, mark = self.marks.popleft()
            if self.reader is not None:
                self.reader.passed(mark)

    def close(self, error: BaseException | None = None) -> None:
        """Nothing more comes."""
        if not self.closed:
            self.closed, self.error = True, error
            if self._reader is not None and not self._reader.done():
                self._reader.set_result(EMPTY)

    def abandon(self) -> None:
        """Nobody reads it any more."""
        self.gone = True
        self._account.lost(len(self.items))
        self.items.clear()
        _wake(self._writer)
        self.port.left(self)

    def widen(self, room: int, more: int = 0) -> None:
        """Let as many items wait from now on."""
        self.more = more
        if room != self.room:
            self.room = room
            self._account.strategy = Suspend(room)
        if not self.full:
            _wake(self._writer)

    def again(self, items: Sequence[Any]) -> Lane:
        """One from and to the same nodes, with items that had come by this one."""
        lane = Lane(self.port, len(items), self.name, self._account.place)
        for item in items:
            lane.put(item)
        lane.close()
        return lane

    def stats(self) -> BufferStats:
        """What became of the items that were to come by it."""
        held = len(self.items)
        taken = self._put - held - self._account.dropped
        return self._account.stats(self.name, self._put, taken, held=held, most=self._most)


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


class Reader(Protocol):
    """Who reads lanes."""

    passed: Callable[[Mark], object]
    """Called with each mark that comes there."""


class Mark:
    """What goes with the items through some nodes: lanes come and go on all ways between the same two.

    It leaves a node when all that came before it has left that. So nodes pass it that hold nothing between
    two items, and do one after the other. `told` is called when it was everywhere.
    """

    def __init__(self, told: Callable[[Mark], object]) -> None:
        self.changes: dict[Port, dict[Lane, bool]] = {}
        """Where it is to come by, and which lanes come and go there."""
        self.through: set[Reader] = set()
        """What it goes through."""
        self._told = told
        self._over = asyncio.Event()

    def arrive(self, port: Port) -> None:
        """All that came before it has left there."""
        port.change(self.changes.pop(port, {}).items(), None, self)
        if not self.changes and not self._over.is_set():
            self._over.set()
            self._told(self)

    @property
    def over(self) -> bool:
        """Whether it was everywhere."""
        return not self.changes

    async def passed(self) -> None:
        """Wait until it was everywhere."""
        await self._over.wait()


class Port:
    """Where items leave a node. `unread` is called when nobody is there for them any more."""

    def __init__(self, unread: Callable[[], object]) -> None:
        self.stays = True
        """Whether its node is one of the graph as it is now."""
        self.lanes: tuple[Lane, ...] = ()
        self._unread = unread
        self._busy = False
        """Whether an item is on its way to the lanes."""
        self._changes: list[tuple[Lane, bool]] = []
        """Lanes that come, and that go, behind that item."""
        self._told: list[Callable[[Port], object]] = []
        """Who is called when they have."""
        self._marks: list[Mark] = []
        """What is to follow that item."""
        self._over = False
        """Whether nothing more is to leave."""

    def send(self, item: Any) -> Awaitable[None] | None:
        """Put `item` into each lane; what is returned waits until that is done, if it is not yet."""
        lanes = self.lanes
        if len(lanes) == 1 and not lanes[0].full:  # the usual case: nothing can come between
            lanes[0].put(item)
            return None
        return self._send(item)

    async def _send(self, item: Any) -> None:
        """Put `item` into each lane, at once where there is room: no reader waits for the room of another."""
        self._busy = True
        try:
            full: list[Lane] = []
            for lane in self.lanes:
                if lane.full:
                    full.append(lane)
                else:
                    lane.put(item)
            for lane in full:
                await lane.vacancy()
                if lane.gone:
                    lane.refuse()
                else:
                    lane.put(item)
        finally:
            self._busy = False
            if self._changes or self._marks or self._over or not self.lanes:
                self._settle()
        if self._over:
            await asyncio.sleep(0)  # in which the node is ended, if its source never waits

    def change(
        self,
        lanes: Iterable[tuple[Lane, bool]],
        told: Callable[[Port], object] | None,
        mark: Mark | None = None,
    ) -> None:
        """Add each lane that is true, and close each that is not, all between the same two items.

        `mark` leaves between those. `told` is called when that is done.
        """
        self._changes += lanes
        if told is not None:
            self._told.append(told)
        if mark is not None:
            self._marks.append(mark)
        self._settle()

    def withdraw(self, lanes: Mapping[Lane, bool], told: Callable[[Port], object]) -> None:
        """Leave as they are the lanes that were to come and to go; not those of another change."""
        self._changes = [each for each in self._changes if each not in lanes.items()]
        self._told.remove(told)

    def waits(self, lanes: Mapping[Lane, bool]) -> bool:
        """Whether none of `lanes` has come or gone yet, because an item is on its way."""
        return all(each in self._changes for each in lanes.items() if each[0].port is self)

    def leave(self) -> None:
        """Let nothing more leave than the item that is on its way."""
        self._over = True
        self._settle()

    def end(self, error: BaseException | None) -> bool:
        """The node has ended; whether there is somebody to be told the `error`."""
        self._busy, self._over = False, True
        told = any(not lane.gone for lane in self.lanes)
        self._settle(error)
        return told

    def left(self, lane: Lane) -> None:
        """Its reader is not there any more."""
        self.lanes = tuple([each for each in self.lanes if each is not lane])
        self._settle()

    def _settle(self, error: BaseException | None = None) -> None:
        if self._busy:
            return
        for lane, comes in self._changes:
            if comes and not lane.gone:
                self.lanes += (lane,)
            elif not comes:
                lane.close()
                self.lanes = tuple([each for each in self.lanes if each is not lane])
        self._changes.clear()
        marks, self._marks = self._marks, []
        for mark in marks:  # behind all changes that have waited for the same item
            for lane in self.lanes:
                if lane.reader in mark.through:
                    lane.mark(mark)
        told, self._told = self._told, []
        for tell in told:
            tell(self)
        if self._over:
            for lane in self.lanes:
                lane.close(error)
            self.lanes = ()
        if not self.lanes:
            self._unread()
