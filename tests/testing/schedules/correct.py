"""Programs that are right in every order in which asyncio may run them: a search has to pass them."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress

from tests.testing.schedules.programs import Programs

CORRECT = Programs()


async def rounds(count: int) -> None:
    """Let others run."""
    for _ in range(count):
        await asyncio.sleep(0)


@CORRECT
async def lock() -> None:
    held, lock, total = 0, asyncio.Lock(), 0

    async def add() -> None:
        nonlocal held, total
        async with lock:
            held += 1
            assert held == 1
            before = total
            await rounds(1)
            total = before + 1
            held -= 1

    await asyncio.gather(*(add() for _ in range(4)))
    assert total == 4


@CORRECT
async def event() -> None:
    event, seen = asyncio.Event(), set[int]()

    async def wait(number: int) -> None:
        await event.wait()
        assert event.is_set()
        seen.add(number)

    waiting = [asyncio.create_task(wait(number)) for number in range(3)]
    await asyncio.sleep(1.0)
    assert not seen
    event.set()
    await asyncio.wait(waiting)
    assert seen == {0, 1, 2}


@CORRECT
async def queue() -> None:
    queue, taken = asyncio.Queue[int](2), list[int]()

    async def produce(start: int) -> None:
        for number in range(start, start + 4):
            await queue.put(number)

    async def consume() -> None:
        while True:
            taken.append(await queue.get())
            await rounds(taken[-1] % 2)
            queue.task_done()

    consumers = [asyncio.create_task(consume()) for _ in range(2)]
    await asyncio.gather(produce(0), produce(10))
    await queue.join()
    for each in consumers:
        each.cancel()
    await asyncio.gather(*consumers, return_exceptions=True)
    assert sorted(taken) == [0, 1, 2, 3, 10, 11, 12, 13]
    assert [each for each in taken if each < 10] == [0, 1, 2, 3]  # one queue keeps the order of one producer


@CORRECT
async def condition() -> None:
    condition, items, taken = asyncio.Condition(), deque[int](), list[int]()

    async def take() -> None:
        async with condition:
            await condition.wait_for(lambda: bool(items))
            taken.append(items.popleft())

    async def give(number: int) -> None:
        async with condition:
            items.append(number)
            condition.notify()

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(take())
            group.create_task(give(number))
    assert sorted(taken) == [0, 1, 2]
    assert not items


@CORRECT
async def semaphore() -> None:
    inside, most, semaphore = 0, 0, asyncio.BoundedSemaphore(2)

    async def work() -> None:
        nonlocal inside, most
        async with semaphore:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(1.0)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(5)))
    assert most == 2
    assert asyncio.get_running_loop().time() == 3.0


@CORRECT
async def task_group_fails() -> None:
    ended = list[int]()

    async def wait(number: int) -> None:
        try:
            await asyncio.sleep(60.0)
        finally:
            ended.append(number)

    async def fail() -> None:
        await asyncio.sleep(1.0)
        raise LookupError("on purpose")

    try:
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(wait(number))
            group.create_task(fail())
    except* LookupError as errors:
        assert len(errors.exceptions) == 1
    assert sorted(ended) == [0, 1, 2]


@CORRECT
async def timeout() -> None:
    loop = asyncio.get_running_loop()
    for seconds, expected in ((1.0, 1.0), (3.0, 3.0)):
        try:
            async with asyncio.timeout(seconds):
                await asyncio.sleep(2.0)
        except TimeoutError:
            assert loop.time() == expected
        else:
            assert loop.time() == expected


@CORRECT
async def wait_for_at_the_same_time() -> None:
    """What comes when the time is up may come, or not; but it is not lost."""
    queue = asyncio.Queue[int]()

    async def put() -> None:
        await asyncio.sleep(1.0)
        queue.put_nowait(1)

    putting = asyncio.create_task(put())
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(1.0, event.set)
    with suppress(TimeoutError):
        assert await asyncio.wait_for(event.wait(), 1.0) is True
    await putting
    assert queue.get_nowait() == 1


@CORRECT
async def gather_in_order() -> None:
    async def after(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    assert await asyncio.gather(*map(after, (2.0, 0.0, 1.0, 1.0))) == [2.0, 0.0, 1.0, 1.0]


@CORRECT
async def gather_errors() -> None:
    async def fail(number: int) -> None:
        await rounds(number)
        raise LookupError(number)

    found = await asyncio.gather(fail(0), fail(2), rounds(1), return_exceptions=True)
    assert [type(each) for each in found] == [LookupError, LookupError, type(None)]


@CORRECT
async def shield() -> None:
    done = asyncio.Event()

    async def save() -> str:
        await asyncio.sleep(2.0)
        done.set()
        return "saved"

    saving = asyncio.create_task(save())

    async def outer() -> None:
        await asyncio.shield(saving)

    task = asyncio.create_task(outer())
    await asyncio.sleep(1.0)
    task.cancel()
    (ended,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)
    assert await saving == "saved"
    assert done.is_set()


@CORRECT
async def as_completed() -> None:
    async def after(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    found = [await each for each in asyncio.as_completed([after(3.0), after(1.0), after(2.0)])]
    assert found == [1.0, 2.0, 3.0]


@CORRECT
async def barrier() -> None:
    barrier, before, after = asyncio.Barrier(3), 0, 0

    async def party() -> None:
        nonlocal before, after
        before += 1
        await barrier.wait()
        assert before == 3
        after += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(party())
    assert after == 3


@CORRECT
async def generators_are_closed() -> None:
    closed = list[str]()

    async def numbers(name: str) -> AsyncGenerator[int, None]:
        try:
            for number in range(10):
                yield number
                await rounds(1)
        finally:
            await asyncio.sleep(1.0)
            closed.append(name)

    async def read(name: str) -> None:
        generator = numbers(name)
        async for number in generator:
            if number == 2:
                break
        await generator.aclose()

    await asyncio.gather(read("a"), read("b"))
    assert sorted(closed) == ["a", "b"]


@CORRECT
async def callbacks_come_in_order() -> None:
    """`call_soon` keeps its order, `sleep(0)` lets them go first, and a future calls back in order."""
    loop, seen = asyncio.get_running_loop(), list[str]()
    for name in "abc":
        loop.call_soon(seen.append, name)
    await asyncio.sleep(0)
    assert seen == ["a", "b", "c"]
    future = loop.create_future()
    future.add_done_callback(lambda _: seen.append("d"))

    async def wait() -> None:
        await future
        seen.append("e")

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    future.add_done_callback(lambda _: seen.append("f" if waiting.done() else "?"))
    future.set_result(None)
    await waiting
    await asyncio.sleep(0)
    assert seen == [*"abcdef"]


@CORRECT
async def a_callback_comes_before_who_is_woken_behind_it() -> None:
    """As the transports of asyncio rely on."""
    loop, made = asyncio.get_running_loop(), list[str]()
    future = loop.create_future()

    async def connect() -> None:
        loop.call_soon(made.append, "connection")
        future.set_result(None)

    connecting = asyncio.create_task(connect())
    await future
    assert made == ["connection"]
    await connecting


@CORRECT
async def timers_come_in_order() -> None:
    """Those of one time that were set at one time do, and an earlier one comes before a later one."""
    loop, seen = asyncio.get_running_loop(), list[int]()
    for number in range(3):
        loop.call_later(1.0, seen.append, number)
    loop.call_later(0.5, seen.append, 9)
    await asyncio.sleep(2.0)
    assert seen == [9, 0, 1, 2]


@CORRECT
async def a_task_begins_while_its_maker_waits() -> None:
    begun = list[int]()

    async def child(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(1.0)

    children = [asyncio.create_task(child(number)) for number in range(3)]
    await asyncio.sleep(0)
    assert sorted(begun) == [0, 1, 2]
    children[0].cancel()
    await asyncio.wait(children)
    assert [each.cancelled() for each in children] == [True, False, False]
