"""A source that notes what is done to it, and an observer that notes what it hears."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from threading import get_ident
from typing import Any


class Numbers:
    """A source that notes what is done to it; its clean-up takes a second."""

    def __init__(self, count: float = float("inf"), *, error: Any = None) -> None:
        self.count = count
        self.error = error
        self.dirt: Exception | None = None
        """What its clean-up raises."""
        self.begun = self.taken = self.closed = 0

    async def __call__(self) -> AsyncIterator[int]:
        self.begun += 1
        try:
            for number in itertools.count():
                if number >= self.count:
                    break
                await asyncio.sleep(0)
                self.taken += 1
                yield number
            if self.error is not None:
                raise self.error
        finally:
            await asyncio.sleep(1.0)
            self.closed += 1
            if self.dirt is not None:
                raise self.dirt


class Heard:
    """An observer that notes what it hears, and in which thread, and fails if it hears two things at once."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.end: list[Any] = []
        self.threads: set[int] = set()
        self._busy = False

    def _note(self, into: list[Any], what: Any) -> None:
        assert not self._busy, "two at once"
        assert not self.end, "something after the end"
        self._busy = True
        self.threads.add(get_ident())
        into.append(what)
        self._busy = False

    def on_next(self, item: Any) -> None:
        self._note(self.items, item)

    def on_error(self, error: Exception) -> None:
        self._note(self.end, error)

    def on_completed(self) -> None:
        self._note(self.end, "completed")


def reports() -> list[dict[str, Any]]:
    """What reaches the loop's exception handler from now on."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found
