"""These tests share servers, which go by the machine's clock; `make test-brokers` has them."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from itertools import count
from typing import Any

import pytest

from tests.brokers.servers import Cluster, JetStream, Valkey, has_servers

__all__ = ["around", "cluster", "fresh", "jetstream", "valkey", "within"]

PATIENCE = 100.0
"""Seconds after which a test takes what it waits for for hanging."""

if not has_servers():
    collect_ignore_glob = ["test_*.py"]

_numbers = count()


@pytest.fixture(autouse=True)
def around() -> None:
    """In the place of what other tests have around them."""


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    with Valkey() as server:
        yield server


@pytest.fixture(scope="session")
def jetstream() -> Iterator[JetStream]:
    with JetStream() as server:
        yield server


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with Cluster() as brokers:
        yield brokers


@pytest.fixture(scope="session")
def fresh() -> Callable[[], str]:
    """A name that no carrier has."""
    return lambda: f"carrier-{next(_numbers)}"


@pytest.fixture(scope="session")
def within() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine, which must end in time, on a slow machine too."""

    async def timed(coroutine: Coroutine[Any, Any, Any]) -> Any:
        async with asyncio.timeout(PATIENCE):
            return await coroutine

    return lambda coroutine: asyncio.run(timed(coroutine))
