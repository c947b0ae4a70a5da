"""Changes of several slots at once: what is said in a block is done at its end, all of it or nothing."""

from __future__ import annotations

from contextvars import ContextVar, Token
from types import TracebackType

from streamkit._core.arguments import seconds, whole
from streamkit._engine.plan.link import Link
from streamkit.live.change import Change, post
from streamkit.live.content import Content
from streamkit.live.seat import Cell
from streamkit.live.trial import check_trial

__all__ = ["Edit", "edit", "opened"]


class Edit:
    """What is changed in an ``async with edit():``, all of it at its end."""

    def __init__(self, deadline: float | None, rollback: int) -> None:
        self.change: Change = Change(rollback=rollback)
        self.contents: dict[Cell, tuple[Link, ...]] = {}
        self.ended: bool = False
        """Tasks that were begun inside may go on behind the end of it."""
        self._bases: dict[Cell, Content] = {}
        """What stood in a slot when its content was first made of that."""
        self._deadline = deadline
        self._token: Token[Edit | None]

    def links(self, cell: Cell) -> tuple[Link, ...]:
        """What is to stand in a slot, if nothing else is said, for something to be made of it."""
        if cell in self.contents:
            return self.contents[cell]
        return self._bases.setdefault(cell, cell.content).links

    async def __aenter__(self) -> Change:
        if opened() is not None:
            raise RuntimeError("an edit is open here already: change all slots in that")
        if self.ended:
            raise RuntimeError("this edit has ended: call edit() for another")
        self._token = _edits.set(self)
        return self.change

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended = True
        _edits.reset(self._token)
        if error is not None:
            return
        for cell, base in self._bases.items():
            if cell in self.contents and cell.content is not base:
                raise RuntimeError(
                    f"{cell!r} was changed by others while this edit was open: what this inserts and pops "
                    "was meant for another content"
                )
        if self.change.trial:
            for links in self.contents.values():
                check_trial(links)
        post(self.contents, self.change)
        if self._deadline is not None:
            await self.change.within(self._deadline)


_edits: ContextVar[Edit | None] = ContextVar("edit", default=None)


def opened() -> Edit | None:
    """The edit that is open here."""
    found = _edits.get()
    return None if found is None or found.ended else found


def edit(*, deadline: float | None = None, rollback: int = 0) -> Edit:
    """Change several slots at once: ``async with edit() as change:``. No item sees old and new contents.

    All is changed when the block ends; if it ends with an error, nothing is. An item that has been through
    the old content of one slot goes through the old content of the others, too: so they stand one behind the
    other in a pipe, and what is between them holds no items. (Where it does, as a ``buffer``, make one slot
    of both and of what is between.)

    Args:
        deadline: how many seconds the end of the block waits for the old contents to be gone; see
            `Slot.replace`.
        rollback: how many items that meet the first of the new contents are on trial. If one of these fails,
            all slots go back together, and it goes through the old contents. This is for slots of steps; what
            stands between them may keep nothing of an item, nor make several of one.

    Raises:
        LateChangeError: (at the end of the block) it was not done by the deadline.
        RuntimeError: (there) a slot runs in another event loop, or others have changed one into which this
            inserts; or (at its beginning) an edit is open.
        ValueError: (at the end of the block) an item might see the old content of one, and the new one of
            another, or what is on trial cannot be taken back.
    """
    trial = whole("rollback", rollback, least=0)
    return Edit(None if deadline is None else seconds("deadline", deadline), trial)
