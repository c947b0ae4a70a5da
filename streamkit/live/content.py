"""Contents: what stands in a slot at one time, and what changes are told of those that come and go."""

from __future__ import annotations

from typing import Any, Protocol

from streamkit._core.value import Record
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Operator
from streamkit._engine.plan.link import Link

__all__ = ["Changing", "Content", "of_generation"]


@step(each="emit((generation, item))")
def of_generation(generation: int) -> Operator[Any, tuple[int, Any]]:
    """Pass on each item with the number of the content that it comes from."""
    return Operator(of_generation, generation=generation)


class Content(Record):
    """What stands in a slot at one time."""

    links: tuple[Link, ...]
    generation: int
    """How often the slot was changed before."""

    def run(self, *, with_generation: bool) -> tuple[Link, ...]:
        """What runs; where its items are to come out with their generation, the last step sees to that."""
        return (*self.links, *of_generation(self.generation).links) if with_generation else self.links


class Changing(Protocol):
    """A change, as runs of slots see it."""

    def began(self) -> None:
        """A content that it takes out gets no more items."""

    @property
    def trial(self) -> int:
        """How many items are on trial."""
        ...

    def tries(self) -> None:
        """A run is about to go over to it, with items on trial."""

    def met(self) -> None:
        """One of them has come."""

    @property
    def untried(self) -> bool:
        """Whether it is on trial, and no item has come."""
        ...

    @property
    def done(self) -> bool:
        """Whether it is over."""
        ...

    def back(self, cell: Any) -> Content:
        """What is to stand in that slot if it fails: what stood there, or, if that is untried, before it."""
        ...

    def turned(self) -> None:
        """A run has gone over to it."""

    def ended(self) -> None:
        """A run has ended before that."""

    def proved(self) -> None:
        """The items on trial have passed, in one run, or nothing is left of it."""

    def failed(self, error: Exception) -> None:
        """One of them has failed: the slot goes back."""
