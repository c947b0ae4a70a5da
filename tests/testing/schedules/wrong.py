"""Programs with a bug that asyncio's own order does not show: each of them passes with `run(main)`."""

import asyncio
from collections.abc import AsyncGenerator

from streamkit import Stream, ops
from tests.testing.schedules.programs import Programs

WRONG = Programs()


async def log() -> None:
    """What takes a while, but not as `sleep(0)`, which lets all others go first."""

    async def write() -> None:
        pass

    await asyncio.create_task(write())


@WRONG
async def lost_update() -> None:
    """Reads, waits, and writes what it read."""
    total = 0

    async def add(wait: float) -> None:
        nonlocal total
        await asyncio.sleep(wait)
        before = total
        await asyncio.sleep(1.0)
        total = before + 1

    async def later() -> None:
        await asyncio.sleep(1.0)
        await add(0.0)

    await asyncio.gather(add(0.0), later())
    assert total == 2


@WRONG
async def check_then_act() -> None:
    """Looks whether there is something, waits, and takes it."""
    items = ["only"]

    async def take() -> None:
        if items:
            await log()
            items.pop()

    first = asyncio.create_task(take())
    for _ in range(4):
        await log()
    await asyncio.gather(first, take())
    assert not items


@WRONG
async def lost_wake_up() -> None:
    """Looks at a flag, and makes itself known only after a wait: who sets it meanwhile wakes nobody."""
    ready, waiting = False, list[asyncio.Future[None]]()

    async def wait() -> None:
        if not ready:
            await log()
            future = asyncio.get_running_loop().create_future()
            waiting.append(future)
            await future

    task = asyncio.create_task(wait())
    for _ in range(4):
        await log()
    ready = True
    for future in waiting:
        future.set_result(None)
    await task


@WRONG
async def wakes_only_one() -> None:
    """Two wait for an item, and each item wakes the first of them, even if that is awake already."""
    items, waiting = list[int](), list[asyncio.Future[None]]()

    async def take() -> int:
        while not items:
            future = asyncio.get_running_loop().create_future()
            waiting.append(future)
            await future
            waiting.remove(future)
        return items.pop()

    async def give(number: int) -> None:
        items.append(number)
        if waiting and not waiting[0].done():
            waiting[0].set_result(None)

    takers = [asyncio.create_task(take()) for _ in range(2)]
    await asyncio.sleep(1.0)
    await give(1)
    await asyncio.create_task(give(2))
    await asyncio.gather(*takers)


@WRONG
async def order_of_results() -> None:
    """Takes the order in which requests end for the one in which they began."""
    found = list[int]()

    async def request(number: int) -> None:
        await asyncio.sleep(1.0)
        found.append(number)

    await asyncio.gather(*map(request, range(3)))
    assert found == [0, 1, 2]


@WRONG
async def closes_too_early() -> None:
    """The last that is begun is taken for the last that ends."""
    open_, used = True, list[bool]()

    async def use(*, last: bool) -> None:
        nonlocal open_
        await asyncio.sleep(0)
        used.append(open_)
        if last:
            open_ = False

    await asyncio.gather(use(last=False), use(last=True))
    assert all(used)


@WRONG
async def lock_forgotten() -> None:
    """One of two writers takes the lock."""
    lock, inside = asyncio.Lock(), 0

    async def careful() -> None:
        nonlocal inside
        async with lock:
            inside += 1
            await asyncio.sleep(1.0)
            assert inside == 1
            inside -= 1

    async def careless() -> None:
        nonlocal inside
        await asyncio.sleep(1.0)
        inside += 1
        inside -= 1
        await asyncio.sleep(0.5)
        inside += 1
        await done.wait()
        inside -= 1

    done = asyncio.Event()

    async def finish() -> None:
        await asyncio.sleep(1.5)
        done.set()

    async def again() -> None:
        await asyncio.sleep(0.5)
        await careful()

    await asyncio.gather(again(), careless(), finish())


@WRONG
async def dead_lock() -> None:
    """Two locks, in two orders."""
    a, b = asyncio.Lock(), asyncio.Lock()

    async def use(first: asyncio.Lock, second: asyncio.Lock) -> None:
        async with first:
            await asyncio.sleep(1.0)
            async with second:
                await log()

    async def later() -> None:
        await asyncio.sleep(0.5)
        await asyncio.sleep(0.5)
        await use(b, a)

    await asyncio.gather(use(a, b), later())


@WRONG
async def initialised_twice() -> None:
    """A cache that is filled by all who find it empty."""
    cache, loads = dict[str, int](), 0

    async def get() -> int:
        nonlocal loads
        if "key" not in cache:
            loads += 1
            await asyncio.sleep(1.0)
            cache["key"] = loads
        return cache["key"]

    async def later() -> int:
        await asyncio.sleep(1.0)
        return await get()

    assert [*await asyncio.gather(get(), later())] == [1, 1]


@WRONG
async def left_behind() -> None:
    """Ends without one of its tasks, which has always ended by then."""

    async def log() -> None:
        await asyncio.sleep(1.0)

    asyncio.create_task(log())  # noqa: RUF006
    await asyncio.sleep(1.0)


@WRONG
async def timeout_loses_an_item() -> None:
    """Takes an item out of a queue, and waits once more, within a time limit."""
    queue, taken = asyncio.Queue[int](), list[int]()

    async def take() -> int:
        item = await queue.get()
        await asyncio.sleep(0)
        return item

    async def put() -> None:
        for number in range(2):
            await asyncio.sleep(1.0)
            queue.put_nowait(number)

    putting = asyncio.create_task(put())
    while len(taken) < 2 and not (putting.done() and queue.empty()):
        try:
            taken.append(await asyncio.wait_for(take(), 1.0))
        except TimeoutError:
            continue
    await putting
    assert taken == [0, 1]


@WRONG
async def condition_asked_once() -> None:
    """Who was notified does not look again whether there is an item: another may have taken it."""
    condition, items = asyncio.Condition(), list[int]()

    async def take() -> int:
        async with condition:
            if not items:
                await condition.wait()
            return items.pop()

    async def give(number: int) -> None:
        async with condition:
            items.append(number)
            condition.notify()

    first = asyncio.create_task(take())
    await asyncio.sleep(1.0)
    await give(1)
    for _ in range(3):
        await log()
    second = asyncio.create_task(take())
    await asyncio.sleep(1.0)
    await give(2)
    assert await first + await second == 3


@WRONG
async def merge_taken_for_concat() -> None:
    """The first item of several sources is not that of the first source."""

    async def one(number: int) -> AsyncGenerator[int, None]:
        await log()
        yield number

    pipe = Stream(lambda: one(1)) | ops.merge(lambda: one(2), lambda: one(3))
    assert await (pipe | ops.first()) == 1
