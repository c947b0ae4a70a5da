"""Hub: code that is no stream sends to it, and learns what became of the item."""

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import (
    BufferOverflowError,
    DropOldest,
    EmitterClosedError,
    Fail,
    Handle,
    Hub,
    Offered,
    Stream,
    Suspend,
    ops,
)
from streamkit.testing import Faults, run
from tests.sources.meeting import slow


async def listening(hub: Hub[Any], pipe: Any) -> Handle[Any]:
    """A consumer that is there."""
    before = hub.consumers
    handle: Handle[Any] = (hub.stream() | pipe).start()
    for _ in range(99):
        if hub.consumers > before:
            return handle
        await asyncio.sleep(0)
    raise AssertionError("it has not come")


def now() -> float:
    return asyncio.get_running_loop().time()


class TestOffer:
    def test_says_what_became_of_the_item(self) -> None:
        async def main() -> None:
            hub = Hub[int](Suspend(2))
            assert hub.offer(0) is Offered.FULL  # there is nobody
            consumer = await listening(hub, ops.map(slow(1.0)) | ops.to_list())
            assert [hub.offer(number) for number in range(4)] == [Offered.ACCEPTED] * 2 + [Offered.FULL] * 2
            await asyncio.sleep(1.5)
            assert hub.offer(4)
            hub.close()
            assert hub.offer(5) is Offered.CLOSED
            assert await consumer == [0, 1, 4]

        run(main)

    def test_a_buffer_that_drops_takes_all(self) -> None:
        async def main() -> None:
            hub = Hub[int](DropOldest(1))
            consumer = await listening(hub, ops.map(slow(1.0)) | ops.to_list())
            assert all(hub.offer(number) for number in range(5))
            hub.close()
            assert await consumer == [4]

        run(main)

    def test_an_item_too_many_fails_its_consumer_or_the_hub_that_balances(self) -> None:
        async def main(balance: bool) -> None:
            hub = Hub[int](Fail(1), balance=balance)
            async with hub.stream().open() as items:
                assert hub.offer(1)
                assert hub.offer(2) is (Offered.FULL if balance else Offered.ACCEPTED)
                assert hub.closed is balance
                assert await anext(items) == 1
                with pytest.raises(BufferOverflowError):
                    await anext(items)

        run(lambda: main(True))
        run(lambda: main(False))


class TestSend:
    @pytest.mark.parametrize("balance", [False, True])
    def test_waits_for_room_and_keeps_the_order(self, balance: bool) -> None:
        async def main() -> None:
            hub = Hub[int](Suspend(2), balance=balance)
            consumer = await listening(hub, ops.map(slow(1.0)) | ops.to_list())
            for number in range(10):
                await hub.send(number)
            assert now() >= 7.0
            hub.close()
            assert await consumer == [*range(10)]

        run(main)

    def test_waits_for_the_first_consumer(self) -> None:
        async def main() -> None:
            hub = Hub[int](Suspend(8))
            senders = [asyncio.create_task(hub.send(number)) for number in range(3)]
            await asyncio.sleep(5.0)
            assert await (hub.stream() | ops.take(3) | ops.to_list()) == [0, 1, 2]
            await asyncio.gather(*senders)

        run(main)

    def test_many_senders_and_producers_take_turns(self) -> None:
        async def main() -> None:
            hub = Hub[tuple[str, int]](Suspend(1))
            consumer = await listening(hub, ops.to_list())

            async def send(name: str) -> None:
                for number in range(3):
                    await hub.send((name, number))

            stream = Stream([("s", number) for number in range(3)])
            await asyncio.gather(send("a"), send("b"), stream | hub.sink())
            hub.close()
            found = await consumer
            assert sorted(found) == sorted((name, number) for name in "abs" for number in range(3))
            for name in "abs":
                assert [number for each, number in found if each == name] == [0, 1, 2]

        run(main, schedules=100, seed=1)

    def test_a_hub_that_is_closed_takes_no_more_and_lets_who_waits_go(self) -> None:
        async def main() -> None:
            hub = Hub[int](Suspend(1))
            sender = asyncio.create_task(hub.send(1))
            await asyncio.sleep(1.0)
            hub.close()
            for each in (sender, hub.send(2)):
                with pytest.raises(EmitterClosedError, match="the hub takes no more items"):
                    await each

        run(main)

    def test_one_that_is_cancelled_while_it_waits_sends_nothing_and_lets_the_next_in(self) -> None:
        async def main() -> None:
            hub = Hub[int](Suspend(1))
            async with hub.stream().open() as items:
                senders = [asyncio.create_task(hub.send(number)) for number in range(3)]
                await asyncio.sleep(0)
                senders[1].cancel()
                assert [await anext(items), await anext(items)] == [0, 2]
                found = await asyncio.gather(*senders, return_exceptions=True)
                assert [type(each) for each in found] == [type(None), asyncio.CancelledError, type(None)]

        run(main)

    def test_has_one_event_loop(self) -> None:
        hub = Hub[int](Suspend(1))
        with pytest.raises(RuntimeError, match="there is no running event loop for hub"):
            hub.offer(1)


def test_what_an_event_emitter_calls_otherwise_is_answered() -> None:
    hub: Any = Hub[int]()
    for name, answer in (
        ("emit", "write await hub.send(item), or hub.offer(item), which does not wait"),
        ("on", "write (hub.stream() | ops.for_each(handler)).start()"),
        ("once", "ops.take(1)"),
        ("listeners", "write hub.consumers"),
        ("remove_all_listeners", "write hub.close()"),
        ("anything", "object has no attribute 'anything'"),
    ):
        with pytest.raises(AttributeError) as raised:
            getattr(hub, name)
        assert answer in str(raised.value)
    assert not hasattr(copy.copy(hub), "emit")


class TestHandOver:
    """A hub without a strategy."""

    def test_who_sends_goes_on_when_each_consumer_has_done_with_the_item(self) -> None:
        async def main() -> None:
            hub = Hub[int]()
            said: list[Any] = []
            quick = await listening(hub, ops.for_each(said.append))
            busy = await listening(hub, ops.map(slow(2.0)) | ops.for_each(lambda item: said.append(-item)))
            assert hub.consumers == 2
            await hub.send(1)
            assert (said, now()) == ([1, -1], 2.0)
            await hub.send(2)
            assert (said, now()) == ([1, -1, 2, -2], 4.0)
            hub.close()
            await asyncio.gather(quick, busy)
            assert repr(hub) == "<Hub() closed>"

        run(main, schedules=50, seed=3)

    def test_a_stream_that_sends_is_pulled_when_all_have_done(self) -> None:
        async def main() -> None:
            hub = Hub[int]()
            pulled: list[float] = []
            consumer = await listening(hub, ops.map(slow(1.0)) | ops.to_list())
            assert await (Stream(range(3)) | ops.tap(lambda _: pulled.append(now())) | hub.sink()) == 3
            hub.close()
            assert await consumer == [0, 1, 2]
            assert pulled == [0.0, 1.0, 2.0]

        run(main)

    def test_streams_that_compete_are_pulled_when_their_item_was_handled(self) -> None:
        async def main() -> None:
            hub = Hub[int]()
            said: list[str] = []

            def source(name: int) -> Stream[int]:
                async def items() -> AsyncIterator[int]:
                    for number in range(3):
                        yield 10 * name + number
                        said.append(f"after {10 * name + number}")

                return Stream(items)

            async def handle(item: int) -> None:
                await asyncio.sleep(1.0)
                said.append(f"handled {item}")

            consumer = await listening(hub, ops.for_each(handle))
            await asyncio.gather(source(1) | hub.sink(), source(2) | hub.sink())
            hub.close()
            await consumer
            for number in (10, 11, 12, 20, 21, 22):
                assert said.index(f"handled {number}") < said.index(f"after {number}")

        run(main, schedules=50, seed=5)

    def test_a_stream_ends_though_the_last_consumer_has_left_with_its_last_item(self) -> None:
        async def main() -> None:
            hub = Hub[int]()
            once = await listening(hub, ops.map(slow(1.0)) | ops.take(1) | ops.to_list())
            assert await (Stream([1]) | hub.sink()) == 1
            assert await once == [1]
            more = (Stream([2]) | hub.sink()).start()
            await asyncio.sleep(9.0)
            assert not more.done
            assert await (hub.stream() | ops.take(1) | ops.to_list()) == [2]
            assert await more == 1

        run(main)

    def test_one_that_leaves_or_fails_with_the_item_has_done_with_it(self) -> None:
        async def main() -> None:
            hub = Hub[int]()

            async def fail(item: int) -> None:
                await asyncio.sleep(1.0)
                raise LookupError(item)

            once = await listening(hub, ops.take(1) | ops.to_list())
            failing = await listening(hub, ops.for_each(fail))
            await hub.send(7)
            assert now() == 1.0
            assert await once == [7]
            with pytest.raises(LookupError):
                await failing
            assert hub.consumers == 0
            assert hub.offer(8) is Offered.FULL

        run(main)

    def test_a_consumer_that_begins_with_a_buffer_has_done_with_the_item_when_it_is_in_there(self) -> None:
        async def main() -> None:
            hub = Hub[int]()
            consumer = await listening(hub, ops.buffer(Suspend(2)) | ops.map(slow(1.0)) | ops.to_list())
            times: list[float] = []
            for number in range(5):
                await hub.send(number)
                times.append(now())
            hub.close()
            assert await consumer == [*range(5)]
            assert (times, now()) == ([0.0, 0.0, 1.0, 2.0, 3.0], 5.0)

        run(main)

    def test_one_that_is_closed_lets_who_has_sent_go_on_when_the_item_was_handled(self) -> None:
        async def main() -> None:
            hub = Hub[int]()
            consumer = await listening(hub, ops.map(slow(1.0)) | ops.to_list())
            sent, late = asyncio.create_task(hub.send(1)), asyncio.create_task(hub.send(2))
            await asyncio.sleep(0.5)
            hub.close()
            await sent
            assert now() == 1.0
            with pytest.raises(EmitterClosedError):
                await late
            assert await consumer == [1]

        run(main)

    def test_an_offer_is_taken_where_all_ask(self) -> None:
        async def main() -> None:
            hub = Hub[int]()
            consumer = await listening(hub, ops.map(slow(1.0)) | ops.to_list())
            await asyncio.sleep(0.5)
            assert hub.offer(1)
            assert hub.offer(2) is Offered.FULL
            await asyncio.sleep(1.5)
            assert hub.offer(3)
            hub.close()
            assert await consumer == [1, 3]

        run(main)

    def test_many_senders_lose_and_mix_up_nothing(self) -> None:
        async def main() -> None:
            hub = Hub[tuple[str, int]]()
            busy = 0

            async def work(item: tuple[str, int]) -> tuple[str, int]:
                nonlocal busy
                busy += 1
                assert busy == 1  # of two that send, one waits until the other's was handled
                await asyncio.sleep(0)
                busy -= 1
                return item

            consumer = await listening(hub, ops.map(work) | ops.to_list())
            done: list[tuple[str, int]] = []

            async def send(name: str) -> None:
                for number in range(2):
                    await hub.send((name, number))
                    done.append((name, number))

            await asyncio.gather(send("a"), send("b"))
            hub.close()
            assert (
                sorted(await consumer)
                == sorted(done)
                == [(name, number) for name in "ab" for number in (0, 1)]
            )

        run(main, schedules=100, seed=4)

    @pytest.mark.parametrize("fault", [Faults.CANCEL, Faults.SHUTDOWN])
    @pytest.mark.parametrize("strategy", [None, Suspend(1)])
    def test_leaves_nothing_wherever_it_is_cancelled(self, strategy: Any, fault: Faults) -> None:
        async def main() -> None:
            hub = Hub[int](strategy)

            async def read() -> None:
                await (hub.stream() | ops.take(4) | ops.map(slow(1.0)) | ops.drain())

            async def fill() -> None:
                await (Stream([2, 3]) | hub.sink())

            async with asyncio.TaskGroup() as group:
                for each in (read(), hub.send(0), hub.send(1), fill()):
                    group.create_task(each)

        run(main, faults=fault)

    def test_a_hub_that_balances_needs_a_strategy(self) -> None:
        with pytest.raises(ValueError, match="strategy must be given where balance=True"):
            Hub[int](balance=True)
