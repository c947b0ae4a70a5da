"""What ``window`` needs a clock, tasks or accounts for, as stages before or behind its steps."""

from __future__ import annotations

import math
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from streamkit._core.contract import Contract
from streamkit._core.markers import ABSENT, DROPPED, EMPTY
from streamkit._core.strategy import Strategy
from streamkit._core.windows import Hopping, Session, Tumbling, Windows
from streamkit._engine.buffer.account import Account
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Operator, Pipe
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run
from streamkit._stages.berth import Berths
from streamkit._stages.group_by import INTAKE, INTAKE_AHEAD, Router
from streamkit._stages.panes import LATE, Pane, Tick, bounds, end_of, moment

__all__ = ["clocked", "counted", "routed"]

_NEVER: Final = math.inf

# the clock -------------------------------------------------------------------------------------------------


def _alarm(kind: Windows, last: float, now: float) -> float:
    """When a window ends next by the clock, after `now`, if the last item came at `last`; or never."""
    if last == -_NEVER:
        return _NEVER
    match kind:
        case Session(gap=gap):
            due = last + gap
        case Tumbling(seconds=float(seconds)) | Hopping(seconds=float(seconds)):
            every = kind.every if isinstance(kind, Hopping) else seconds
            across = kind.most(0.0)
            number = math.floor((now - seconds) / every) - 1
            while end_of(number, seconds, every, across) <= now:
                number += 1
            due = end_of(number, seconds, every, across) if number * every <= last else _NEVER
        case _:
            due = _NEVER
    return due if due > now else _NEVER


class _Arrival:
    """Time by the clock, from the start of the run: when items come is when they are taken in."""

    def __init__(self, run: Run, kind: Windows) -> None:
        self._loop: AbstractEventLoop = run.loop
        self._begun = run.loop.time()
        self._kind = kind
        self._last = self._now = -_NEVER

    async def stamp(self, item: Any) -> float | None:
        """The time of `item`, which has come; None if it is dropped, because that cannot be told."""
        self._last = self._now = max(self._now, self._loop.time() - self._begun)
        return self._now

    def asked(self) -> None:
        """The next item is asked for."""

    @property
    def due(self) -> float:
        """When the clock is to `tick` if nothing comes before."""
        return self._begun + _alarm(self._kind, self._last, self._now)

    def tick(self) -> Tick:
        """The time is `due`."""
        self._now = _alarm(self._kind, self._last, self._now)
        return Tick(self._now)


class _Event:
    """Time by the items; when none has come for `idle` seconds, by the clock, as long as a window is open."""

    def __init__(
        self, run: Run, kind: Windows, timestamp: Callable[[Any], Any], idle: float, lateness: float
    ) -> None:
        self._run = run
        self._timestamp = timestamp
        self._idle = idle
        self._open = lateness + (kind.gap if isinstance(kind, Session) else kind.seconds or 0.0)
        """How long a window is open after its first item, or its last, at most."""
        self._last = -_NEVER
        self._came = _NEVER
        """When the item after the last one was asked for."""
        self._ticks = 0

    async def stamp(self, item: Any) -> float | None:
        """The time of `item`, which has come; None if it is dropped, because that cannot be told."""
        found = await self._run.call(self._timestamp, item)
        if found is DROPPED:
            return None
        stamp = moment(found)
        self._ticks = 0
        self._last = max(self._last, stamp)
        return stamp

    def asked(self) -> None:
        self._came = self._run.loop.time()

    @property
    def due(self) -> float:
        silent = self._idle * self._ticks
        return self._came + silent + self._idle if silent < self._open else _NEVER

    def tick(self) -> Tick:
        self._ticks += 1
        return Tick(self._last + self._idle * self._ticks)


async def _clocked_run(
    run: Run, source: Inlet[Any], *, kind: Windows, timestamp: Any, lateness: float, idle: Any
) -> AsyncIterator[Any]:
    channel = run.channel()
    run.feed(channel, source)
    if idle is ABSENT:
        clock: _Arrival | _Event = _Arrival(run, kind)
    else:
        clock = _Event(run, kind, run.form.of(timestamp), idle, lateness)
    paired = run.tracked
    while True:
        item = channel.pop()
        if item is not EMPTY:
            stamp = await clock.stamp(item)
            if stamp is not None:
                yield (item[0], (stamp, item[1])) if paired else (stamp, item)
            else:
                run.form.left_out(item)
            clock.asked()
            del item
            continue
        due = clock.due
        if due < _NEVER and not await channel.before(due):
            yield run.form.made((clock.tick(), EMPTY))
        elif not await channel.wait():
            return


@stage(_clocked_run, name="window", pairs=followed_anyway, contract=Contract())
def clocked(
    kind: Windows, *, timestamp: Any = ABSENT, lateness: float = 0.0, idle: Any = ABSENT
) -> Operator[Any, Any]:
    """Pairs of time and item; and of a `Tick` and EMPTY, where a window may end because nothing comes."""
    return Operator(clocked, kind=kind, timestamp=timestamp, lateness=lateness, idle=idle)


# late items ------------------------------------------------------------------------------------------------


async def _counted_run(run: Run, source: Inlet[Any], *, kind: Windows) -> AsyncIterator[Any]:
    late = run.channel().lane().account
    paired = run.tracked
    async for item in run.open(source):
        if (item[1] if paired else item) is LATE:
            late.drop()
            run.form.left_out(item)
        else:
            yield item
        del item


@stage(
    _counted_run,
    name="window",
    pumps=False,
    relays=True,
    pairs=followed_anyway,
    contract=Contract(keeps="True"),
)
def counted(kind: Windows) -> Operator[Any, Any]:
    """Count items that were late, as dropped."""
    return Operator(counted, kind=kind)


# pipes with tasks ------------------------------------------------------------------------------------------


class _Windows(Router):
    """Puts each item into its window, which has tasks of its own; begins and ends windows as it is told."""

    late: Account

    def put(self, item: Any) -> bool:
        if item is LATE:
            self.late.drop()
            return False
        return super().put(item)

    def _placed(self) -> bool:
        name, item = self.hand
        if item is not EMPTY:
            return super()._placed()
        self.hand = EMPTY
        berth = self.berths.groups.get(name)
        if berth is not None:  # pragma: no branch - a window has one until it is told to end
            self.berths.end(berth)
        return True


def _wait(berths: Berths, key: object) -> None:
    """Do nothing: the item waits until the tasks of a window that has ended have."""


async def _routed_run(
    run: Run, source: Inlet[Any], *, kind: Windows, pipe: Pipe, _most: int, _strategy: Strategy | None
) -> AsyncIterator[Any]:
    router = _Windows(run, pipe.links, _most, _wait, None)
    router.late = run.channel().lane().account
    run.pump(source, into=router)
    pair: tuple[Pane, Any]
    async for pair in router.out:
        yield bounds(pair[0]), pair[1]
        del pair  # nothing is held while the windows have nothing
    router.out.raise_source_error()


@stage(
    _routed_run,
    name="window",
    contract=Contract(
        holds=f"_most * {INTAKE}",  # and the one in the hand of the step before it
        lookahead=f"1 + _most * {INTAKE_AHEAD}",
        times="_most",
        ordered="'within each window'",
        loses="'nothing' if _strategy is None else _strategy.loses",
    ),
)
def routed(kind: Windows, pipe: Pipe, *, _most: int, _strategy: Strategy | None = None) -> Operator[Any, Any]:
    """A pipe that has stages, for each window."""
    return Operator(routed, kind=kind, pipe=pipe, _most=_most, _strategy=_strategy)
