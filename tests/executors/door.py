"""A function whose calls wait until a test lets them go on."""

import asyncio
import threading
from typing import Any

__all__ = ["Door"]


class Door:
    """Calls stand before it until it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.came = threading.Semaphore(0)
        self.calls: list[Any] = []

    def __call__(self, item: Any) -> Any:
        self.calls.append(item)
        self.came.release()
        assert self.open.wait(10.0)
        return item

    async def entered(self, count: int = 1) -> None:
        for _ in range(count):
            await asyncio.to_thread(self.came.acquire)
