"""Targets: what a pump writes into, or any other task that brings items to a reader."""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import CancelledError, Future, get_running_loop
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

__all__ = ["Abandoned", "Failing", "Rescue", "Target"]

Rescue = Callable[[CancelledError], Awaitable[None]]
"""Raises a cancellation that came while a pump waited for room, or deals with it."""


class Abandoned(Exception):  # noqa: N818 - a signal between floors, no error that users see
    """Told to a writer whose reader has gone."""


class Failing(Protocol):
    """Where the errors of a writer go."""

    error: BaseException | None
    """The first error, for when what is held is delivered."""
    left: bool
    """Whether the reader has gone."""

    def fail(self, error: BaseException, /) -> None:
        """Keep `error` for the reader."""
        ...


class Target(ABC):
    """Takes in items one at a time, and says when the writer must wait before it pulls the next."""

    __slots__ = ("channel", "writer")

    plain = False
    """Whether a loop may append to its ``held`` by itself, as far as `Lane.granted` allows it."""

    def __init__(self, channel: Any) -> None:
        self.channel: Any = channel
        """Where errors of the writer go: a `Failing`."""
        self.writer: Future[None] | None = None
        """What a writer waits for, where there is no room."""

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

    def wake(self) -> None:
        """Let a writer that waits look again."""
        writer, self.writer = self.writer, None
        if writer is not None and not writer.done():
            writer.set_result(None)
