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
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.account import Account, BufferStats, Sums
from streamkit.graph.trials import Trial

__all__ = ["Input", "Lane", "Port"]


class Lane:
    """Items on their way from one node to one of its readers. `name` says which these are."""

    __slots__ = (
        *("_account", "_loop", "_most", "_put", "_reader", "_writer", "closed", "error", "gone", "items"),
        *("name", "port", "room"),
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
        self.items: deque[Any] = deque()
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
        return len(self.items) >= self.room

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

    def widen(self, room: int) -> None:
        """Let as many items wait from now on."""
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
        self._told: list[Callable[[Port], object]] = []
        """Who is called when they have."""
        self._over = False
        """Whether nothing more is to leave."""

    def send(self, item: Any) -> Awaitable[None] | None:
        """Put `item` into each lane; what is returned waits until that is done, if it is not yet."""
        lanes = self._lanes
        if len(lanes) == 1 and not lanes[0].full:  # the usual case: nothing can come between
            lanes[0].put(item)
            return None
        return self._send(item)

    async def _send(self, item: Any) -> None:
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
                if lane.gone:
                    lane.refuse()
                else:
                    lane.put(item)
        finally:
            self._busy = False
            if self._changes or self._over or not self._lanes:
                self._settle()
        if self._over:
            await asyncio.sleep(0)  # in which the node is ended, if its source never waits

    def change(self, lanes: Iterable[tuple[Lane, bool]], told: Callable[[Port], object]) -> None:
        """Add each lane that is true, and close each that is not, all between the same two items.

        `told` is called when that is done.
        """
        self._changes += lanes
        self._told.append(told)
        self._settle()

    def withdraw(self, lanes: Collection[Lane], told: Callable[[Port], object]) -> None:
        """Leave as they are the lanes that were to come and to go."""
        self._changes = [each for each in self._changes if each[0] not in lanes]
        self._told.remove(told)

    def waits(self, lanes: Collection[Lane]) -> bool:
        """Whether none of `lanes` has come or gone yet, because an item is on its way."""
        waiting = {lane for lane, _ in self._changes}
        return all(lane in waiting for lane in lanes if lane.port is self)

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
        told, self._told = self._told, []
        for tell in told:
            tell(self)
        if self._over:
            for lane in self._lanes:
                lane.close(error)
            self._lanes = ()
        if not self._lanes:
            self._unread()


class Input:
    """What a node reads by one of its edges, whichever node stands at the other end of it."""

    def __init__(self, trial: Trial | None = None) -> None:
        self.lanes: deque[Lane] = deque()
        """What is read, and then what follows that."""
        self.over: bool = False
        """Whether nothing more is read here."""
        self._trial = trial
        """Of its node, which has begun a moment ago."""
        self._last: Lane | None = None
        self._past = Sums()
        """Of lanes that were read to their end."""

    async def items(self) -> AsyncGenerator[Any, None]:
        """What comes by all of its lanes."""
        trial = self._trial
        try:
            while self.lanes:
                lane = self.lanes[0]
                while True:
                    if trial is not None and not trial.over:
                        trial.asks()
                    item = lane.taken() if lane.items else await lane.take()
                    if item is EMPTY:
                        break
                    if trial is not None:
                        trial.took(item)
                    yield item
                    del item
                self.lanes.popleft()
                self._past.add(lane.stats())
        finally:
            if trial is None or trial.over:  # or else another node may have what is left here
                self.leave()

    def leave(self) -> None:
        """Nobody reads here any more."""
        self.over = True
        while self.lanes:
            lane = self.lanes.popleft()
            lane.abandon()
            self._past.add(lane.stats())

    def add(self, lane: Lane) -> None:
        """Read `lane`, too, behind those that there are."""
        self.lanes.append(lane)
        self._last = lane

    def inherit(self, left: Input, kept: Sequence[Any], port: Port) -> None:
        """Read what a node has left that ended on trial: `kept`, which it had taken, and then its lanes.

        All of that stands behind what it has passed on here by its `port`, and before what is read then.
        """
        lanes = [*left.lanes]
        left.lanes.clear()
        if kept:
            assert left._last is not None
            lanes.insert(0, left._last.again(kept))
        at = max([place + 1 for place, lane in enumerate(self.lanes) if lane.port is port], default=0)
        for lane in reversed(lanes):
            if self.over:
                lane.abandon()
            else:
                self.lanes.insert(at, lane)

    def stats(self) -> list[BufferStats]:
        """What became of the items that were to come here, by the nodes that they came from."""
        found = Sums()
        for stats in (*self._past.stats(), *[lane.stats() for lane in self.lanes]):
            found.add(stats)
        return found.stats()
