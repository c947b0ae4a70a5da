"""A concurrent ``map`` that something governs: a limit that changes, or calls with one key in turn.

It is a pool like any other, with a supply of its own. Before a worker takes an item, the gate of the limit
must let it in; an item whose key is at work waits in the supply until that has been done. Each of this costs
something per item, which a ``map`` without it does not pay: so `GovernedPool` has a loop of its own.
"""

from __future__ import annotations

from asyncio import sleep
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from streamkit._core.awaiting import awaits, pending
from streamkit._core.guarded import Dropped, Guarded
from streamkit._core.limit import Adaptive, Gate, Limit
from streamkit._core.markers import ABSENT, DROPPED, EMPTY
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.target import Abandoned
from streamkit._engine.compile.key import Mode, mode_of
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run
from streamkit._stages.chunks import ready
from streamkit._stages.crew import Crew
from streamkit._stages.keyed import keyed, keyed_pair
from streamkit._stages.pool import Pool
from streamkit._stages.supply import Supply

__all__ = ["governed"]


def governed(
    run: Run,
    source: Inlet[Any],
    *,
    function: Callable[[Any], Any],
    concurrency: int | Limit,
    ordered: bool,
    lookahead: int,
    key: Any,
) -> Channel:
    """The channel that the results of `function` come out of."""
    channel = run.channel()
    limit = concurrency if isinstance(concurrency, Limit) else Limit(concurrency)
    kind = GovernedSupply
    if key is not ABSENT:
        kind = _PairedSupply if run.tracked else GovernedSupply
    elif ready(source) is not None:
        kind = _ReadySupply
    supply = kind(channel, limit.gate, lookahead, keys=key is not ABSENT)
    if isinstance(limit, Adaptive):
        if isinstance(function, Guarded):  # each attempt counts by itself, and what it raised
            function = function.but(function=_measured(run, function.function, limit))
        else:
            function = _measured(run, function, limit)
    GovernedPool(run, channel, function, supply, ordered=ordered and key is ABSENT)
    supply.begin(run, source if key is ABSENT else keyed(run, source, key))
    return channel


def _measured(run: Run, function: Callable[[Any], Any], limit: Adaptive) -> Callable[[Any], Any]:
    """`function`, of whose calls `limit` is told."""
    time, values = run.loop.time, set[type]()

    async def measured(item: Any) -> Any:
        begun, busy = time(), limit.in_flight
        try:
            result = function(item)
            item = None
            if awaits(result, values):
                result = await pending(result)
        except Exception as error:
            limit.note(begun, time(), busy, error)
            raise
        limit.note(begun, time(), busy)
        return result

    return measured


class GovernedSupply(Supply):
    """Items for workers, each of which needs a place here, and one of the limit while it is called.

    Its items are pairs of a key and an item. Those with one key are given out one after the other.
    """

    concurrency: int
    free: int

    def __init__(self, channel: Channel, gate: Gate, lookahead: int, *, keys: bool) -> None:
        super().__init__(channel, gate.limit.most)
        self._gate = gate
        self._lookahead = lookahead
        self._keys = keys
        self._at_work: dict[Hashable, deque[Any]] = {}
        """The items that wait until that of the same key has been called."""
        self._waiting = 0
        self._granted = 0
        """Places of the limit that it was given, and has not used yet."""

    def serve(self, crew: Crew, closed: Callable[[], None]) -> None:
        super().serve(crew, closed)
        self._gate.join(self)
        limit = self._gate.limit
        self.resized(limit.value - limit.most)

    # the pump ------------------------------------------------------------------------------

    def put(self, item: Any) -> bool:
        if self.gone:
            raise Abandoned
        if not self._keys:
            self.todo.append((None, item))
        elif (waiting := self._at_work.get(item[0])) is not None:
            waiting.append(item)
            self._waiting += 1
            return self.full()
        else:
            self._at_work[item[0]] = deque()
            self.todo.append(item)
        if not self.crew.looking:
            self.crew.look_soon()
        return self.full()

    def full(self) -> bool:
        return len(self.todo) + self._waiting >= self.free + self._lookahead and not self.gone

    def at_work(self) -> int:
        return super().at_work() + self._waiting

    # the limit -----------------------------------------------------------------------------

    def resized(self, more: int) -> None:
        self.concurrency += more
        self.free += more
        if more > 0:
            if self.writer is not None:
                self.wake()
            if not self.crew.looking:
                self.crew.look_soon()

    def granted(self) -> bool:
        if not self._ready():
            return False
        self._granted += 1
        self.crew.call(1)
        return True

    def called(self, key: Hashable) -> None:
        """An item with this key was called: the next may be, and another of any key."""
        if self._keys:
            if waiting := self._at_work[key]:
                self._waiting -= 1
                self.todo.append(waiting.popleft())
                if not self.crew.looking:
                    self.crew.look_soon()
            else:
                del self._at_work[key]
        self._gate.exit()

    # the workers ---------------------------------------------------------------------------

    def _ready(self) -> bool:
        return bool(self.todo) and self.free > 0 and not self.gone

    def wanted(self) -> bool:
        return self._ready() and (self._granted > 0 or self._gate.open(self))

    def take(self) -> Any:
        if not self._ready():
            return EMPTY
        if self._granted:
            self._granted -= 1
        elif not self._gate.enter(self):
            return EMPTY
        entry = self._next()
        if entry is EMPTY:
            self.close()
            self._gate.exit()
        else:
            self.free -= 1
        return entry

    def _next(self) -> Any:
        """The next of `todo`, which has one; EMPTY where that is known only now, and there is none."""
        return self.todo.popleft()

    # the end -------------------------------------------------------------------------------

    def worked_off(self, held: int) -> bool:
        return not self._waiting and super().worked_off(held)

    def stop(self) -> None:
        granted, self._granted = self._granted, 0
        self._gate.leave(self, granted)
        super().stop()


class _PairedSupply(GovernedSupply):
    """A supply whose items come with the delivery that each stands for."""

    def put(self, item: Any) -> bool:
        return super().put(keyed_pair(item))


class _ReadySupply(GovernedSupply):
    """A range, list or tuple, or slices of one: workers take from it themselves, without a pump."""

    def begin(self, run: Run, inlet: Inlet[Any]) -> None:
        self._items: Iterator[Any] = iter(ready(inlet))
        self.crew.call(1)

    def _ready(self) -> bool:
        return not self.ended and self.free > 0 and not self.gone

    def _next(self) -> Any:
        item = next(self._items, EMPTY)
        return item if item is EMPTY else (None, item)


class GovernedPool(Pool):
    """A pool whose workers ask for each item anew."""

    supply: GovernedSupply

    async def work(self, function: Callable[[Any], Any], plain: set[type]) -> None:
        supply, waits = self.supply, mode_of(function) is Mode.ASYNC
        entry, number, left = await self._first(), 0, 1
        while True:
            if entry is EMPTY:
                entry = await self._next(None)
            if self.ordered:
                number = self.taken
                self.taken = number + 1
            key, item = entry
            entry = None
            try:
                try:
                    result = function(item)
                    item = None
                    if waits:
                        result = await result
                    elif type(result) not in plain and awaits(result, plain):
                        result = await pending(result)
                except Dropped:
                    self._deliver(number, DROPPED)
                except Exception as error:
                    self.run.reraise(error)
                else:
                    self._give(number, result)
            finally:
                supply.called(key)
            result = key = None
            left -= 1
            if not left:
                left = await self._next_slice()
            entry = supply.take()

    def _give(self, number: int, result: Any) -> None:
        """Deliver `result`: at once, where its reader waits, and nothing must come before it."""
        direct = self.channel.direct
        if self.ordered or direct is None or self.held:
            self._deliver(number, result)
            return
        self.delivered += 1
        if direct.deliver(result):
            self.supply.give_back()
        else:
            self.refuse()

    async def _next(self, direct: Any) -> Any:
        """An item for a worker that found none. At the end of the run, it is cancelled here."""
        await sleep(0)  # the reader comes first, and may leave a place
        entry = self.supply.take()
        while entry is EMPTY:
            self._close_if_done()
            await self.crew.idle()
            if self.rest.resting:
                await self.rest.pause()
            entry = self.crew.begin()
        return entry
