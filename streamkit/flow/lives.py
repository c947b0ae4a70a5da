"""Lives: one run of a child, from its start to its end; of a job, or of a flow inside."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, Protocol

from streamkit._core.errors import UNCAUGHT
from streamkit._core.show import shown
from streamkit._engine.compile.pace import ENDED
from streamkit._engine.face.job import Handle, Job
from streamkit.flow.report import Left
from streamkit.runner.intake import Intake

__all__ = ["FlowLife", "Inner", "JobLife", "Life", "NoJobError", "is_mistake"]


class NoJobError(TypeError):
    """The function that makes a job has made something else."""


_MISTAKES: Final = (*UNCAUGHT, NoJobError)


def is_mistake(error: BaseException) -> bool:
    """Whether `error` is one of the program itself: to start again after it would never end."""
    return isinstance(error, _MISTAKES) or not isinstance(error, (Exception, asyncio.CancelledError))


class Life(ABC):
    """One run of a child: a task, which is told to end, or cancelled."""

    _ended: Callable[[], None]

    def __init__(self, work: Coroutine[Any, Any, None], path: str) -> None:
        self.path = path
        self.told: bool = False
        """Whether it was told to take in no more."""
        self.cut: bool = False
        """Whether it was cancelled."""
        self.over: bool = False
        """Whether it has closed everything, and whoever asked to know it was told."""
        self.until: float = math.inf
        """When it is cancelled, if it has not ended."""
        self.task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work, name=path)

    def then(self, ended: Callable[[], None]) -> None:
        """Call `ended` when it is over."""
        self._ended = ended
        self.task.add_done_callback(lambda _: self.settle())

    def settle(self) -> None:
        """If its task is done, it is over, also where nobody was called yet to hear of that."""
        if self.task.done() and not self.over:
            self.over = True
            self.forget()
            self._ended()

    def error(self) -> BaseException | None:
        """With what it has failed; None also if it was cancelled here."""
        if self.task.cancelled():
            return None if self.cut else asyncio.CancelledError(f"{self.path} was cancelled")
        return self.task.exception()

    def cancel(self) -> None:
        """End it now; its clean-up is waited for. Where the program ends, that has cancelled it."""
        if not self.cut and not self.task.done():
            self.cut = True
            if not self.task.cancelling():
                self._cancel()

    def _cancel(self) -> None:
        self.task.cancel(ENDED)

    @abstractmethod
    def forget(self) -> None:
        """It is over: what it was made of need not be kept."""

    @abstractmethod
    def drain(self, until: float) -> None:
        """Have it take in no more, and finish what is inside; cancel it at that time of the event loop."""

    @abstractmethod
    def pause(self, paused: bool) -> None:
        """Hold it, or let it go on."""

    @abstractmethod
    def left(self) -> Iterator[Left]:
        """What its buffers held when it was cancelled at the end of its time."""


class JobLife(Life):
    """One run of one job."""

    def __init__(self, make: Callable[[], Job[Any]], path: str, *, paused: bool) -> None:
        self._intake = Intake()
        self._handle: Handle[Any] | None = None
        self._paused = paused
        self._timer: asyncio.TimerHandle | None = None
        self._left: tuple[Left, ...] = ()
        super().__init__(self._live(make), path)

    async def _live(self, make: Callable[[], Job[Any]]) -> None:
        job = make()
        if not isinstance(job, Job):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise NoJobError(
                f"{self.path} must be made as a job, as stream | ops.drain() is one, not {shown(job)}"
            )
        self._handle = self._intake.steered(job)._started(self.path, watched=True)  # pyright: ignore[reportPrivateUsage] - to ask what is left
        self.pause(self._paused)
        await self._handle

    def drain(self, until: float) -> None:
        self.told = True
        self._intake.end()
        self.pause(False)
        if until >= self.until:
            return
        self.until = until
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        if until <= loop.time():
            self._expire()
        else:
            self._timer = loop.call_at(until, self._expire)

    def _expire(self) -> None:
        """Its time is over: note what it holds, and cancel it."""
        if not self.cut and not self.task.done():
            self._left = () if self._handle is None else tuple(self._inside(self._handle))
            self.cancel()

    def _inside(self, handle: Handle[Any]) -> Iterator[Left]:
        """What operators hold, in the order of the pipe, and what others have in hand."""
        found = Counter[str]()
        for each in handle.buffers():
            found[each.operator] += each.held
        found.update(handle._book.in_hand())  # pyright: ignore[reportPrivateUsage] - to look, not to steer
        for operator, count in found.items():
            if count:
                yield Left(path=self.path, operator=operator, count=count)

    def _cancel(self) -> None:
        if self._handle is None:
            self.task.cancel(ENDED)
        else:
            self._handle._end()  # pyright: ignore[reportPrivateUsage] - `stop`, without waiting for it

    def pause(self, paused: bool) -> None:
        self._paused = paused
        if self._handle is not None:
            (self._handle.pause if paused else self._handle.resume)()

    def left(self) -> Iterator[Left]:
        yield from self._left

    def forget(self) -> None:
        self._handle = None
        if self._timer is not None:
            self._timer.cancel()


class Inner(Protocol):
    """What runs the children of a flow."""

    def main(self) -> Coroutine[Any, Any, None]:
        """Run them to their ends."""
        ...

    def over(self) -> None:
        """That has come to its end, or was cancelled before it has begun."""
        ...

    def drain(self, until: float) -> None:
        """Let them end, until that time."""
        ...

    def pause(self, paused: bool) -> None:
        """Hold all of them, or let them go on."""
        ...

    def left(self) -> Iterator[Left]:
        """What was inside of those that were cancelled at the end of their time."""
        ...


class FlowLife(Life):
    """One run of a flow."""

    def __init__(self, inner: Inner, path: str) -> None:
        self.inner = inner
        super().__init__(inner.main(), path)

    def drain(self, until: float) -> None:
        self.told = True
        self.until: float = min(until, self.until)
        self.inner.drain(self.until)

    def pause(self, paused: bool) -> None:
        self.inner.pause(paused)

    def left(self) -> Iterator[Left]:
        return self.inner.left()

    def forget(self) -> None:
        """Its children stay, for what is told of them."""
        self.inner.over()
