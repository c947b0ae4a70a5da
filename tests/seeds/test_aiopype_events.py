"""What users of an event pipeline library relied on, and its defects, which must be gone: by their numbers.

The numbers are those of the list of features in the project's notes. They had processors that emit named
events to listeners; here outputs are branches of `route`, and events go through a `Hub`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import (
    BufferOverflowError,
    DropIncoming,
    Fail,
    Handle,
    Hub,
    KeepLatest,
    NoRouteError,
    Output,
    Stream,
    Suspend,
    Tagged,
    ops,
    push,
)
from streamkit.testing import run

PRICE, ERROR = Output[float]("price"), Output[Exception]("error")


async def listening(hub: Hub[Any], handler: Callable[[Any], Any], *first: Any) -> Handle[None]:
    stream: Any = hub.stream()
    for operator in first:
        stream = stream | operator
    handle: Handle[None] = (stream | ops.for_each(handler)).start()
    await asyncio.sleep(0)
    return handle


def test_ap1_listeners_and_one_that_hears_once_come_and_go() -> None:
    async def main() -> None:
        hub = Hub[int]()
        heard: dict[str, list[int]] = {"one": [], "two": [], "once": []}
        handles = [
            await listening(hub, heard["one"].append),
            await listening(hub, heard["two"].append),
            await listening(hub, heard["once"].append, ops.take(1)),
        ]
        assert hub.consumers == 3
        await hub.send(1)
        await hub.send(2)
        assert heard == {"one": [1, 2], "two": [1, 2], "once": [1]}
        assert hub.consumers == 2
        await handles[0].stop()
        assert hub.consumers == 1
        hub.close()
        await asyncio.gather(*handles[1:])
        assert hub.consumers == 0

    run(main)


def test_ap2_two_named_outputs_of_one_node_go_to_different_sinks() -> None:
    def node(text: str) -> Tagged[float] | Tagged[Exception]:
        try:
            return PRICE(float(text))
        except ValueError as error:
            return ERROR(error)

    prices: list[float] = []
    errors: list[Exception] = []
    routes = PRICE.to(ops.for_each(prices.append)) | ERROR.to(ops.for_each(errors.append))
    (Stream(["1", "x", "2"]) | ops.map(node) | ops.route(routes)).run()
    assert (prices, [type(error) for error in errors]) == ([1.0, 2.0], [ValueError])


def test_ap2_many_emitters_into_one_handler_and_events_of_several_values() -> None:
    async def main() -> None:
        hub = Hub[tuple[str, int]]()
        heard: list[str] = []
        await listening(hub, heard.append, ops.starmap(lambda name, number: f"{name}{number}"))
        stream, emitter = push(Suspend(2), of=tuple[str, int])
        emitter.offer(("pushed", 3))
        emitter.close()
        senders = [hub.send((name, number)) for number, name in enumerate("ab")]
        await asyncio.gather(*senders, stream | hub.sink())
        assert sorted(heard) == ["a0", "b1", "pushed3"]
        hub.close()
        await asyncio.sleep(0)

    run(main)


@pytest.mark.parametrize("kind", ["def", "async def", "awaitable"])
def test_ap3_emitting_returns_after_the_handler_of_any_kind(kind: str) -> None:
    async def main() -> None:
        hub = Hub[int]()
        heard: list[int] = []

        async def later(item: int) -> None:
            await asyncio.sleep(1.0)
            heard.append(item)

        handlers: dict[str, Any] = {
            "def": heard.append,
            "async def": later,
            "awaitable": lambda item: later(item),
        }
        handle = await listening(hub, handlers[kind])
        await hub.send(1)
        assert heard == [1]
        assert asyncio.get_running_loop().time() == (0.0 if kind == "def" else 1.0)
        hub.close()
        await handle

    run(main)


def test_ap4_emitting_says_whether_anything_handled_it() -> None:
    async def main() -> None:
        hub = Hub[int]()
        assert not hub.offer(1)
        handle = await listening(hub, lambda _: None)
        assert hub.offer(2)
        hub.close()
        assert not hub.offer(3)
        await handle

    run(main)


def test_ap4_an_error_that_nobody_handles_is_raised() -> None:
    error = OSError("uncaught")
    with pytest.raises(OSError, match="uncaught") as raised:
        (Stream([ERROR(error)]) | ops.route({PRICE: ops.drain()}, otherwise=ops.drain())).run()
    assert raised.value is error
    with pytest.raises(NoRouteError):
        (Stream([Output[int]("unknown")(1)]) | ops.route({PRICE: ops.drain()})).run()


@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_ap5_the_whole_chain_runs_before_the_source_goes_on(seconds: float) -> None:
    said: list[str] = []

    async def source() -> AsyncIterator[Tagged[float]]:
        for number in (1.0, 2.0):
            yield PRICE(number)
            said.append(f"line after {number}")

    async def work(price: float) -> float:
        await asyncio.sleep(seconds)
        return price

    chain: Any = (ops.map(work) if seconds else ops.map(float)) | ops.for_each(
        lambda p: said.append(f"seen {p}")
    )
    run(lambda: awaited(Stream(source) | ops.route({PRICE: chain})))
    assert said == ["seen 1.0", "line after 1.0", "seen 2.0", "line after 2.0"]


async def awaited(job: Any) -> Any:
    return await job


def test_ap6_decoupled_by_a_queue_what_was_emitted_is_handled_before_the_end() -> None:
    async def main() -> None:
        hub = Hub[int](Suspend(8))
        heard: list[int] = []

        async def handle(item: int) -> None:
            await asyncio.sleep(1.0)
            heard.append(item)

        listening_to = await listening(hub, handle)
        for number in range(3):
            await hub.send(number)
        assert (heard, asyncio.get_running_loop().time()) == ([], 0.0)
        hub.close()
        await listening_to
        assert heard == [0, 1, 2]
        assert len(asyncio.all_tasks()) == 1

    run(main)


@pytest.mark.parametrize("strategy", [None, Suspend(1), Suspend(99)])
def test_ap7_nothing_is_lost_while_a_handler_is_busy(strategy: Any) -> None:
    """Theirs handled the first of ten."""

    async def main() -> None:
        hub = Hub[int](strategy)
        heard: list[int] = []

        async def handle(item: int) -> None:
            await asyncio.sleep(0.01)
            heard.append(item)

        listening_to = await listening(hub, handle)
        for number in range(10):
            await hub.send(number)
        hub.close()
        await listening_to
        assert heard == [*range(10)]

    run(main, schedules=20, seed=7)


@pytest.mark.parametrize(
    ("strategy", "heard"),
    [
        (Suspend(2), [0, 1, 2, 3, 4]),
        (DropIncoming(2), [0, 1, 2]),
        (KeepLatest(), [0, 4]),
        (Fail(2), [0, 1, 2]),
    ],
)
def test_ap8_the_queue_is_bounded_and_what_a_full_one_does_is_chosen(strategy: Any, heard: list[int]) -> None:
    """Theirs grew without a limit."""
    found: list[int] = []

    async def handle(item: int) -> None:
        found.append(item)
        await asyncio.sleep(1.0)

    async def main() -> None:
        hub = Hub[int](strategy)
        handler = await listening(hub, handle)
        await hub.send(0)
        await asyncio.sleep(0.5)  # it is busy
        for number in range(1, 5):
            if hub.consumers:
                await hub.send(number)
            assert all(stats.held <= 2 for stats in hub.buffers())
        hub.close()
        (failed,) = await asyncio.gather(handler, return_exceptions=True)
        assert isinstance(failed, BufferOverflowError) is isinstance(strategy, Fail)

    run(main)
    assert found == heard
