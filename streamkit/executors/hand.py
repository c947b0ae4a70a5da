"""Hands: each does the work of one station, in a thread or process, as long as it lives; and their calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from streamkit.executors.functions import Packed

__all__ = ["Call", "Crash", "Hand", "Master", "loop_hears"]


class Crash(Exception):  # noqa: N818 - what a call ends with that is sent again, or becomes an error
    """A hand was lost in the middle of a call."""

    def __init__(self, hand: Hand, call: Call) -> None:
        super().__init__("a worker was lost")
        self.hand = hand
        self.worker: int = call.worker
        self.number: int = call.number


class Call:
    """A chunk of items on its way, or a function that all workers are told."""

    __slots__ = ("future", "items", "number", "order", "payload", "stopped", "work", "worker")

    def __init__(
        self,
        number: int,
        work: Packed | None,
        items: Sequence[Any],
        payload: Any,
        future: Future[Any],
        priority: int = 0,
    ) -> None:
        self.number: int = number
        self.work: Packed | None = work
        """What to do with the items; None if the payload is a function that workers are told."""
        self.items: Sequence[Any] = items
        self.payload: Any = payload
        """The items as they are sent."""
        self.future: Future[Any] = future
        self.order: tuple[int, int] = (-priority, number)
        self.worker: int = -1
        self.stopped: Future[None] | None = None
        """Set when the call was cancelled: done when no worker is at it any more."""

    def __lt__(self, other: Call) -> bool:
        return self.order < other.order

    def forget(self) -> None:
        """Keep nothing alive that was sent."""
        self.items = ()
        self.payload = None
        if self.stopped is not None and not self.stopped.done():
            self.stopped.set_result(None)


class Master(Protocol):
    """Who has the hands, and hears of them; always on the event loop."""

    loop: AbstractEventLoop
    works: dict[int, Packed]
    """The work of all runs that there are now."""

    def prepared(self, hand: Hand, seconds: float) -> None:
        """It is ready for calls."""

    def unprepared(self, hand: Hand, error: Exception) -> None:
        """It never will be, and ends."""

    def done(self, hand: Hand, call: Call, outcomes: Any, seconds: float, memory: int) -> None:
        """A call has ended: with `outcomes`, or with an error."""

    def dropped(self, hand: Hand, call: Call) -> None:
        """A call that was stopped had not begun, and will not."""

    def lost(self, hand: Hand) -> None:
        """It has ended, or been killed; whoever has a call there gives it to another."""

    def gone(self, hand: Hand, error: Exception | None) -> None:
        """Nothing is left of it. Closing what was prepared may have failed."""


class Hand(ABC):
    """A thread, a process, or a share of an executor. Its methods do not wait: `Master` hears what came."""

    pid: int | None = None

    def __init__(self, master: Master, index: int, arguments: Mapping[str, Any]) -> None:
        self.master = master
        self.index: int = index
        self.arguments = arguments
        self.ready: bool = False
        self.ending: bool = False
        """Whether it was told to close, or killed."""
        self.exited: Future[int | None] = master.loop.create_future()
        """Done when nothing is left of it, with the exit code of its process."""

    @abstractmethod
    def start(self) -> None:
        """Begin, and be prepared."""

    @abstractmethod
    def give(self, call: Call) -> None:
        """Do `call`, after those that were given before it."""

    @abstractmethod
    def stop(self, call: Call, *, first: bool) -> None:
        """End `call`, which nobody wants any more; it is under way if it is the `first`."""

    @abstractmethod
    def close(self) -> None:
        """End, after closing what was prepared."""

    @abstractmethod
    def kill(self) -> bool:
        """End now, if that can be; False if it cannot."""

    def leave(self) -> bool:
        """Be gone for its master, whatever is still under way in it: where that has waited long enough."""
        return True

    def abandon(self) -> None:
        """End without the event loop, which has ended before."""
        return

    def seat(self, index: int) -> None:
        """It is a spare no more."""
        self.index = index

    def learn(self, work: Packed) -> None:
        """That work will come."""
        return

    def forget(self, work: Packed) -> None:
        """That work will not come again."""
        return


def loop_hears(loop: AbstractEventLoop, function: Callable[..., None], *arguments: Any) -> bool:
    """Call `function` in `loop`, from another thread; False if the loop has ended, and nobody hears it."""
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        if not loop.is_closed():
            raise
        return False
    return True
