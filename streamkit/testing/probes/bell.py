"""What wakes those who wait at a probe, and the error that says what they waited for in vain."""

import asyncio
import math
from collections.abc import Callable

from streamkit._core.arguments import seconds

__all__ = ["PATIENCE", "Bell", "ProbeError", "items"]

PATIENCE = 60.0
"""Seconds that a probe waits for a pipe. In virtual time they pass only where nothing else happens."""


class ProbeError(AssertionError):
    """What a probe expected did not come, or it was asked for what cannot be; it says what was done.

    >>> from streamkit.testing import ProbeError, SourceProbe, run
    >>> try:
    ...     run(lambda: SourceProbe().send("a"))
    ... except ProbeError as error:
    ...     print(error)
    send('a'): within 60.0 seconds nobody asked for it; the probe was never opened
    """


def items(count: int) -> str:
    """So many items, in words."""
    return "1 item" if count == 1 else f"{count} items"


class Bell:
    """Wakes all that wait for something to become true."""

    def __init__(self, patience: float) -> None:
        self.patience: float = patience if patience == math.inf else seconds("patience", patience)
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def until(self, found: Callable[[], bool]) -> None:
        while not found():
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(waiting)
            try:
                await waiting
            finally:
                self._waiting.discard(waiting)

    async def soon(self, found: Callable[[], bool], limit: float | None = None) -> bool:
        """Whether it became true within `limit` seconds, or within what the probe has patience for."""
        patience = self.patience if limit is None else limit
        try:
            async with asyncio.timeout(None if patience == math.inf else patience):
                await self.until(found)
        except TimeoutError:
            return found()
        return True
