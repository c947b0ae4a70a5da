"""Staff: the hands of a pool that is open: starts and prepares them, replaces those that end, closes all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from streamkit._core.errors import PreparationError, WorkerError, WorkersClosedError, raise_first
from streamkit.executors.dispatch import Dispatch, ended
from streamkit.executors.events import WorkerAdded, WorkerLost, WorkerPrepared, WorkerRemoved
from streamkit.executors.functions import Packed
from streamkit.executors.hand import Call, Hand, Master
from streamkit.executors.station import Station
from streamkit.executors.terms import Terms

__all__ = ["LONG", "Recruit", "Staff"]

_DEATHS: Final = 3
"""Times in a row that a worker may end before it is prepared."""
LONG: Final = 1e7
"""Seconds; an event loop takes no timer of more than a few years."""
Recruit: TypeAlias = Callable[[Master, int, Mapping[str, Any]], Hand]
"""Makes a hand, for a worker with that index and those arguments."""


class _Post:
    """What is known of a hand."""

    def __init__(self, station: Station | None, timer: asyncio.TimerHandle) -> None:
        self.station = station
        """Whose work it does; None of a spare."""
        self.timer = timer
        """When preparing or closing it has taken too long."""


class Staff:
    """All hands of a pool, from its opening to its close."""

    def __init__(self, terms: Terms, recruit: Recruit, paced: Callable[[], None]) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.users = 0
        """Runs that use them, and blocks that they are open for."""
        self.works: dict[int, Packed] = {}
        self._terms = terms
        self.recruit = recruit
        """What makes them."""
        self.stations: list[Station] = [Station(*each, terms) for each in enumerate(terms.arguments)]
        self.dispatch: Dispatch = Dispatch(self.stations, terms.on_event, paced)
        self._spares: list[Hand] = []
        self._hands: dict[Hand, _Post] = {}
        """All that are not gone."""
        self._growing: dict[Station, asyncio.Future[None]] = {}
        """Workers that were added, until they are ready."""
        self._opened: asyncio.Future[None] = self.loop.create_future()
        self._ended: asyncio.Future[None] = self.loop.create_future()
        self._closing = False
        self._errors: list[Exception] = []
        """Of closing what was prepared."""

    def open(self) -> None:
        """Start all."""
        for station in self.stations:
            self._fill(station)
        different: list[Mapping[str, Any]] = []
        for arguments in self._terms.arguments:
            if arguments not in different:
                different.append(arguments)
                for _ in range(self._terms.spare):
                    self._add_spare(arguments)

    async def opened(self) -> None:
        """Wait until all are prepared; the error if one cannot be."""
        await asyncio.shield(self._opened)

    def shut(self, *, now: bool = False) -> None:
        """End all, after closing what was prepared; those that work, `now`. It goes on if nobody waits."""
        if self._closing:
            return
        self._closing = True
        closed = WorkersClosedError("these workers are closed")
        self.dispatch.refuse(closed)
        for future in (self._opened, *self._growing.values()):
            if not future.done():
                future.set_exception(closed)
            future.exception()  # whoever waits has it
        busy = {station.hand for station in self.stations if station.calls}
        for hand in [*self._hands]:
            ended = (hand in busy or not hand.ready) and (hand.kill() or (now and hand.leave()))
            if not ended:
                self._close(hand)
        self._end()

    async def ended(self) -> None:
        """Wait until nothing is left of them; then raise what went wrong when they were closed."""
        await ended(self._ended)
        errors, self._errors = self._errors, []
        raise_first(errors)

    def abandon(self) -> None:
        """End all that the event loop has left behind, which was closed before the pool."""
        for hand in self._hands:
            hand.abandon()

    async def grown(self, arguments: Mapping[str, Any]) -> int:
        """Add a worker; its index, when it is prepared."""
        index = max(station.index for station in self.stations) + 1
        station = Station(index, arguments, self._terms)
        grown = self._growing[station] = self.loop.create_future()
        self.stations.append(station)
        self._fill(station)
        await asyncio.shield(grown)
        return station.index

    async def shrunk(self, station: Station) -> None:
        """Remove a worker, when what it has is done."""
        station.leaving = station.removed = True
        if (grown := self._growing.pop(station, None)) is not None:
            grown.set_exception(WorkersClosedError(f"worker {station.index} was removed before it was ready"))
            grown.exception()  # whoever adds it has it, unless that was cancelled
        hand = station.hand
        if not station.calls:
            self._replace(station)
        if hand is not None:
            await asyncio.shield(hand.exited)

    async def halted(self, deadline: float) -> list[Any]:
        """Take no more calls, wait for those that there are, and end all; the items that were left."""
        error = WorkersClosedError("these workers were halted")
        self.dispatch.refusal = error
        pending = [call.future for call in self.dispatch.unfinished()]
        if pending:
            await asyncio.wait(pending, timeout=deadline)
        left = [*self.dispatch.unfinished()]
        items = [item for call in left for item in call.items]
        self.dispatch.refuse(error)
        for call in left:
            if not call.future.done():
                call.future.set_exception(error)
        self.shut(now=True)
        await ended(self._ended)
        return items

    def learn(self, work: Packed) -> None:
        """That work will come: it is read before the first call, and before a worker that is new is ready."""
        self.works[work.number] = work
        for hand in self._hands:
            hand.learn(work)

    def forget(self, work: Packed) -> None:
        """That work will not come again."""
        del self.works[work.number]
        for hand in self._hands:
            hand.forget(work)

    # what hands say ----------------------------------------------------------------------------

    def prepared(self, hand: Hand, seconds: float) -> None:
        if hand.ending:
            return
        self._hands[hand].timer.cancel()
        hand.ready = True
        station = self._hands[hand].station
        self.dispatch.tell_of(
            WorkerPrepared, worker=-1 if station is None else station.index, seconds=seconds
        )
        if station is not None:
            station.begin()
            if (grown := self._growing.pop(station, None)) is not None:
                grown.set_result(None)
        if not self._opened.done() and all(
            station.ready for station in self.stations if station not in self._growing
        ):
            self._opened.set_result(None)
        self.dispatch.go()

    def unprepared(self, hand: Hand, error: Exception) -> None:
        self._close(hand)
        self._fail(self._hands[hand].station, error)

    def done(self, hand: Hand, call: Call, outcomes: Any, seconds: float, memory: int) -> None:
        station = self._slot_of(hand)
        if station is None or call not in station.calls:
            return
        self.dispatch.done(station, call, outcomes, seconds, memory)
        terms = self._terms
        if station.used_up or (terms.memory_limit is not None and memory > terms.memory_limit):
            station.leaving = True
        self._after(station)

    def dropped(self, hand: Hand, call: Call) -> None:
        station = self._slot_of(hand)
        if station is not None and call in station.calls:
            self.dispatch.dropped(station, call)
            self._after(station)

    def lost(self, hand: Hand) -> None:
        station = self._slot_of(hand)
        if station is None:
            if hand in self._spares:
                self._spares.remove(hand)
                if hand.ready and not hand.ending:
                    self._add_spare(hand.arguments)
            return
        if station.hand is not hand:
            return
        station.hand = None
        if not hand.ending:
            station.crashed()
            index = station.index
            hand.exited.add_done_callback(lambda exited: self._tell_lost(index, exited))
            if not hand.ready:
                station.deaths += 1
        self.dispatch.crashed(station, hand)
        if station.deaths >= _DEATHS:
            hand.exited.add_done_callback(lambda exited: self._give_up(station, exited))
        elif station.removed and not station.calls:
            self._replace(station)
        elif self.dispatch.refusal is None:
            self._fill(station)
            self.dispatch.go()

    def gone(self, hand: Hand, error: Exception | None) -> None:
        post = self._hands.pop(hand)
        post.timer.cancel()
        station = post.station
        self.dispatch.tell_of(WorkerRemoved, worker=-1 if station is None else station.index)
        if station is not None and station.hand is hand:  # it was closed before it had begun what it was told
            station.hand = None
            self.dispatch.end(station, WorkersClosedError("these workers are closed"))
        if error is not None:
            self._errors.append(error)
        self._end()

    # -------------------------------------------------------------------------------------------

    def _after(self, station: Station) -> None:
        """`station` has a call less."""
        if station.leaving and not station.calls:
            self._replace(station)
        self.dispatch.go()

    def _fill(self, station: Station) -> None:
        """Give `station` a hand: a spare that was prepared alike, or a new one."""
        station.leaving = station.removed
        self.dispatch.tell_of(WorkerAdded, worker=station.index)
        spare = next(
            (each for each in self._spares if each.ready and each.arguments == station.arguments), None
        )
        if spare is None:
            station.hand = self._start(station.index, station.arguments, station)
            return
        self._spares.remove(spare)
        self._hands[spare].station, station.hand = station, spare
        spare.seat(station.index)
        station.begin()
        self._add_spare(station.arguments)

    def _replace(self, station: Station) -> None:
        """The hand of `station` has done its last; another takes its place, unless it was removed."""
        hand, station.hand = station.hand, None
        if hand is not None:
            self._close(hand)
        if station.removed:
            if station in self.stations:
                self.stations.remove(station)
        elif not self._closing:
            self._fill(station)

    def _add_spare(self, arguments: Mapping[str, Any]) -> None:
        if self._terms.spare and not self._closing and self.dispatch.refusal is None:
            spare = self._start(-1, arguments, None)
            if spare is not None:
                self._spares.append(spare)

    def _start(self, index: int, arguments: Mapping[str, Any], station: Station | None) -> Hand | None:
        hand: Hand | None = None
        try:
            hand = self.recruit(self, index, arguments)
            self._hands[hand] = _Post(station, self._timer(self._late, hand))
            hand.start()
        except Exception as error:  # its arguments cannot be sent, or there can be no more threads
            if hand is not None:
                self._hands.pop(hand).timer.cancel()
            self._fail(station, error)
            return None
        return hand

    def _slot_of(self, hand: Hand) -> Station | None:
        return self._hands[hand].station if hand in self._hands else None

    def _timer(self, function: Callable[[Hand], None], hand: Hand) -> asyncio.TimerHandle:
        return self.loop.call_later(min(self._terms.timeout, LONG), function, hand)

    def _late(self, hand: Hand) -> None:
        """`hand` is not prepared in time."""
        seconds, station = self._terms.timeout, self._slot_of(hand)
        error = PreparationError(
            f"worker {hand.index} was not prepared within {seconds:g} s: prepare_timeout="
        )
        self._fail(station, error)
        if not hand.kill():
            hand.leave()

    def _close(self, hand: Hand) -> None:
        self._hands[hand].timer.cancel()
        self._hands[hand].timer = self._timer(self._unclosed, hand)
        hand.close()

    def _unclosed(self, hand: Hand) -> None:
        """`hand` is not closed in time."""
        self._errors.append(
            WorkerError(f"worker {hand.index} was not closed within {self._terms.timeout:g} s")
        )
        if not hand.kill():
            hand.leave()

    def _tell_lost(self, index: int, exited: asyncio.Future[int | None]) -> None:
        self.dispatch.tell_of(WorkerLost, worker=index, exit_code=exited.result())

    def _give_up(self, station: Station, exited: asyncio.Future[int | None]) -> None:
        words = f"worker {station.index} has ended {station.deaths} times in a row before it was prepared"
        words += f", the last time with exit code {exited.result()}"
        if exited.result() == 1:
            words += (
                ": it has said why on its stderr; each process imports the script, "
                'which opens its pools under if __name__ == "__main__":'
            )
        self._fail(station, PreparationError(words))

    def _fail(self, station: Station | None, error: Exception) -> None:
        """A worker cannot be prepared: that is the error of whoever adds it, or of all who use them."""
        if station is not None and (grown := self._growing.pop(station, None)) is not None:
            station.removed = True
            self.stations.remove(station)
            self.dispatch.end(station, error)
            grown.set_exception(error)
            grown.exception()  # whoever adds it has it, unless that was cancelled
            return
        self.dispatch.refuse(error)
        if not self._opened.done():
            self._opened.set_exception(error)

    def _end(self) -> None:
        if self._closing and not self._hands and not self._ended.done():
            self._ended.set_result(None)
