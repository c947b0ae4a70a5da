"""Sources drawn as marbles, and what came of a stream, with its times."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from streamkit.testing import drawn as drawn_source, run

__all__ = ["ERROR", "Noted", "Source", "drawn", "note", "noted"]

Source = Callable[[], AsyncIterator[Any]]
Noted = list[tuple[float, Any]]

ERROR = OSError("source")
"""What a source drawn with an X fails with."""


def drawn(marbles: str, cleaned: list[float] | None = None, *, takes: float = 0.0) -> Source:
    """`streamkit.testing.drawn`, with ``X`` for this module's error.

    Its clean-up `takes` so long, and is noted in `cleaned` when it is done.
    """
    source = drawn_source(marbles.replace("X", "#"), values={"#": ERROR}, closing=takes)
    if cleaned is not None:
        source.cleaned = cleaned
    return source


async def note(stream: Any, *busy: float) -> Noted:
    """When each item came, then the end: "|" or an error. After the n-th, the consumer is `busy` so long."""
    loop = asyncio.get_running_loop()
    seen: Noted = []
    pauses = iter(busy)
    try:
        async for item in stream:
            seen.append((loop.time(), item))
            if pause := next(pauses, 0.0):
                await asyncio.sleep(pause)
    except Exception as error:
        return [*seen, (loop.time(), error)]
    return [*seen, (loop.time(), "|")]


def noted(stream: Any, *busy: float, turns: dict[float, Callable[[], None]] | None = None) -> Noted:
    """`note` in virtual time, while something is done at the times that `turns` says."""

    async def main() -> Noted:
        for time, turn in (turns or {}).items():
            asyncio.get_running_loop().call_at(time, turn)
        return await note(stream, *busy)

    return run(main)
