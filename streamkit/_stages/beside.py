"""Streams beside the one that a stage passes on: what the user has given for them, and signals among them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from streamkit._core.strategy import KeepLatest
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.face.stream import Stream

__all__ = ["Switch", "Ticks", "stream_argument"]


def stream_argument(name: str, value: Any) -> Stream[Any]:
    """`value` as a stream; what is none is told of by the `name` of the argument."""
    try:
        return Stream(value)
    except TypeError as error:
        text = str(error)
        if not text.startswith("source must "):
            raise
        raise TypeError(f"{name}{text.removeprefix('source')}") from None


class _Seen(Lane):
    """A lane that holds nothing: what comes is looked at in the task that brings it, and so delivered."""

    bare = True

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel, KeepLatest())

    def put(self, item: Any) -> bool:
        if self.limit < 0:  # the reader has gone
            return super().put(item)
        self.taken_in += 1
        self.delivered += 1
        self.look(item)
        return False

    @abstractmethod
    def look(self, item: Any) -> None:
        """Note what `item` says."""


class Ticks(_Seen):
    """A lane of signals, of which is known whether one has come while `main` had something."""

    def __init__(self, channel: Channel, main: Lane) -> None:
        super().__init__(channel)
        self.main = main
        self.came = False

    def look(self, item: Any) -> None:
        if self.main.held:
            self.came = True
            self.channel.wake()


class Switch(_Seen):
    """A lane of which is known whether its latest item is true; at its end, none is."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self.on = False

    def look(self, item: Any) -> None:
        self.on = bool(item)
        self.channel.wake()

    def close(self) -> None:
        self.on = False
        super().close()
