"""Pools: how a concurrent ``map`` works on several items at once, by workers that take them in a loop.

A worker costs a task, an item costs none: having delivered a result, the worker takes the next item
itself. Where the reader waits and lets others run its loop (`Channel.direct`), that is all; else the
result is held, and the worker rests when no place is left.
"""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable
from functools import partial
from itertools import chain, islice
from typing import Any

from streamkit._core.awaiting import PLAIN, awaits, pending
from streamkit._core.guarded import Dropped, Guarded
from streamkit._core.markers import DROPPED, EMPTY
from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned
from streamkit._engine.compile.key import Mode, mode_of
from streamkit._engine.plan.link import Link
from streamkit._engine.run.run import Run
from streamkit._stages.crew import Crew, Rest
from streamkit._stages.supply import Supply

__all__ = ["Pool"]


class Pool(Lane):
    """The lane of the results, and what a worker does with an item of the supply.

    A worker keeps the place of its item while it delivers directly. A result that is held, or waits for
    its turn, has the place until it is delivered.

    What each item costs is in the one loop of `work`: `test_an_item_costs_what_it_costs_by_hand`. What a
    worker seldom needs is in coroutines apart; one around the loop would cost a step for each wait.
    """

    # in a dictionary, the counts would cost each item a tenth more
    __slots__ = ("crew", "done", "ordered", "popped", "rest", "run", "skipped", "supply", "taken")
    inline = True  # a reader may take results by itself: `mark` stays 0, so it calls `loosen` for each
    channel: Any

    def __init__(
        self, run: Run, channel: Channel, function: Callable[[Any], Any], supply: Supply, *, ordered: bool
    ) -> None:
        super().__init__(channel, Suspend(supply.concurrency))
        self.mark = 0
        self.run = run
        self.supply = supply
        if isinstance(function, Guarded):
            function = function.but(raises=True)
        function = run.form.becomes(function)
        self.crew = Crew(run, channel, partial(self.work, function, {*PLAIN}), supply)
        self.rest = Rest()
        self.ordered = ordered
        self.popped = 0
        """How many results were taken out of what is held."""
        self.skipped = 0
        """How many items had no result, and count as `delivered` where that says whose turn it is."""
        self.taken = 0
        """How many items were taken, where order is kept: that numbers them, and in turn they leave."""
        self.done: dict[int, Any] = {}
        """Results that wait for their turn, by number."""
        if run.book is not None:
            run.book.watch(supply, partial(_told, run.link))
        supply.serve(self.crew, self._close_if_done)
        channel.adopt(self)

    # the workers ---------------------------------------------------------------------------

    async def work(self, function: Callable[[Any], Any], plain: set[type]) -> None:
        """What one worker does with `function`: one item after the other, until there will be no more.

        `plain`, which all share, are types that are not awaitable, as what `function` has returned.
        """
        ordered, held, done = self.ordered, self.held, self.done
        channel, supply = self.channel, self.supply
        waits, result = mode_of(function) is Mode.ASYNC, None
        item, direct, number, left = await self._first(), None, 0, self.rest.pace.size
        while item is not EMPTY or (item := await self._next(direct)) is not EMPTY:
            before = self.delivered
            for item in islice(chain((item,), supply.more()), left):  # noqa: B020 - it costs no line for each
                if ordered:
                    number = self.taken
                    self.taken = number + 1
                try:
                    result = function(item)
                    if waits:
                        result = await result
                    elif type(result) not in plain and awaits(result, plain):
                        result = await pending(result)
                except Dropped:
                    direct = None
                    self._deliver(number, DROPPED)
                    break
                except Exception as error:
                    self.run.reraise(error)
                direct = channel.direct
                if direct is None or ((done or number != self.delivered) if ordered else held):
                    direct = None  # others come first
                    self._deliver(number, result)
                    break
                self.delivered += 1
                try:
                    told = direct.send(result)
                except BaseException as error:
                    self._stop(direct, error)
                    return
                if told is not None:
                    direct.told(told)
                    told = None
            else:
                left = 0
            # a worker that waits keeps nothing alive: test_workers_keep_no_item_alive
            item, result = EMPTY, None
            if direct is None:
                left -= self.delivered - before + 1
            if left <= 0 and not supply.spent():  # with no item in hand, while others begin those behind it
                left = await self._next_slice()
                item = next(supply.more(), EMPTY) if direct is not None else EMPTY
            if direct is None:
                item = supply.take()

    async def _first(self) -> Any:
        """The item that a new worker begins with; EMPTY if it is to end."""
        if self.rest.resting:
            await self.rest.pause()
        item = self.crew.begin()
        return await self._next(None) if item is EMPTY else item

    async def _next(self, direct: Any) -> Any:
        """An item for a worker that found none; EMPTY if it is to end."""
        supply, crew, rest = self.supply, self.crew, self.rest
        if direct is not None:  # it still has the place of the item that it delivered
            supply.give_up()
        elif not supply.ended:
            await sleep(0)  # the reader comes first, and may leave a place
            item = supply.take()
            if item is not EMPTY:
                return item
        while not (supply.ended or supply.gone):
            await crew.idle()
            if rest.resting:
                await rest.pause()
            item = crew.begin()
            if item is not EMPTY:
                return item
        self._close_if_done()
        return EMPTY

    async def _next_slice(self) -> int:
        """Let others run, if it is time; how many items the worker does before it looks again."""
        rest = self.rest
        if rest.resting or rest.pace.due():
            await rest.pause()
            if self.supply.gone:  # test_no_call_begins_after_it_in_a_worker_that_let_others_run
                raise Abandoned
        return rest.pace.size

    # the results ---------------------------------------------------------------------------

    def _deliver(self, number: int, result: Any) -> None:
        """Deliver `result` the long way: in its turn, and to be held, if need be."""
        if not self.ordered:
            if result is DROPPED:
                self._skip()
            else:
                self.put(result)
            return
        self.done[number] = result
        while (left := self.delivered + len(self.held)) in self.done:
            result = self.done.pop(left)
            if result is DROPPED:
                self._skip()
                continue
            direct = self.channel.direct
            if direct is None or self.held:
                self.put(result)
            else:
                self.delivered += 1
                if not direct.deliver(result):
                    self.refuse()
                    return
                self.supply.give_back()

    def _skip(self) -> None:
        """Give back the place of an item that was dropped, in its turn: it has no result."""
        self.delivered += 1
        self.skipped += 1
        self.supply.give_back()

    def loosen(self) -> None:
        account = self.account
        if account.full_since is not None:
            account.not_full()
        self.popped += 1
        self.supply.give_back()

    def stats(self, operator: str = "") -> BufferStats:
        found = super().stats(operator)
        direct = self.delivered - self.skipped + len(self.kept) - self.popped  # they come and go in one step
        return found.but(offered=found.offered + direct, delivered=found.delivered - self.skipped)

    # the end -------------------------------------------------------------------------------

    def _stop(self, direct: Any, error: BaseException) -> None:
        """The loop of the reader has ended, or failed: its task deals with that."""
        direct.told(error=error)
        self.refuse()

    def _close_if_done(self) -> None:
        if self.supply.worked_off(len(self.held)):
            self.close()

    def refuse(self) -> None:
        super().refuse()
        self.supply.stop()


def _told(link: Link, supply: Supply) -> list[tuple[Link, int]]:
    """How many items the stage of `link` has, whose pool has this `supply`, without results that are held."""
    return [(link, supply.at_work())]
