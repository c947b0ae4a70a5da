"""The channel that the branches of a broadcast, or the groups of a ``group_by``, write into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamkit._core.again import throw
from streamkit._core.delivery import Delivery, settled
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
        self.places: list[Any] = []
        """What each branch of a broadcast or a route writes into, by its number."""
        self._undecided: dict[Any, list[Delivery]] = {}
        """What came for branches that had left, and may fail yet, by what they write into."""

    def lane(self, *how: Any, **more: Any) -> Any:
        made = super().lane(*how, **more)
        self.places.append(made)
        return made

    def left_out(self, place: Any, token: Delivery, *, ended: bool) -> None:
        """Settle what came for a branch that reads no more, when that has ended, and not with an error.

        The error of a branch comes behind all that it has in its buffers: it is not known when it leaves.
        """
        if not ended:
            self._undecided.setdefault(place, []).append(token)
        elif self.error is None:
            token.settle()

    def ended(self, place: Any) -> None:
        """The branch that writes into `place` has ended. Where the reader has left, nobody knows how."""
        tokens = self._undecided.pop(place, ())
        if self.error is None and not self.left:
            settled(tokens)

    def closed(self) -> None:
        super().closed()
        for place in [each for each in self._undecided if not each.open]:
            self.ended(place)

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
