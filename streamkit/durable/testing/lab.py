"""What a check of carriers has at hand: connections, claims that wait for what must come, and for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager

from streamkit.durable.messages import Connection, Connects, Entry, Message

__all__ = ["CarrierLab", "bodies", "entries", "holds"]


def holds(fact: object, words: str) -> None:
    """Raise what a report shows if `fact` is no fact."""
    if not fact:
        raise AssertionError(words)


def entries(*bodies: str, key: str | None = None, delay: float = 0.0) -> list[Entry]:
    return [Entry(each.encode(), key, delay) for each in bodies]


def bodies(messages: Iterable[Message]) -> list[str]:
    return [each.body.decode() for each in messages]


class CarrierLab:
    """A carrier under check, empty at first."""

    def __init__(self, carrier: Connects, lease: float, patience: float) -> None:
        self.carrier = carrier
        self.lease = lease
        """Seconds: a lease that a check waits out."""
        self.long: float = 100 * lease
        """One that it does not."""
        self.patience = patience
        """Seconds after which what has not come will not."""

    @asynccontextmanager
    async def connected(self, count: int = 1) -> AsyncGenerator[Sequence[Connection]]:
        """So many connections."""
        async with self.carrier.connect() as one:
            if count == 1:
                yield [one]
                return
            async with self.connected(count - 1) as others:
                yield [one, *others]

    async def claimed(
        self,
        connection: Connection,
        count: int,
        *,
        group: str = "readers",
        lease: float | None = None,
        most: int = 100,
        within: float | None = None,
    ) -> list[Message]:
        """Claim until there are `count` messages, or what is left of the time is over."""
        loop = asyncio.get_running_loop()
        until = loop.time() + (self.patience if within is None else within)
        found: list[Message] = []
        lease = self.long if lease is None else lease
        while len(found) < count and (left := until - loop.time()) > 0:
            found += await connection.claim(group, min(most, count - len(found)), lease, min(left, 0.05))
        return found

    async def nothing(self, connection: Connection, why: str, *, group: str = "readers") -> None:
        """Nothing is handed out to `connection`."""
        for _ in range(2):
            found = await connection.claim(group, 10, self.long, 0.02)
            holds(not found, f"{why}: handed out {bodies(found)}")
