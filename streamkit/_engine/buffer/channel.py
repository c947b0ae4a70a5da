"""Channel: the only buffer between tasks.

A channel has one reader and one lane per writer. Its room is shared out by lane, so no writer can
fill it for the others, and the reader takes turns among the lanes that have something. Waking the
reader happens once for everything that is ready, not once per item. The end and the first error live
here, once.
"""

from __future__ import annotations

from asyncio import CancelledError, Future, get_running_loop, sleep
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from itertools import islice, repeat
from typing import Any

from streamkit._core.errors import attach
from streamkit._core.markers import EMPTY
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.clock import clock_of
from streamkit._engine.buffer.kinds import lane_of
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.turns import Turns, rounds

__all__ = ["Channel"]


class Channel:
    """Lanes of items on their way from writers to one reader."""

    def __init__(
        self, failed: Callable[[], None] | None = None, *, clock: Callable[[], float] | None = None
    ) -> None:
        self.lanes: list[Lane] = []
        self.error: BaseException | None = None
        self._failed = failed
        """Called at the first error: ends intake, that is, stops the other writers."""
        self._ready: deque[Lane] = deque()
        """Those that have something, in turn; while there are `Turns`, first those that they go over."""
        self._turns: Turns | None = None
        self.clock: Callable[[], float] = clock or clock_of(get_running_loop())
        self._open = 0
        self._reader: Future[None] | None = None
        self._asks = True
        """Whether the reader, where it waits, waits for an item."""
        self.alone: bool = False
        """Whether the reader lets nobody run while it takes what is there, without a `rest` before."""
        self.left: bool = False
        self.iterator: AsyncGenerator[Any, None] | None = None
        """What a stage iterates over, until its end; the run closes it, lest the event loop does later."""
        self.direct: Any = None
        """While the reader waits, and lets others run its loop: the `Feed` that delivers an item at once."""
        self.paused: bool = False
        """Whether `hold` was called, and the reader has not been awake again since."""
        self.name: str = ""
        """Whose it is, where that is not the stage that owns it."""

    def lane(self, strategy: Strategy | None) -> Lane:
        """A new lane; without a strategy it is a hand-over: the writer waits until the reader asks."""
        lane = lane_of(self, strategy)
        self.adopt(lane)
        return lane

    def adopt(self, lane: Lane) -> None:
        """Take in a lane of another make."""
        self.lanes.append(lane)
        self._open += 1

    @property
    def ready(self) -> bool:
        """Whether there is something to pop."""
        if self._turns is not None and not self._turns:
            self.rest()
        return bool(self._ready)

    @property
    def asking(self) -> bool:
        """Whether the reader is waiting for an item."""
        return self._asks and self._reader is not None and not self._ready

    # the reader ----------------------------------------------------------------------------

    def only(self) -> Lane:
        """The one lane, if its items may be taken without asking `pop`; else one that stays empty."""
        if len(self.lanes) == 1 and self.lanes[0].inline:
            return self.lanes[0]
        return Lane(self, None)

    def pop(self) -> Any:
        """The next item, in turn among the lanes; EMPTY if there is none now."""
        ready = self._ready
        item: Any = EMPTY
        while ready and item is EMPTY:
            lane = ready[0]
            if lane.held:
                item = lane.pop()
            if not lane.held:
                lane.listed = False
                ready.popleft()
            elif len(ready) > 1:
                ready.rotate(-1)
        return item

    def drained(self, most: int) -> Iterator[Any]:
        """What is there, and comes meanwhile, in turn among the lanes; about `most` items.

        For a reader that takes all of it or leaves: in the midst of a turn, it has the lanes in its hand.
        """
        turns = self._turns
        if turns is None:
            more = rounds(self._ready, self.alone)
            if not more:
                return self._of_one(most) if len(self.lanes) == 1 else self._of_all(most)
            turns = self._turns = Turns(self._ready, more)
        return turns.items if len(turns) <= most else islice(turns.items, most)

    def _of_one(self, most: int) -> Iterator[Any]:
        lane = self.only()
        held, popleft = lane.held, lane.held.popleft
        for _ in repeat(None, most):
            if held:
                item = popleft()
                lane.delivered = count = lane.delivered + 1
                if count >= lane.mark:
                    lane.loosen()
            elif (item := self.pop()) is EMPTY:
                return
            yield item

    def _of_all(self, most: int) -> Iterator[Any]:
        """Each lane looked at, once; then again, unless now there may be `rounds`."""
        loosened = False
        while self._ready and most > 0 and not loosened:
            turn, self._ready = self._ready, deque()
            most -= len(turn)
            again = self._ready.append
            for lane in turn:
                held = lane.held
                if not held:
                    lane.listed = False
                    continue
                if lane.inline:
                    item = held.popleft()
                    lane.delivered = count = lane.delivered + 1
                    if count >= lane.mark:
                        lane.loosen()
                        loosened = True
                else:
                    item = lane.pop()
                if held:
                    again(lane)
                else:
                    lane.listed = False
                if item is not EMPTY:
                    yield item

    async def wait(self) -> bool:
        """Wait for something to pop; False at the end. The first error comes after what is held."""
        while True:
            ended, error = not self._open, self.error  # looked at first: nothing comes after them
            if self.ready:
                return True
            if error is not None:
                raise error
            if ended:
                return False
            await self._wait()

    def rest(self) -> None:
        """Count what was taken, and keep the lanes that have more: what is taken next is looked at anew."""
        turns, self._turns = self._turns, None
        if turns is None:
            return
        turns.count()
        self._ready.rotate(-(turns.place or len(turns.lanes)))  # who came in meanwhile is next after a round
        gone = False
        for lane in turns.lanes:
            if not lane.held:
                lane.listed, gone = False, True
        if gone:
            self._ready = deque([lane for lane in self._ready if lane.held])

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
        """Wait for something to pop, or for the end; False if it is `when` first."""
        return await self.until(lambda: bool(self._ready) or self.over, when)

    async def change(self) -> None:
        """Wait until a lane that is empty is not, or a lane ends; for readers that choose the lane."""
        for lane in self.lanes:
            lane.listed = bool(lane.held)
        self._ready.clear()
        await self._wait()

    async def _wait(self) -> None:
        if self.left:  # left for the reader, whose own cancellation a callback has swallowed
            raise CancelledError
        self._reader = get_running_loop().create_future()
        try:
            for lane in self.lanes if self._asks else ():
                if lane.strategy is None:
                    lane.wake()
            await self._reader
        finally:
            self._reader = None

    def __aiter__(self) -> AsyncIterator[Any]:
        if self.iterator is None:
            self.iterator = self._items()
        return self.iterator

    async def _items(self) -> AsyncGenerator[Any, None]:
        try:
            while True:
                if (item := self.pop()) is not EMPTY:
                    yield item
                elif not await self.wait():
                    return
        finally:
            self.iterator = None

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
        self.count()
        self.wake()
        errors: list[BaseException] = []
        for lane in self.lanes:
            lane.discard(errors)
        if errors:
            for late in errors[1:]:
                attach(errors[0], late)
            raise errors[0]

    # what lanes say ------------------------------------------------------------------------

    def stats(self, operator: str = "") -> list[BufferStats]:
        """What became of the items in each lane; of `operator`, where the channel is nobody else's."""
        return [lane.stats(self.name or operator) for lane in self.lanes]

    def arrived(self, lane: Lane) -> None:
        if not lane.listed:
            lane.listed = True
            self._ready.append(lane)
            if self._turns is not None:
                self._turns.cut()
        self.wake()

    def cut(self) -> None:
        """A lane is to be looked at when its turn comes: go only the round to its end that is under way."""
        if self._turns is not None:
            self._turns.cut()

    def count(self) -> None:
        """See to it that the counts of the lanes are those of this moment."""
        if self._turns is not None:
            self._turns.count()

    def dropped(self, strategy: Strategy, item: Any, reason: str) -> None:
        strategy.dropped(item, reason)

    def wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def closed(self) -> None:
        self._open -= 1
        self.wake()

    def fail(self, error: BaseException) -> None:
        """Keep the first error, for when what is held is delivered; later ones hang on it."""
        if self.error is not None:
            attach(self.error, error)
            return
        self.error = error
        self.direct = None
        for lane in self.lanes:
            lane.refuse()
        if self._failed is not None:
            self._failed()
        self.wake()
