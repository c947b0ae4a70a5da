"""The ledger of a durable source that is shared: who opens and closes it, and who is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops, push
from streamkit._core.delivery import Delivery
from streamkit._engine.plan.tracked import Tracked
from streamkit.testing import run
from tests.run.ledger import MANY, Trial
from tests.run.test_followed_shared import awaited, called, seconds


class Failing:
    """A ledger that fails where it is told to."""

    def __init__(self, at: str) -> None:
        self.at = at

    def _called(self, name: str) -> None:
        if name == self.at:
            raise OSError(name)

    async def open(self) -> None:
        self._called("open")

    async def deliveries(self) -> Any:
        for number in range(3):
            yield Delivery(self, number), number

    def closed(self, delivery: Delivery) -> None:
        pass

    async def close(self, error: BaseException | None = None) -> None:
        self._called("close")


def test_an_error_of_opening_is_raised_by_all_jobs_and_one_of_closing_by_the_last() -> None:
    async def main(at: str) -> list[str]:
        shared: Any = Stream(Tracked("failing", (), lambda: Failing(at), 9)) | ops.share(readers=2)
        jobs = awaited(shared | ops.drain()), awaited(shared | ops.map(seconds) | ops.drain())
        return [repr(each) for each in await asyncio.gather(*jobs, return_exceptions=True)]

    assert run(partial(main, "open")) == ["OSError('open')", "OSError('open')"]
    assert run(partial(main, "close")) == ["None", "OSError('close')"]


def test_who_comes_while_the_source_closes_waits_for_that_and_an_error_there_is_raised_by_the_last() -> None:
    opened: list[float] = []

    class Slow(Failing):
        async def open(self) -> None:
            opened.append(asyncio.get_running_loop().time())

        async def deliveries(self) -> Any:
            try:
                async for pair in super().deliveries():
                    yield pair
            finally:
                await asyncio.sleep(5)
                self._called("left")

    async def main(at: str) -> list[str]:
        opened.clear()
        stream: Any = Stream(Tracked("slow", (), lambda: Slow(at), 9))
        shared = stream | ops.share() | ops.take(1)
        jobs = [awaited(shared | ops.to_list()), later(shared | ops.to_list())]
        return [repr(each) for each in await asyncio.gather(*jobs, return_exceptions=True)]

    async def later(job: Any) -> Any:
        await asyncio.sleep(2)
        return await job

    assert run(partial(main, "nowhere")) == ["[0]", "[0]"]
    assert opened == [0.0, 5.0]
    assert run(partial(main, "left")) == ["OSError('left')", "OSError('left')"]


def test_one_that_lingers_while_its_ledger_opens_goes_on_to_read_its_other_sources() -> None:
    class Slow(Failing):
        async def open(self) -> None:
            await asyncio.sleep(2)

    async def main() -> None:
        pushed, emitter = push(Suspend(4), of=int)
        stream: Any = Stream(Tracked("slow", (), lambda: Slow("nowhere"), 9))
        shared = stream | ops.concat(pushed) | ops.share(linger=9.0)
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await (shared | ops.drain())
        emitter.offer(7)
        emitter.close()
        assert await (shared | ops.to_list()) == [0, 1, 2, 7]

    run(main)


def test_when_the_program_ends_while_it_lingers_its_ledger_is_closed_first() -> None:
    connections: list[bool] = []

    class Connected(Failing):
        """Its connection is an async generator, as those of carriers are, which ``asyncio.run`` closes."""

        async def open(self) -> None:
            self.connection = self._connect()
            await anext(self.connection)

        async def _connect(self) -> Any:
            self.connected = True
            try:
                yield
            finally:
                self.connected = False

        async def close(self, error: BaseException | None = None) -> None:
            for _ in range(9):
                await asyncio.sleep(0)
            connections.append(self.connected)

    async def main(readers: int, turns: int) -> None:
        stream: Any = Stream(Tracked("connected", (), lambda: Connected("nowhere"), 9))
        reader = asyncio.ensure_future(
            awaited(stream | ops.share(linger=99.0, readers=readers) | ops.drain())
        )
        for _ in range(turns):
            await asyncio.sleep(0)
        reader.cancel()
        await asyncio.wait([reader])

    for turns in range(1, 9):
        for readers in 1, 2:
            asyncio.run(main(readers, turns))
    assert len(connections) >= 4
    assert all(connections)


def test_where_nobody_follows_its_items_it_is_refused() -> None:
    shared = Trial().stream() | ops.share()
    other = Trial(first=2 * MANY).stream()
    readings: list[Callable[[], Any]] = [
        lambda: Stream([1]) | ops.merge(shared) | ops.drain(),
        lambda: Stream([1]) | ops.concat_map(lambda _: shared) | ops.drain(),
        lambda: other | ops.flat_map(lambda _: shared, concurrency=2) | ops.drain(),
        lambda: other | ops.take_until(shared) | ops.drain(),
        lambda: asyncio.sleep(0, aiter(shared)),
    ]
    for reading in readings:
        with pytest.raises(TypeError, match=r"begin a pipe with it, and end that|acknowledges an item when"):
            run(partial(called, reading))


def test_explain_counts_what_may_come_twice_once_for_all_readers() -> None:
    shared = Trial().stream(most=50) | ops.share()
    both = shared | ops.zip(shared, Trial().stream(most=7)) | ops.drain()
    assert "deliveries: 57 in flight at most" in str(both.explain())
