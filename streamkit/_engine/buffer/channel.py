"""Channel: the only buffer between tasks.

A channel has one reader and one lane per writer. Its room is shared out by lane, so no writer can
fill it for the others, and the reader takes turns among the lanes that have something. Waking the
reader happens once for everything that is ready, not once per item. The end and the first error live
here, once.
"""

from __future__ import annotations

from asyncio import CancelledError, Future, current_task, get_running_loop, sleep
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from streamkit._core.again import throw
from streamkit._core.errors import raise_first
from streamkit._core.markers import EMPTY
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy, strategy_argument
from streamkit._engine.buffer.account import MANY, BufferStats, Sums
from streamkit._engine.buffer.clock import clock_of
from streamkit._engine.buffer.kinds import lane_of
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.rota import Rota
from streamkit._engine.buffer.target import Abandoned, Reader, as_it_is

__all__ = ["Channel"]


class Closed(Protocol):
    """What has clean-up that waits, as an async generator."""

    def aclose(self) -> Awaitable[None]: ...


class Channel(Rota, Reader):
    """Lanes of items on their way from writers to one reader."""

    made: Callable[[Reader, Strategy | None], Lane] = staticmethod(lane_of)
    """Makes its lanes."""

    def __init__(
        self, failed: Callable[[], None] | None = None, *, clock: Callable[[], float] | None = None
    ) -> None:
        Rota.__init__(self)
        Reader.__init__(self)
        self._failed = failed
        """Called at the first error: ends intake, that is, stops the other writers."""
        self.clock: Callable[[], float] = clock or clock_of(get_running_loop())
        self._handing: list[Lane] = []
        """Lanes whose writers wait until the reader asks."""
        self._gone = Sums()
        """The counts of lanes that were retired, or have ended long ago."""
        self._adopted = 0
        """How many lanes it has had."""
        self._open = 0
        """Writers that are not done."""
        self._reader: Future[None] | None = None
        """What the reader waits for."""
        self._asks = True
        """Whether the reader, where it waits, waits for an item."""
        self.iterator: Closed | None = None
        """What a stage iterates over, until its end, or what else the run closes when the stage ends."""
        self.direct: Any = None
        """While the reader waits, and lets others run its loop: the `Feed` that delivers an item at once."""
        self.paused: bool = False
        """Whether `hold` was called, and the reader has not been awake again since."""
        self.name: str = ""
        """Whose it is, where that is not the stage that owns it."""

    def lane(self, strategy: Strategy | None = None) -> Lane:
        """A new lane; without a strategy it is a hand-over: the writer waits until the reader asks.

        Raises:
            TypeError: `strategy` is not a strategy.
        """
        if strategy is not None:
            strategy_argument("strategy", strategy)
        lane = self.made(self, strategy)
        self.adopt(lane)
        return lane

    def adopt(self, lane: Lane) -> None:
        """Take in a lane of another make."""
        if len(self.lanes) >= self._gone.many:
            self._settle()
        self.lanes.append(lane)
        self.mixed: bool = self.mixed or lane.driver is None
        lane.account.placed(self._adopted)
        self._adopted += 1
        if lane.strategy is None:
            self._handing.append(lane)
        self._open += 1

    def retire(self, lane: Lane, late: list[BaseException] | None = None) -> None:
        """Read `lane` no more: drop what it holds, with the reason ``closed``, and keep only its counts.

        What an ``on_drop`` raises goes into `late`, if that is given, and is raised otherwise.

        Raises:
            ValueError: `lane` is none of this channel's.
            RuntimeError: the lane holds something, and is read in rounds, by a loop: only a reader that takes
                one item at a time can do without those.
        """
        self._require(lane)
        if lane.exhausted and lane not in self.lanes:  # its counts were settled already
            lane.refuse()
            return
        if self._turns is not None and lane.held:
            raise RuntimeError("retire(lane) is for readers that take items with take(), pop() or choose()")
        errors: list[BaseException] = [] if late is None else late
        lane.close()
        lane.discard(errors)
        self.lanes.remove(lane)
        for lanes in (self.queue, self._handing):
            if lane in lanes:
                lanes.remove(lane)
        self._gone.add(lane.stats())
        if late is None:
            raise_first(errors)

    def _settle(self) -> None:
        """Keep only the counts of lanes that have ended and are empty: a stage may make ever more of them."""
        if self.error is None and not self.left:
            self.count()
            over = [lane for lane in self.lanes if lane.exhausted and not lane.count and not lane.listed]
            self._gone.add(*(lane.stats() for lane in over))
            gone = {*over}
            self.lanes[:] = [lane for lane in self.lanes if lane not in gone]
            self._handing[:] = [lane for lane in self._handing if lane not in gone]
        self._gone.many = max(MANY, 2 * len(self.lanes))

    def _require(self, *lanes: Lane) -> None:
        for lane in lanes:
            if not isinstance(lane, Lane):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
                raise TypeError(
                    f"lane must be one that run.feed(...) or channel.lane(...) made, not {shown(lane)}"
                )
            # only one that takes in nothing may have been retired: to look for each would cost their square
            if lane.channel is not self or (lane.limit < 0 and lane not in self.lanes):
                raise ValueError(
                    "lane must be one that channel.lane(...) of this channel made, and that was not retired, "
                    f"not {shown(lane)}"
                )

    def join(self) -> None:
        """A writer that has no lane: the channel does not end before that says `closed`, too."""
        self._open += 1

    @property
    def asking(self) -> bool:
        """Whether the reader is waiting for an item."""
        return self._asks and self._reader is not None and not self.queue

    # the reader ----------------------------------------------------------------------------

    async def wait(self) -> bool:
        """Wait for something to pop; False at the end. The first error comes after what is held."""
        while True:
            ended, error = not self._open, self.error  # looked at first: nothing comes after them
            if self.ready:
                if self.drives is not None and self.drives.tired:
                    await self.drives.rest()
                return True
            if error is not None:
                throw(error, self.trace)
            if ended:
                return False
            if self.drives is None:
                await self._wait()
                continue
            self.drives.idle()
            await self._wait()
            self.drives.rested()

    @property
    def over(self) -> bool:
        """Whether nothing more will come: every writer is done, or one has failed."""
        return not self._open or self.error is not None

    async def until(
        self, condition: Callable[[], bool], when: float | None = None, *, asks: bool = True
    ) -> bool:
        """Wait for `condition`, looked at whenever something arrives or ends; False if it is `when` first.

        Without `asks` this asks for no item: writers that hand over go on waiting.
        """
        late: list[bool] = []

        def ring() -> None:
            late.append(True)
            self.wake()

        timer = None if when is None else get_running_loop().call_at(when, ring)
        self._asks = asks
        try:
            while not condition():
                if late:
                    await sleep(0)  # what comes at the same moment is in time
                    return condition()
                await self._wait()
            return True
        finally:
            self._asks = True
            if timer is not None:
                timer.cancel()

    async def before(self, when: float) -> bool:
        """Wait for something to pop, or for the end; False if it is `when` first.

        An error is an end, too: `wait` and `choose` raise it, and this does not.
        """
        return await self.until(lambda: bool(self.queue) or self.over, when)

    async def choose(self, *lanes: Lane, until: Lane | None = None) -> Lane | None:
        """Wait for an item in one of `lanes`: the first of them that has one, as they are listed.

        None when all of them have ended; with `until`, one of them, when that has. The first error of the
        channel comes after what they hold.

        Raises:
            TypeError: no lane is given, or something else.
            ValueError: one is none of this channel's, or `until` is none of them.
        """
        if not lanes:
            raise TypeError("choose() needs the lanes to choose from, the preferred one first")
        self._require(*lanes)
        if until is not None and until not in lanes:
            raise ValueError(f"until must be one of the lanes to choose from, not {shown(until)}")
        while True:
            error = self.error  # looked at first: nothing comes after it
            if until is not None and until.exhausted and error is None:
                return None
            for lane in lanes:
                if lane.held:
                    return lane
            if error is not None:
                throw(error, self.trace)
            if all(lane.exhausted for lane in lanes):
                return None
            try:
                await self.change()
            finally:  # who takes items in turn afterwards finds all that there is
                self.gather()

    async def has(self, lane: Lane) -> bool:
        """Wait for an item in `lane`, whatever is in others; False when nothing more will come into it.

        That is so after the first error of the channel, too, which is raised nowhere here: the reader takes
        from its lanes what they hold, and raises `error` then. For readers that take from lanes only.
        """
        while not lane.held:
            if not lane.open or self.error is not None:
                return False
            lane.relist()  # only of this one the channel need hear: there may be a thousand others
            self.queue.clear()
            await self._wait()
        return True

    async def change(self) -> None:
        """Wait until a lane that is empty is not, or a lane ends; for readers that take from lanes only."""
        for lane in self.lanes:
            lane.relist()
        self.queue.clear()
        await self._wait()

    async def _wait(self) -> None:
        if self.left:  # before its reader, which will be cancelled; or a callback has swallowed that
            task = current_task()
            raise CancelledError if task is None or task.cancelling() else Abandoned
        self._reader = get_running_loop().create_future()
        try:
            if self._asks:
                for lane in self._handing:
                    lane.wake()
            await self._reader
        finally:
            self._reader = None

    def __aiter__(self) -> AsyncIterator[Any]:
        items: Any = self.iterator
        if items is None:
            self.iterator = items = self._items()
        found: AsyncIterator[Any] = items
        return found

    async def _items(self) -> AsyncGenerator[Any, None]:
        try:
            while True:
                if (item := self.pop()) is not EMPTY:
                    yield item
                elif not await self.wait():
                    return
        finally:
            self.iterator = None

    def desert(self) -> None:
        """Nobody will read: wake nobody."""
        self._reader = None

    def forget(self) -> None:
        """The run that owns it has ended: keep no way to it. So what was read is freed, with no collector."""
        self._failed = None
        self.blame: Callable[[BaseException], BaseException] = as_it_is

    def hold(self) -> None:
        """Let nobody run the reader's loop until the reader has been awake again."""
        self.direct = None
        self.paused = True

    def leave(self) -> None:
        """The reader goes: what is held is dropped, with the reason ``closed``, and writers are let go."""
        if self.left:
            return
        self.left = True
        self.direct = None
        if self.drives is not None:
            self.drives.stop()
        self.count()
        if isinstance(self._reader, Future) and self._reader.get_loop().is_closed():
            self._reader = None  # nothing runs that could be woken
        self.wake()
        errors: list[BaseException] = []
        for lane in self.lanes:
            lane.discard(errors)
        raise_first(errors)

    # what lanes say ------------------------------------------------------------------------

    def stats(self, operator: str = "") -> list[BufferStats]:
        """What became of the items in each lane; of `operator`, where the channel is nobody else's."""
        name = self.name or operator
        return [*(lane.stats(name) for lane in self.lanes), *self._gone.stats(name)]

    def dropped(self, strategy: Strategy, item: Any, reason: str) -> None:
        strategy.dropped(item, reason)

    def wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def closed(self) -> None:
        self._open -= 1
        self.wake()

    def fail(self, error: BaseException) -> None:
        first = self.error is None
        super().fail(error)
        if not first:
            return
        self.direct = None
        if self.drives is not None:
            self.drives.stop()
        for lane in self.lanes:
            lane.refuse()
        if self._failed is not None:
            self._failed()
        self.wake()
