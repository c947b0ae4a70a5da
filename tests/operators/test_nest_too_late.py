"""Streams that a function makes when its operator has ended already, as it heeds no cancellation."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from streamkit import EmitterClosedError, Stream, Suspend, ops, push
from streamkit.testing import run

OPERATORS: dict[str, Any] = {
    "flat_map": lambda function: ops.flat_map(function, concurrency=2),
    "concat_map": ops.concat_map,
    "switch_map": ops.switch_map,
    "exhaust_map": ops.exhaust_map,
    "expand": lambda function: ops.expand(function, concurrency=2),
}


@pytest.mark.parametrize("make", OPERATORS.values(), ids=OPERATORS)
def test_is_read_by_nobody_and_those_who_fill_it_are_told(make: Any) -> None:
    stream, emitter = push(Suspend(1))
    heedless: list[str] = []

    async def late(item: Any) -> Any:
        try:
            await asyncio.sleep(60.0)
        except asyncio.CancelledError:
            heedless.append("cancelled")
        return stream

    async def main() -> None:
        async with (Stream([1]) | make(late) | ops.map(str)).open() as items:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(
                    anext(items) if make is not OPERATORS["expand"] else second(items), 1.0
                )
        with pytest.raises(EmitterClosedError):
            await emitter.send(1)
            await emitter.send(2)

    async def second(items: Any) -> None:
        await anext(items)
        await anext(items)

    run(main)
    assert heedless == ["cancelled"]


def test_a_newer_item_is_not_kept_waiting_by_it() -> None:
    stream, emitter = push(Suspend(1))

    async def late(item: str) -> Any:
        if item == "b":
            return [item]
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60.0)
        return stream

    async def items() -> Any:
        yield "a"
        await asyncio.sleep(1.0)
        yield "b"

    async def main() -> list[str]:
        return await (Stream(items) | ops.switch_map(late) | ops.to_list())

    assert run(main) == ["b"]
    assert emitter.closed
