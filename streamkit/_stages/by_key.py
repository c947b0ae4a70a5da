"""A ``throttle`` by key: which keys have a bucket, and which item may pass when."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable
from heapq import heappop, heappush
from typing import Any

from streamkit._core.again import throw
from streamkit._core.arguments import number
from streamkit._core.errors import RateExceededError, replaces_cancellation
from streamkit._core.markers import ABSENT, DROPPED, EMPTY
from streamkit._core.show import shown
from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run
from streamkit._stages.throttle import LATENESS, ROUNDING

__all__ = ["throttled_by_key"]


class _Waiting(Lane):
    """A lane whose items the stage keeps, each until it lets it go, in any order."""

    plain = True
    inline = True

    def let_go(self, item: Any) -> None:
        self.most = max(self.most, self.count)
        del self.kept[next(place for place, each in enumerate(self.kept) if each is item)]
        self._freed(1)


class _Buckets:
    """The bucket of each key, as the time at which it is full again; and the items that wait for tokens."""

    def __init__(self, rate: float, burst: float, most: int) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._full: dict[Hashable, float] = {}
        self._waiting: dict[Hashable, deque[tuple[Any, float]]] = {}
        self._dues: list[tuple[float, int, Hashable]] = []
        """When the first item of each key that waits is due; the number tells apart those due at once."""
        self._number = 0
        self._ends: list[tuple[float, int, Hashable]] = []
        """For each key, at most one time at which to look whether its bucket is full: it is not before."""
        self._listed: set[Hashable] = set()
        """The keys that have one. Those whose items wait need none."""

    def admits(self, key: Hashable, now: float) -> bool:
        """Whether `key` has a bucket, or can have one: a full bucket is as good as none."""
        if key in self._full:
            return True
        while len(self._full) >= self._most and self.admits_at <= now:
            _, _, other = heappop(self._ends)
            self._listed.remove(other)
            if self._full[other] <= now and other not in self._waiting:
                del self._full[other]
            else:
                self._list(other)
        if len(self._full) >= self._most:
            return False
        self._full[key] = now
        self._list(key)
        return True

    @property
    def admits_at(self) -> float:
        """When one more key might have a bucket; if all have items that wait, not before one passes."""
        return self._ends[0][0] if self._ends else math.inf

    def _list(self, key: Hashable) -> None:
        if key not in self._listed and key not in self._waiting:
            self._number += 1
            self._listed.add(key)
            heappush(self._ends, (self._full[key], self._number, key))

    def due(self, key: Hashable, costs: float) -> float:
        """When an item that `costs` so much has its tokens, behind those of its key that wait."""
        if key in self._waiting:
            return math.inf
        return self._full[key] - (self._burst - min(costs, self._burst)) / self._rate

    def take(self, key: Hashable, costs: float, now: float, since: float) -> None:
        """An item of `key` passes `now`. If its bucket has run over only `since` then, that counts."""
        full = self._full[key]
        self._full[key] = (full if full >= since else now) + costs / self._rate

    def wait(self, key: Hashable, item: Any, costs: float) -> None:
        """Let `item` wait, behind those of its key."""
        if key not in self._waiting:
            self._enter(key, costs)
            self._waiting[key] = deque()
        self._waiting[key].append((item, costs))

    def _enter(self, key: Hashable, costs: float) -> None:
        self._number += 1
        heappush(self._dues, (self.due(key, costs), self._number, key))

    @property
    def next_due(self) -> float:
        """When the next item that waits is due; never, if none does."""
        return self._dues[0][0] if self._dues else math.inf

    def passes(self, now: float, since: float) -> Any:
        """The item that is due first: it passes."""
        _, _, key = heappop(self._dues)
        waiting = self._waiting.pop(key)
        item, costs = waiting.popleft()
        self.take(key, costs, now, since)
        if waiting:
            self._enter(key, waiting[0][1])
            self._waiting[key] = waiting
        else:
            self._list(key)
        return item


class _Newcomer:
    """The item whose turn it is to pass or to wait."""

    __slots__ = ("costs", "item", "key")

    def __init__(self, item: Any, key: Any, costs: float) -> None:
        self.item, self.key, self.costs = item, key, costs


class _Desk:
    """Lets items pass, or wait; when one has failed, those that wait still pass, and then the error comes."""

    def __init__(
        self, run: Run, channel: Channel, lane: _Waiting, buckets: _Buckets, rate: float, *, failing: bool
    ) -> None:
        self._run = run
        self._channel = channel
        self._lane = lane
        self._buckets = buckets
        self._rate = rate
        self._failing = failing
        self._pace = Pace()
        self._new: _Newcomer | None = None
        self._failed = False
        self._rung = 0.0
        """For when the timer rang last."""
        self._rang = 0.0
        """When it did. It may be late, or by the resolution of the clock too soon."""

    def _since(self, now: float) -> float:
        """From when on what might have passed passes `now`, since the timer was late."""
        return min(now, max(self._rung, self._rang - LATENESS) + (now - self._rang))

    def due(self) -> Any:
        """An item that has waited and passes now; EMPTY if none does."""
        now = self._run.loop.time()
        if self._buckets.next_due > max(now, self._rung):
            return EMPTY
        return self._buckets.passes(now, self._since(now))

    async def newcomer(self, key: Callable[[Any], Any], cost: Any) -> Any:
        """An item that passes as it comes; EMPTY if all that have come must wait."""
        while self._new is not None or (self._lane.held and not self._failed):
            if self._new is None:
                item = self._channel.pop()
                self._lane.keep(item)
                try:
                    self._new = await self._looked_at(item, key, cost)
                except Exception as error:
                    if replaces_cancellation(error):
                        raise
                    self._fail(item, error)
                    break
                if self._new is None:
                    self._lane.let_go(item)
                    self._run.form.left_out(item)
                    continue
            new, now = self._new, self._run.loop.time()
            admitted = self._buckets.admits(new.key, now)
            if not admitted and not self._failing:
                break
            self._new = None
            due = self._buckets.due(new.key, new.costs) if admitted else self._buckets.admits_at
            if (due - now) * self._rate <= ROUNDING:
                self._buckets.take(new.key, new.costs, now, self._since(now))
                return new.item
            if self._failing:
                early = f"an item of {shown(new.key)} came {due - now:.6g} s sooner than"
                text = f"{early} {self._rate:g} per second and key allow"
                self._fail(new.item, self._run.blame(RateExceededError(text)))
                break
            self._buckets.wait(new.key, new.item, new.costs)
        return EMPTY

    async def _looked_at(self, item: Any, key: Callable[[Any], Any], cost: Any) -> _Newcomer | None:
        """`item` with its key and what it costs; None if it is dropped, because those cannot be told."""
        run = self._run
        if self._pace.due():  # there may be many that are dropped, or wait
            await self._pace.breathe()
        found = await run.call(key, item)
        if found is DROPPED:
            return None
        try:
            hash(found)
        except Exception as error:
            run.reraise(error)
        costs = 1.0 if cost is ABSENT else await run.call(cost, item)
        if costs is DROPPED:
            return None
        return _Newcomer(item, found, await run.call(number, "cost", costs, least=0))

    def _fail(self, item: Any, error: BaseException) -> None:
        self._failed = True
        self._lane.let_go(item)
        self._channel.fail(error)

    async def wait(self) -> bool:
        """Wait until an item may pass, or comes; False at the end."""
        channel = self._channel
        takes = self._new is None and not self._failed
        when = min(self._buckets.next_due, math.inf if self._new is None else self._buckets.admits_at)
        if self._buckets.next_due == math.inf and self._failed:
            assert channel.error is not None
            throw(channel.error, channel.trace)
        if when == math.inf:
            return await channel.wait()
        came = await channel.until(lambda: takes and bool(self._lane.held), when)
        now = self._run.loop.time()
        if not came:
            self._rung, self._rang = when, now
        elif now > self._rang + LATENESS:  # that it was late is long ago
            self._rung = self._rang
        return True


async def throttled_by_key(
    run: Run,
    source: Inlet[Any],
    *,
    rate: float,
    burst: float,
    cost: Any,
    failing: bool,
    key: Callable[[Any], Any],
    max_keys: int,
    lookahead: int,
) -> AsyncIterator[Any]:
    channel = run.channel()
    lane = _Waiting(channel, Suspend(lookahead))
    channel.adopt(lane)
    run.pump(source, into=lane)
    key = run.form.of(key)
    cost = cost if cost is ABSENT else run.form.of(cost)
    desk = _Desk(run, channel, lane, _Buckets(rate, burst, max_keys), rate, failing=failing)
    while True:
        item = desk.due()
        if item is EMPTY:
            item = await desk.newcomer(key, cost)
        if item is not EMPTY:
            lane.let_go(item)
            yield item
        elif not await desk.wait():
            return
