"""timestamp, time_interval."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import reactivex
from hypothesis import given, strategies as st
from reactivex import operators as rx
from reactivex.testing import ReactiveTest, TestScheduler

from streamkit import Stream, TimeInterval, Timestamped, ops
from streamkit.testing import run

WAITS = st.lists(st.integers(1, 50), max_size=6)


async def after(waits: list[int]) -> AsyncIterator[int]:
    for number, seconds in enumerate(waits):
        await asyncio.sleep(seconds)
        yield number


def of_rxpy(waits: list[int], operator: Any) -> list[Any]:
    """What RxPY makes of items that come so, in its virtual time."""
    scheduler = TestScheduler()
    at = ReactiveTest.subscribed
    messages = [ReactiveTest.on_next(at + sum(waits[: number + 1]), number) for number in range(len(waits))]
    source: reactivex.Observable[int] = scheduler.create_hot_observable(messages)
    found = scheduler.start(lambda: source.pipe(operator), disposed=10_000.0)
    return [message.value.value for message in found.messages]


class TestTimestamp:
    @given(WAITS)
    def test_as_rxpy_with_seconds_for_its_dates(self, waits: list[int]) -> None:
        found = run(lambda: Stream(lambda: after(waits)) | ops.timestamp() | ops.to_list())
        theirs = of_rxpy(waits, rx.timestamp())
        assert [each.value for each in found] == [each.value for each in theirs]
        begin = ReactiveTest.subscribed
        assert [each.time for each in found] == [each.timestamp.timestamp() - begin for each in theirs]

    def test_the_clock_of_the_event_loop(self) -> None:
        async def main() -> bool:
            before = asyncio.get_running_loop().time()
            (found,) = await (Stream("a") | ops.timestamp() | ops.to_list())
            return before <= found.time <= asyncio.get_running_loop().time()

        assert asyncio.run(main())

    def test_a_plain_for_has_a_clock_too(self) -> None:
        before = time.monotonic()
        (found,) = Stream("a") | ops.timestamp()
        assert before <= found.time <= time.monotonic()

    def test_another_clock(self) -> None:
        async def later() -> str:
            return "noon"

        for clock in (lambda: "noon", later, lambda: later()):
            assert list(Stream("a") | ops.timestamp(clock)) == [("a", "noon")]  # type: ignore[comparison-overlap]
        (found,) = Stream("a") | ops.timestamp(time.time)
        assert abs(found.time - time.time()) < 60

    def test_it_is_a_named_tuple(self) -> None:
        value, at = run(lambda: Stream("a") | ops.timestamp() | ops.first())
        assert (value, at) == Timestamped("a", 0.0)

    @pytest.mark.parametrize("clock", [5, None, "f", [1]])
    def test_bad_argument(self, clock: Any) -> None:
        with pytest.raises(TypeError, match="clock must be a callable, not"):
            ops.timestamp(clock)


class TestTimeInterval:
    @given(WAITS)
    def test_as_rxpy_with_seconds_for_its_time_spans(self, waits: list[int]) -> None:
        found = run(lambda: Stream(lambda: after(waits)) | ops.time_interval() | ops.to_list())
        theirs = of_rxpy(waits, rx.time_interval())
        assert [(each.value, each.interval.total_seconds()) for each in theirs] == found
        assert [each.seconds for each in found] == waits

    def test_the_first_counts_from_the_begin_of_the_run(self) -> None:
        async def main() -> list[float]:
            stream = Stream(lambda: after([3])) | ops.time_interval()
            await asyncio.sleep(100)
            found = []
            async with stream.open() as items:
                await asyncio.sleep(100)
                async for item in items:
                    found.append(item.seconds)
            return found

        assert run(main) == [3.0]

    def test_the_consumers_time_is_in_it(self) -> None:
        async def main() -> list[float]:
            found = []
            async with (Stream(lambda: after([1, 1])) | ops.time_interval()).open() as items:
                async for item in items:
                    found.append(item.seconds)
                    await asyncio.sleep(5)
            return found

        assert run(main) == [1.0, 6.0]

    def test_it_is_a_named_tuple(self) -> None:
        assert run(lambda: Stream("a") | ops.time_interval() | ops.first()) == TimeInterval("a", 0.0)
