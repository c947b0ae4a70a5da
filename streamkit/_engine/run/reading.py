"""Channels as the sources of streams: how a stage reads what another part of it, or a push source, fills."""

from __future__ import annotations

from typing import Any

from streamkit._core.errors import SourceConsumedError
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.compile.key import Kind
from streamkit._engine.plan.source import Opened, Source

__all__ = ["Reading"]


class Reading(Source):
    """A channel as the source of a stream."""

    __slots__ = ("_origin",)

    alone = True

    def __init__(self, channel: Channel, origin: Source | None) -> None:
        super().__init__(channel)
        self._origin = origin

    @property
    def origin(self) -> Source | None:
        return self._origin

    @property
    def buffered(self) -> Strategy | None:
        lanes = self.value.lanes
        return lanes[0].strategy if len(lanes) == 1 else None

    def open(self, *, blocking: bool = False) -> Opened:
        return Opened(Kind.CHANNEL, lambda: self.value, None, self.value.leave)

    def anew(self) -> Source:
        if self._origin is None:
            raise SourceConsumedError("a push stream can be run only once, and was: make another with push()")
        return self._origin

    def attached(self, run: Any) -> Source:
        run.leave_too(self.value)
        return self
