"""The channel that the branches of a broadcast, or the groups of a ``group_by``, write into."""

from __future__ import annotations

from collections.abc import Callable

from streamkit._core.again import throw
from streamkit._core.errors import attach
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.target import Failing

__all__ = ["Outcome"]


class Outcome(Channel):
    """What the branches emit. The first error of a branch ends all; the source's own error comes last."""

    def __init__(self, failed: Callable[[], None]) -> None:
        super().__init__(failed)
        self.source = Failing()
        """Keeps the source's error until every branch has received the items before it."""

    def fail(self, error: BaseException) -> None:
        if error is not self.source.error:
            super().fail(error)

    def leave(self) -> None:
        """As of any channel; from then on what the source raises is for the run to tell of."""
        self.source.left = True
        first, late = self.error, self.source.error
        if first is not None and late is not None:  # the branches had no time to tell of it
            attach(first, late)
        super().leave()

    def raise_source_error(self) -> None:
        """Raise the source's error, after every branch has received it."""
        if self.source.error is not None:
            throw(self.source.error, self.source.trace)
