"""`on`: a chunk that fails when another has failed, and what is sent again after its worker was lost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from streamkit import Resume, Retry, Stream, WorkerCrashedError, ops
from streamkit._core.workers import NoResult, Outcomes, Send, Work
from streamkit.testing import run
from tests.workers import InLoop


def numbers_at(job: Any) -> Any:
    async def main() -> Any:
        return await job

    return run(main())


class Losing(InLoop):
    """The first chunk is lost, with its worker."""

    lost = False

    @asynccontextmanager
    async def used(self, work: Work) -> AsyncIterator[Send]:
        async with super().used(work) as send:

            async def once_lost(items: Sequence[Any]) -> Outcomes:
                if self.lost:
                    return await send(items)
                self.lost = True
                return Outcomes([NoResult(WorkerCrashedError("it was lost"), items[0])])

            yield once_lost


def test_one_that_fails_as_it_is_cancelled_takes_nothing_from_the_first() -> None:
    async def dropped(item: int, error: Exception) -> None:
        if item == 4:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise OSError("late") from error
        raise LookupError("first")

    def call(number: int) -> int:
        return number if number > 5 else fail(number)

    def fail(number: int) -> int:
        raise ValueError(number)

    seen = list[int]()
    policy = Resume(dropped)
    pipe = ops.map(call, on=InLoop(4), chunk=2, ordered=False, on_error=policy)
    with pytest.raises(LookupError, match="first"):
        numbers_at(Stream([6, 4, 7, 5]) | pipe | ops.for_each(seen.append))
    assert seen == [7]


def test_what_was_lost_and_is_sent_again_may_be_dropped_by_the_pipe() -> None:
    pipe = ops.on(Losing(), ops.filter(bool), chunk=1, on_lost=Retry(2))
    assert numbers_at(Stream([0, 1]) | pipe | ops.to_list()) == [1]
