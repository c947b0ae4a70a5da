"""Streams beside the one that a stage passes on: what the user has given for them, and signals among them."""

from __future__ import annotations

from typing import Any

from streamkit._core.strategy import KeepLatest
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.face.stream import Stream

__all__ = ["Ticks", "stream_argument"]


def stream_argument(name: str, value: Any) -> Stream[Any]:
    """`value` as a stream; what is none is told of by the `name` of the argument."""
    try:
        return Stream(value)
    except TypeError as error:
        text = str(error)
        if not text.startswith("source must "):
            raise
        raise TypeError(f"{name}{text.removeprefix('source')}") from None


class Ticks(Lane):
    """A lane of signals: none is held, but whether one has come since `main` has something is known."""

    def __init__(self, channel: Channel, main: Lane) -> None:
        super().__init__(channel, KeepLatest())
        self.main = main
        self.came = False

    def put(self, item: Any) -> bool:
        if self.limit < 0:  # the reader has gone
            return super().put(item)
        self.taken_in += 1
        self.delivered += 1
        if self.main.held:
            self.came = True
            self.channel.wake()
        return False
