"""timeout."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Stream, StreamTimeoutError, ops
from streamkit.testing import run


def after(*seconds: float, ends: float = 0.0) -> Callable[[], AsyncIterator[int]]:
    """A source whose items take `seconds` each, and its end `ends`."""

    async def source() -> AsyncIterator[int]:
        for number, each in enumerate(seconds):
            await asyncio.sleep(each)
            yield number
        await asyncio.sleep(ends)

    return source


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


class TestTimeout:
    @given(
        st.lists(st.integers(0, 20).filter(lambda tenths: tenths != 10), max_size=6),
        st.integers(0, 20).filter(lambda tenths: tenths != 10),
    )
    def test_items_in_time_pass_and_the_first_that_is_late_fails(self, tenths: list[int], ends: int) -> None:
        seconds = [each / 10 for each in tenths]
        late = next((number for number, each in enumerate([*seconds, ends / 10]) if each > 1.0), None)
        seen: list[int] = []

        async def main() -> None:
            async for item in Stream(after(*seconds, ends=ends / 10)) | ops.timeout(1.0):
                seen.append(item)

        if late is None:
            run(main)
            assert seen == list(range(len(seconds)))
        else:
            with pytest.raises(StreamTimeoutError):
                run(main)
            assert seen == list(range(late))

    def test_fails_exactly_when_the_time_is_over(self) -> None:
        async def main() -> float:
            with pytest.raises(StreamTimeoutError):
                await collect(Stream(after(1.0, 9.0)) | ops.timeout(2.5))
            return asyncio.get_running_loop().time()

        assert run(main) == 3.5

    def test_an_item_that_was_ready_when_the_time_ended_is_passed_on(self) -> None:
        async def main() -> list[str]:
            loop = asyncio.get_running_loop()
            arrived = loop.create_future()
            loop.call_at(2.0, arrived.set_result, "just in time")

            async def source() -> AsyncIterator[str]:
                yield await arrived

            return await collect(Stream(source) | ops.timeout(2.0))

        assert run(main) == ["just in time"]

    def test_time_counts_from_when_an_item_is_asked_for(self) -> None:
        async def main() -> list[int]:
            seen: list[int] = []
            async with (Stream(after(1.0, 1.0, 1.0)) | ops.timeout(2.0)).open() as items:
                await asyncio.sleep(50.0)
                async for item in items:
                    seen.append(item)
                    await asyncio.sleep(50.0)
            return seen

        assert run(main) == [0, 1, 2]

    def test_a_late_end_of_the_source_fails_too(self) -> None:
        with pytest.raises(StreamTimeoutError, match=r"no item came within 2\.0 s"):
            run(lambda: collect(Stream(after(1.0, ends=5.0)) | ops.timeout(2.0)))

    def test_the_error_is_pythons_own_as_well_and_says_where(self) -> None:
        with pytest.raises(TimeoutError) as caught:
            run(lambda: collect(Stream(after(9.0)) | ops.timeout(2)))
        assert caught.value.__notes__[0].startswith("in timeout(2.0) at ")
        assert caught.value.__notes__[0].partition(" at ")[2].partition(":")[0].endswith("test_timing.py")

    def test_the_source_is_closed_when_the_time_is_over(self) -> None:
        ended: list[float] = []

        async def source() -> AsyncIterator[int]:
            loop = asyncio.get_running_loop()
            try:
                await asyncio.sleep(99.0)
                yield 1
            finally:
                await asyncio.sleep(1.0)
                ended.append(loop.time())

        async def main() -> None:
            with pytest.raises(StreamTimeoutError):
                await collect(Stream(source) | ops.timeout(2.0))
            assert ended == [3.0]

        run(main)

    def test_nothing_is_read_ahead(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            stream = Stream(range(9)) | ops.tap(pulled.append) | ops.timeout(2.0)
            async with stream.open() as items:
                await asyncio.sleep(9.0)
                assert pulled == []
                for number in range(3):
                    assert await anext(items) == number
                    await asyncio.sleep(9.0)
                    assert pulled == list(range(number + 1))

        run(main)

    def test_the_stream_has_ended_after_the_error(self) -> None:
        async def main() -> None:
            async with (Stream(after(9.0)) | ops.timeout(2.0)).open() as items:
                with pytest.raises(StreamTimeoutError):
                    await anext(items)
                with pytest.raises(StopAsyncIteration):
                    await anext(items)

        run(main)

    def test_catch_behind_it_can_go_on(self) -> None:
        stream = Stream(after(1.0, 9.0)) | ops.timeout(2.0) | ops.catch(lambda _: [-1], errors=TimeoutError)
        assert run(lambda: collect(stream)) == [0, -1]

    def test_empty_and_without_a_wait(self) -> None:
        assert list(Stream([]) | ops.timeout(1.0)) == []
        assert list(Stream("ab") | ops.timeout(1e-9)) == ["a", "b"]

    @pytest.mark.parametrize("seconds", [0, -1, 0.0, -0.5, float("inf"), float("nan")])
    def test_no_time(self, seconds: float) -> None:
        with pytest.raises(ValueError, match="seconds must be a finite number of seconds above 0"):
            ops.timeout(seconds)

    @pytest.mark.parametrize("seconds", [True, "1", [1.0]])
    def test_no_number(self, seconds: Any) -> None:
        with pytest.raises(TypeError) as caught:
            ops.timeout(seconds)
        assert str(caught.value) == f"seconds must be a finite number of seconds above 0, not {seconds!r}"
