"""Supplies behind a loop that makes several items of one: the workers take them out of it themselves.

Between two items of the source the loop runs nothing but steps, which may run in any task: a worker that
has a place runs it on, to the next item that comes of it. The pump reads the source, in a task of its own.
It is woken where the loop asks for more, or where a callback has returned what must be awaited.
"""

from __future__ import annotations

from asyncio import CancelledError, Future, sleep
from collections.abc import Iterator
from functools import partial
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.target import Abandoned, Rescue
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.direct import runners
from streamkit._engine.run.run import Run
from streamkit._stages.pull import PullLoop, pulls
from streamkit._stages.supply import Supply, nothing

__all__ = ["SpreadSupply", "spreads"]


def spreads(inlet: Inlet[Any]) -> int | None:
    """The index of the link from which on the workers can run the loop; None if there is none."""
    links = inlet.links
    index = len(links)
    while index and links[index - 1].declaration.stage is None:
        index -= 1
    if index or inlet.source.native is None:
        while index < len(links) and not links[index].declaration.contract.spreads:
            index += 1
    return index if pulls(links[index:]) else None


class SpreadSupply(Supply):
    """A supply that its pump puts into a loop, and that the workers take out of it."""

    def __init__(self, channel: Channel, concurrency: int, loop: PullLoop) -> None:
        super().__init__(channel, concurrency)
        self.loop = loop
        self.made = 0
        """How many items the pump has taken out of the loop since it gave it something."""
        self.shared = False
        """There have been so many that the workers take out the rest themselves."""
        self._in_parts = False
        """The pump puts in many items at once, in a range, list or tuple."""
        self._woken: Future[None] | None = None
        """What the pump waits on, while the workers run the loop."""
        self._breath = Pace()
        """When the pump must let others run, though nothing that it awaited has waited.

        `test_the_workers_of_a_map_together_take_no_longer_than_one_loop`
        """

    def begin(self, run: Run, inlet: Inlet[Any]) -> None:
        if (items := inlet.native) is not None:
            inlet, self._in_parts = Inlet[Any](partial(_parts, items)), True
        run.spawn(partial(self._pump, run, inlet), self.channel, self)

    # the pump ------------------------------------------------------------------------------

    async def _pump(self, run: Run, inlet: Inlet[Any]) -> None:
        self._run_loop()
        await run.fill(self, inlet, run.book and run.book.chapter())
        self.loop.finish()
        self._run_loop()
        await self.room()

    def put(self, item: Any) -> bool:
        if self.gone:
            raise Abandoned
        self.loop.given.append(item if self._in_parts else (item,))
        self.made = 0
        self._run_loop()
        return self.full()

    def full(self) -> bool:
        """Whether the pump must wait, or do something else, before it reads on."""
        return not self.gone and (not self.loop.asks or len(self.todo) >= self.free)

    def _run_loop(self) -> None:
        """Run the loop as far as there are places for what comes of it.

        Where the loop goes on giving, the workers take out the rest, so that one turn of the event loop is
        enough for all places: `test_a_turn_of_the_event_loop_serves_as_many_items_as_there_are_places`. Not
        before: a worker that finds nothing costs a step, and the pump one for several items.
        """
        todo, loop = self.todo, self.loop
        items = loop.items
        loop.run_on()
        try:
            while len(todo) < self.free:
                if (item := next(items, EMPTY)) is EMPTY:
                    self._ran_dry()
                    break
                todo.append(item)
                self.made += 1
        except (Exception, CancelledError) as error:
            if self.gone:
                raise
            self.channel.fail(error)  # it names its operator already: the loop that reads must not
            raise Abandoned from None
        if not loop.dry and self.made >= 2 * self.concurrency:
            # anew each time: before 3.12 it is a copy of what the source has set so far
            # (`test_steps_see_what_the_source_has_set`)
            _, there = runners()
            self.shared, self.pull = True, partial(there, next, items, EMPTY)
        if todo and not self.crew.looking:
            self.crew.look_soon()

    async def room(self, rescue: Rescue | None = None) -> None:
        """Wait until the loop asks for more, and there is a place for what comes of it."""
        loop = self.loop
        while self.full():
            settles = loop.waits
            if settles:
                if await loop.settle() and self.gone:
                    # it has swallowed the cancellation: test_cancelled_while_a_step_awaits_what_swallows_that
                    raise Abandoned
                self._run_loop()
                if not self._breath.due():  # what it awaits need not wait
                    continue
            elif loop.ended:
                if loop.over:
                    return
                raise Abandoned  # it has stopped
            try:
                await (sleep(0) if settles else self._rest())
            except CancelledError as error:
                if rescue is None:  # pragma: no cover - its source has ended: it waits no longer than a turn
                    raise
                await rescue(error)
            self._breath.rested()
            if not loop.dry:  # after a rescue too: a place may have become free meanwhile
                self._run_loop()

    async def _rest(self) -> None:
        woken = self.vacancy()
        if self.shared:  # no place that becomes free concerns it
            self._woken = woken
            self.unwait()
        try:
            await woken
        finally:
            self.unwait()
            self._woken = None

    # the workers ---------------------------------------------------------------------------

    def wanted(self) -> bool:
        return (bool(self.todo) or self.shared) and self.free > 0 and not self.gone

    def spent(self) -> bool:
        return super().spent() and not self.shared

    def ran_dry(self) -> None:
        if self.shared:
            self._ran_dry()

    def _ran_dry(self) -> None:
        self.shared, self.pull = False, nothing
        self.loop.ran_dry()
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def close(self) -> None:
        self.loop.close()
        super().close()


def _parts(items: Any) -> Iterator[Any]:
    """A range, list or tuple in slices of its own type: short ones, where much is done with each item."""
    pace, start = Pace(), 0
    while part := items[start : start + pace.size]:
        yield part
        start += len(part)
        pace.due()
