"""Callbacks that fail with some items, for the tests of `on_error=`; and what comes of a stream, and when."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import Resume
from streamkit.testing import run

__all__ = ["check_policies", "failing_first", "now", "ticking", "timed", "unless"]


def now() -> float:
    return asyncio.get_running_loop().time()


def unless(*bad: int) -> Callable[[int], int]:
    """Returns a number as it is, and fails with those that are `bad`."""

    def checked(number: int) -> int:
        if number in bad:
            raise ValueError(number)
        return number

    return checked


def failing_first(counts: dict[int, int]) -> Callable[[int], int]:
    """Returns a number as it is, after it has failed with it so many times."""

    def checked(number: int) -> int:
        counts[number] = counts.get(number, 0) - 1
        if counts[number] >= 0:
            raise ConnectionError(number)
        return number

    return checked


def timed(stream: Any) -> list[tuple[float, Any]]:
    """The items of a stream, each with the time at which it came."""

    async def main() -> list[tuple[float, Any]]:
        return [(now(), item) async for item in stream]

    return run(main)


async def ticking(*items: int) -> AsyncIterator[int]:
    for item in items:
        yield item
        await asyncio.sleep(1.0)


def check_policies(make: Callable[[Any], Any]) -> None:
    """What is no policy is refused where it is given."""
    wrong: list[Any] = [5, "resume", ValueError, Resume, print, [Resume()]]
    for on_error in wrong:
        with pytest.raises(
            TypeError, match=r"^on_error must be Resume\(...\), Replace\(...\), Return\(...\), Retry\(...\)"
        ):
            make(on_error)
