"""What a run does with a ledger, by hand; and what is left for others then."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from streamkit._core.delivery import Delivery
from streamkit.durable import Entry
from streamkit.durable.events import log
from streamkit.durable.ledger import CarrierLedger
from streamkit.durable.reading import Reading
from tests.durable.memory import Memory

Pairs = AsyncIterator[tuple[Delivery, Any]]


def reading_of(carrier: Memory, **options: Any) -> Reading:
    """What a reader was asked for, where most was not said."""
    defaults: dict[str, Any] = {
        "carrier": carrier,
        "group": "g",
        "batch": 10,
        "lease": 30.0,
        "prefetch": options.get("batch", 10),
        "max_deliveries": None,
        "dead_letters": None,
        "messages": False,
        "tell": log,
    }
    return Reading(**{**defaults, **options})


@asynccontextmanager
async def reading(carrier: Memory, **options: Any) -> AsyncGenerator[Pairs]:
    """The pairs that a run of a reader is handed."""
    ledger = CarrierLedger(reading_of(carrier, **options))
    await ledger.open()
    pairs: Any = ledger.deliveries()
    try:
        try:
            yield pairs
        finally:
            await pairs.aclose()
    finally:
        await ledger.close()


async def stored(carrier: Memory, *bodies: object) -> None:
    async with carrier.connect() as connection:
        await connection.append([Entry(str(each).encode()) for each in bodies])


async def left(carrier: Memory) -> list[tuple[bytes, int]]:
    """What another reader is handed out at once: bodies, and for the how many-th time."""
    async with carrier.connect() as connection:
        found = await connection.claim("g", 1000, 30.0, 0.0)
        return [(each.body, each.times) for each in found]
