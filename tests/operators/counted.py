"""Items that are counted while they live, to see what an operator holds after very many."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

__all__ = ["Counted", "counted", "most_alive"]


class Counted:
    """An item that is counted while it lives."""

    alive = 0
    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        Counted.alive += 1
        self.number = number

    def __del__(self) -> None:
        Counted.alive -= 1

    def __lt__(self, other: "Counted") -> bool:
        return self.number < other.number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counted) and self.number == other.number

    def __hash__(self) -> int:
        return self.number


def counted(count: int, first: int = 0, step: int = 1) -> Callable[[], AsyncIterator[Counted]]:
    """A source of `count` items."""

    async def source() -> AsyncIterator[Counted]:
        for number in range(first, first + count * step, step):
            yield Counted(number)

    return source


def most_alive(stream: Any, every: int = 1_000) -> tuple[int, int]:
    """How many items came out of `stream`, and how many were alive at most while the consumer paused."""

    async def main() -> tuple[int, int]:
        taken = most = 0
        async for item in stream:
            del item
            taken += 1
            if taken % every == 0:
                await asyncio.sleep(0)
                most = max(most, Counted.alive)
        return taken, most

    return asyncio.run(main())
