"""Routing: each item to the group of its key, where a group is a branch with tasks of its own."""

from __future__ import annotations

from asyncio import CancelledError, Future, TimerHandle
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from streamkit._core.catalogue import Declaration
from streamkit._core.contract import NOTHING_HELD
from streamkit._core.errors import attach
from streamkit._core.markers import EMPTY
from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.account import Book, BufferStats
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Abandoned, Lane, Rescue
from streamkit._engine.compile.pieces import Pieces, StepDeclaration
from streamkit._engine.face.job import Job
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.run.run import Run

__all__ = ["Outcome", "Router", "keyed"]

_COUNTS = ("delivered", "dropped", "folded", "refused", "most", "_full_seconds")


def _function(key: Any, name: Any) -> None:
    """The steps around a group: items come with their key, and leave with its name."""


def _step(each: str) -> StepDeclaration:
    return StepDeclaration(
        "group", _function, NOTHING_HELD, pieces=Pieces(each=each), parameters=("key", "name")
    )


_KEYED = _step("emit((key(item), item))")
_NAMED = _step("emit((name, item))")


def _around(run: Run, declaration: Declaration, **arguments: Any) -> Link:
    link = Link(declaration, arguments, run.link.file, run.link.line)
    link.blamed = run.link
    return link


def keyed(run: Run, source: Inlet[Any], key: Callable[[Any], Any]) -> Inlet[Any]:
    """`source` with each item behind its key."""
    return Inlet(source.source, (*source.links, _around(run, _KEYED, key=key)))


class Outcome(Channel):
    """Where the groups end: the first error of one ends all; the source's own comes last."""

    router: Router

    def __init__(self, failed: Callable[[], None]) -> None:
        super().__init__(failed)
        self._open = 1  # until the router has ended, whatever groups there are

    def fail(self, error: BaseException) -> None:
        if error is not self.router.channel.error:
            super().fail(error)

    def leave(self) -> None:
        """The reader goes: what the groups have not taken in is dropped too."""
        errors: list[Exception] = []
        self.router.channel.left = True  # what the source's clean-up raises is for the run
        slots = self.router.slots
        for leave in (super().leave, self.router.drop, *[slot.intake.channel.leave for slot in slots]):
            try:
                leave()
            except Exception as error:  # of an ``on_drop``
                errors.append(error)
        if errors:
            for late in errors[1:]:
                attach(errors[0], late)
            raise errors[0]

    def stats(self, operator: str = "") -> list[BufferStats]:
        found = [slot.intake.stats(self.name or operator) for slot in self.router.slots]
        return found + super().stats(operator)


class Slot(Lane):
    """Where one group at a time works: what has come for it, and what comes out of it."""

    intake: Any
    """The lane of the group's items, in a channel that the group reads."""
    name: Hashable = None
    book: Book | None = None
    """Where what is inside the group is entered."""
    came: float = 0.0
    """When its last item came."""
    running = free = False

    def __init__(self, router: Router) -> None:
        super().__init__(router.out, Suspend(1))
        self.router = router
        self.refill()

    def refill(self) -> None:
        """A new, empty intake; it goes on counting where the last one was."""
        before = getattr(self, "intake", None)
        self.intake = Channel().lane(self.router.strategy)
        if before is not None:
            for count in _COUNTS:
                setattr(self.intake, count, getattr(before, count))

    def pop(self) -> Any:
        item = super().pop()
        self.router.settle(self)
        return item

    def close(self) -> None:
        """The group has ended; the slot is there for others."""
        self.running = False
        self.router.ended(self)

    def shut(self) -> None:
        """No group will come any more."""
        super().close()


class Router(Lane):
    """Where the pump writes: gives each item to the group of its key, and says which groups there are.

    While an item is in hand, because its group has no room or there is none to be had, the source waits.
    """

    def __init__(
        self,
        run: Run,
        pipe: tuple[Link, ...],
        most: int,
        overflowed: Callable[[Router, Hashable], None],
        idle: float | None,
    ) -> None:
        super().__init__(Channel(), None)
        self.overflowed = overflowed
        """Called with a new key when as many groups are there as may be: ends one, or raises, or waits."""
        self.run = run
        self.out = run.adopt(Outcome(run.halt))
        self.out.router = self
        buffered = pipe[0].declaration.buffers
        strategy = pipe[0].arguments["strategy"] if buffered else Suspend(1)
        # never None here, unlike a lane's, which is set once and never after
        self.strategy: Strategy = strategy  # pyright: ignore[reportIncompatibleVariableOverride]
        self.pipe = pipe[buffered:]
        self.most_groups = most
        self.idle = idle
        self.groups: dict[Hashable, Slot] = {}
        """The one that has had no item for longest first."""
        self.leaving: dict[Hashable, Slot] = {}
        """Groups that were told to end, and have not."""
        self.slots: list[Slot] = []
        self.free: list[Slot] = []
        self.hand: Any = EMPTY
        """The key and the item that wait for a place."""
        self._over = self._finished = False
        self._timer: TimerHandle | None = None
        self._waiter: Future[None] | None = None

    # the pump ------------------------------------------------------------------------------

    def put(self, item: Any) -> bool:
        if self.out.left or self.out.error is not None:  # a group that began now would not be told
            raise Abandoned
        self.hand = item
        try:
            return not self._placed()
        except Exception:  # too many groups, or no key
            self.hand = EMPTY
            for slot in self.slots[:1]:
                slot.intake.refused += 1
            raise

    def full(self) -> bool:
        return self.hand is not EMPTY

    async def room(self, rescue: Rescue | None = None) -> None:
        while self.hand is not EMPTY and not self._placed():
            slot = self.groups.get(self.hand[0])
            if slot is not None:
                await slot.intake.room(rescue)
                continue
            self._waiter = self.run.loop.create_future()
            try:
                try:
                    await self._waiter
                finally:
                    self._waiter = None
            except CancelledError as error:
                if rescue is None:
                    raise
                await rescue(error)

    def close(self) -> None:
        """The source has ended: so does every group, after what it has; an error comes after that."""
        if self._over:
            return
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        self._last()
        for slot in self.slots:
            if slot.running:
                if self.channel.error is not None and slot.intake.open:
                    slot.intake.channel.fail(self.channel.error)
                slot.intake.close()
        self._finish()

    def _last(self) -> None:
        """The source has failed while an item was in hand: it is held, and delivered before the error."""
        if self.hand is EMPTY or self.out.left:
            return
        (_, item), slot = self.hand, self.groups.get(self.hand[0])
        if slot is not None and slot.intake.open and slot.intake.limit >= 0:
            self.hand = EMPTY
            slot.intake.limit += 1  # the place that it had in the hand
            slot.intake.put(item)
        else:
            try:
                self.drop()
            except Exception as error:  # of an ``on_drop``
                self.out.fail(self.run.blame(error))

    def drop(self) -> None:
        """The item in hand will get no place."""
        if self.hand is not EMPTY:
            (_, item), self.hand = self.hand, EMPTY
            self.slots[0].intake.dropped += 1
            self.strategy.dropped(item, "closed")

    def _placed(self) -> bool:
        """Give the item in hand to its group, if that can be now."""
        key, item = self.hand
        slot = self.groups.get(key) or self._begun(key)
        if slot is None:
            return False
        self.groups[key] = self.groups.pop(key)
        slot.came = self.run.loop.time()
        if self.idle is not None and self._timer is None:
            self._timer = self.run.loop.call_at(slot.came + self.idle, self._tick)
        intake = slot.intake
        if intake.full():
            return False
        self.hand = EMPTY
        if intake.open:
            intake.put(item)
        else:  # its pipe has ended
            intake.dropped += 1
        return True

    # groups --------------------------------------------------------------------------------

    def _begun(self, key: Hashable) -> Slot | None:
        """The new group of `key`; None if it must wait for a place, or for the last group of that key."""
        if key in self.leaving:
            return None
        if len(self.groups) >= self.most_groups:
            self.overflowed(self, key)
        if self.free:
            slot = self.free.pop()
            slot.free = False
            slot.refill()
        elif len(self.slots) < self.most_groups:
            slot = Slot(self)
            self.slots.append(slot)
            self.out.adopt(slot)
        else:
            return None
        self.groups[key] = slot
        slot.name, slot.running = key, True
        slot.book = self.run.book and self.run.book.chapter()
        inlet = self.run.reading(slot.intake.channel)
        if self.pipe and self.pipe[-1].declaration.sink:
            job: Job[Any] = Job(inlet, self.pipe)
            self.run.spawn(partial(self._work, slot, key, job), self.out, slot)
        else:
            links = (*self.pipe, _around(self.run, _NAMED, name=key))
            self.run.pump(Inlet(inlet.source, links), into=slot, book=slot.book)
        return slot

    async def _work(self, slot: Slot, key: Hashable, job: Job[Any]) -> None:
        result = await self.run.part(job, slot.book)
        slot.put((key, result))

    def end(self, slot: Slot) -> None:
        """Let a group end, as if the source had."""
        del self.groups[slot.name]
        if slot.running:
            self.leaving[slot.name] = slot
            slot.intake.close()
        else:
            self.settle(slot)

    def ended(self, slot: Slot) -> None:
        """The branch of a group has ended; if nobody told it to, it keeps its place."""
        try:
            slot.intake.channel.leave()
        except Exception as error:  # of an ``on_drop``
            self.out.fail(self.run.blame(error))
        if self.run.book and slot.book:
            self.run.book.close(slot.book)
        self.leaving.pop(slot.name, None)
        self.settle(slot)
        self._finish()

    def settle(self, slot: Slot) -> None:
        """Note that a slot is there for others, if no group has it, and all that came out was taken."""
        if slot.running or slot.held or self.groups.get(slot.name) is slot or slot.free:
            return
        slot.free = True
        self.free.append(slot)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _finish(self) -> None:
        if self._over and not self._finished and not any(slot.running for slot in self.slots):
            self._finished = True
            for slot in self.slots:
                slot.shut()
            self.out.closed()

    def _tick(self) -> None:
        """What comes at the same moment is in time: wait for it, as `Channel.until` does."""
        soon = self.run.loop.call_soon
        soon(soon, self._sweep)

    def _sweep(self) -> None:
        """End the groups that have been idle for so long."""
        self._timer = None
        assert self.idle is not None
        now = self.run.loop.time()
        while self.groups and not self._over:
            slot = next(iter(self.groups.values()))
            if self.hand is not EMPTY and self.hand[0] == slot.name:
                self.groups[slot.name] = self.groups.pop(slot.name)
                slot.came = now
            if slot.came + self.idle > now:
                self._timer = self.run.loop.call_at(slot.came + self.idle, self._tick)
                return
            self.end(slot)
