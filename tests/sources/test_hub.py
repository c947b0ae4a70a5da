"""Hub: consumers that come and go get every item of their time."""

import asyncio
import threading
from typing import Any

import pytest

from streamkit import (
    BufferOverflowError,
    Collect,
    DropOldest,
    Fail,
    Hub,
    KeepLatest,
    Stream,
    Suspend,
    ops,
)
from streamkit.testing import run
from tests.sources.meeting import closed_at, later, slow, ticks


class TestBroadcast:
    def test_every_consumer_gets_every_item_of_its_time(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(8))
            _, sent, first, late, _ = await asyncio.gather(
                closed_at(9.0, hub),
                Stream(lambda: ticks(5)) | hub.sink(),
                hub.stream() | ops.to_list(),
                later(2.5, hub.stream() | ops.to_list()),
                later(1.5, hub.stream() | ops.take(2) | ops.to_list()),
            )
            assert (sent, first, late) == (5, [0, 1, 2, 3, 4], [2, 3, 4])

        run(main)

    def test_a_producer_may_come_after_the_last_has_gone(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(8))
            consumer = (hub.stream() | ops.to_list()).start()
            assert await (Stream([1, 2]) | hub.sink()) == 2
            await asyncio.sleep(60.0)
            assert await (Stream([3]) | hub.sink()) == 1
            assert not consumer.done
            hub.close()
            assert await consumer == [1, 2, 3]

        run(main)

    def test_producers_wait_while_nobody_reads(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            hub: Hub[int] = Hub(DropOldest(8))
            producer = (Stream(range(4)) | ops.tap(pulled.append) | hub.sink()).start()
            await asyncio.sleep(60.0)
            assert not pulled
            consumer = (hub.stream() | ops.to_list()).start()
            assert await producer == 4
            hub.close()
            assert await consumer == [0, 1, 2, 3]

        run(main)

    def test_a_consumer_is_there_from_when_its_stream_is_opened(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(8))
            async with hub.stream().open() as items, (hub.stream() | ops.merge([7])).open() as merged:
                assert await (Stream([1, 2]) | hub.sink()) == 2
                hub.close()
                assert [item async for item in items] == [1, 2]
                assert sorted([item async for item in merged]) == [1, 2, 7]

        run(main)

    def test_the_slowest_consumer_holds_the_producers(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(2))
            lame = (hub.stream() | ops.map(slow(10.0)) | ops.drain()).start()
            quick = (hub.stream() | ops.to_list()).start()
            producer = (Stream(range(9)) | hub.sink()).start()
            await asyncio.sleep(5.0)
            assert [stats.offered for stats in hub.buffers()] == [3, 3]
            await lame.stop()
            assert await producer == 9
            hub.close()
            assert await quick == [*range(9)]

        run(main)

    def test_unless_its_own_strategy_loses(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(1))
            lossy = (hub.stream() | ops.buffer(KeepLatest()) | ops.map(slow(10.0)) | ops.to_list()).start()
            quick = (hub.stream() | ops.to_list()).start()
            assert await (Stream(range(99)) | hub.sink()) == 99
            assert asyncio.get_running_loop().time() == 0.0
            hub.close()
            assert await quick == [*range(99)]
            assert (await lossy)[-1] == 98

        run(main)

    def test_one_that_overflows_fails_alone(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Fail(2))
            lame = (hub.stream() | ops.map(slow(10.0)) | ops.drain()).start()
            quick = (hub.stream() | ops.to_list()).start()
            assert await (Stream(lambda: ticks(5)) | hub.sink()) == 5
            with pytest.raises(BufferOverflowError) as raised:
                await lame
            assert any(note.startswith("in Hub(Fail(capacity=2)) at ") for note in raised.value.__notes__)
            hub.close()
            assert await quick == [0, 1, 2, 3, 4]

        run(main)

    def test_producers_take_turns(self) -> None:
        async def main() -> None:
            hub: Hub[str] = Hub(Suspend(1))
            consumer = (hub.stream() | ops.map(slow(1.0)) | ops.take(30) | ops.to_list()).start()
            producers = [(Stream([name] * 99) | hub.sink()).start() for name in "abc"]
            found = await consumer
            assert {found.count(name) for name in "abc"} <= {9, 10, 11}
            for producer in producers:
                await producer.stop()

        run(main)

    def test_accounts_of_those_who_have_gone_are_kept_as_sums(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(4))
            for _ in range(100):
                consumer = (hub.stream() | ops.take(1) | ops.to_list()).start()
                await (Stream([1, 2, 3]) | hub.sink())
                await consumer
            (stats,) = hub.buffers()
            assert stats.operator == "Hub(Suspend(capacity=4))"
            assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (300, 100, 200, 0)

        run(main)

    def test_a_consumers_job_shows_its_buffer(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(4))
            consumer = (hub.stream() | ops.to_list()).start()
            await (Stream([1, 2, 3]) | hub.sink())
            hub.close()
            await consumer
            (stats,) = consumer.buffers()
            assert (stats.offered, stats.delivered) == (3, 3)

        run(main)


class TestLoops:
    def test_those_of_another_loop_are_refused_while_some_are_there(self) -> None:
        hub: Hub[int] = Hub(Suspend(1))
        raised: list[BaseException] = []

        def elsewhere() -> None:
            for use in (lambda: (Stream([1]) | hub.sink()).run(), lambda: list(hub.stream())):
                try:
                    use()
                except RuntimeError as error:
                    raised.append(error)

        async def main() -> None:
            async with hub.stream().open():
                thread = threading.Thread(target=elsewhere)
                thread.start()
                thread.join()

        run(main)
        assert ["of one event loop" in str(error) for error in raised] == [True, True]
        run(main)  # and another loop may come when they have gone


BAD: list[tuple[Any, type[Exception], str]] = [
    *((lambda v=v: Hub(v), TypeError, "strategy must be a strategy") for v in (8, Suspend, "drop", [])),
    (lambda: Hub(Collect(8)), ValueError, "strategy must be one that passes items on"),
    (lambda: Hub(DropOldest(8, gaps=True)), ValueError, "strategy must be one that passes items on"),
    *(
        (lambda v=v: Hub(Suspend(1), balance=v), TypeError, "balance must be True or False")
        for v in (None, 1, "yes")
    ),
    *(
        (lambda v=v: Hub[int](Suspend(1)).fail(v), TypeError, "error must be an exception")
        for v in (None, "x", OSError)
    ),
]


@pytest.mark.parametrize(
    ("make", "kind", "text"), BAD, ids=[f"{text} {n}" for n, (_, _, text) in enumerate(BAD)]
)
def test_bad_arguments_are_refused_at_the_call(make: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        make()


def test_explain_says_what_a_consumer_and_a_producer_hold() -> None:
    hub: Hub[int] = Hub(Suspend(4))
    assert (hub.stream() | ops.map(str)).explain().bound == 5
    assert (Stream([1]) | hub.sink()).explain().lookahead == 1
    assert repr(hub) == "<Hub(Suspend(capacity=4)) open>"
    assert repr(hub.stream()) == "Stream(Hub(Suspend(capacity=4)))"
