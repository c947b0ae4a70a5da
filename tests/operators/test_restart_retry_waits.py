"""`retry`: the arguments `when`, `backoff` and `on_retry`."""

import asyncio
import gc
import math
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from streamkit import Backoff, Stream, attached, ops
from streamkit.testing import run
from tests.operators.restarting import Flaky, collect, collected, lost


class TestWhen:
    @pytest.mark.parametrize("when", [ConnectionError, (KeyError, OSError), Exception])
    def test_types_of_errors(self, when: Any) -> None:
        assert collected(Flaky(lost(1), [2]), ops.retry(2, when=when)) == [1, 2]

    @pytest.mark.parametrize("when", [KeyError, (), (KeyError, ValueError)])
    def test_another_type_comes_through_at_once(self, when: Any) -> None:
        source = Flaky(lost(1), [2])
        with pytest.raises(ConnectionError):
            collected(source, ops.retry(5, when=when))
        assert len(source.begun) == 1

    def test_a_callable_is_asked_when_the_source_is_closed(self) -> None:
        source = Flaky(lost(1), lost(1, 2), [3])
        asked: list[Any] = []

        def when(error: Exception) -> bool:
            asked.append((str(error), len(source.log)))
            return "after 1" in str(error)

        with pytest.raises(ConnectionError, match="lost after 2"):
            collected(source, ops.retry(9, when=when))
        assert asked == [("lost after 1", 1), ("lost after 2", 2)]

    def test_it_may_return_an_awaitable(self) -> None:
        async def when(error: Exception) -> bool:
            await asyncio.sleep(5.0)
            return not isinstance(error, KeyError)

        source = Flaky(lost(), [KeyError()], [1])
        with pytest.raises(KeyError):
            collected(source, ops.retry(9, when=when))
        assert source.begun == [0.0, 5.0]

    def test_its_own_error_ends_the_stream_and_remembers_the_first(self) -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            collected(Flaky(lost(1)), ops.retry(2, when=lambda _: 1 // 0))
        assert isinstance(caught.value.__cause__, ConnectionError)
        assert caught.value.__notes__[0].startswith("in retry(2, when=<lambda>) at ")

    @pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
    def test_what_ends_the_program_is_never_tried_again(self, error: type[BaseException]) -> None:
        begun: list[int] = []

        def source() -> Iterator[int]:
            begun.append(1)
            yield 1
            raise error

        with pytest.raises(error):
            (Stream(source) | ops.retry(None) | ops.drain()).run()
        assert begun == [1]

    def test_an_error_of_the_program_is_never_tried_again(self) -> None:
        source = Flaky([RecursionError()])
        with pytest.raises(RecursionError):
            collected(source, ops.retry(None))
        assert len(source.begun) == 1

    def test_a_cancellation_is_never_tried_again(self) -> None:
        async def hang() -> AsyncIterator[int]:
            begun.append(1)
            yield 1
            await asyncio.sleep(math.inf)

        async def main() -> None:
            task = asyncio.ensure_future(collect(Stream(hang) | ops.retry(None)))
            await asyncio.sleep(5.0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

        begun: list[int] = []
        run(main)
        assert begun == [1]


class TestBackoff:
    def test_a_number_of_seconds(self) -> None:
        source = Flaky(lost(), lost(), lost(), [1])
        assert collected(source, ops.retry(4, backoff=2.5)) == [1]
        assert source.begun == [0.0, 2.5, 5.0, 7.5]

    def test_none_tries_again_at_once(self) -> None:
        source = Flaky(lost(), lost(), [1])
        collected(source, ops.retry())
        assert source.begun == [0.0, 0.0, 0.0]

    def test_longer_and_longer_and_from_the_beginning_in_each_run(self) -> None:
        source = Flaky(*[lost()] * 4, [1], *[lost()] * 2, [1])
        stream = Stream(source) | ops.retry(None, backoff=Backoff(1.0, most=3.0, jitter=0.0))

        async def twice() -> None:
            await collect(stream)
            await collect(stream)

        run(twice)
        assert source.begun == [0.0, 1.0, 3.0, 6.0, 9.0, 9.0, 10.0, 12.0]

    def test_random_waits_that_a_seed_repeats(self) -> None:
        backoff = Backoff(1.0, seed=3)
        begun: list[list[float]] = []
        for _ in range(2):
            source = Flaky(*[lost()] * 5, [1])
            collected(source, ops.retry(None, backoff=backoff))
            begun.append(source.begun)
        assert begun[0] == begun[1]
        expected = [wait for wait, _ in zip(backoff, range(5), strict=False)]
        assert [later - one for one, later in zip(begun[0], begun[0][1:], strict=False)] == pytest.approx(
            expected
        )

    def test_a_consumer_that_leaves_does_not_wait_for_it(self) -> None:
        async def main() -> float:
            loop = asyncio.get_running_loop()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(3.0):
                    await collect(Stream(Flaky(lost())) | ops.retry(None, backoff=60.0))
            return loop.time()

        assert run(main) == 3.0

    def test_nothing_is_asked_for_before_the_consumer_does(self) -> None:
        source = Flaky(lost(1), [2])

        async def main() -> None:
            async with (Stream(source) | ops.retry(2)).open() as items:
                assert not source.begun
                assert await anext(items) == 1
                await asyncio.sleep(5.0)
                assert len(source.begun) == 1
                assert [item async for item in items] == [2]

        run(main)


class TestResetAfter:
    @staticmethod
    def steady(*seconds: float) -> tuple[Callable[[], AsyncIterator[float]], list[float]]:
        """A source that fails after so many seconds in each run; and when its runs began."""
        begun: list[float] = []

        async def source() -> AsyncIterator[float]:
            begun.append(asyncio.get_running_loop().time())
            yield begun[-1]
            await asyncio.sleep(seconds[min(len(begun), len(seconds)) - 1])
            raise ConnectionError(str(len(begun)))

        return source, begun

    def test_attempts_count_anew(self) -> None:
        source, begun = self.steady(1.0, 10.0, 1.0, 1.0)
        with pytest.raises(ConnectionError, match="4") as caught:
            collected(source, ops.retry(3, reset_after=10.0))
        assert begun == [0.0, 1.0, 11.0, 12.0]
        assert caught.value.__notes__ == [
            "this was attempt 3 of 3, after ConnectionError: 2, ConnectionError: 3"
        ]

    def test_the_backoff_begins_anew(self) -> None:
        source, begun = self.steady(0.0, 0.0, 30.0, 0.0, 0.0)
        backoff = Backoff(1.0, jitter=0.0)
        with pytest.raises(ConnectionError):
            collected(source, ops.retry(3, backoff=backoff, reset_after=20.0))
        assert begun == [0.0, 1.0, 3.0, 34.0, 36.0]

    def test_the_waits_do_not_count(self) -> None:
        source, begun = self.steady(1.0)
        with pytest.raises(ConnectionError):
            collected(source, ops.retry(3, backoff=100.0, reset_after=50.0))
        assert len(begun) == 3


class TestOnRetry:
    def test_is_told_the_error_the_attempt_and_the_seconds(self) -> None:
        told: list[Any] = []
        source = Flaky(lost(), lost(1), [1])
        backoff = Backoff(2.0, jitter=0.0)
        collected(source, ops.retry(3, backoff=backoff, on_retry=lambda *given: told.append(given)))
        assert [(str(error), *rest) for error, *rest in told] == [
            ("lost after 0", 1, 2.0),
            ("lost after 1", 2, 4.0),
        ]

    def test_is_not_called_for_the_last_error(self) -> None:
        told: list[Any] = []
        with pytest.raises(ConnectionError):
            collected(Flaky(lost()), ops.retry(2, on_retry=lambda *given: told.append(given)))
        assert len(told) == 1

    def test_may_be_asynchronous(self) -> None:
        async def on_retry(*_: object) -> None:
            await asyncio.sleep(5.0)

        source = Flaky(lost(), [1])
        collected(source, ops.retry(2, backoff=1.0, on_retry=on_retry))
        assert source.begun == [0.0, 6.0]

    def test_its_error_ends_the_stream(self) -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            collected(Flaky(lost()), ops.retry(2, on_retry=lambda *_: 1 // 0))
        assert isinstance(caught.value.__cause__, ConnectionError)

    def test_errors_of_clean_up_hang_on_the_error_that_it_gets(self) -> None:
        async def dirty() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.sleep(99.0)
            finally:
                raise OSError("clean-up")

        found: list[Any] = []
        source = Stream(Flaky(lost(), [2])) | ops.merge(dirty)
        stream = source | ops.retry(2, on_retry=lambda error, *_: found.extend(attached(error))) | ops.take(2)
        with pytest.raises(OSError, match="clean-up"):
            run(lambda: collect(stream))
        assert [str(error) for error in found] == ["clean-up"]


class TestLettingGo:
    """While it waits, nothing of the failed attempt is kept: no item, and no error."""

    @pytest.mark.parametrize(
        "steps", [[], [ops.tap(lambda item: None)], [ops.batch(1), ops.flatten()]], ids=len
    )
    @pytest.mark.parametrize("form", ["generator", "async generator"])
    def test_items_and_errors_are_let_go(self, form: str, steps: list[Any]) -> None:
        alive: weakref.WeakSet[Any] = weakref.WeakSet()
        attempts: list[int] = []

        class Item:
            pass

        class LostError(Exception):
            def __init__(self) -> None:
                alive.add(self)

        def made() -> Any:
            item = Item()
            alive.add(item)
            return item

        def plain() -> Iterator[Any]:
            yield made()
            yield made()

        async def later() -> AsyncIterator[Any]:
            for item in plain():
                yield item
                del item

        def fail(_: object) -> None:
            if len(attempts) < 2:
                attempts.append(1)
                raise LostError

        sources: dict[str, Any] = {"generator": plain, "async generator": later}

        async def main() -> None:
            stream = Stream(sources[form]).pipe(*steps, ops.tap(fail), ops.retry(3, backoff=10.0))
            task = asyncio.ensure_future(consumed(stream))
            for _ in attempts, attempts:
                await asyncio.sleep(5.0)
                assert not alive
                await asyncio.sleep(5.0)
            await task

        gc.collect()
        gc.disable()
        try:
            run(main)
        finally:
            gc.enable()


async def consumed(stream: Any) -> None:
    async for _ in stream:
        del _
