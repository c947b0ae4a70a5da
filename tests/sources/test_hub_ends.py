"""Hub: each item to one consumer; and how hubs, producers and consumers end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from streamkit import (
    BufferOverflowError,
    EmitterClosedError,
    Fail,
    Hub,
    Stream,
    Suspend,
    Unbounded,
    ops,
)
from streamkit.testing import run
from tests.sources.meeting import closed_at, slow, ticks


class TestBalance:
    def test_each_item_goes_to_one_consumer(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(4), balance=True)
            quick = (hub.stream() | ops.map(slow(1.0)) | ops.to_list()).start()
            lame = (hub.stream() | ops.map(slow(10.0)) | ops.to_list()).start()
            await (Stream(range(12)) | hub.sink())
            hub.close()
            found = await asyncio.gather(quick, lame)
            assert sorted(found[0] + found[1]) == [*range(12)]
            assert len(found[1]) == 2

        run(main)

    def test_the_hub_holds_what_nobody_has_asked_for_yet(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(4), balance=True)
            producer = (Stream(range(9)) | hub.sink()).start()
            await asyncio.sleep(60.0)
            (stats,) = hub.buffers()
            assert (stats.offered, stats.held) == (4, 4)
            assert await (hub.stream() | ops.take(7) | ops.to_list()) == [*range(7)]
            assert await producer == 9
            hub.close()
            assert await (hub.stream() | ops.to_list()) == [7, 8]
            assert await (hub.stream() | ops.to_list()) == []

        run(main)

    def test_a_consumer_that_leaves_takes_nothing_with_it(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(4), balance=True)
            waiting = [(hub.stream() | ops.to_list()).start() for _ in range(3)]
            await asyncio.sleep(1.0)
            stays = (hub.stream() | ops.to_list()).start()
            await asyncio.sleep(1.0)
            producer = (Stream(range(4)) | hub.sink()).start()
            await asyncio.sleep(0)
            await asyncio.gather(*(consumer.stop() for consumer in waiting))
            assert await producer == 4
            hub.close()
            taken = sum(stats.delivered for stats in hub.buffers())
            assert taken + sum(stats.held for stats in hub.buffers()) == 4
            await stays

        run(main)

    def test_one_that_overflows_fails_the_hub_and_the_producer(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Fail(2), balance=True)
            with pytest.raises(BufferOverflowError):
                await (Stream(range(4)) | hub.sink())
            assert hub.closed
            found: list[int] = []
            with pytest.raises(BufferOverflowError) as raised:
                async for item in hub.stream():
                    found.append(item)
            assert found == [0, 1]
            assert any(
                note.startswith("in Hub(Fail(capacity=2), balance=True)") for note in raised.value.__notes__
            )

        run(main)

    def test_it_reads_well_without_a_loop_too(self) -> None:
        hub: Hub[int] = Hub(Unbounded(), balance=True)
        assert (Stream(range(3)) | hub.sink()).run() == 3
        hub.close()
        assert list(hub.stream()) == [0, 1, 2]


class TestTheEnd:
    @pytest.mark.parametrize("balance", [False, True])
    def test_close_ends_consumers_after_what_they_hold(self, balance: bool) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(8), balance=balance)
            consumer = (hub.stream() | ops.map(slow(1.0)) | ops.to_list()).start()
            await asyncio.sleep(0)
            await (Stream(range(4)) | hub.sink())
            assert (hub.close(), hub.close(), hub.closed) == (True, False, True)
            assert await consumer == [0, 1, 2, 3]
            assert await (hub.stream() | ops.to_list()) == []

        run(main)

    @pytest.mark.parametrize("balance", [False, True])
    def test_fail_does_so_with_an_error(self, balance: bool) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(8), balance=balance)
            found: list[int] = []
            consumer = (hub.stream() | ops.map(slow(1.0)) | ops.for_each(found.append)).start()
            await asyncio.sleep(0)
            await (Stream(range(4)) | hub.sink())
            error = OSError("broken")
            assert (hub.fail(error), hub.fail(error), hub.close()) == (True, False, False)
            for reader in (consumer, hub.stream() | ops.drain()):
                with pytest.raises(OSError, match="broken") as raised:
                    await reader
                assert raised.value is error
            assert found == [0, 1, 2, 3]

        run(main)

    @pytest.mark.parametrize("balance", [False, True])
    def test_close_closes_the_sources_of_the_producers(self, balance: bool) -> None:
        closed: list[float] = []

        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(8), balance=balance)
            consumer = (hub.stream() | ops.to_list()).start()
            producer = (Stream(lambda: ticks(closed=closed)) | hub.sink()).start()
            await closed_at(2.5, hub)
            assert (await producer, await consumer) == (2, [0, 1])

        run(main)
        assert closed == [2.5]

    def test_a_producer_that_waits_for_room_just_ends(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(2), balance=True)
            producers = [(Stream(range(9)) | hub.sink()).start() for _ in range(3)]
            await asyncio.sleep(1.0)
            hub.close()
            sent = await asyncio.gather(*producers, return_exceptions=True)
            in_hand = [each for each in sent if isinstance(each, EmitterClosedError)]
            assert sum(each for each in sent if isinstance(each, int)) == 2
            assert len(in_hand) < 3

        run(main)

    def test_an_item_that_comes_too_late_is_an_error_of_its_producer(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(2))

            async def closing() -> AsyncIterator[int]:
                hub.close()
                yield 1

            (hub.stream() | ops.drain()).start()
            await asyncio.sleep(0)
            for source in (closing, [1]):
                with pytest.raises(EmitterClosedError, match="takes no more items") as raised:
                    await (Stream(source) | hub.sink())
                assert any(note.startswith("in sink(<Hub(") for note in raised.value.__notes__)

        run(main)

    def test_an_error_of_a_producer_is_its_own(self) -> None:
        async def failing() -> AsyncIterator[int]:
            yield 1
            raise OSError("producer")

        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(8))
            consumer = (hub.stream() | ops.to_list()).start()
            with pytest.raises(OSError, match="producer"):
                await (Stream(failing) | hub.sink())
            await (Stream([2]) | hub.sink())
            hub.close()
            assert await consumer == [1, 2]

        run(main)

    def test_so_is_one_of_a_consumer(self) -> None:
        def fail(item: int) -> None:
            raise ValueError(item)

        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(1))
            fails = (hub.stream() | ops.for_each(fail)).start()
            goes_on = (hub.stream() | ops.to_list()).start()
            assert await (Stream(range(9)) | hub.sink()) == 9
            with pytest.raises(ValueError, match="0"):
                await fails
            hub.close()
            assert await goes_on == [*range(9)]

        run(main)

    def test_a_producer_that_is_cancelled_gives_its_turn_to_the_next(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(1))
            consumer = (hub.stream() | ops.map(slow(1.0)) | ops.to_list()).start()
            producers = [(Stream([number] * 3) | hub.sink()).start() for number in range(4)]
            await asyncio.sleep(1.5)
            await producers[1].stop()
            await producers[2].stop()
            assert await producers[0] == await producers[3] == 3
            hub.close()
            found = await consumer
            assert (found.count(0), found.count(3)) == (3, 3)

        run(main)

    def test_a_source_that_is_deaf_when_it_closes_gives_it_no_more(self) -> None:
        async def deaf() -> AsyncIterator[int]:
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    yield 0
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(9.0)
            yield 1

        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(1), balance=True)
            producer = (Stream(deaf) | hub.sink()).start()
            await asyncio.sleep(2.0)
            hub.close()
            assert await (hub.stream() | ops.to_list()) == [0]
            assert await producer == 1

        run(main)

    def test_one_that_is_closed_before_it_had_anything_is_empty(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(1), balance=True)
            assert hub.close()
            assert hub.buffers() == ()
            assert await (hub.stream() | ops.to_list()) == []

        run(main)
