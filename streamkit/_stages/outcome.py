"""Where the branches of a stage end: those of a broadcast, and the groups of a ``group_by``."""

from __future__ import annotations

from collections.abc import Callable

from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.target import Failing

__all__ = ["Outcome"]


class Outcome(Channel):
    """What comes out of the branches. The first error of one ends all; the source's own comes last."""

    def __init__(self, failed: Callable[[], None]) -> None:
        super().__init__(failed)
        self.source = Failing()
        """The error of the source that the branches share, until each has had what came before it."""

    def fail(self, error: BaseException) -> None:
        if error is not self.source.error:
            super().fail(error)

    def raise_source_error(self) -> None:
        """Raise the error of the source, now that every branch has had it."""
        if self.source.error is not None:
            raise self.source.error
