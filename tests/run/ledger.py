"""A ledger in memory, which knows what is made of each item, and notes what is acknowledged too early."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from streamkit import Stream
from streamkit._core.delivery import Delivery
from streamkit._engine.plan.tracked import Tracked

MANY = 1000
"""Items are numbers from here on: smaller ones, in what comes out, are none."""


def numbers(made: Any) -> list[int]:
    """The items that something is made of."""
    if isinstance(made, int):
        return [made] if made >= MANY else []
    if isinstance(made, dict):
        return [number for pair in made.items() for number in numbers(pair)]
    if isinstance(made, (list, tuple, set)):
        return [number for each in made for number in numbers(each)]
    return []


class Trial:
    """What came of one run over a durable source of some items."""

    def __init__(self, count: int = 6, *, due: Counter[int] | None = None, first: int = MANY) -> None:
        self.items = range(first, first + count)
        self.due = due or Counter()
        """How often each item comes out, where nothing goes wrong."""
        self.left: Counter[int] = Counter()
        """How often each has come out."""
        self.handed: list[int] = []
        self.settled: list[int] = []
        self.done: set[int] = set()
        """What is settled, to be looked up."""
        self.failed: list[int] = []
        self.early: list[int] = []
        self.opened = self.closings = 0
        self.deliveries: list[Delivery] = []

    def stream(self, most: int = 10_000) -> Stream[Any]:
        return Stream(Tracked("reader", (), lambda: _Ledger(self), most))

    def out(self, made: Any) -> None:
        """`made` has left."""
        self.left.update(numbers(made))

    def wrong(self) -> str:
        """What must not be; nothing, if all is well."""
        twice = [item for item, many in Counter(self.settled + self.failed).items() if many > 1]
        found = {
            "acknowledged early": self.early,
            "closed twice": twice,
            "opened or closed not once": [self.opened, self.closings]
            * ((self.opened, self.closings) not in ((1, 1), (0, 0))),  # a share opens it when it is pulled
        }
        return ", ".join(f"{what}: {items}" for what, items in found.items() if items)

    @property
    def blamed(self) -> list[int]:
        """The items that were in hand where an error came up."""
        return [each.message for each in self.deliveries if each.failed]

    @property
    def open(self) -> set[int]:
        """The items that the ledger hands back at its end."""
        return {*self.handed} - {*self.settled} - {*self.failed}


class _Ledger:
    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    async def open(self) -> None:
        self._trial.opened += 1

    async def deliveries(self) -> AsyncIterator[tuple[Delivery, Any]]:
        for item in self._trial.items:
            self._trial.handed.append(item)
            delivery = Delivery(self, item)
            self._trial.deliveries.append(delivery)
            yield delivery, item

    def closed(self, delivery: Delivery) -> None:
        trial, item = self._trial, delivery.message
        assert not trial.closings, "told when it was closed already"
        if delivery.failed:
            trial.failed.append(item)
            return
        trial.settled.append(item)
        trial.done.add(item)
        if trial.left[item] < trial.due[item]:
            trial.early.append(item)

    async def close(self, error: BaseException | None = None) -> None:
        self._trial.closings += 1
