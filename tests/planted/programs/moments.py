"""Moments at which programs do something, and how many turns of the loop they take for it."""

from __future__ import annotations

import asyncio

__all__ = ["at", "nothing"]


async def at(seconds: float) -> None:
    """Wait until the time `seconds`, by a timer that is set half a second before.

    In the order of asyncio, what was to be ready at that moment, and was set earlier, is ready first.
    """
    now = asyncio.get_running_loop().time()
    if seconds > now + 0.5:
        await asyncio.sleep(seconds - 0.5 - now)
    await asyncio.sleep(seconds - asyncio.get_running_loop().time())


async def nothing() -> None:
    """A task that ends at once: who waits for it lets others run, and may be overtaken by them."""
