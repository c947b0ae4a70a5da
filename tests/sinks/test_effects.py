"""Sinks that run a stream for its effects."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from streamkit import Stream, attached, ops
from streamkit.testing import run


class Counted:
    """A source that counts what was pulled and how often it was closed."""

    def __init__(self, count: int = 100) -> None:
        self.count = count
        self.pulled = self.closed = 0

    def __call__(self) -> Iterator[int]:
        try:
            for number in range(self.count):
                self.pulled += 1
                yield number
        finally:
            self.closed += 1


async def awaited(job: Any) -> Any:
    return await job


class TestForEach:
    @pytest.mark.parametrize("concurrency", [1, 3])
    def test_calls_with_each_item_and_has_no_result(self, concurrency: int) -> None:
        seen: list[int] = []
        job = Stream([3, 1, 2]) | ops.for_each(seen.append, concurrency=concurrency)
        assert job.run() is None
        assert seen == [3, 1, 2]

    def test_awaits_one_call_before_the_next_item_is_pulled(self) -> None:
        source = Counted(3)
        pulled: list[int] = []

        async def work(_: int) -> None:
            await asyncio.sleep(1.0)
            pulled.append(source.pulled)

        run(lambda: awaited(Stream(source) | ops.for_each(work)))
        assert pulled == [1, 2, 3]

    @pytest.mark.parametrize(("concurrency", "seconds"), [(1, 6.0), (2, 3.0), (3, 2.0), (9, 1.0)])
    def test_so_many_calls_are_in_flight(self, concurrency: int, seconds: float) -> None:
        busy = most = 0

        async def work(_: int) -> None:
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(1.0)
            busy -= 1

        async def main() -> float:
            await (Stream(range(6)) | ops.for_each(work, concurrency=concurrency))
            return asyncio.get_running_loop().time()

        assert run(main) == seconds
        assert (most, busy) == (min(concurrency, 6), 0)

    def test_an_error_cancels_the_calls_in_flight_and_waits_for_them(self) -> None:
        cancelled: list[int] = []

        async def work(number: int) -> None:
            if number == 0:
                await asyncio.sleep(1.0)
                raise ValueError(number)
            try:
                await asyncio.sleep(99.0)
            finally:
                await asyncio.sleep(5.0)
                cancelled.append(number)

        with pytest.raises(ValueError, match="0") as caught:
            run(lambda: awaited(Stream(range(9)) | ops.for_each(work, concurrency=3)))
        assert sorted(cancelled) == [1, 2]
        assert attached(caught.value) == ()

    @pytest.mark.parametrize("concurrency", [1, 2])
    def test_an_error_says_where(self, concurrency: int) -> None:
        def fail(_: int) -> None:
            raise ValueError("bad")

        with pytest.raises(ValueError, match="bad") as caught:
            (Stream([1]) | ops.for_each(fail, concurrency=concurrency)).run()
        assert "(fail" in caught.value.__notes__[0]
        assert "test_effects.py:" in caught.value.__notes__[0]

    @pytest.mark.parametrize(
        ("value", "error"), [(0, ValueError), (-1, ValueError), (True, TypeError), (1.0, TypeError)]
    )
    def test_bad_concurrency(self, value: Any, error: type[Exception]) -> None:
        with pytest.raises(error, match=f"concurrency must be a whole number of at least 1, not {value!r}"):
            ops.for_each(print, concurrency=value)

    @pytest.mark.parametrize("concurrency", [1, 2])
    def test_bad_function(self, concurrency: int) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not None"):
            ops.for_each(None, concurrency=concurrency)  # type: ignore[arg-type]


class TestDrain:
    def test_pulls_everything_and_has_no_result(self) -> None:
        source = Counted(5)
        assert (Stream(source) | ops.drain()).run() is None
        assert (source.pulled, source.closed) == (5, 1)
