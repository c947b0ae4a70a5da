"""Operators that each break one law, as their authors might have written them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import suppress
from inspect import isawaitable
from typing import Any

from streamkit import Contract, Inlet, Keep, KeepLatest, Run, Stream, Suspend, ops, stage, step

Source = Stream[Any]
LONG = 1e6


# Law 1 ----------------------------------------------------------------------------------------------------


async def _greedy(run: Run, source: Inlet[Any]) -> AsyncIterator[Any]:
    channel = run.channel()
    run.pump(source, into=channel.lane(Suspend(5)))
    async for item in channel:
        yield item


@stage(_greedy, contract=Contract(holds="5", lookahead="2"))
def reads_ahead() -> Keep:
    """Reads five items ahead, and declares two."""
    return Keep(reads_ahead)


def reads_in_a_step(source: Source) -> Source:
    """Reads ahead behind the back of its consumer, and declares nothing."""
    return Stream(lambda: _unasked(source))


async def _unasked(source: Source) -> AsyncIterator[Any]:
    async with (source | ops.buffer(Suspend(3))).open() as items:
        async for item in items:
            yield item


# Law 2 ----------------------------------------------------------------------------------------------------


@stage(_greedy, contract=Contract(holds="1", lookahead="5"))
def holds_more() -> Keep:
    """Holds five items, and declares one."""
    return Keep(holds_more)


# Law 3 ----------------------------------------------------------------------------------------------------


async def never_closes(source: Source) -> AsyncIterator[Any]:
    """Opens its source, and leaves it to whoever finds it."""
    items = source.open()
    await items.__aenter__()
    async for item in items:
        yield item


async def leaves_a_task(source: Source) -> AsyncIterator[Any]:
    """Starts a task that nobody ends."""
    asyncio.ensure_future(asyncio.sleep(LONG))  # noqa: RUF006 - this is what is wrong with it
    async with source.open() as items:
        async for item in items:
            yield item


async def goes_on_when_it_is_closed(source: Source) -> AsyncIterator[Any]:
    """Has a last word when it is closed."""
    async with source.open() as items:
        try:
            async for item in items:
                yield item
        except GeneratorExit:
            yield "good-bye"


async def hurries_its_source(source: Source) -> AsyncIterator[Any]:
    """Gives its source half a second to clean up."""
    items = source.open()
    await items.__aenter__()
    try:
        async for item in items:
            yield item
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await items.aclose()


async def waits_for_a_first_item(source: Source) -> AsyncIterator[Any]:
    """Waits for an item, and forgets that there may be none."""
    first: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    async with source.open() as items:
        async for item in items:
            if not first.done():
                first.set_result(item)
            yield item
        await first


# Law 4 ----------------------------------------------------------------------------------------------------


async def swallows_errors(source: Source) -> AsyncIterator[Any]:
    """Ends quietly where its source fails."""
    async with source.open() as items:
        try:
            async for item in items:
                yield item
        except RecursionError:
            raise
        except Exception:
            return


async def raises_another_error(source: Source) -> AsyncIterator[Any]:
    """Raises an error of its own in the place of that of its source."""
    async with source.open() as items:
        try:
            async for item in items:
                yield item
        except RecursionError:
            raise
        except Exception as error:
            raise ValueError("the source is broken") from error


@step(
    setup="held = []",
    each="""
        held.append(item)
        if len(held) == 3:
            emit(held)
            held = []
    """,
    finish="if held: emit(held)",
    contract=Contract(holds="2", weight="3"),
)
def loses_the_rest() -> Keep:
    """Puts threes together, and loses what is not one when its source fails."""
    return Keep(loses_the_rest)


async def forgets_errors_of_clean_up(source: Source) -> AsyncIterator[Any]:
    """Does not want to hear of trouble while it cleans up."""
    items = source.open()
    await items.__aenter__()
    try:
        async for item in items:
            yield item
    finally:
        with suppress(OSError):
            await items.aclose()


def takes_an_end_for_its_own(function: Callable[[Any], Any]) -> Any:
    """Ends where a callback raises `StopAsyncIteration`."""

    async def operator(source: Source) -> AsyncIterator[Any]:
        async with source.open() as items:
            async for item in items:
                try:
                    made = function(item)
                    if isinstance(made, Future):
                        made = asyncio.wrap_future(made)
                    if isawaitable(made):
                        made = await made
                except (StopIteration, StopAsyncIteration):
                    return
                yield made

    return operator


# Law 5 ----------------------------------------------------------------------------------------------------


async def swallows_cancellation(source: Source) -> AsyncIterator[Any]:
    """Takes a cancellation for an end."""
    async with source.open() as items:
        try:
            async for item in items:
                yield item
        except asyncio.CancelledError:
            return


async def cancels_its_consumer(source: Source) -> AsyncIterator[Any]:
    """Yields inside a timeout, which fires in whoever reads it (PEP 789)."""
    async with source.open() as items:
        deadline = asyncio.timeout(30.0)
        async with deadline:
            async for item in items:
                yield item
                deadline.reschedule(asyncio.get_running_loop().time() + 30.0)


# Law 6 ----------------------------------------------------------------------------------------------------


async def closes_in_another_task(source: Source) -> AsyncIterator[Any]:
    """Hands its clean-up to a task."""
    items = source.open()
    await items.__aenter__()
    try:
        async for item in items:
            yield item
    finally:
        await asyncio.ensure_future(items.aclose())


# Law 7 ----------------------------------------------------------------------------------------------------


async def waits_by_looking(source: Source) -> AsyncIterator[Any]:
    """Looks at the clock again and again until an item is due."""
    loop = asyncio.get_running_loop()
    async with source.open() as items:
        async for item in items:
            due = loop.time() + 0.1
            while loop.time() < due:  # noqa: ASYNC110 - this is what is wrong with it
                await asyncio.sleep(0)
            yield item


# Law 8 ----------------------------------------------------------------------------------------------------


async def doubles_the_second(source: Source) -> AsyncIterator[Any]:
    """Passes an item on twice."""
    count = 0
    async with source.open() as items:
        async for item in items:
            count += 1
            yield item
            if count == 2:
                yield item


async def _lossy(run: Run, source: Inlet[Any]) -> AsyncIterator[Any]:
    channel = run.channel()
    run.pump(source, into=channel.lane(KeepLatest()))
    async for item in channel:
        yield item


@stage(_lossy, contract=Contract(holds="1", lookahead="unbounded"))
def drops_when_slow() -> Keep:
    """Drops items while its consumer is slow, and does not say so."""
    return Keep(drops_when_slow)


async def loses_what_comes_late(source: Source) -> AsyncIterator[Any]:
    """Gives up what takes too long, with the item that it has in hand by then."""
    async with source.open() as items:
        while True:
            try:
                async with asyncio.timeout(1.1):
                    item = await anext(items)
                    await asyncio.sleep(0.2)
            except TimeoutError:
                item = None
                continue
            except StopAsyncIteration:
                return
            yield item
            del item


# Law 9 ----------------------------------------------------------------------------------------------------


def never_awaits(function: Callable[[Any], Any]) -> Any:
    """Calls a callback, and passes on what it returns, awaitable or not."""

    async def operator(source: Source) -> AsyncIterator[Any]:
        async with source.open() as items:
            async for item in items:
                yield function(item)

    return operator


def awaits_coroutine_functions_only(function: Callable[[Any], Any]) -> Any:
    """Asks `iscoroutinefunction`, which is not true of every callable that returns an awaitable."""

    async def operator(source: Source) -> AsyncIterator[Any]:
        async with source.open() as items:
            async for item in items:
                yield await function(item) if asyncio.iscoroutinefunction(function) else function(item)

    return operator


# Law 10 ---------------------------------------------------------------------------------------------------


@step(setup="left = most", each="left -= 1\nif left >= 0: emit(item)")
def takes_any_argument(most: int) -> Keep:
    """Passes on so many items; fewer than none are none."""
    return Keep(takes_any_argument, most=most)


# Law 11 ---------------------------------------------------------------------------------------------------


async def swallows_recursion_errors(source: Source) -> AsyncIterator[Any]:
    """Takes too deep a stack for the end."""
    async with source.open() as items:
        try:
            async for item in items:
                yield item
        except RecursionError:
            return


# Law 12 ---------------------------------------------------------------------------------------------------


async def keeps_all_items(source: Source) -> AsyncIterator[Any]:
    """Keeps what it has seen, and has no use for it."""
    seen: list[Any] = []
    async with source.open() as items:
        async for item in items:
            seen.append(item)
            yield item
            del item


_runs: list[Any] = []


async def keeps_its_runs(source: Source) -> AsyncIterator[Any]:
    """Keeps the streams that it was applied to."""
    _runs.append(source)
    async with source.open() as items:
        async for item in items:
            yield item
            del item


async def keeps_to_all(source: Source) -> AsyncIterator[Any]:
    """What the others meant."""
    async with source.open() as items:
        async for item in items:
            yield item
            del item
