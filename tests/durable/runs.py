"""What a run does with a ledger, by hand; and what is left for others then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from streamkit._core.delivery import Delivery
from streamkit.durable import Entry
from streamkit.durable.events import log
from streamkit.durable.ledger import CarrierLedger, Reading
from tests.durable.memory import Memory

Pairs = AsyncIterator[tuple[Delivery, Any]]


@asynccontextmanager
async def reading(carrier: Memory, **options: Any) -> AsyncIterator[Pairs]:
    """The pairs that a run of a reader is handed."""
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
    ledger = CarrierLedger(Reading(**{**defaults, **options}))
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
