"""check_marbles and expect, cancelled at every step of the event loop: nothing is left."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from streamkit import DropOldest, Stream, ops
from streamkit.testing import Drawn, VirtualLoop, check_marbles, drawn, expect, run
from tests import tiers

Check = Callable[[Drawn], Awaitable[None]]


async def marbles(source: Drawn) -> None:
    await check_marbles(Stream(source) | ops.buffer(DropOldest(1)) | ops.delay(2.0), "---ab-c-")


async def steps(source: Drawn) -> None:
    async with expect(Stream(source) | ops.buffer(DropOldest(1))) as e:
        await e.next("a")
        await e.nothing(0.5)
        await e.next("b")
        await e.dropped("c")
        await e.next("d")
        await e.leave()


async def failing(source: Drawn) -> None:
    with pytest.raises(AssertionError):
        async with expect(Stream(source) | ops.buffer(DropOldest(1))) as e:
            await e.next("x")


def cancelled(check: Check, step: int, source: Drawn) -> bool:
    """Run `check`, cancelled at that step of the loop; whether it was there still."""

    async def main() -> bool:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        task = asyncio.ensure_future(check(source))
        loop.call_at_step(step, task.cancel)
        await asyncio.wait([task])
        if task.cancelled():
            return True
        task.result()
        return False

    return run(main)


@pytest.mark.parametrize("check", [marbles, steps, failing])
@pytest.mark.parametrize("closing", [0.0, 2.0])
def test_at_every_step(check: Any, closing: float) -> None:
    step = 1
    source = drawn("-ab-c-de", closing=closing)
    while cancelled(check, step, source):
        assert len(source.cleaned) == source.runs
        source = drawn("-ab-c-de", closing=closing)
        step += tiers.stride(2)
    assert len(source.cleaned) == source.runs == 1
    assert step > 5
