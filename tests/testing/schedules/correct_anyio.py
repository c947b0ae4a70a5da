"""Programs of anyio that are right in every order in which asyncio may run them."""

import anyio

from tests.testing.schedules.programs import Programs

ANYIO = Programs()


@ANYIO
async def anyio_task_group() -> None:
    ended = set[int]()

    async def work(number: int) -> None:
        try:
            await anyio.sleep(number)
        finally:
            ended.add(number)

    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(work, number)
        await anyio.sleep(1.5)
        group.cancel_scope.cancel()
    assert ended == {0, 1, 2, 3}
    assert anyio.current_time() == 1.5


@ANYIO
async def anyio_fails() -> None:
    async def fail() -> None:
        await anyio.sleep(1.0)
        raise LookupError("on purpose")

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(fail)
            group.start_soon(anyio.sleep, 60.0)
            group.start_soon(anyio.sleep, 70.0)
    except* LookupError:
        pass
    assert anyio.current_time() == 1.0


@ANYIO
async def anyio_memory_streams() -> None:
    send, receive = anyio.create_memory_object_stream[int](1)
    taken = list[int]()

    async def produce(start: int) -> None:
        async with send.clone() as sending:
            for number in range(start, start + 3):
                await sending.send(number)

    async def consume() -> None:
        async with receive.clone() as receiving:
            async for number in receiving:
                taken.append(number)
                await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        with send, receive:
            for start in (0, 10):
                group.start_soon(produce, start)
                group.start_soon(consume)
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()
            await anyio.sleep(1.0)
    assert sorted(taken) == [0, 1, 2, 10, 11, 12]


@ANYIO
async def anyio_scopes() -> None:
    with anyio.move_on_after(1.0) as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 5.0)
            with anyio.CancelScope(shield=True):
                await anyio.sleep(2.0)
    assert scope.cancel_called
    assert anyio.current_time() == 2.0
