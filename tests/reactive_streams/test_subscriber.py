"""`from_publisher`: demand, closing, threads."""

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Stream, ops
from streamkit.reactive_streams import from_publisher, to_processor, to_publisher
from streamkit.testing import run
from streamkit.testing.reactive_streams import Supply, Upstream
from tests.reactive_streams.asking import rest
from tests.reactive_streams.publishing import Counter, collect


@given(st.integers(1, 9), st.integers(0, 30))
def test_no_more_than_lookahead_is_ever_on_its_way_or_held(lookahead: int, count: int) -> None:
    async def main() -> None:
        counter = Counter(count)
        async with from_publisher(Upstream(counter), lookahead=lookahead).open() as items:
            taken = 0
            async for item in items:
                assert item == taken
                taken += 1
                assert counter.requested - taken <= lookahead
                assert counter.count < 0 or counter.requested - taken >= lookahead // 2
            assert taken == count

    run(main)


def test_more_is_requested_when_half_is_taken() -> None:
    async def main() -> None:
        upstream = Upstream(Counter(100))
        await (from_publisher(upstream, lookahead=6) | ops.take(10) | ops.drain())
        assert upstream.links[0].requests == [6, 3, 3, 3]
        assert upstream.links[0].cancels == 1

    run(main)


def test_it_subscribes_at_the_first_pull_of_each_run() -> None:
    async def main() -> None:
        upstream = Upstream(lambda subscriber, _: subscriber.on_next(7))
        first = from_publisher(upstream) | ops.take(1)
        async with first.open():
            await rest()
            assert not upstream.subscribers
        assert not upstream.subscribers
        for count in (1, 2):
            assert await (first | ops.to_list()) == [7]
            assert len(upstream.subscribers) == count
        assert [link.cancels for link in upstream.links] == [1, 1]

    run(main)


def test_without_a_loop_a_plain_for_reads_it() -> None:
    assert list(from_publisher(Supply(3), lookahead=2)) == [0, 1, 2]


def test_a_stalled_consumer_stalls_the_publisher() -> None:
    async def main() -> None:
        counter = Counter(1_000)
        async with from_publisher(Upstream(counter), lookahead=3).open() as items:
            assert await anext(aiter(items)) == 0
            await asyncio.sleep(60.0)
            assert counter.requested == 3

    run(main)


def test_a_pending_pull_that_is_closed_cancels_once() -> None:
    async def main() -> None:
        upstream = Upstream()
        async with from_publisher(upstream).open() as items:
            pull = asyncio.ensure_future(anext(aiter(items)))
            await rest()
            await items.aclose()
        await asyncio.wait([pull])
        assert isinstance(pull.exception(), StopAsyncIteration)
        assert upstream.links[0].cancels == 1

    run(main)


@pytest.mark.parametrize("end", ["break", "error", "cancel"])
def test_whatever_ends_the_consumer_cancels_once(end: str) -> None:
    async def consume(stream: Stream[int]) -> None:
        async for item in stream:
            if item == 2:
                if end == "break":
                    break
                if end == "error":
                    raise LookupError
                await asyncio.sleep(3600.0)

    async def main() -> None:
        upstream = Upstream(Counter(10))
        task = asyncio.ensure_future(consume(from_publisher(upstream, lookahead=2)))
        await rest()
        task.cancel()
        await asyncio.wait([task])
        await rest()
        assert upstream.links[0].cancels == 1

    run(main)


def test_the_end_cancels_nothing() -> None:
    async def main() -> None:
        upstream = Upstream(Counter(3))
        assert await (from_publisher(upstream, lookahead=5) | ops.to_list()) == [0, 1, 2]
        assert upstream.links[0].cancels == 0

    run(main)


def test_an_error_comes_as_itself_after_what_is_held() -> None:
    async def main() -> None:
        error = LookupError("the publisher's own")
        assert await collect(from_publisher(Supply(3, error), lookahead=9)) == ([0, 1, 2], error)

    run(main)


def test_the_last_item_may_carry_the_end() -> None:
    async def main() -> None:
        def answer(subscriber: Any, _: int) -> None:
            subscriber.on_next("first")
            subscriber.on_next("last", is_complete=True)

        assert await collect(from_publisher(Upstream(answer), lookahead=2)) == (["first", "last"], None)

    run(main)


def test_a_publisher_that_takes_its_first_demand_before_is_told_it_there() -> None:
    class Early(Upstream):
        initial = 0

        def initial_request_n(self, n: int) -> None:
            self.initial += n

    async def main() -> None:
        early = Early(at_once=lambda subscriber: [subscriber.on_next(number) for number in range(4)])
        assert await (from_publisher(early, lookahead=4) | ops.take(3) | ops.to_list()) == [0, 1, 2]
        assert early.initial == 4
        assert early.links[0].requests == [2]

    run(main)


def test_its_bound_is_explained() -> None:
    text = str((from_publisher(Supply(1), lookahead=8) | ops.map(str)).explain())
    assert "8 items" in text
    assert "lookahead=8" in text


def test_what_became_of_the_items_is_counted() -> None:
    async def main() -> None:
        upstream = Upstream()
        handle = (from_publisher(upstream, lookahead=4) | ops.take(1) | ops.drain()).start()
        await rest()
        for number in range(3):
            upstream.subscriber.on_next(number)
        await handle
        upstream.subscriber.on_next("late")
        (stats,) = handle.buffers()
        assert (stats.offered, stats.delivered, stats.dropped, stats.refused, stats.held) == (4, 1, 2, 1, 0)

    run(main)


def test_signals_come_from_any_thread() -> None:
    class Threaded:
        """Does everything in threads of its own, ``on_subscribe`` too."""

        def __init__(self) -> None:
            self.threads: set[int] = set()
            self.cancelled = 0
            self.wanted = threading.Semaphore(0)

        def subscribe(self, subscriber: Any) -> None:
            threading.Thread(target=self.send, args=(subscriber,)).start()

        def send(self, subscriber: Any) -> None:
            subscriber.on_subscribe(self)
            for number in range(200):
                self.wanted.acquire()
                subscriber.on_next(number)
            subscriber.on_complete()

        def request(self, n: int) -> None:
            self.threads.add(threading.get_ident())
            self.wanted.release(n)

        def cancel(self) -> None:
            self.cancelled += 1

    async def main() -> None:
        publisher = Threaded()
        assert await collect(from_publisher(publisher, lookahead=5)) == ([*range(200)], None)
        assert publisher.threads == {threading.get_ident()}
        assert publisher.cancelled == 0

    run(main, threads=True)


@pytest.mark.parametrize("taken", [30, 100])
@pytest.mark.parametrize("lookahead", [1, 7])
def test_publisher_and_reader_may_live_in_event_loops_of_their_own(taken: int, lookahead: int) -> None:
    async def main() -> None:
        publisher = to_publisher(Stream(range(100)), loop=other)
        processor = to_processor(ops.map(lambda number: number + 1), lookahead=lookahead)
        publisher.subscribe(processor)
        numbers = from_publisher(processor, lookahead=lookahead) | ops.take(taken)
        assert await (numbers | ops.to_list()) == [*range(1, taken + 1)]
        await processor.wait_closed()
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(publisher.wait_closed(), other))

    other = asyncio.new_event_loop()
    thread = threading.Thread(target=other.run_forever)
    thread.start()
    try:
        asyncio.run(main())
        left = asyncio.run_coroutine_threadsafe(others(), other).result()
    finally:
        other.call_soon_threadsafe(other.stop)
        thread.join()
        other.close()
    assert not left


async def others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


def test_arguments_are_checked_at_the_call() -> None:
    wrong: Any = [1]
    with pytest.raises(TypeError, match="publisher must be a Publisher"):
        from_publisher(wrong)
    for lookahead in (0, -1):
        with pytest.raises(ValueError, match="lookahead must be a whole number of at least 1"):
            from_publisher(Supply(1), lookahead=lookahead)
