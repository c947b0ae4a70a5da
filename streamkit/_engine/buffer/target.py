"""Targets: what a pump writes into, or any other task that brings items to a reader."""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import CancelledError, Future, get_running_loop
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from streamkit._core.errors import attach
from streamkit._engine.compile.key import End

if TYPE_CHECKING:
    from streamkit._core.strategy import Strategy

__all__ = ["Abandoned", "Failing", "Queue", "Reader", "Rescue", "Target", "as_it_is"]

Rescue = Callable[[CancelledError], Awaitable[None]]
"""Raises a cancellation that came while a pump waited for room, or deals with it."""


class Abandoned(Exception):  # noqa: N818 - a signal between floors, no error that users see
    """Told to a writer whose reader has gone."""


class Failing:
    """Where the errors of writers go: the first is kept for when what is held is delivered."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.trace: TracebackType | None = None
        """The traceback with which the first error came: `throw` raises it with that, however often."""
        self.left: bool = False
        """Whether the reader has gone, so that errors are for the run to tell of."""

    def fail(self, error: BaseException) -> None:
        """Keep the first error; later ones hang on it."""
        if self.error is None:
            self.error, self.trace = error, error.__traceback__
        else:
            attach(self.error, error)


class Queue(Protocol):
    """What the loops of readers need of a channel."""

    queue: deque[Any]
    """The lanes that have something, in turn."""

    def pop(self) -> Any:
        """The next item, in turn among the lanes; EMPTY if there is none now."""
        ...


def as_it_is(error: BaseException) -> BaseException:
    return error


class Reader(Failing, ABC):
    """What a lane needs of its channel."""

    clock: Callable[[], float]
    blame: Callable[[BaseException], BaseException] = staticmethod(as_it_is)
    """Names the operator that owns it in an error of a buffer; by default, there is none."""
    alone: bool
    """Whether it lets nobody run while it takes what is there, and notes first how much that is."""
    drives: Any
    """What steps the pumps of lanes that are driven; None, where there are none."""

    @abstractmethod
    def enlist(self, lane: Any, /) -> None:
        """Give the lane, which has something now, its turn behind the others."""

    @abstractmethod
    def strike(self, lane: Any, /) -> None:
        """Take the lane, which has nothing any more, out of the queue."""

    @abstractmethod
    def wake(self) -> None:
        """A lane that was empty has something: let the reader look."""

    @abstractmethod
    def retire(self, lane: Any, late: list[BaseException] | None = None, /) -> None:
        """Read the lane no more; errors of its ``on_drop`` go into `late`, if that is given."""

    @abstractmethod
    def closed(self) -> None:
        """A writer is done."""

    @abstractmethod
    def count(self) -> None:
        """Bring the counts of the lanes up to this moment."""

    @abstractmethod
    def cut(self) -> None:
        """A lane wants to be looked at when its turn comes."""

    @abstractmethod
    def dropped(self, strategy: Strategy, item: Any, reason: str, /) -> None:
        """Tell ``on_drop``."""


class Target(ABC):
    """Takes in items one at a time, and says when the writer must wait before it pulls the next."""

    __slots__ = ("channel", "writer")

    bare: ClassVar[bool] = False
    """Whether it takes in items of a stream beside the main one, which no delivery concerns."""
    plain: ClassVar[bool] = False
    """Whether a loop may append to its ``held`` by itself, as far as `Lane.granted` allows it."""
    end: ClassVar[End] = End.PUMP
    """How the loop of a pump ends that fills it."""

    def __init__(self, channel: Any) -> None:
        self.channel: Any = channel
        """Where errors of the writer go: a `Failing`."""
        self.writer: Future[None] | None = None
        """What a writer waits for, where there is no room."""

    @property
    def driver(self) -> Any:
        """What steps the pump that fills it, where its reader may do that."""
        return None

    @abstractmethod
    def put(self, item: Any) -> bool:
        """Take in `item`; True if the writer must wait for `room` before it pulls the next."""

    @abstractmethod
    def full(self) -> bool:
        """Whether a writer must wait before it pulls."""

    @abstractmethod
    def close(self) -> None:
        """The writer is done."""

    def vacancy(self) -> Future[None]:
        """What a writer waits for where there is no room; one that is interrupted says so: `unwait`."""
        self.writer = writer = get_running_loop().create_future()
        return writer

    def unwait(self) -> None:
        """Whoever waited for a vacancy has stopped waiting."""
        self.writer = None

    async def room(self, rescue: Rescue | None = None) -> None:
        """Wait until there is room: called where there is none.

        A cancellation meanwhile is for `rescue` to raise, or to deal with.
        """
        while True:
            try:
                await self.vacancy()
            except CancelledError as error:
                self.unwait()
                if rescue is None:
                    raise
                await rescue(error)
            if not self.full():
                return

    @property
    def closed(self) -> bool:
        """Whether the writer has closed it, and yet somebody reads."""
        return False  # pragma: no cover - what tasks send to is a lane, which has its own

    async def send(self, item: Any) -> None:
        """Put `item` in when there is room: for a spawned task.

        Raises:
            RuntimeError: another task waits for room, or the lane was closed.
        """
        if self.writer is not None:
            raise RuntimeError("another task waits in send(): make a lane for each writer")
        if self.closed:
            raise RuntimeError("this lane was closed: nothing more can be sent")
        if self.full():
            await self.room()
        self.put(item)

    def wake(self) -> None:
        """Let a writer that waits look again."""
        writer, self.writer = self.writer, None
        if writer is not None and not writer.done() and not writer.get_loop().is_closed():
            writer.set_result(None)
