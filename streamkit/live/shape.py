"""The steps of a loop with slots among them, and what stands in those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.pieces import parsed
from streamkit._engine.plan.drops import counted
from streamkit._engine.plan.link import Link
from streamkit.live.content import Content
from streamkit.live.flow import Follower, in_place
from streamkit.live.seat import Cell, Seat

__all__ = ["Shape", "is_left", "is_slot", "parted"]


def is_slot(link: Link) -> bool:
    """Whether a slot of steps stands there."""
    return link.declaration.stage is in_place


def parted(links: tuple[Link, ...]) -> tuple[tuple[Link, ...], tuple[Link, ...]]:
    """`links` up to the last stage, and behind that, where there are only steps and slots."""
    cut = len(links)
    while cut and (links[cut - 1].declaration.stage is None or is_slot(links[cut - 1])):
        cut -= 1
    return links[:cut], links[cut:]


def is_left(link: Link) -> bool:
    """Whether a loop with this step can be left for another: all it has is in variables set in setups."""
    of: Any = link.declaration
    return not (of.nests or of.closes or of.rescues or parsed(of).early)


def _stands(link: Link) -> tuple[Cell, bool]:
    """The slot that stands there; and whether its items come out with their generation."""
    return link.arguments["content"], link.arguments.get("with_generation", False)


class Shape:
    """The steps from the source to the end, with slots among them, and what stands in those."""

    def __init__(
        self,
        links: Sequence[Link],
        before: tuple[Link, ...],
        follower: Follower | None,
        book: Book | None,
    ) -> None:
        self.links: Sequence[Link] = counted(links, book)
        """The steps, and the slots."""
        self.before = before
        """The operators before all of them."""
        self.follower = follower
        """The next slot behind all of them."""
        self._book = book
        self._contents: dict[int, Content] = {}
        """By the number of a slot: what stands in it here."""
        self._inside: dict[int, Sequence[Link]] = {}
        """The steps of that, which count in this run what they drop."""

    @property
    def cells(self) -> list[Cell]:
        return [_stands(link)[0] for link in self.links if is_slot(link)]

    def seats(self) -> tuple[list[Seat], bool]:
        """The runs of the slots begin; and whether a slot has another content by now."""
        seats = list[Seat]()
        seat = None if self.follower is None else self.follower()
        for place in range(len(self.links) - 1, -1, -1):
            if is_slot(self.links[place]):
                cell, with_generation = _stands(self.links[place])
                seat = Seat(cell, (*self.before, *self.links[:place]), seat, with_generation=with_generation)
                seats.insert(0, seat)
        return seats, any(each.content is not self._contents.get(n) for n, each in enumerate(seats))

    def inside(self, number: int) -> Sequence[Link]:
        """The steps that stand in the slot of this number."""
        return self._inside[number]

    def steps(self, contents: Sequence[Content]) -> tuple[list[Link], list[range]]:
        """All steps, with these contents; and for each slot, the indexes of those that stand in it."""
        steps: list[Link] = []
        spans: list[range] = []
        for link in self.links:
            if not is_slot(link):
                steps.append(link)
                continue
            number, content = len(spans), contents[len(spans)]
            if self._contents.get(number) is not content:
                self._contents[number] = content
                self._inside[number] = counted(content.run(with_generation=_stands(link)[1]), self._book)
            inside = self._inside[number]
            spans.append(range(len(steps), len(steps) + len(inside)))
            steps += inside
        return steps, spans
