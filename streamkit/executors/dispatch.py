"""Dispatch: which worker gets which chunk, and when. First come, first served, unless one has priority."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final

from streamkit._core.errors import WorkerError
from streamkit._core.show import shown
from streamkit._core.workers import Outcomes
from streamkit.executors.events import ChunkDone, ChunkSent, Event
from streamkit.executors.functions import Packed
from streamkit.executors.hand import Call, Crash, Hand
from streamkit.executors.station import Station

__all__ = ["Dispatch", "ended"]

CRASHES: Final = 100
"""Calls in a row that may kill their workers, without a result between. One item in 65,536 kills 17."""


class Dispatch:
    """The calls of a pool that is open."""

    def __init__(
        self, stations: list[Station], on_event: Callable[[Event], object] | None, paced: Callable[[], None]
    ) -> None:
        self.stations = stations
        self._on_event = on_event
        self._paced = paced
        """Called when other numbers of calls are given ahead."""
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Call] = []
        self._number = count()
        self._done = self._total = 0
        self._crashes = 0
        """Calls in a row that have killed their workers."""
        self.refusal: Exception | None = None
        """Why no calls are taken any more."""

    async def call(self, work: Packed, items: Sequence[Any], payload: Any, priority: int) -> Outcomes:
        """Have `items` worked on; a `Crash` if the worker is lost. Cancelled, wait until none is at it."""
        if self.refusal is not None:
            raise self.refusal
        self._total += len(items)
        call = Call(next(self._number), work, items, payload, self._loop.create_future(), priority)
        heappush(self._waiting, call)
        self.go()
        try:
            found: Outcomes = await call.future
        except asyncio.CancelledError:
            if call.worker >= 0:
                await self._stopped(call)
            else:
                self._total -= len(call.items)
                call.forget()
            raise
        return found

    async def tell(self, stations: Sequence[Station], payload: Any) -> list[Any]:
        """What a function gives in each of `stations`, or the error that there is instead."""
        if self.refusal is not None:
            raise self.refusal
        calls = [Call(next(self._number), None, (), payload, self._loop.create_future()) for _ in stations]
        for station, call in zip(stations, calls, strict=True):
            station.give(call)
        try:
            await asyncio.wait([call.future for call in calls])
        finally:
            for call in calls:
                call.future.cancel()  # nobody asks any more what came of it
        return [call.future.exception() or call.future.result() for call in calls]

    async def _stopped(self, call: Call) -> None:
        station = next((each for each in self.stations if call in each.calls), None)
        if station is None or station.hand is None:  # its worker is lost, and so was the call
            return
        call.stopped = self._loop.create_future()
        station.hand.stop(call, first=station.calls[0] is call)
        await ended(call.stopped)

    def go(self) -> None:
        """Give what waits to those that have room."""
        waiting = self._waiting
        while waiting:
            if waiting[0].future.done():  # it was cancelled
                heappop(waiting).forget()
                continue
            station = self._freest()
            if station is None:
                return
            call = heappop(waiting)
            if self._on_event is not None:
                self.tell_of(ChunkSent, worker=station.index, chunk=call.number, items=len(call.items))
            station.give(call)

    def _freest(self) -> Station | None:
        """The one with the fewest calls of those that take one more."""
        found: Station | None = None
        for station in self.stations:
            if station.room() and (found is None or len(station.calls) < len(found.calls)):
                found = station
        return found

    def dropped(self, station: Station, call: Call) -> None:
        """A call that was stopped had not begun, and will not."""
        station.calls.remove(call)
        self._total -= len(call.items)
        call.forget()

    def done(self, station: Station, call: Call, outcomes: Any, seconds: float, memory: int) -> None:
        """A call has ended: with `outcomes`, or with an error."""
        before = station.ahead
        station.done(call, seconds, memory)
        if station.ahead != before:
            self._paced()
        self._crashes = 0
        if not call.future.done():
            if isinstance(outcomes, Exception):
                call.future.set_exception(outcomes)
            else:
                call.future.set_result(outcomes)
        if call.work is not None:
            items = len(call.items)
            self._done += items
            if self._on_event is not None:
                self.tell_of(
                    ChunkDone,
                    worker=station.index,
                    chunk=call.number,
                    items=items,
                    seconds=seconds,
                    done=self._done,
                    total=self._total,
                )
        call.forget()

    def crashed(self, station: Station, hand: Hand) -> None:
        """The hand of `station` was lost: the call that was under way ends so, others go elsewhere."""
        calls = [*station.calls]
        station.calls.clear()
        if not calls:
            return
        first, *others = calls
        if not first.future.done():
            self._total -= len(first.items)  # they come again
            first.future.set_exception(Crash(hand, first))
            self._crashes += 1
        for call in others:
            if call.future.done():
                call.forget()
            elif self.refusal is not None:
                call.future.set_exception(self.refusal)
                call.forget()
            elif call.work is None:
                station.calls.append(call)
            else:
                call.worker = -1
                heappush(self._waiting, call)
        if self._crashes > CRASHES:
            self.refuse(
                WorkerError(
                    f"{self._crashes} calls in a row have killed their workers, without a result between; "
                    f"the last was with {shown([*first.items])}"
                )
            )
        if first.stopped is None:
            first.forget()
        else:
            self._total -= len(first.items)
            hand.exited.add_done_callback(lambda _: first.forget())

    def end(self, station: Station, error: Exception) -> None:
        """`station` will have no hand any more: what it was told to do ends with `error`."""
        while station.calls:
            call = station.calls.popleft()
            if not call.future.done():
                call.future.set_exception(error)
            call.forget()

    def refuse(self, error: Exception) -> None:
        """Take no more calls; those that wait end with `error`."""
        self.refusal = self.refusal or error
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            if not call.future.done():
                call.future.set_exception(error)
            call.forget()

    def unfinished(self) -> Iterator[Call]:
        """The calls that wait or are under way."""
        for call in [*(call for station in self.stations for call in station.calls), *sorted(self._waiting)]:
            if not call.future.done():
                yield call

    def tell_of(self, kind: Callable[..., Event], **parts: Any) -> None:
        """Tell whoever wants to hear of an event; if that fails, so does the pool."""
        if self._on_event is not None:
            try:
                self._on_event(kind(**parts))
            except Exception as error:
                self._on_event = None
                self.refuse(error)


async def ended(future: asyncio.Future[Any]) -> None:
    """Wait until `future` is done, whatever happens; a cancellation meanwhile is raised after that."""
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
