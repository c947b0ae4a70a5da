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
from streamkit.executors.slot import Slot
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

    def __init__(self, slot: Slot | None, timer: asyncio.TimerHandle) -> None:
        self.slot = slot
        """Whose work it does; None of a spare."""
        self.timer = timer
        """When preparing or closing it has taken too long."""


class Staff:
    """All hands of a pool, from its opening to its close."""

    def __init__(self, terms: Terms, recruit: Recruit) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.users = 0
        """Runs that use them, and blocks that they are open for."""
        self.works: dict[int, Packed] = {}
        self._terms = terms
        self.recruit = recruit
        """What makes them."""
        self.slots: list[Slot] = [Slot(*each, terms.recycle_after) for each in enumerate(terms.arguments)]
        self.dispatch: Dispatch = Dispatch(self.slots, terms.prefetch, terms.on_event)
        self._spares: list[Hand] = []
        self._hands: dict[Hand, _Post] = {}
        """All that are not gone."""
        self._growing: dict[Slot, asyncio.Future[None]] = {}
        """Workers that were added, until they are ready."""
        self._opened: asyncio.Future[None] = self.loop.create_future()
        self._ended: asyncio.Future[None] = self.loop.create_future()
        self._closing = False
        self._errors: list[Exception] = []
        """Of closing what was prepared."""

    def open(self) -> None:
        """Start all."""
        for slot in self.slots:
            self._fill(slot)
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
        busy = {slot.hand for slot in self.slots if slot.calls}
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
        index = max(slot.index for slot in self.slots) + 1
        slot = Slot(index, arguments, self._terms.recycle_after)
        grown = self._growing[slot] = self.loop.create_future()
        self.slots.append(slot)
        self._fill(slot)
        await asyncio.shield(grown)
        return slot.index

    async def shrunk(self, slot: Slot) -> None:
        """Remove a worker, when what it has is done."""
        slot.leaving = slot.removed = True
        if (grown := self._growing.pop(slot, None)) is not None:
            grown.set_exception(WorkersClosedError(f"worker {slot.index} was removed before it was ready"))
            grown.exception()  # whoever adds it has it, unless that was cancelled
        hand = slot.hand
        if not slot.calls:
            self._replace(slot)
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
        slot = self._hands[hand].slot
        self.dispatch.tell_of(WorkerPrepared, worker=-1 if slot is None else slot.index, seconds=seconds)
        if slot is not None:
            slot.begin()
            if (grown := self._growing.pop(slot, None)) is not None:
                grown.set_result(None)
        if not self._opened.done() and all(slot.ready for slot in self.slots if slot not in self._growing):
            self._opened.set_result(None)
        self.dispatch.go()

    def unprepared(self, hand: Hand, error: Exception) -> None:
        self._close(hand)
        self._fail(self._hands[hand].slot, error)

    def done(self, hand: Hand, call: Call, outcomes: Any, seconds: float, memory: int) -> None:
        slot = self._slot_of(hand)
        if slot is None or call not in slot.calls:
            return
        self.dispatch.done(slot, call, outcomes, seconds, memory)
        terms = self._terms
        if slot.used_up or (terms.memory_limit is not None and memory > terms.memory_limit):
            slot.leaving = True
        self._after(slot)

    def dropped(self, hand: Hand, call: Call) -> None:
        slot = self._slot_of(hand)
        if slot is not None and call in slot.calls:
            self.dispatch.dropped(slot, call)
            self._after(slot)

    def lost(self, hand: Hand) -> None:
        slot = self._slot_of(hand)
        if slot is None:
            if hand in self._spares:
                self._spares.remove(hand)
                if hand.ready and not hand.ending:
                    self._add_spare(hand.arguments)
            return
        if slot.hand is not hand:
            return
        slot.hand = None
        if not hand.ending:
            slot.crashed()
            index = slot.index
            hand.exited.add_done_callback(lambda exited: self._tell_lost(index, exited))
            if not hand.ready:
                slot.deaths += 1
        self.dispatch.crashed(slot, hand)
        if slot.deaths >= _DEATHS:
            hand.exited.add_done_callback(lambda exited: self._give_up(slot, exited))
        elif slot.removed and not slot.calls:
            self._replace(slot)
        elif self.dispatch.refusal is None:
            self._fill(slot)
            self.dispatch.go()

    def gone(self, hand: Hand, error: Exception | None) -> None:
        post = self._hands.pop(hand)
        post.timer.cancel()
        slot = post.slot
        self.dispatch.tell_of(WorkerRemoved, worker=-1 if slot is None else slot.index)
        if slot is not None and slot.hand is hand:  # it was closed before it had begun what it was told
            slot.hand = None
            self.dispatch.end(slot, WorkersClosedError("these workers are closed"))
        if error is not None:
            self._errors.append(error)
        self._end()

    # -------------------------------------------------------------------------------------------

    def _after(self, slot: Slot) -> None:
        """`slot` has a call less."""
        if slot.leaving and not slot.calls:
            self._replace(slot)
        self.dispatch.go()

    def _fill(self, slot: Slot) -> None:
        """Give `slot` a hand: a spare that was prepared alike, or a new one."""
        slot.leaving = slot.removed
        self.dispatch.tell_of(WorkerAdded, worker=slot.index)
        spare = next((each for each in self._spares if each.ready and each.arguments == slot.arguments), None)
        if spare is None:
            slot.hand = self._start(slot.index, slot.arguments, slot)
            return
        self._spares.remove(spare)
        self._hands[spare].slot, slot.hand = slot, spare
        spare.seat(slot.index)
        slot.begin()
        self._add_spare(slot.arguments)

    def _replace(self, slot: Slot) -> None:
        """The hand of `slot` has done its last; another takes its place, unless it was removed."""
        hand, slot.hand = slot.hand, None
        if hand is not None:
            self._close(hand)
        if slot.removed:
            if slot in self.slots:
                self.slots.remove(slot)
        elif not self._closing:
            self._fill(slot)

    def _add_spare(self, arguments: Mapping[str, Any]) -> None:
        if self._terms.spare and not self._closing and self.dispatch.refusal is None:
            spare = self._start(-1, arguments, None)
            if spare is not None:
                self._spares.append(spare)

    def _start(self, index: int, arguments: Mapping[str, Any], slot: Slot | None) -> Hand | None:
        hand: Hand | None = None
        try:
            hand = self.recruit(self, index, arguments)
            self._hands[hand] = _Post(slot, self._timer(self._late, hand))
            hand.start()
        except Exception as error:  # its arguments cannot be sent, or there can be no more threads
            if hand is not None:
                self._hands.pop(hand).timer.cancel()
            self._fail(slot, error)
            return None
        return hand

    def _slot_of(self, hand: Hand) -> Slot | None:
        return self._hands[hand].slot if hand in self._hands else None

    def _timer(self, function: Callable[[Hand], None], hand: Hand) -> asyncio.TimerHandle:
        return self.loop.call_later(min(self._terms.timeout, LONG), function, hand)

    def _late(self, hand: Hand) -> None:
        """`hand` is not prepared in time."""
        seconds, slot = self._terms.timeout, self._slot_of(hand)
        error = PreparationError(
            f"worker {hand.index} was not prepared within {seconds:g} s: prepare_timeout="
        )
        self._fail(slot, error)
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

    def _give_up(self, slot: Slot, exited: asyncio.Future[int | None]) -> None:
        words = f"worker {slot.index} has ended {slot.deaths} times in a row before it was prepared"
        self._fail(slot, PreparationError(f"{words}, the last time with exit code {exited.result()}"))

    def _fail(self, slot: Slot | None, error: Exception) -> None:
        """A worker cannot be prepared: that is the error of whoever adds it, or of all who use them."""
        if slot is not None and (grown := self._growing.pop(slot, None)) is not None:
            slot.removed = True
            self.slots.remove(slot)
            self.dispatch.end(slot, error)
            grown.set_exception(error)
            grown.exception()  # whoever adds it has it, unless that was cancelled
            return
        self.dispatch.refuse(error)
        if not self._opened.done():
            self._opened.set_exception(error)

    def _end(self) -> None:
        if self._closing and not self._hands and not self._ended.done():
            self._ended.set_result(None)
