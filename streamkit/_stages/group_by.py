"""Routing: each item goes to the group of its key; each group has tasks of its own."""

from __future__ import annotations

from asyncio import CancelledError, TimerHandle
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from streamkit._core.errors import raise_first
from streamkit._core.markers import EMPTY
from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.target import Abandoned, Rescue, Target
from streamkit._engine.face.job import Job
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.run.run import Run
from streamkit._stages.berth import Berth, Berths
from streamkit._stages.branches import Outcome
from streamkit._stages.keyed import keyed_pair, naming

__all__ = ["INTAKE", "INTAKE_AHEAD", "PairedRouter", "Reopened", "ReopenedInOrder", "Router"]

INTAKE = "(1 if _strategy is None else _strategy.limit if _strategy.overflows else unbounded)"
"""What a group holds that its pipe has not taken yet: a formula; `_strategy` is that of its buffer."""
INTAKE_AHEAD = "(1 if _strategy is None else _strategy.limit if _strategy.waits else unbounded)"


class Groups(Outcome):
    """Collects what the groups emit. When the reader leaves, drops items that no group has taken."""

    router: Router

    def __init__(self, failed: Callable[[], None]) -> None:
        super().__init__(failed)
        self.join()  # the router counts as a writer: the channel stays open until it has ended

    def leave(self) -> None:
        errors: list[Exception] = []
        self.source.left = True
        intakes = [berth.inbox for berth in self.router.berths]
        for leave in (super().leave, self.router.drop, *[channel.leave for channel in intakes]):
            try:
                leave()
            except Exception as error:  # of an ``on_drop``
                errors.append(error)
        raise_first(errors)

    def stats(self, operator: str = "") -> list[BufferStats]:
        found = [berth.intake.stats(self.name or operator) for berth in self.router.berths]
        return found + super().stats(operator)


class Idle:
    """Ends groups that have had no item for `seconds`."""

    def __init__(self, router: Router, seconds: float) -> None:
        self._router = router
        self._seconds = seconds
        self._loop = router.run.loop
        self._timer: TimerHandle | None = None

    def start(self, came: float) -> None:
        """An item came at the time `came`: check its group for idleness when `seconds` have passed."""
        if self._timer is None:
            self._timer = self._loop.call_at(came + self._seconds, self._tick)

    def stop(self) -> None:
        """Stop ending groups."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        """Let items that are due at this moment arrive first, as `Channel.until` does; then sweep."""
        soon = self._loop.call_soon
        soon(soon, self._sweep)

    def _sweep(self) -> None:
        self._timer = None
        router, berths = self._router, self._router.berths
        now = self._loop.time()
        while berths.groups and not router.over:
            berth = next(iter(berths.groups.values()))
            if router.hand is not EMPTY and berths.groups.get(router.hand[0]) is berth:
                berths.came(berth.name, berth, now)
            if berth.came + self._seconds > now:
                self.start(berth.came)
                return
            berths.end(berth)


class Router(Target):
    """The target of the pump: puts each item into the group of its key, and begins and ends groups.

    While an item waits in `hand`, for room in its group or for a berth, the source waits too.
    """

    def __init__(
        self,
        run: Run,
        pipe: tuple[Link, ...],
        most: int,
        overflowed: Callable[[Berths, Hashable], None],
        idle: float | None,
    ) -> None:
        self.run = run
        self.out = run.adopt(Groups(run.halt))
        self.out.router = self
        super().__init__(self.out.source)
        self._overflowed = overflowed
        """Called with a new key when `most` groups exist: ends one of them, raises, or lets the item wait."""
        buffered = pipe[0].declaration.buffers
        strategy: Strategy = pipe[0].arguments["strategy"] if buffered else Suspend(1)
        self._pipe = pipe[buffered:]
        self.berths = Berths(self.out, strategy, most, self._ended, self.wake)
        self._idle = None if idle is None else Idle(self, idle)
        self.hand: Any = EMPTY
        """The key and the item that wait for room in a group; EMPTY if none does."""
        self.over = False
        """Whether the source has ended."""
        self.reopens = False
        """Whether a group whose pipe has ended frees its key."""
        self._finished = False
        """Whether all groups have ended too."""

    # the pump ------------------------------------------------------------------------------

    def put(self, item: Any) -> bool:
        if self.out.left or self.out.error is not None:  # a group that began now would never be told to end
            raise Abandoned
        self.hand = item
        try:
            return not self._placed()
        except Exception:
            if self.hand is not EMPTY:  # too many groups, or no key; what came to a group is counted there
                self.hand = EMPTY
                for berth in self.berths:
                    berth.intake.account.refuse()
                    break
            raise

    def full(self) -> bool:
        return self.hand is not EMPTY

    async def room(self, rescue: Rescue | None = None) -> None:
        while self.hand is not EMPTY and not self._placed():
            berth = self.berths.groups.get(self.hand[0])
            if berth is not None:
                await berth.intake.room(rescue)
            else:
                await self._slot(rescue)

    async def _slot(self, rescue: Rescue | None) -> None:
        """Wait for a berth to become free."""
        try:
            await self.vacancy()
        except CancelledError as error:
            self.unwait()
            if rescue is None:  # pragma: no cover - every pump hands it one
                raise
            await rescue(error)

    def close(self) -> None:
        """The source has ended: end every group after its held items; the source's error follows them."""
        self.over = True
        if self._idle is not None:
            self._idle.stop()
        self._last()
        for berth in self.berths:
            if berth.running:
                if self.channel.error is not None and berth.intake.open:
                    berth.inbox.fail(self.channel.error)
                berth.intake.close()
        self._finish()

    def _last(self) -> None:
        """After an error of the source, give the item in hand to its group if possible, or drop it."""
        if self.hand is EMPTY or self.out.left:
            return
        (_, item), berth = self.hand, self.berths.groups.get(self.hand[0])
        if berth is not None and berth.intake.open and berth.intake.limit >= 0:
            self.hand = EMPTY
            berth.intake.widen()  # the item counted in hand already: the bound stays the same
            berth.intake.put(item)
            return
        try:
            self.drop()
        except Exception as error:  # of an ``on_drop``
            self.out.fail(self.run.blame(error))

    def drop(self) -> None:
        """Drop the item in hand, and count it."""
        if self.hand is not EMPTY:
            (_, item), self.hand = self.hand, EMPTY
            next(iter(self.berths)).intake.turn_away(item)

    def _placed(self) -> bool:
        """Put the item in hand into its group; return whether there was room."""
        key, item = self.hand
        berth = self.berths.groups.get(key) or self._begun(key)
        if berth is None:
            return False
        self.berths.came(key, berth, self.run.loop.time())
        if self._idle is not None:
            self._idle.start(berth.came)
        intake = berth.intake
        if intake.full():
            return False
        self.hand = EMPTY
        if intake.open:
            intake.put(item)
        else:  # its pipe has ended
            intake.turn_away(item)
            if self.run.tracked:
                self.out.left_out(berth, item[0], ended=not berth.running)
        return True

    # groups --------------------------------------------------------------------------------

    def _begun(self, key: Hashable) -> Berth | None:
        """Begin a group for `key`; return its berth, or None if it must wait for one."""
        if key not in self.berths.leaving and self.berths.full:
            self._overflowed(self.berths, key)
        berth = self.berths.taken(key)
        if berth is None:
            return None
        berth.book = self.run.book and self.run.book.chapter(after=True)
        inlet = self.run.reading(berth.inbox)
        if self._pipe and self._pipe[-1].declaration.sink:
            job: Job[Any] = Job(inlet, self._pipe)
            self.run.spawn(partial(self._work, berth, key, job), self.out, berth)
        else:
            links = (*self._pipe, naming(self.run, key))
            self.run.pump(Inlet(inlet.source, links), into=berth, book=berth.book)
        return berth

    async def _work(self, berth: Berth, key: Hashable, job: Job[Any]) -> None:
        result = await self.run.part(job, berth.book)
        berth.put((key, result))

    def _ended(self, berth: Berth) -> None:
        """The pipe of a group has ended: close its intake, free the berth."""
        self.out.ended(berth)
        berth.inbox.leave()  # what was left in it, who has read it has dropped
        if self.run.book and berth.book:
            self.run.book.close(berth.book)
        self.berths.left(berth, reopens=self.reopens)
        self._finish()

    def _finish(self) -> None:
        if self.over and not self._finished and not self.berths.running:
            self._finished = True
            for berth in self.berths:
                berth.shut()
            self.out.closed()


class PairedRouter(Router):
    """The same of pairs of a delivery, and of a key and an item."""

    def put(self, item: Any) -> bool:
        return super().put(keyed_pair(item))


class Reopened(dict[Any, Any]):
    """Groups by key, without those whose pipes have ended: their keys are free."""

    def __setitem__(self, name: Any, state: Any) -> None:
        if state is EMPTY:
            self.pop(name, None)
        else:
            super().__setitem__(name, state)


class ReopenedInOrder(OrderedDict[Any, Any]):
    """The same, in order."""

    def __setitem__(self, name: Any, state: Any) -> None:
        if state is EMPTY:
            self.pop(name, None)
        else:
            super().__setitem__(name, state)
