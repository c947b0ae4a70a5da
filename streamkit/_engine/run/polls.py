"""Pulls that a task of the stream's own makes, for callers who may be cancelled.

A caller that is cancelled only stops to wait. And a timeout inside of the stream, or in a callback, cancels
the task that makes the pulls: in the caller's task, the one could not be told from the other.
"""

from __future__ import annotations

from types import CodeType
from typing import Any, Generic, NoReturn, TypeVar, cast

from streamkit._core.again import throw
from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.compile.key import End
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.iterate import iterate
from streamkit._engine.run.leave import combine
from streamkit._engine.run.pump import Pump
from streamkit._engine.run.run import Run
from streamkit._engine.run.start import Begun, begin, loop_of

__all__ = ["Polls"]

T = TypeVar("T")


class _Reading(Run):
    """The run that has the task. It is no operator's, and errors name none for it."""

    def __init__(self) -> None:
        super().__init__(cast(Any, None))

    def blame_own(self, error: BaseException, code: CodeType | None = None) -> BaseException:
        return error


class Polls(Generic[T]):
    """The pulls of one stream. At most one item is on its way, and only once it was asked for."""

    entered = pending = False
    """No caller is within a pull."""

    def __init__(self, stream: Inlet[T], begun: Begun | None) -> None:
        self._stream = stream
        self._begun = begun
        self._run: Run | None = None
        self._channel: Channel
        self._pulling = False
        self.over = False

    async def pull(self) -> T:
        """The next item. If the caller is cancelled, the next call gets it.

        Raises:
            RuntimeError: another call is under way.
            StopAsyncIteration: the stream has ended.
        """
        if self._pulling:
            raise RuntimeError("anext(): this stream is already running: another task waits for an item")
        if self._run is None and not self.over:
            self._begin()
        self._pulling = True
        try:
            while not self.over:
                item: Any = self._channel.pop()
                if item is not EMPTY:
                    return item  # type: ignore[no-any-return]
                if self._channel.over:
                    await self._end()
                await self._channel.until(self._called)
        finally:
            self._pulling = False
        raise StopAsyncIteration

    async def close(self) -> None:
        """End the run. A pull that is pending sees the end."""
        self.over = True
        await self._leave()

    async def _leave(self) -> None:
        """End the task; and close what was begun, where the task was cancelled before it came to that."""
        try:
            if self._run is not None:
                await self._run.leave()
        finally:
            if self._begun is not None:
                begun, self._begun = self._begun, None
                await iterate(self._stream, None, begun).aclose()

    def _begin(self) -> None:
        if self._begun is None:
            self._begun = begin(self._stream.source, self._stream.links)
        self._run = run = _Reading()
        self._channel = run.channel()
        lane = self._channel.lane()

        def work() -> Any:
            begun, self._begun = self._begun, None
            assert begun is not None
            return loop_of(*begun, End.PUMP, Pump(run, lane))

        run.spawn(work, self._channel, lane)

    def _called(self) -> bool:
        return self._channel.ready or self._channel.over or self._channel.left

    async def _end(self) -> NoReturn:
        """Raise the error of the stream, or its end."""
        error = self._channel.error
        self.over = True
        try:
            await self._leave()
        except BaseException as late:  # pragma: no cover - an interrupt alone leaves a task to be waited for
            combine(error, late)
        if error is not None:
            throw(error, self._channel.trace)
        raise StopAsyncIteration
