"""These tests share a cluster, whose threads stay from one to the next, and go by the machine's clock."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.engines.work import PATIENCE, Notebook

__all__ = ["around", "notebook", "until", "within"]


@pytest.fixture(autouse=True)
def around() -> None:
    """In the place of what other tests have around them."""


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    return Notebook(tmp_path / "notebook")


@pytest.fixture(scope="session")
def within() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine, which must end in time, on a slow machine too."""

    async def timed(coroutine: Coroutine[Any, Any, Any]) -> Any:
        async with asyncio.timeout(PATIENCE):
            return await coroutine

    return lambda coroutine: asyncio.run(timed(coroutine))


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], object]], Coroutine[Any, Any, None]]:
    """Waits until something is so."""

    async def wait(condition: Callable[[], object]) -> None:
        while not condition():  # noqa: ASYNC110 - it becomes so in another process
            await asyncio.sleep(0.01)

    return wait
