"""Direct delivery: a task that has an item for a waiting reader runs the reader's loop itself.

While the reader waits, `Channel.direct` is its `Feed`. A task with an item calls `Feed.send`, which runs the
loop up to its next request. This saves a task switch per item, which costs as much as many fused steps;
``benchmarks/workloads/maps.py`` measures it, ``spread_ours`` in ``tests/compile/test_opcodes.py`` counts it.
The reader still opens, closes, awaits what callbacks return, and raises errors.
"""

from __future__ import annotations

from asyncio import current_task, sleep
from collections.abc import Callable, Generator
from contextvars import copy_context
from functools import partial
from typing import Any

from streamkit._core.awaiting import let_go
from streamkit._core.errors import attach
from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.compile.loop import Ended
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.leave import Segment

__all__ = ["Feed", "fed", "runners"]

Runner = Callable[..., Any]
"""Runs a step of a loop with an argument, in the context of one task."""


class Feed:
    """A loop in push form. Its reader sends items in; while the reader waits, other tasks do."""

    __slots__ = (
        "_calls",
        "_channel",
        "_error",
        "_here",
        "_holds",
        "_push",
        "_waiting",
        "ended",
        "result",
        "send",
    )

    def __init__(self, push: Generator[Any, Any, Any], *, calls: bool, holds: bool) -> None:
        """`calls`: whether the loop has callbacks, which could read context variables.

        `holds`: whether it must hear of an error of the source, to pass on what its steps hold.
        """
        self._push = push
        self._holds = holds
        self._here: Runner = _call
        self._calls = calls
        self.send: Callable[[Any], Any] = push.send
        """Delivers an item, in the task that has it. Its caller passes the outcome to `told`."""
        self._waiting: Any = None
        """The awaitable that a callback returned; the reader awaits it before the next item."""
        self._error: BaseException | None = None
        self._channel: Channel
        self.ended = False
        self.result: Any = None

    async def begin(self) -> None:
        """Run the setups in the reader's task. One of them may end the loop before anything is read."""
        if self._calls:
            self._here, there = runners()
            self.send = partial(there, self._push.send)
        await self._step(self._push.send, None)

    async def read(self, channel: Channel, pace: Pace, slots: Any) -> None:
        """Send items into the loop until the channel or the loop ends.

        A loop with `slots` is left in its reader's task: no task runs it that would take it to have ended.
        """
        self._channel = channel
        if slots is not None:
            for item in slots.rest:
                await self._step(self._push.send, item)
                del item
                if self.ended:
                    return
        while await self._drain(pace):
            if slots is not None and slots.edited:
                await self._step(self._push.send, EMPTY)
                return
            if channel.paused:
                channel.paused = False
                await sleep(0)  # a paused job stops here, before another task may run its loop
                continue
            channel.direct = self
            try:
                await channel.until(self._called)
            except BaseException as error:
                if self._error is not None:  # the reader was cancelled before it could raise this
                    attach(error, self._error)
                raise
            finally:
                channel.direct = None
            if self._error is not None:
                raise self._error
            if self._waiting is not None:
                await self._settle()
            elif channel.over and not (self.ended or channel.ready or await self._more(channel)):
                return

    async def _more(self, channel: Channel) -> bool:
        """Whether the channel has more; at its end, the loop hears of that."""
        try:
            if await channel.wait():
                return True  # pragma: no cover - another thread has put an item in meanwhile
        except Exception as error:
            if not self._holds:
                raise
            await self._step(self._push.throw, error)  # it comes out again, unless the loop has stopped
            return False
        await self._step(self._push.throw, Ended())
        return False

    def deliver(self, item: Any) -> bool:
        """Send `item` and pass the outcome to `told`; False if the loop has ended."""
        try:
            told = self.send(item)
        except BaseException as error:
            self.told(error=error)
            return False
        if told is not None:
            self.told(told)
        return True

    def told(self, waiting: Any = None, error: BaseException | None = None) -> None:
        """Wake the reader: it must await `waiting`, or the loop has ended with `error`."""
        if isinstance(error, StopIteration):
            self._end(error)
        else:
            self._waiting, self._error = waiting, error
        self._channel.direct = None
        self._channel.wake()

    def close(self) -> None:
        """Close the loop without running its ``finish``, and cancel what it waits for."""
        waiting, self._waiting = self._waiting, None
        let_go(waiting)
        self._push.close()

    async def _drain(self, pace: Pace) -> bool:
        """Send all held items; return whether the loop asks for more."""
        left = pace.size
        while not self.ended and (item := self._channel.pop()) is not EMPTY:
            await self._step(self._push.send, item)
            left -= 1
            if not left:
                if pace.due():
                    await sleep(0)
                    pace.rested()
                left = pace.size
        return not self.ended

    def _called(self) -> bool:
        return self._channel.direct is None or self._channel.ready or self._channel.over

    def _end(self, end: StopIteration) -> None:
        self.ended = True
        self.result = end.value

    async def _step(self, step: Callable[[Any], Any], value: Any) -> None:
        """Run the loop to where it asks for the next item, awaiting what its callbacks return."""
        try:
            self._waiting = self._here(step, value)
        except StopIteration as end:
            self._end(end)
        if self._waiting is not None:
            await self._settle()

    async def _settle(self) -> None:
        while self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            step: Callable[[Any], Any] = self._push.send
            try:
                value = await waiting
            except BaseException as error:
                step, value = self._push.throw, error
            waiting = None  # it holds its result, and would until the next has come
            try:
                self._waiting = self._here(step, value)
            except StopIteration as end:
                self._end(end)
            value = None


def runners() -> tuple[Runner, Runner]:
    """How this task and how others run the loop: in both, callbacks see the same context variables."""
    get_context = getattr(current_task(), "get_context", None)
    if get_context is not None:  # since 3.12; earlier versions hide a task's context, so both run in a copy
        return _call, get_context().run  # pragma: no cover - Python 3.12 on
    run = copy_context().run  # pragma: no cover - Python 3.11
    return run, run  # pragma: no cover - Python 3.11


def _call(step: Callable[[Any], Any], value: Any) -> Any:
    return step(value)


async def fed(
    opened: Opened, push: Generator[Any, Any, Any], part: Segment, pace: Pace, *, calls: bool
) -> Any:
    """Run a loop in push form over a channel; its writers may run the loop too."""
    feed = Feed(push, calls=calls, holds=part.holds)
    try:
        await feed.begin()
        if not feed.ended:
            await feed.read(opened.items(), pace, part.slots)
    except BaseException as error:
        feed.close()
        # a generator raises no StopIteration: Python puts an error in its place that names no operator
        stopped = isinstance(error, RuntimeError) and isinstance(error.__cause__, StopIteration)
        await part.leave(error.__cause__ if stopped else error)
        raise
    await part.leave()
    return feed.result
