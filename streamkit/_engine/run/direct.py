"""Feeding a loop in push form: the tasks that fill a channel run its reader's loop themselves.

While the reader waits, the `Feed` is in `Channel.direct`, and whoever has an item calls its `send`: the
item is delivered without waking the reader's task. The reader still opens and closes, awaits what callbacks
return, and raises what goes wrong.
"""

from __future__ import annotations

from asyncio import Future, current_task, sleep
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from functools import partial
from typing import Any

from streamkit._core.errors import attach
from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.compile.loop import Ended
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.leave import Segment

__all__ = ["Feed", "fed", "let_go", "runners"]

Run = Callable[..., Any]


class Feed:
    """A loop in push form, and the one reader that feeds it, or lets others do it while he waits."""

    __slots__ = ("_calls", "_channel", "_error", "_here", "_push", "_waiting", "ended", "result", "send")

    def __init__(self, push: Generator[Any, Any, Any], *, calls: bool) -> None:
        """`calls`: whether the loop calls anything that could look at the context it runs in."""
        self._push = push
        self._here: Run = _call
        self._calls = calls
        self.send: Callable[[Any], Any] = push.send
        """Delivers an item, in the task that has it. What it returns, or raises, is for `told`."""
        self._waiting: Any = None
        """What a callback returned, if it must be awaited before the next item is sent."""
        self._error: BaseException | None = None
        self._channel: Channel
        self.ended = False
        self.result: Any = None

    async def begin(self) -> None:
        """Run the setups, in the task that reads; one of them may end the loop before anything is read."""
        if self._calls:
            self._here, there = runners()
            self.send = partial(there, self._push.send)
        await self._step(self._push.send, None)

    async def read(self, channel: Channel, pace: Pace) -> None:
        """Send all that comes, until the channel or the loop ends."""
        self._channel = channel
        while await self._drain(pace):
            if channel.paused:
                channel.paused = False
                await sleep(0)  # the job is held here, before anyone else may run its loop
                continue
            channel.direct = self
            try:
                await channel.until(self._called)
            except BaseException as error:
                if self._error is not None:  # cancelled, before it could be raised
                    attach(error, self._error)
                raise
            finally:
                channel.direct = None
            if self._error is not None:
                raise self._error
            if self._waiting is not None:
                await self._settle()
            elif channel.over and not (self.ended or channel.ready or await channel.wait()):
                await self._step(self._push.throw, Ended())
                return

    def deliver(self, item: Any) -> bool:
        """`send`, and `told` of what comes of it; False if that was the last."""
        try:
            told = self.send(item)
        except BaseException as error:
            self.told(error=error)
            return False
        if told is not None:
            self.told(told)
        return True

    def told(self, waiting: Any = None, error: BaseException | None = None) -> None:
        """The loop has returned `waiting`, which must be awaited, or it has ended: wake the reader."""
        if isinstance(error, StopIteration):
            self._end(error)
        else:
            self._waiting, self._error = waiting, error
        self._channel.direct = None
        self._channel.wake()

    def close(self) -> None:
        """Let go of the loop, without its ``finish``, and of what it waits for."""
        waiting, self._waiting = self._waiting, None
        let_go(waiting)
        self._push.close()

    async def _drain(self, pace: Pace) -> bool:
        """Send what is held; whether the loop asks for more."""
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
            try:
                self._waiting = self._here(step, value)
            except StopIteration as end:
                self._end(end)


def let_go(waiting: Any) -> None:
    """Nobody will await `waiting`, which a callback has returned."""
    if isinstance(waiting, Future):
        waiting.cancel()
    elif isinstance(waiting, Coroutine):
        waiting.close()


def runners() -> tuple[Run, Run]:
    """How this task runs the loop, and how others do: in both cases callbacks see the same variables."""
    get_context = getattr(current_task(), "get_context", None)
    if get_context is not None:  # since 3.12; before, nobody but the task itself has its context
        return _call, get_context().run
    run = copy_context().run
    return run, run


def _call(step: Callable[[Any], Any], value: Any) -> Any:
    return step(value)


async def fed(
    opened: Opened, push: Generator[Any, Any, Any], part: Segment, pace: Pace, *, calls: bool
) -> Any:
    """Run a loop in push form over a channel whose writers may run it themselves."""
    feed = Feed(push, calls=calls)
    try:
        await feed.begin()
        if not feed.ended:
            await feed.read(opened.items(), pace)
    except BaseException as error:
        feed.close()
        await part.leave(error)
        raise
    await part.leave()
    return feed.result
