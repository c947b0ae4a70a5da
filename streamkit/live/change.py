"""Changes: new contents for slots, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from itertools import chain
from typing import TypeAlias

from streamkit._core.contract import amount
from streamkit._core.errors import LateChangeError, RolledBackError
from streamkit._engine.plan.link import Link, flattened
from streamkit._engine.plan.tracked import refused
from streamkit.live.content import Changing, Content
from streamkit.live.seat import Cell, Seat, Turn
from streamkit.live.trial import unreturning

__all__ = ["Change", "Contents", "post"]

Contents: TypeAlias = Mapping[Cell, tuple[Link, ...]]
"""What is to stand in each slot."""


class Change:
    """New contents of one slot, or of several at once: every item that comes from now on meets them.

    ``await change`` waits until what the old contents held has come out, in each stream that runs, and until
    the items that are on trial have passed. It raises `RolledBackError` if one of them has failed.
    """

    def __init__(self, *, rollback: int = 0) -> None:
        self._rollback = rollback
        self._posted = False
        self._contents: dict[Cell, Content] = {}
        self._old: dict[Cell, tuple[Content, Changing | None, Content]] = {}
        """Until this is over: what stood there before, the change that it came with, and what is to stand
        there if this is rolled back, and that has met no item.
        """
        self._left = 0
        """Runs of slots that have not gone over to it."""
        self._trials = 0
        """Those in which items are on trial."""
        self._begun = self._met = False
        self._over = asyncio.Event()
        self._error: Exception | None = None

    @property
    def generation(self) -> int:
        """The number of the new content, which errors name; of several, the largest. The first is 0."""
        return max((each.generation for each in self._contents.values()), default=0)

    @property
    def done(self) -> bool:
        """Whether nothing is left of the old contents, and no item is on trial."""
        return self._over.is_set()

    @property
    def error(self) -> Exception | None:
        """Why it was taken back; None if it was not."""
        return self._error

    def __await__(self) -> Generator[object, None, None]:
        if not self._posted:
            raise RuntimeError(
                "this change has not begun: it does when its async with edit(): ends, and never if that fails"
            )
        yield from self._over.wait().__await__()
        if self._error is not None:
            raise self._error

    def __repr__(self) -> str:
        state = "under way" if self._posted else "not begun"
        if self.done:
            state = "done" if self._error is None else "taken back"
        return f"<Change {state}, generation {self.generation}>"

    # what runs of slots say ------------------------------------------------------------------

    def began(self) -> None:
        self._begun = True

    @property
    def trial(self) -> int:
        """How many items are on trial."""
        return self._rollback if self._error is None else 0

    def tries(self) -> None:
        self._trials += 1

    def met(self) -> None:
        self._met = True

    def back(self, cell: Cell) -> Content:
        content, last, tried = self._old[cell]
        return tried if last is not None and last.untried else content

    @property
    def untried(self) -> bool:
        return bool(self.trial) and not self._met

    def turned(self) -> None:
        self._begun = True
        self._left -= 1
        self._settle()

    def ended(self) -> None:
        self._left -= 1
        self._settle()

    def proved(self) -> None:
        self._trials -= 1
        self._settle()

    def failed(self, error: Exception) -> None:
        self._trials -= 1
        if self._error is None:
            self._error = RolledBackError(f"the change was rolled back: {type(error).__name__}: {error}")
            self._error.__cause__ = error
            here = [cell for cell, content in self._contents.items() if cell.content is content]
            Change().begin({cell: self.back(cell).links for cell in here})
        self._settle()

    def _settle(self) -> None:
        if not self._left and not self._trials:
            self._old.clear()  # the next change knows this one: they would keep all that ever stood there
            self._over.set()

    # what is done with it --------------------------------------------------------------------

    def begin(self, contents: Contents) -> None:
        """Give each slot its content, and each run of it its turn."""
        self._posted = True
        seats: list[Seat] = []
        for cell, links in contents.items():
            last = cell.last
            tried = cell.content if last is None or last.done else last.back(cell)
            self._old[cell] = cell.content, last, tried
            content = Content(links=links, generation=cell.content.generation + 1)
            cell.content = self._contents[cell] = content
            cell.last = self
            for seat in cell.seats:
                seat.turns.append(Turn(self, content))
                seats.append(seat)
        self._left = len(seats)
        for seat in [each for each in seats if not any(other.has(self) for other in each.above())]:
            seat.turns[-1].first = True
            seat.due(self)
        self._settle()

    async def within(self, seconds: float) -> None:
        """Wait for it; if that takes longer, take it back where no run of a slot has begun with it.

        Raises:
            LateChangeError: it has taken longer.
        """
        try:
            async with asyncio.timeout(seconds):
                await self
        except TimeoutError:
            error = self._error if self.done else self._late()  # both at one moment: it was in time
            if error is not None:
                raise error from error.__cause__

    def _late(self) -> LateChangeError:
        if self._begun:
            return LateChangeError("the change goes on: an old content has still to pass on what it holds")
        if any(cell.last is not self for cell in self._contents):
            return LateChangeError("the change goes on: another has followed it")
        if any(seat.content is each for cell, each in self._contents.items() for seat in cell.seats):
            return LateChangeError("the change goes on: a stream has begun with its content")
        for cell, (content, last, _) in self._old.items():
            for seat in cell.seats:
                seat.withdraw(self)
            cell.content, cell.last = content, last
        self._old.clear()
        self._error = LateChangeError(
            "the change was taken back: nobody asked for another item in time, or none came"
        )
        self._over.set()
        return self._error


def post(contents: Contents, change: Change) -> None:
    """Check that the slots can be changed here and at once, and begin with the change.

    Raises:
        RuntimeError: one of them runs in another event loop.
        TypeError: one stands behind a durable source, and the new content cannot follow its deliveries.
        ValueError: an item might see the old content of one of them, and the new content of another.
    """
    seats = [seat for cell in contents for seat in cell.seats]
    here = asyncio._get_running_loop()
    for seat in seats:
        if seat.position.loop is not here:
            raise RuntimeError(f"{seat.cell!r} runs in another event loop: change it there")
        if seat.position.tracked:
            refused(contents[seat.cell])
    if len(seats) > 1:
        for seat in seats:
            _check_way(seat, contents, trial=bool(change.trial))
    change.begin(contents)


def _check_way(seat: Seat, contents: Contents, *, trial: bool) -> None:
    """Refuse what may hold items on their way to this slot from another of those that are changed."""
    between: list[Link] = []
    for link in reversed(seat.position.before):
        if _cell(link) in contents:
            if (held := _holding(between)) is not None:
                raise ValueError(
                    f"{held!r} stands between two slots, and may hold items that have been through the first "
                    "of them: change one after the other, or make one slot of them and of what is between"
                )
            if trial:
                _check_trial(seat, link, between)
            break
        between.append(link)
    bottom = [seat, *seat.below()][-1]
    way = [bottom.cell, *map(_cell, bottom.position.before)]
    for cell in contents:
        if cell.seats and cell not in way:
            raise ValueError(
                f"{cell!r} and {seat.cell!r} do not stand one behind the other in one pipe: "
                "change one after the other"
            )


def _check_trial(seat: Seat, before: Link, between: Sequence[Link]) -> None:
    """Refuse what cannot go back together with the slot `before` it."""
    for cell in (seat.cell, _cell(before)):
        if cell is not None and cell.apart:
            raise ValueError(
                f"rollback must be 0 where {cell!r} is changed together with another: what is read ahead of "
                "a slot with stages has been through the other, and cannot be taken back"
            )
    cells = map(_cell, between)
    steps = [() if cell is None else cell.links for cell in cells]
    if (link := unreturning([*between, *chain(*steps)])) is not None:
        raise ValueError(
            f"rollback must be 0 where {link!r} stands between two slots: what it has made of an item on "
            "trial cannot be taken back; make one slot of them and of what is between"
        )


def _cell(link: Link) -> Cell | None:
    """The slot that stands there."""
    content = link.arguments.get("content")
    return content if isinstance(content, Cell) else None


def _holding(links: Sequence[Link]) -> Link | None:
    """The first of `links` that may hold items while it waits for the next."""
    for link in links:
        cell = _cell(link)
        inner = () if cell is None else cell.links
        if link.declaration.pumps and cell is None:
            return link
        if any(amount(each.declaration.contract.holds, each.arguments) for each in flattened([link])):
            return link
        if _holding(inner) is not None:
            return link
    return None
