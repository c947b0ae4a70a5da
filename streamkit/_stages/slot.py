"""Slots: where the groups of a ``group_by`` work, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.book import Book
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane

__all__ = ["Slot", "Slots"]


class Slot(Lane):
    """Where one group at a time works: what has come for it, and what comes out of it."""

    inbox: Channel
    """What the group reads."""
    intake: Lane
    """The one lane of that, for the group's items."""
    name: Hashable = None
    book: Book | None = None
    """Where what is inside the group is entered."""
    came: float = 0.0
    """When its last item came."""
    running: bool = False
    free: bool = False
    """Whether it is among those that a new group may have."""

    def __init__(self, slots: Slots, out: Channel) -> None:
        super().__init__(out, Suspend(1))
        self.slots = slots
        self._open_intake()

    def _open_intake(self) -> None:
        self.inbox = Channel()
        self.intake = self.inbox.lane(self.slots.strategy)

    def refill(self) -> None:
        """A new, empty intake; it goes on counting where the last one was."""
        before = self.intake
        self._open_intake()
        self.intake.follow(before)

    def pop(self) -> Any:
        item = super().pop()
        self.slots.settle(self)
        return item

    def close(self) -> None:
        """The group has ended; the slot is there for others."""
        self.running = False
        self.slots.ended(self)

    def shut(self) -> None:
        """No group will come any more."""
        super().close()


class Slots:
    """As many slots as there may be groups, and which group has which."""

    def __init__(
        self,
        out: Channel,
        strategy: Strategy,
        most: int,
        ended: Callable[[Slot], None],
        roomy: Callable[[], None],
    ) -> None:
        self.out = out
        self.strategy = strategy
        """Of the buffer with which the pipe of a group begins."""
        self.most = most
        self.ended = ended
        """Called when the pipe of a group has ended."""
        self._roomy = roomy
        """Called when a slot has become free."""
        self.groups: dict[Hashable, Slot] = {}
        """The one that has had no item for longest first."""
        self.leaving: dict[Hashable, Slot] = {}
        """Groups that were told to end, and have not."""
        self._all: list[Slot] = []
        self._free: list[Slot] = []

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._all)

    @property
    def full(self) -> bool:
        """Whether there are as many groups as there may be."""
        return len(self.groups) >= self.most

    def came(self, name: Hashable, slot: Slot, now: float) -> None:
        """An item has come for the group: it is the last to be idle."""
        self.groups[name] = self.groups.pop(name)
        slot.came = now

    def taken(self, name: Hashable) -> Slot | None:
        """A slot for a new group; None if it must wait for one, or for the last group of that name."""
        if name in self.leaving:
            return None
        if self._free:
            slot = self._free.pop()
            slot.free = False
            slot.refill()
        elif len(self._all) < self.most:
            slot = Slot(self, self.out)
            self._all.append(slot)
            self.out.adopt(slot)
        else:
            return None
        self.groups[name] = slot
        slot.name, slot.running = name, True
        return slot

    def end(self, slot: Slot) -> None:
        """Let a group end, as if the source had."""
        del self.groups[slot.name]
        if slot.running:
            self.leaving[slot.name] = slot
            slot.intake.close()
        else:
            self.settle(slot)

    def left(self, slot: Slot) -> None:
        """The group has ended; if nobody told it to, it keeps its slot."""
        self.leaving.pop(slot.name, None)
        self.settle(slot)

    def settle(self, slot: Slot) -> None:
        """Note that a slot is there for others, if no group has it, and all that came out was taken."""
        if slot.running or slot.held or self.groups.get(slot.name) is slot or slot.free:
            return
        slot.free = True
        self._free.append(slot)
        self._roomy()
