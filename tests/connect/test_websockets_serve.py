"""The server's side of websockets: what each client gets, at its own pace, and how it ends."""

import asyncio
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect as dial
from websockets.exceptions import ConnectionClosed

import streamkit
from streamkit import Collect, DropOldest, Fail, Stream, Suspend, connect, ops, push
from streamkit.testing import on_network

URL = "ws://127.0.0.1:8080"


def served(strategy: Any, **more: Any) -> Any:
    return connect.websocket_server("127.0.0.1", 8080, strategy=strategy, **more)


async def everything(client: ClientConnection) -> tuple[list[Any], int | None]:
    """What a client gets, and the code with which it is closed."""
    found: list[Any] = []
    try:
        while True:
            found.append(await client.recv())
    except ConnectionClosed:
        return found, client.close_code


def test_each_client_gets_what_comes_while_it_is_there_and_then_the_end() -> None:
    async def main() -> None:
        stream, emitter = push(Suspend(8), of=Any)
        job = (stream | served(Suspend(8))).start()
        await asyncio.sleep(0.1)
        await emitter.send("for nobody")
        await asyncio.sleep(0.1)
        async with dial(URL) as first:
            await emitter.send({"number": 1})
            await asyncio.sleep(0.1)
            async with dial(URL) as second:
                await second.send("what clients send is thrown away")
                await emitter.send(b"2")
                await asyncio.sleep(0.1)
                emitter.close()
                assert await everything(first) == (['{"number": 1}', b"2"], 1000)
                assert await everything(second) == ([b"2"], 1000)
        assert await job == 3

    on_network(main)


def test_a_client_that_is_too_slow_is_dealt_with_as_the_strategy_says() -> None:
    """The slow one reads nothing for a while; the other gets all, and nobody waits but under Suspend."""
    outcomes: dict[str, Any] = {}

    async def main(strategy: Any) -> None:
        texts = [f"{number} " + "x" * 200_000 for number in range(40)]
        loop = asyncio.get_running_loop()

        async def give() -> Any:
            await asyncio.sleep(0.1)
            for text in texts:
                yield text
                await asyncio.sleep(0.01)

        quiet: dict[str, Any] = {"compression": None}
        job = (Stream(give) | served(strategy, options=quiet)).start()
        await asyncio.sleep(0.05)
        async with dial(URL, **quiet) as slow, dial(URL, **quiet) as quick:
            slow.transport.pause_reading()
            quick_ones = asyncio.create_task(everything(quick))
            await asyncio.sleep(2.0)
            ended = job.done
            slow.transport.resume_reading()
            found, code = await everything(slow)
            assert await quick_ones == (texts, 1000)
        assert await job == 40
        assert loop.time() < 15.0
        outcomes[type(strategy).__name__] = (len(found) == 40, code, ended)

    for strategy in (Suspend(2), DropOldest(2), Fail(2)):
        on_network(lambda strategy=strategy: main(strategy))  # type: ignore[misc]
    assert outcomes == {
        "Suspend": (True, 1000, False),
        "DropOldest": (False, 1000, False),
        "Fail": (False, 1013, False),
    }


def test_clients_that_leave_hold_nobody_up() -> None:
    async def main() -> None:
        job = (streamkit.interval(1.0) | ops.take(10) | served(Suspend(1))).start()
        await asyncio.sleep(0.5)
        async with dial(URL) as client:
            assert await client.recv() == "0"
            client.transport.abort()
        assert await job == 10
        assert asyncio.get_running_loop().time() == 10.0

    on_network(main)


def test_it_ends_with_its_source_whatever_clients_do() -> None:
    async def failing() -> Any:
        yield 1
        await asyncio.sleep(1.0)
        raise LookupError("the source")

    async def main() -> None:
        job = (Stream(failing) | served(Suspend(1))).start()
        await asyncio.sleep(0.5)
        async with dial(URL) as client:
            with pytest.raises(LookupError):
                await job
            assert await everything(client) == ([], 1011)
        job = (streamkit.never() | served(Suspend(1))).start()
        await asyncio.sleep(0.5)
        async with dial(URL) as client:
            await job.stop()
            assert (await everything(client))[1] == 1001

    on_network(main)


def test_who_takes_nothing_at_the_end_is_waited_for_no_longer_than_told() -> None:
    async def main() -> None:
        async def give() -> Any:
            await asyncio.sleep(1.0)
            yield "x" * 900_000

        job = (Stream(give) | served(Suspend(1), closing=5.0, options={"compression": None})).start()
        await asyncio.sleep(0.5)
        client = await dial(URL, compression=None)
        client.transport.pause_reading()
        assert await job == 1
        assert asyncio.get_running_loop().time() == 1.0 + 5.0 + 2.0
        client.transport.abort()
        await client.wait_closed()

    on_network(main)


def test_items_are_encoded_once_and_what_cannot_be_fails_the_job() -> None:
    calls: list[Any] = []

    async def encode(item: Any) -> str:
        calls.append(item)
        await asyncio.sleep(0)
        return f"<{item}>"

    async def main() -> None:
        addresses: list[Any] = []
        job = streamkit.timer(1.0) | served(Suspend(1), encode=encode, on_listening=addresses.extend)
        running = job.start()
        await asyncio.sleep(0.5)
        assert addresses == [("127.0.0.1", 8080)]
        async with dial(URL) as one, dial(URL) as two:
            assert await everything(one) == await everything(two) == (["<0>"], 1000)
        assert await running == 1
        assert calls == [0]
        with pytest.raises(TypeError, match="not JSON serializable"):
            await (Stream([object()]) | served(Suspend(1)))
        with pytest.raises(OSError, match="bind"):
            async with asyncio.timeout(5.0):
                busy = (streamkit.never() | served(Suspend(1))).start()
                await asyncio.sleep(0.5)
                try:
                    await (Stream([1]) | served(Suspend(1)))
                finally:
                    await busy.stop()

    on_network(main)


def test_who_comes_late_may_get_the_last_item_and_then_all_that_follow() -> None:
    async def main() -> None:
        stream, emitter = push(Suspend(8), of=str)
        job = (stream | served(Suspend(8), latest=True)).start()
        for text in ("old", "x" * 900_000):
            await emitter.send(text)
        await asyncio.sleep(0.1)
        async with dial(URL, compression=None) as client:
            client.transport.pause_reading()  # so that the first is being sent still
            await asyncio.sleep(0.1)
            await emitter.send("new")
            await asyncio.sleep(0.1)
            emitter.close()
            client.transport.resume_reading()
            assert await everything(client) == (["x" * 900_000, "new"], 1000)
        assert await job == 3

    on_network(main)


def test_a_strategy_that_makes_other_items_is_refused() -> None:
    for strategy in (Collect(3), DropOldest(3, gaps=True)):
        with pytest.raises(ValueError, match="strategy must be"):
            served(strategy)


def test_a_rush_without_clients_is_for_nobody_and_goes_on_when_the_last_was_too_slow() -> None:
    async def main() -> None:
        strategies = (Fail(2), DropOldest(2), Suspend(2))
        assert [await (Stream(range(20)) | served(each)) for each in strategies] == [20] * 3
        stream, emitter = push(Suspend(8), of=Any)
        job = (stream | served(Fail(2))).start()
        await asyncio.sleep(0.1)
        async with dial(URL) as client:
            for text in [*"abcdefgh"] * 5:
                await emitter.send(text)
            assert (await everything(client))[1] == 1013
            emitter.close()
            async with asyncio.timeout(10.0):
                assert await job == 40

    on_network(main)
