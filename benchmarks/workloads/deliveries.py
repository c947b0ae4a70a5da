"""Deliveries of a durable source: what it costs that they are followed to where their items leave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from benchmarks.workload import HAND, OURS, WITHOUT, Workload
from benchmarks.workloads.sources import add_one
from streamkit import Stream, Suspend, ops
from streamkit._core.delivery import Delivery
from streamkit._engine.plan.tracked import Tracked

STEPS, MOST = 9, 100


class Closed:
    """A ledger that hands out numbers, and keeps what is settled."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.done: list[Delivery] = []

    async def open(self) -> None:
        """Nothing: there is no server."""

    async def deliveries(self) -> AsyncIterator[tuple[Delivery, Any]]:
        for number in range(self.count):
            yield Delivery(self, number), number

    def closed(self, delivery: Delivery) -> None:
        self.done.append(delivery)

    async def close(self, error: BaseException | None = None) -> None:
        self.done.clear()


async def by_itself(count: int) -> AsyncIterator[int]:
    """A source that makes and settles deliveries itself, when it is asked for the next item."""
    ledger = Closed(count)
    for number in range(count):
        delivery = Delivery(ledger, number)
        yield number
        delivery.settle()


def kept(number: int) -> bool:
    return number >= 0


def double(number: int) -> int:
    return 2 * number


def nine(stream: Any) -> Any:
    for number in range(STEPS):
        stream = stream | (
            ops.filter(kept) if number % 3 == 1 else ops.map(double if number % 3 else add_one)
        )
    return stream


def followed(name: str, behind: Callable[[Any], Any], by_hand: str, goals: dict[str, float]) -> Workload:
    """Nine steps, and something `behind` them."""
    workload = Workload(name, "steps", (STEPS,), goals={STEPS: goals}, peers=(), others=(WITHOUT,))

    @workload.by(OURS)
    async def _(size: int, count: int) -> Any:
        stream: Any = Stream(Tracked("numbers", (count,), lambda: Closed(count), count + MOST))
        return await (behind(nine(stream)) | ops.count())

    @workload.by(WITHOUT)
    async def _(size: int, count: int) -> Any:
        return await (behind(nine(Stream(by_itself(count)))) | ops.count())

    @workload.by(HAND)
    async def _(size: int, count: int) -> Any:
        return await written(by_hand)(by_itself(count))

    return workload


def written(each: str) -> Callable[[Any], Any]:
    """The loop that one would write: nine steps, and what is done with `each` item behind them."""
    lines = ["async def by_hand(source):", "    number, held = 0, []", "    async for item in source:"]
    for step in range(STEPS):
        call = "double(item)" if step % 3 else "add_one(item)"
        lines.append("        if not kept(item): continue" if step % 3 == 1 else f"        item = {call}")
    lines += [f"        {line}" for line in each.splitlines()]
    lines.append("    return number + bool(held)")
    names: dict[str, Any] = {"add_one": add_one, "kept": kept, "double": double}
    exec("\n".join(lines), names)
    found: Callable[[Any], Any] = names["by_hand"]
    return found


BATCHES = "held.append(item)\nif len(held) == 10:\n    number += 1\n    held = []"
WORKLOADS = (
    followed("deliveries through nine steps", lambda stream: stream, "number += 1", {WITHOUT: 1.15}),
    followed("deliveries through nine steps, in lists", lambda stream: stream | ops.batch(10), BATCHES, {}),
    followed(
        "deliveries through a buffer", lambda stream: stream | ops.buffer(Suspend(64)), "number += 1", {}
    ),
)
