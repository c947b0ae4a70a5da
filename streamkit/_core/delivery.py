"""Deliveries: which handing-out of a durable source an item stands for, counted until all of it has left.

A delivery is in as many places as its `count` says: in a loop's hand, in a buffer, in a call under way. Each
place lets go of it once, by `settle` or by `fail`; the last one closes it, and the worst outcome wins. It is
counted here, never by references: Python frees an object of a forgotten place just as one of a finished one.
A place that is left by an error or a cancellation need say nothing: the delivery stays open, and the ledger
hands back at its end whatever is open then.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, ClassVar, NoReturn, Protocol

__all__ = [
    "NO_DELIVERY",
    "Beside",
    "Delivery",
    "Holder",
    "Ledger",
    "Together",
    "settled",
    "together",
    "trimmed",
]


class Holder(Protocol):
    """What has deliveries open in a run, and is told of what became of each."""

    def closed(self, delivery: Delivery) -> None:
        """`delivery` is nowhere any more. It is acknowledged soon, or handed back if it `failed`."""
        ...

    async def close(self, error: BaseException | None = None) -> None:
        """Acknowledge what is settled, hand back the rest. Called when no task of the run is left.

        `error` is what the run has failed with, if it has. Of the rest, what `failed` is to blame for it; the
        others were only under way.
        """
        ...


class Ledger(Holder, Protocol):
    """What a run keeps of a durable source: it hands out, and is told of what became of it."""

    async def open(self) -> None:
        """Connect; the run awaits it before the first pull."""
        ...

    def deliveries(self) -> AsyncIterator[tuple[Delivery, Any]]:
        """The items, each with its delivery, whose count is one: the place it is handed to."""
        ...


class Delivery:
    """One handing-out of one item."""

    __slots__ = ("count", "error", "failed", "ledger", "message")

    several: ClassVar[bool] = False
    """Whether it may stand for several that were handed out. Sinks ask for each item: a property is slow."""

    def __init__(self, ledger: Any, message: Any) -> None:
        self.count: int = 1
        """In how many places it is. Loops add to it and take from it in place."""
        self.failed: bool = False
        self.error: BaseException | None = None
        """With what it failed first, if its place knew; the ledger lets go of it when it has told it."""
        self.ledger: Any = ledger
        """Is told when it is `closed`: loops say so by themselves."""
        self.message: Any = message
        """What the carrier knows it by."""

    @property
    def handed(self) -> Iterable[Delivery]:
        """What its source has handed out, and counts as open until it is closed: itself."""
        return (self,)

    def settle(self) -> None:
        """One place is done with it."""
        self.count -= 1
        if not self.count:
            self.ledger.closed(self)

    def fail(self, error: BaseException | None = None) -> None:
        """One place could not do with it what was asked: it is handed out again, whatever the others do."""
        if self.error is None:
            self.error = error
        self.mark()
        self.settle()

    def mark(self) -> None:
        """Its item was in hand where an error came up, and so it `failed`; it stays open."""
        self.failed = True

    def __reduce__(self) -> NoReturn:
        raise TypeError("a delivery cannot be copied or sent: its copy would acknowledge nothing")


class _Nobody:
    """The ledger of what no durable source has handed out."""

    def closed(self, delivery: Delivery) -> None:
        """It concerns nobody."""


class _Nothing(Delivery):
    """Stands beside items that no durable source has handed out."""

    __slots__ = ()

    @property
    def handed(self) -> Iterable[Delivery]:
        return ()

    def settle(self) -> None:
        pass

    def fail(self, error: BaseException | None = None) -> None:
        pass

    def mark(self) -> None:
        pass


NO_DELIVERY: Delivery = _Nothing(_Nobody(), None)


class Beside:
    """Has the delivery that all items of a stream stand for, which itself hands out none."""

    token: Delivery = NO_DELIVERY


class Together(Delivery):
    """What stands beside an item made of several: each of theirs, let go of at once."""

    __slots__ = ("parts",)

    several = True

    def __init__(self, parts: list[Delivery]) -> None:
        super().__init__(_PARTS, None)
        self.parts = parts

    @property
    def handed(self) -> Iterable[Delivery]:
        return [each for part in self.parts for each in part.handed]

    def mark(self) -> None:
        self.failed = True
        for part in self.parts:
            part.mark()


class _Parts:
    """The ledger of such: tells those of the parts."""

    def closed(self, delivery: Together) -> None:
        if delivery.failed:
            for part in delivery.parts:
                part.fail(delivery.error)
        else:
            settled(delivery.parts)


_PARTS = _Parts()


def together(kept: list[Delivery], stay: int) -> Delivery:
    """What an item stands for that is made of all that is `kept`, of which the newest `stay`."""
    parts = kept[:]
    del kept[: max(len(kept) - stay, 0)]
    for each in kept:
        each.count += 1
    if len(parts) == 1:
        return parts[0]
    return Together(parts) if parts else NO_DELIVERY


def trimmed(kept: list[Delivery], stay: int) -> None:
    """Only the newest `stay` are kept: the others were left out on purpose."""
    gone = len(kept) - stay
    settled(kept[:gone])
    del kept[:gone]


def settled(kept: Iterable[Delivery]) -> None:
    """A place is done with all of these."""
    for each in kept:  # without a call for each, which a batch would pay for each of its items
        each.count -= 1
        if not each.count:
            each.ledger.closed(each)
