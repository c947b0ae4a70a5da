"""Where the branches of a stage end: those of a broadcast, and the groups of a ``group_by``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from streamkit._core.errors import attach
from streamkit._engine.buffer.channel import Channel

__all__ = ["Outcome", "SourceError"]


class SourceError:
    """The error of the source that the branches share, until each has had what came before it."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.left: bool = False
        """Whether errors are for the run to tell of: nobody will ask here any more."""

    def fail(self, error: BaseException) -> None:
        """Keep the first error; later ones hang on it."""
        if self.error is None:
            self.error = error
        else:
            attach(self.error, error)


class Outcome(Channel):
    """What comes out of the branches. The first error of one ends all; the source's own comes last."""

    def __init__(self, failed: Callable[[], None]) -> None:
        super().__init__(failed)
        self.source = SourceError()

    def fail(self, error: BaseException) -> None:
        if error is not self.source.error:
            super().fail(error)

    async def results(self) -> AsyncIterator[Any]:
        """What comes out, and then the error of the source."""
        async for item in self:
            yield item
        self.raise_source_error()

    def raise_source_error(self) -> None:
        """Raise the error of the source, now that every branch has had it."""
        if self.source.error is not None:
            raise self.source.error
