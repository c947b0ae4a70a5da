"""Subscribers that ask for items, a source that counts, and what was reported meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from streamkit.testing.reactive_streams import Probe


def asking(n: int) -> Callable[[Probe], None]:
    return lambda probe: probe.link.request(n)


class Source:
    """Numbers, how far they were pulled, and what became of the iterators."""

    def __init__(self, count: int = 1_000, *, closing: float = 0.0, late: Exception | None = None) -> None:
        self.count, self.closing, self.late = count, closing, late
        self.pulled: list[int] = []
        self.opened = self.closed = 0

    async def __call__(self) -> AsyncIterator[int]:
        self.opened += 1
        try:
            for number in range(self.count):
                self.pulled.append(number)
                yield number
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(self.closing)
            self.closed += 1
            if self.late is not None:
                raise self.late


def reports() -> list[dict[str, Any]]:
    """What reaches the event loop's exception handler from now on."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found


async def rest() -> None:
    """Let everything happen that happens without time."""
    await asyncio.sleep(0.001)
