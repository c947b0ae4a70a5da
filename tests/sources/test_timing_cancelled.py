"""Sources of time that are cancelled at the very moment at which they are due."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import streamkit
from streamkit import Stream
from streamkit.testing import run

DUE: dict[str, Callable[[], Stream[Any]]] = {
    "interval": lambda: streamkit.interval(1.0),
    "timer": lambda: streamkit.timer(1.0),
}


@pytest.mark.parametrize("make", DUE.values(), ids=DUE)
@pytest.mark.parametrize("seconds", [0.5, 1.0, 1.5])
def test_ends_once_and_leaves_no_timer(make: Callable[[], Stream[Any]], seconds: float) -> None:
    async def main() -> None:
        found: list[Any] = []

        async def read() -> None:
            async for item in make():
                found.append(item)
                await asyncio.sleep(60.0)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                await read()
        loop: Any = asyncio.get_running_loop()
        assert loop.time() == seconds
        assert found == ([] if seconds <= 1.0 else [0])
        assert not [timer for timer in loop._scheduled if not timer.cancelled()]

    run(main)
