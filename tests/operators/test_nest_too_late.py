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


@pytest.mark.parametrize(
    "operator",
    [
        ops.throttle_first(1.0),
        ops.pause_while(lambda: deaf()),
        ops.flat_map(lambda _: deaf(), concurrency=2),
        ops.flat_map(lambda _: Stream(deaf()) | ops.map(str), concurrency=2),
        ops.flat_map(lambda _: Stream(deaf()) | ops.flat_map(str, concurrency=2), concurrency=2),
        ops.flat_map(lambda _: Stream([1]) | ops.concat(deaf()), concurrency=2),
        ops.map(str, concurrency=2),
        ops.map(lambda item: [item]) | ops.flatten() | ops.map(str, concurrency=2),
    ],
    ids=repr,
)
def test_an_item_that_comes_although_its_source_was_cancelled_is_nobodys(operator: Any) -> None:
    """The source is asked for no other, and closed."""

    async def main() -> None:
        async with (Stream(deaf) | operator | ops.buffer(Suspend(1))).open() as items:
            for _ in range(2):
                with suppress(TimeoutError, StopAsyncIteration):
                    await asyncio.wait_for(anext(items), 1.0)

    told.clear()
    run(main)
    assert "later" not in told
    assert told.count("closed") == told.count("begun")


told: list[str] = []
"""What the sources of this have done."""


async def deaf() -> Any:
    """Gives an item at once, and another where it is cancelled."""
    told.append("begun")
    try:
        yield 1
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60.0)
        yield 2
        told.append("later")
        yield 3
    finally:
        told.append("closed")


def test_a_part_of_an_inner_stream_that_ends_when_nobody_waits_for_it_any_more() -> None:
    """It ends as its task is cancelled, and so is the one that would go on with the next part."""

    async def deaf(_: object) -> Any:
        yield 1
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60.0)

    def parts(_: object) -> Any:
        return Stream([1, 2]) | ops.flat_map(deaf, concurrency=2) | ops.concat([4])

    async def main() -> None:
        async with (Stream([1, 2]) | ops.flat_map(parts, concurrency=2)).open() as items:
            assert [await anext(items) for _ in range(4)] == [1, 1, 1, 1]

    run(main)


def test_an_item_of_a_source_that_has_timed_out_before_its_reader_leaves() -> None:
    """Its next item was taken for it already, when the one before it had waited for too long."""

    async def limited(_: object) -> Any:
        try:
            async with asyncio.timeout(1.5):
                for number in range(4):
                    yield number
        except TimeoutError:
            yield "late"

    async def main() -> list[Any]:
        found: list[Any] = []
        async with (Stream([1, 2]) | ops.flat_map(limited, concurrency=2)).open() as items:
            async for item in items:
                found.append(item)
                await asyncio.sleep(2.0 if len(found) == 3 else 1.0)
                if len(found) == 3:
                    break
        return found

    assert run(main) == [0, 0, 1]
