"""Crews: the workers of a concurrent ``map``, who begins when there is more to do, and how they rest."""

from __future__ import annotations

from asyncio import Future, sleep
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Protocol

from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.compile.pace import Own
from streamkit._engine.run.run import Run
from streamkit._engine.run.tasks import Work

__all__ = ["Crew", "Rest"]


class Offer(Protocol):
    """What a crew needs of the `Supply` that it takes items from."""

    concurrency: int
    free: int

    def wanted(self) -> bool:
        """Whether there may be an item to take, and there is a place for it."""
        ...

    def take(self) -> Any:
        """An item, with a place for it; EMPTY if there is none now."""
        ...

    def call_others(self) -> None:
        """There is more than one worker may do."""
        ...


class Crew:
    """The workers of one pool. Each is a task; those that find nothing to do stay, and wait to be called."""

    def __init__(self, run: Run, channel: Channel, work: Work, supply: Offer) -> None:
        self.called = 0
        """Workers that have been made or woken, and have not begun yet."""
        self.looking = False
        """A check for more workers is scheduled."""
        self._supply = supply
        self._most = supply.concurrency
        self._workers = 0
        self._idle: deque[Future[None]] = deque()
        """Workers that wait to be called, as the futures they wait on."""
        self._loop = run.loop
        # whoever calls a worker, it sees the context of the stage: not what a source or a callback has set
        # (`test_steps_see_the_variables_of_who_runs_the_stream_and_sources_their_own_task`)
        context = copy_context()
        self._spawn: Callable[[], Any] = lambda: context.run(run.launch, work, channel)

    # whoever has something for them ---------------------------------------------------------

    def look_soon(self) -> None:
        """Check for more workers when those that are ready have run: one may do all that there is."""
        self.looking = True
        self._loop.call_soon(self._look)

    def _look(self) -> None:
        self.looking = False
        if not self.called:
            supply = self._supply
            self.call(max(1, supply.concurrency - supply.free))  # as many again as are at work

    def call(self, count: int) -> None:
        """Have up to `count` more workers begin, as long as there is something for them."""
        while count and self._supply.wanted():
            count -= 1
            if self._idle:
                worker = self._idle.popleft()
                if (
                    worker.done()
                ):  # pragma: no cover - somebody cancels the tasks of the loop, and this one first
                    continue
                worker.set_result(None)
            elif self._workers < self._most:
                self._workers += 1
                self._spawn()
            else:
                return
            self.called += 1

    def call_one(self) -> None:
        """A place is free: let one worker begin, unless one is about to."""
        if not self.called and (self._idle or self._workers < self._most):
            self.call(1)

    # the workers ---------------------------------------------------------------------------

    def begin(self) -> Any:
        """The item that a worker begins with, which was called; EMPTY if others have taken all."""
        self.called -= 1
        item = self._supply.take()
        if item is not EMPTY and self._supply.wanted():
            self._supply.call_others()
        return item

    def idle(self) -> Future[None]:
        """What a worker waits for that has nothing to do."""
        called = self._loop.create_future()
        self._idle.append(called)
        return called


class Rest:
    """The time of one event loop, which the workers share: they look at one clock, and rest together."""

    __slots__ = ("pace", "resting")

    def __init__(self) -> None:
        self.pace = Own()
        self.resting = False
        """A worker rests, as it was time to let others run."""

    async def pause(self) -> None:
        """Let others run. Workers that come late rest until the first has rested.

        Else each would use up the time of one loop:
        `test_the_workers_of_a_map_together_take_no_longer_than_one_loop`.
        """
        if self.resting:
            while self.resting:  # noqa: ASYNC110 - woken by an event, it would come too late again
                await sleep(0)
            return
        self.resting = True
        try:
            await sleep(0)
        finally:
            self.resting = False
        self.pace.rested()
