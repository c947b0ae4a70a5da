"""The loop of a test in virtual time, and what is run in it."""

import asyncio
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from streamkit.testing import VirtualLoop

ROOT = Path(__file__).parents[2]


def the_loop() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


@contextmanager
def quickly(seconds: float = 5.0) -> Generator[None, None, None]:
    """Real time stays far below what virtual time covers."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


async def numbers() -> AsyncGenerator[int, None]:
    for number in count():
        await asyncio.sleep(1.0)
        yield number
