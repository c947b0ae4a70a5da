"""The types of hubs."""

import asyncio
from typing import assert_type

import pytest

from streamkit import Hub, Job, Offered, Stream, Suspend, ops

pytestmark = pytest.mark.filterwarnings("ignore:.* was never awaited:RuntimeWarning")

NUMBERS: Stream[int] = Stream([1, 2, 3])


def test_hub() -> None:
    hub: Hub[int] = Hub(Suspend(8))
    assert_type(hub.stream(), Stream[int])
    assert_type(hub.stream() | ops.batch(2), Stream[list[int]])
    assert_type(NUMBERS | hub.sink(), Job[int])
    assert_type(Hub[str](Suspend(8), balance=True).stream(), Stream[str])
    assert_type(Hub[str]().stream(), Stream[str])
    assert_type(hub.consumers, int)
    assert_type(hub.close(), bool)


async def offered() -> None:
    hub: Hub[int] = Hub()
    assert_type(hub.offer(1), Offered)


def test_offered() -> None:
    asyncio.run(offered())
