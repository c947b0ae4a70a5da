"""Routing: each item goes to one branch; each branch has tasks of its own."""

from __future__ import annotations

from asyncio import Future
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from operator import not_
from typing import Any

from streamkit._core.errors import NoRouteError
from streamkit._core.markers import ABSENT, EMPTY
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned, Rescue, Target
from streamkit._engine.face.stream import Pipe
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run
from streamkit._stages.branches import Outcome
from streamkit._stages.broadcast import Fan, begin, join, results
from streamkit._stages.keyed import keyed, keyed_pair
from streamkit._stages.outputs import ByOutput

__all__ = ["Numbers", "balanced", "balanced_to_sinks", "routed", "routed_to_sinks"]


class Numbers(dict[Hashable, int]):
    """The number of the branch for each key; for others, that of the last, or an error."""

    def __init__(self, keys: Mapping[Hashable, Any], rest: int | None) -> None:
        super().__init__({key: number for number, key in enumerate(keys)})
        self.rest = rest

    def __missing__(self, key: Hashable) -> int:
        if self.rest is None:
            raise NoRouteError(f"there is no pipe for the key {shown(key)}: add one, or otherwise=")
        return self.rest

    def __reduce__(self) -> tuple[Any, ...]:
        return Numbers, (dict(self), self.rest)


class _OneOfMany(Fan):
    """Puts each item into the lane of one branch. One item may be in its hand, where there is no room yet.

    So that lane waits, and no ``on_drop`` is told of the item: to drop it raises nothing.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.out = run.adopt(_Out(run.halt))
        self.out.fan = self
        super().__init__(self.out.source)
        self.hand: Any = EMPTY
        """The item that waits for room, with its lane."""

    def give(self, lane: Lane, item: Any) -> bool:
        """Put `item` into `lane`, or keep it in hand until there is room; whether it is there."""
        if lane.full():
            self.hand = lane, item
            return True
        if lane.open:
            lane.put(item)
        elif any(each.open for each in self.branches):  # its pipe has ended, and others go on
            lane.turn_away(item)
            if self.run.tracked:
                place = self.out.places[self.branches.index(lane)]
                self.out.left_out(place, item[0], ended=not place.open)
        else:
            raise Abandoned
        return False

    def full(self) -> bool:
        return self.hand is not EMPTY

    async def room(self, rescue: Rescue | None = None) -> None:
        while self.hand is not EMPTY:
            lane, item = self.hand
            if lane.full():
                await lane.room(rescue)
            else:
                self.hand = EMPTY
                self.give(lane, item)

    def close(self) -> None:
        if self.hand is not EMPTY and not self.out.left:  # the source has failed while its item waited
            (lane, item), self.hand = self.hand, EMPTY
            if lane.open and lane.limit >= 0:
                lane.widen()  # the item counted in hand already: the bound stays the same
                lane.put(item)
            else:  # pragma: no cover - its pipe has ended in the same turn of the event loop
                lane.turn_away(item)
        super().close()

    def drop(self) -> None:
        """Drop the item in hand, and count it."""
        if self.hand is not EMPTY:
            (lane, item), self.hand = self.hand, EMPTY
            lane.turn_away(item)


class _Out(Outcome):
    """What the branches emit. When the reader leaves, the item in hand is dropped."""

    fan: _OneOfMany

    def leave(self) -> None:
        super().leave()
        self.fan.drop()


class _Route(_OneOfMany):
    """Gives an item, which comes with its key, to the branch of the number that `pick` says."""

    def __init__(self, run: Run, pick: Callable[[Any], int]) -> None:
        super().__init__(run)
        self.pick = pick

    def put(self, item: Any) -> bool:
        key, item = item
        return self.give(self.branches[self.pick(key)], item)


class _ToOutputs(_Route):
    """Gives the value of a tagged item to the branch of its output, and lets the source go on when that asks.

    A branch that begins with a buffer takes the item in there, and the source goes on as its strategy says.
    """

    met: Lane | None = None
    """The lane, without a buffer, of the branch that has the last item."""

    def put(self, item: Any) -> bool:
        output, (_, value) = item
        lane = self.branches[self.pick(output)]
        self.met = lane if lane.strategy is None else None
        return self.give(lane, value) or self.full()

    def full(self) -> bool:
        return super().full() or (self.met is not None and self.met.full())

    async def room(self, rescue: Rescue | None = None) -> None:
        await super().room(rescue)
        if self.met is not None and self.met.full():
            await self.met.room(rescue)


class _PairedRoute(_Route):
    """The same of pairs of a delivery, and of a key and an item."""

    def put(self, item: Any) -> bool:
        return super().put(keyed_pair(item))


class _PairedOutputs(_ToOutputs):
    """The same of pairs of a delivery, and of an output and a tagged item."""

    def put(self, item: Any) -> bool:
        token, (output, (name, value)) = item
        return super().put((output, (name, (token, value))))


class _Balance(_OneOfMany):
    """Gives an item to a branch that has room; those that have take turns."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.turn = 0
        """The number of the branch that is looked at first."""

    def put(self, item: Any) -> bool:
        return self.give(self._free() or self._going(), item) or self.full()

    def full(self) -> bool:
        return super().full() or all(lane.full() for lane in self.branches if lane.open)

    def vacancy(self) -> Future[None]:
        """What any branch that asks for an item sets."""
        waiter = super().vacancy()
        for lane in self.branches:
            lane.watch()
            lane.writer = waiter
        return waiter

    def unwait(self) -> None:
        super().unwait()
        for lane in self.branches:
            lane.unwait()

    async def room(self, rescue: Rescue | None = None) -> None:
        if self.hand is not EMPTY:
            await super().room(rescue)
        if self.full():
            await Target.room(self, rescue)

    def _free(self) -> Lane | None:
        """The next branch that has room."""
        many = len(self.branches)
        for number in (*range(self.turn, many), *range(self.turn)):
            lane: Lane = self.branches[number]
            if lane.open and not lane.full():
                self.turn = (number + 1) % many
                return lane
        return None

    def _going(self) -> Lane:
        """A branch that has not ended, where the one that asked for the item has; if all have, any."""
        return next((lane for lane in self.branches if lane.open), self.branches[0])


def _routed(
    run: Run,
    source: Inlet[Any],
    key: Callable[[Any], Any],
    branches: tuple[Pipe, ...],
    numbers: Any,
    strategies: tuple[Strategy | None, ...],
) -> tuple[Outcome, list[Inlet[Any]]]:
    kind = _ToOutputs if isinstance(key, ByOutput) else _Route
    if run.tracked:
        kind = _PairedOutputs if isinstance(key, ByOutput) else _PairedRoute
    fan = kind(run, not_ if numbers is ABSENT else numbers.__getitem__)
    return fan.out, begin(run, keyed(run, source, key), fan, branches, strategies)


async def routed(
    run: Run,
    source: Inlet[Any],
    *,
    key: Callable[[Any], Any],
    branches: tuple[Pipe, ...],
    names: Any = ABSENT,
    _numbers: Any,
    _strategies: tuple[Strategy | None, ...],
) -> AsyncIterator[Any]:
    """Run branches that are operators, of which each item goes to one; yield what they emit.

    The `names` are for those who look at the operator.
    """
    out, inlets = _routed(run, source, key, branches, _numbers, _strategies)
    join(run, out, inlets)
    async for item in out:
        yield item
        del item  # nothing is held while the branches have nothing
    out.raise_source_error()


async def routed_to_sinks(
    run: Run,
    source: Inlet[Any],
    *,
    key: Callable[[Any], Any],
    branches: tuple[Pipe, ...],
    names: Any,
    _numbers: Any,
    _strategies: tuple[Strategy | None, ...],
) -> Any:
    """Run branches that are sinks, of which each item goes to one; return their results, by `names`."""
    found = await results(run, *_routed(run, source, key, branches, _numbers, _strategies))
    return tuple(found) if names is ABSENT else dict(zip(names, found, strict=True))


async def balanced(
    run: Run, source: Inlet[Any], *, branches: tuple[Pipe, ...], _strategies: tuple[Strategy | None, ...]
) -> AsyncIterator[Any]:
    """Run branches that are operators, of which each item goes to one that is free; yield what they emit."""
    fan = _Balance(run)
    join(run, fan.out, begin(run, source, fan, branches, _strategies))
    async for item in fan.out:
        yield item
        del item  # nothing is held while the branches have nothing
    fan.out.raise_source_error()


async def balanced_to_sinks(
    run: Run, source: Inlet[Any], *, branches: tuple[Pipe, ...], _strategies: tuple[Strategy | None, ...]
) -> tuple[Any, ...]:
    """Run branches that are sinks, of which each item goes to one that is free; return their results."""
    fan = _Balance(run)
    return tuple(await results(run, fan.out, begin(run, source, fan, branches, _strategies)))
