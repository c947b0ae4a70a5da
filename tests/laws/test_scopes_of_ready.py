"""Laws 5 and 6: a scope of a source that is always ready fires while a loop lets others run."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import StoppedError, Stream, Suspend, Unbounded, ops
from streamkit._engine.compile import pace
from streamkit.testing import VirtualLoop
from tests.laws.lab import play


class Ready:
    """A source that is always ready, and whose timeout fires in an early step of the event loop."""

    def __init__(self, *, catches: bool = True) -> None:
        self.catches = catches
        self.given: list[int] = []
        self.open = True

    async def __call__(self) -> AsyncIterator[int]:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        assert isinstance(loop, VirtualLoop)
        try:
            async with asyncio.timeout(None) as scope:
                loop.call_at_step(3, lambda: self.open and scope.reschedule(loop.time()))
                for number in range(20_000):
                    self.given.append(number)
                    yield number
        except TimeoutError:
            if not self.catches:
                raise
        finally:
            self.open = False
        assert task.cancelling() == 0
        yield 20_000


async def same(item: Any) -> Any:
    return item


READ_ANYWHERE: dict[str, Callable[[], Any]] = {
    "in place": lambda: ops.filter(lambda item: True),
    "async callbacks": lambda: ops.map(same),
    "known callbacks": lambda: ops.enumerate() | ops.starmap(lambda _, item: item),
    "pump": lambda: ops.buffer(Unbounded()),
    "pump with steps": lambda: ops.map(lambda item: item) | ops.buffer(Unbounded()),
}


@pytest.mark.parametrize("make", READ_ANYWHERE.values(), ids=READ_ANYWHERE)
class TestAScopeThatFiresWhileALoopBreathes:
    @pytest.fixture(autouse=True)
    def breathless(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pace, "BUDGET", 0.0)  # a loop breathes whenever it looks at the clock

    def test_is_handed_to_the_source_and_no_item_is_lost(self, make: Callable[[], Any]) -> None:
        async def main() -> None:
            for end in (ops.to_list(), ops.buffer(Suspend(9)) | ops.to_list()):
                source = Ready()
                found = await (Stream(source) | make() | end)
                assert len(source.given) < 20_000, "the timeout did not fire"
                assert found == [*source.given, 20_000]
            source = Ready()
            assert [item async for item in Stream(source) | make()] == [*source.given, 20_000]

        play(main)

    def test_an_error_of_the_source_arrives_as_itself(self, make: Callable[[], Any]) -> None:
        async def main() -> None:
            with pytest.raises(TimeoutError) as caught:
                await (Stream(Ready(catches=False)) | make() | ops.drain())
            assert not hasattr(caught.value, "__notes__")

        play(main)

    def test_a_cancellation_of_the_reader_is_none_of_them(self, make: Callable[[], Any]) -> None:
        async def main() -> None:
            handle = (Stream(Ready()) | make() | ops.drain()).start()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await handle.stop()
            with pytest.raises(StoppedError):
                await handle

        play(main)


def soon(*, catches: bool) -> Callable[[], AsyncIterator[int]]:
    """A source whose timeout fires behind its third item."""

    async def source() -> AsyncIterator[int]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as scope:
                for number in range(9):
                    if number == 3:
                        loop.call_soon(scope.reschedule, loop.time())
                    yield number
        except TimeoutError:
            if not catches:
                raise
            yield -1

    return source


STEPS: Any = ops.map(lambda number: [None] * 1000 + [number]) | ops.flatten() | ops.filter(None)


def test_a_scope_that_fires_while_a_step_between_streams_breathes_is_handed_to_its_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "BUDGET", 0.0)

    async def main() -> None:
        source = soon(catches=True)
        stream = Stream([7]) | ops.concat(source) | STEPS | ops.concat([8]) | ops.map(same) | ops.concat([9])
        assert await (stream | ops.buffer(Suspend(1)) | ops.to_list()) == [7, 1, 2, 3, -1, 8, 9]
        assert await (Stream(source) | STEPS | ops.to_list()) == [1, 2, 3, -1]
        assert [number async for number in Stream(source) | STEPS] == [1, 2, 3, -1]

    play(main)


def test_its_error_is_none_of_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "BUDGET", 0.0)

    async def main() -> None:
        stream = Stream(soon(catches=False)) | STEPS
        for job in (stream | ops.to_list(), stream | ops.buffer(Suspend(1)) | ops.to_list()):
            with pytest.raises(TimeoutError) as caught:
                await job
            assert not hasattr(caught.value, "__notes__")

    play(main)
