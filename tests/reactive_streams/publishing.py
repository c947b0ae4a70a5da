"""A publisher that counts what is asked of it, and how it is read."""

from collections.abc import Callable
from typing import Any

from streamkit import Stream
from streamkit.reactive_streams import Subscriber

Answer = Callable[[Any, int], object]


class Counter:
    """Answers requests with numbers, noting how many are on their way or held."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.sent = self.requested = 0
        self.busy = False

    def __call__(self, subscriber: Subscriber[int], n: int) -> None:
        self.requested += n
        if self.busy:
            return
        self.busy = True
        while self.sent < min(self.requested, self.count):
            self.sent += 1
            subscriber.on_next(self.sent - 1)
        self.busy = False
        if self.sent == self.count:
            self.count = -1
            subscriber.on_complete()


async def collect(stream: Stream[Any]) -> tuple[list[Any], BaseException | None]:
    """The items, and the error after them, if there is one."""
    items: list[Any] = []
    try:
        async with stream.open() as opened:
            async for item in opened:
                items.append(item)
    except Exception as error:
        return items, error
    return items, None
