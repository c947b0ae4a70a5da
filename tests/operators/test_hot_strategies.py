"""share: the buffer of each reader, its account, and sources that are filled from outside."""

import asyncio
import threading
from typing import Any

import pytest
import reactivex

from streamkit import (
    BufferOverflowError,
    DropOldest,
    Fail,
    Gap,
    Hub,
    KeepLatest,
    Stream,
    Suspend,
    Unbounded,
    ops,
    push,
)
from streamkit.rx import from_observable
from streamkit.testing import run
from tests.operators.sharing import Ticks, read


class TestStrategies:
    def test_by_default_the_slowest_holds_all(self) -> None:
        shared = Stream(range(99)) | ops.share()
        seen: list[int] = []

        async def main() -> None:
            quick = asyncio.create_task(read(shared | ops.tap(seen.append)))
            await asyncio.sleep(0)
            async with shared.open() as items:
                async for _ in items:
                    await asyncio.sleep(9.0)
                    assert seen == [0, 1]  # the one that the slow one works on, and the one it holds
                    break
            await quick

        run(main)
        assert seen == [*range(99)]

    def test_a_reader_that_begins_with_a_buffer_is_held_or_loses_as_that_says(self) -> None:
        shared = Stream(range(99)) | ops.share()

        async def slow(item: int) -> int:
            await asyncio.sleep(1.0)
            return item

        async def main() -> None:
            lossy = shared | ops.buffer(KeepLatest()) | ops.map(slow)
            every, some = await asyncio.gather(read(shared), read(lossy))
            assert every == [*range(99)]
            assert some[-1] == 98
            assert len(some) < 5

        run(main)

    def test_one_that_overflows_fails_alone(self) -> None:
        shared = Stream(Ticks(9)) | ops.share(strategy=Fail(2))

        async def stalled() -> list[int]:
            found: list[int] = []
            with pytest.raises(BufferOverflowError) as raised:
                async for item in shared:
                    found.append(item)
                    await asyncio.sleep(5.0)
            assert any(note.startswith("in share(") for note in raised.value.__notes__)
            return found

        async def main() -> None:
            some, every = await asyncio.gather(stalled(), read(shared))
            assert some == [0, 1, 2]
            assert every == [*range(9)]

        run(main)

    def test_an_error_of_on_drop_ends_the_reader_whose_item_it_was(self) -> None:
        def refuse(item: int, reason: str) -> None:
            if reason == "full":
                raise ValueError(item)

        shared = Stream(Ticks(4)) | ops.share(strategy=DropOldest(1, on_drop=refuse))

        async def stalled() -> None:
            with pytest.raises(ValueError, match="1"):
                async for _ in shared:
                    await asyncio.sleep(9.0)

        async def main() -> None:
            assert (await asyncio.gather(stalled(), read(shared)))[1] == [0, 1, 2, 3]

        run(main)

    def test_gaps_stand_where_a_reader_lost_something(self) -> None:
        shared = Stream(Ticks(4)) | ops.share(strategy=KeepLatest(gaps=True))

        async def main() -> None:
            found: list[Any] = []
            async for item in shared:
                found.append(item)
                await asyncio.sleep(2.5)
            assert found == [0, Gap(1), Gap(1), 3]

        run(main)


class TestAccounts:
    def test_each_reader_has_its_own_and_all_see_those_of_the_source(self) -> None:
        shared = Stream(Ticks(6)) | ops.buffer(Suspend(3)) | ops.share(2)

        async def main() -> None:
            first = (shared | ops.to_list()).start()
            await asyncio.sleep(3.5)
            late = (shared | ops.to_list()).start()
            await asyncio.gather(first, late)
            for handle, places in ((first, [0]), (late, [0, 1])):
                before, *own = handle.buffers()
                assert before.operator.startswith("buffer(")
                assert before.offered == before.delivered == 6
                assert [stats.place for stats in own] == places
                assert all(stats.offered == stats.delivered for stats in own)
            assert [stats.offered for stats in late.buffers()[1:]] == [3, 2]

        run(main)

    def test_what_a_reader_holds_when_it_leaves_is_dropped_and_counted(self) -> None:
        shared = Stream(range(9)) | ops.share(strategy=Suspend(4))

        async def main() -> None:
            handle = (shared | ops.for_each(lambda _: asyncio.sleep(60.0))).start()
            await asyncio.sleep(1.0)
            await handle.stop()
            (stats,) = handle.buffers()
            assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (4, 1, 3, 0)

        run(main)


class TestOtherSources:
    def test_what_emitters_push_is_read_by_all(self) -> None:
        stream, emitter = push(Unbounded(), of=int)
        shared = stream | ops.share()

        async def main() -> None:
            readers = asyncio.gather(read(shared), read(shared | ops.merge([7])), read(shared | ops.batch(2)))
            await asyncio.sleep(1.0)
            for number in range(3):
                await emitter.send(number)
            await asyncio.sleep(1.0)
            emitter.close()
            plain, merged, batches = await readers
            assert plain == [0, 1, 2]
            assert sorted(merged) == [0, 1, 2, 7]
            assert batches == [[0, 1], [2]]

        run(main)

    def test_they_are_told_when_the_last_reader_has_left(self) -> None:
        stream, emitter = push(Suspend(1), of=int)
        shared = stream | ops.share()

        async def main() -> None:
            first = asyncio.create_task(read(shared, count=1))
            last = asyncio.create_task(read(shared | ops.merge(), count=2))
            await asyncio.sleep(1.0)
            await emitter.send(1)
            await first
            assert not emitter.closed
            await emitter.send(2)
            assert await last == [1, 2]
            assert emitter.closed

        run(main)

    def test_a_hub_has_one_consumer_for_all_of_them(self) -> None:
        async def main() -> None:
            hub: Hub[int] = Hub(Suspend(4))
            shared = hub.stream() | ops.share()
            readers = asyncio.gather(read(shared), read(shared | ops.merge([7])))
            await asyncio.sleep(1.0)
            await (Stream([1, 2]) | hub.sink())
            assert len(hub.buffers()) == 1
            hub.close()
            plain, merged = await readers
            assert (plain, sorted(merged)) == ([1, 2], [1, 2, 7])

        run(main)

    def test_an_observable_is_subscribed_once(self) -> None:
        subscribed: list[Any] = []
        subject: reactivex.Subject[int] = reactivex.Subject()
        observable = reactivex.defer(lambda _: subscribed.append(subject) or subject)
        shared = from_observable(observable, strategy=Unbounded()) | ops.share()

        async def main() -> None:
            readers = asyncio.gather(read(shared), read(shared | ops.merge([7])), read(shared | ops.batch(2)))
            await asyncio.sleep(1.0)
            for number in (1, 2):
                subject.on_next(number)
            subject.on_completed()
            plain, merged, batches = await readers
            assert (plain, sorted(merged), batches) == ([1, 2], [1, 2, 7], [[1, 2]])

        run(main)
        assert len(subscribed) == 1

    def test_a_reader_in_another_loop_is_told_to_have_its_own(self) -> None:
        shared = Stream(Ticks()) | ops.share()
        raised: list[BaseException] = []

        def elsewhere() -> None:
            try:
                list(shared)
            except RuntimeError as error:
                raised.append(error)

        async def main() -> None:
            reader = asyncio.create_task(read(shared))
            await asyncio.sleep(1.5)
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
            reader.cancel()
            await asyncio.wait([reader])

        run(main)
        (error,) = raised
        assert "another event loop" in str(error)
        assert any(note.startswith("in share(") for note in error.__notes__)


def test_explain_says_what_a_reader_holds() -> None:
    shared = Stream("abc") | ops.share(3, strategy=DropOldest(4), linger=2.0)
    assert str(shared.explain()).splitlines()[1:] == [
        "share(3, strategy=DropOldest(capacity=4), linger=2.0)  stage    holds 7 items, "
        "reads any number of items ahead, DropOldest(capacity=4), loses oldest items",
        "bound: 7 items inside at most, any number of items read ahead",
    ]
