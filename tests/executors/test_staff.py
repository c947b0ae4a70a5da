"""Staff and dispatch: hands that come late, end early, or are told of what nobody wants any more."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from streamkit import Retry, WorkerCrashedError, WorkersClosedError
from streamkit._core.workers import Calls
from streamkit.executors import ChunkSent, WorkerAdded, WorkerPrepared
from tests.executors.scripted import Scripted, Told, turn
from tests.executors.work import double


class Open:
    """A pool that is open, with a run that sends to it; its first hands are prepared."""

    def __init__(self, pool: Scripted) -> None:
        self.pool = pool
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Open":
        opening = asyncio.ensure_future(self._stack.enter_async_context(self.pool))
        await turn()
        for hand in self.pool.hands:
            hand.begins()
        await opening
        self.send: Any = await self._stack.enter_async_context(self.pool.used(Calls(double)))
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._stack.aclose()

    def sent(self, *items: Any) -> "asyncio.Future[Any]":
        return asyncio.ensure_future(self.send([*items]))


def run(main: Any, **options: Any) -> None:
    async def timed() -> None:
        async with asyncio.timeout(30.0):
            await main()

    with asyncio.Runner(**options) as runner:
        runner.run(timed())


async def ended(*calls: "asyncio.Future[Any]") -> list[Any]:
    """What calls end with; errors as their types."""
    found = await asyncio.gather(*calls, return_exceptions=True)
    return [type(each) if isinstance(each, BaseException) else each for each in found]


class TestCalls:
    def test_a_chunk_that_is_lost_and_not_sent_again_is_an_error(self) -> None:
        async def main() -> None:
            async with Open(Scripted()) as opened:
                call = opened.sent(1, 2)
                await turn()
                opened.pool.hands[0].dies()
                with pytest.raises(WorkerCrashedError, match=r"worker 0 was lost at \[1, 2\]"):
                    await call

        run(main)

    def test_as_many_are_given_ahead_as_take_two_milliseconds(self) -> None:
        async def main() -> None:
            for seconds, ahead, limit in [(0.05, 0, 2), (0.01, 1, 2), (0.0009, 2, 3), (0.0, 3, 4)]:
                async with Open(Scripted()) as opened:
                    [hand], pool = opened.pool.hands, opened.pool
                    assert pool.limit.value == 2, "of what nothing is known, one more waits here"
                    first = opened.sent(0)
                    await turn()
                    hand.answers(0, seconds=seconds)
                    await first
                    assert (pool.limit.value, pool.limit.most) == (limit, 8)
                    calls = [opened.sent(number) for number in range(6)]
                    await turn()
                    assert len(hand.given) == 1 + ahead
                    for _ in calls:
                        hand.answers(0, seconds=3.0)
                    await asyncio.gather(*calls)
                    assert pool.limit.value == 2, "it follows what they take now"

        run(main)

    def test_one_that_waits_and_is_cancelled_is_given_to_nobody(self) -> None:
        async def main() -> None:
            async with Open(Scripted()) as opened:
                one, two, three = (opened.sent(number) for number in (1, 2, 3))
                await turn()
                two.cancel()
                await turn()
                [hand] = opened.pool.hands
                assert [call.items for call in hand.given] == [[1]]
                await opened.pool.halt(0.0)
                assert await ended(one, two, three) == [
                    WorkersClosedError,
                    asyncio.CancelledError,
                    WorkersClosedError,
                ]
            assert sum(isinstance(each, ChunkSent) for each in opened.pool.events) == 1

        run(main)

    def test_one_that_is_cancelled_twice_is_waited_for(self) -> None:
        async def main() -> None:
            async with Open(Scripted()) as opened:
                call = opened.sent(1)
                await turn()
                for _ in range(2):
                    call.cancel()
                    await turn()
                    assert not call.done(), "its worker is still at it"
                [hand] = opened.pool.hands
                assert [each.items for each in hand.stopped] == [[1]]
                hand.answers(2)
                assert await ended(call) == [asyncio.CancelledError]

        run(main)

    def test_one_that_is_cancelled_as_its_worker_is_lost_has_ended(self) -> None:
        async def main() -> None:
            async with Open(Scripted(on_crash=Retry(2))) as opened:
                call = opened.sent(1)
                await turn()
                opened.pool.hands[0].dies()
                call.cancel()
                assert await ended(call) == [asyncio.CancelledError]
                opened.pool.hands[1].begins()
                assert opened.pool.hands[1].given == []

        run(main)

    def test_what_was_given_ahead_ends_where_the_pool_is_closed(self) -> None:
        async def main() -> None:
            async with Open(Scripted(on_crash=Retry(2))) as opened:
                calls = [opened.sent(number) for number in range(3)]
                await turn()
                assert len(opened.pool.hands[0].given) == 1, "nobody knows yet how long one takes"
                opened.pool.hands[0].answers(0)
                await turn()
                assert len(opened.pool.hands[0].given) == 2
            assert await ended(*calls) == [[0], WorkersClosedError, WorkersClosedError]

        run(main)

    def test_halted_leave_what_was_cancelled_out(self) -> None:
        async def main() -> None:
            async with Open(Scripted()) as opened:
                one, two = opened.sent(1), opened.sent(2)
                await turn()
                one.cancel()
                await turn()
                assert await opened.pool.halt(0.0) == (2,)
                assert await ended(one, two) == [asyncio.CancelledError, WorkersClosedError]
            async with Open(Scripted()) as opened:
                assert await opened.pool.halt(0.0) == (), "there was nothing to wait for"

        run(main)


class TestHands:
    def test_one_that_is_gone_says_nothing_more(self) -> None:
        async def main() -> None:
            async with Open(Scripted(on_crash=Retry(2))) as opened:
                call = opened.sent(1)
                await turn()
                [hand] = opened.pool.hands
                late = hand.given[0]
                hand.dies()
                hand.master.dropped(hand, late)
                hand.master.done(hand, late, [7], 0.0, 0)
                hand.master.lost(hand)
                _, other = opened.pool.hands
                other.begins()
                other.master.dropped(other, late)
                await turn()
                other.answers(2)
                assert await call == [2]

        run(main)

    def test_one_that_is_closed_before_it_is_prepared_gets_nothing_to_do(self) -> None:
        async def main() -> None:
            async with Open(Scripted()) as opened:
                adding = asyncio.ensure_future(opened.pool.add_worker())
                await turn()
                opened.pool.hands[1].stays = True
                removing = asyncio.ensure_future(opened.pool.remove_worker(1))
                await turn()
                late = opened.pool.hands[1]
                late.begins()
                assert not late.ready
                late.ends()
                await removing
                assert await ended(adding) == [WorkersClosedError]

        run(main)

    def test_one_that_cannot_be_replaced_fails_all_and_can_be_removed(self) -> None:
        async def main() -> None:
            async with Open(Scripted(2)) as opened:
                opened.pool.refuses = OSError("full")
                opened.pool.hands[0].dies()
                assert await ended(opened.sent(1)) == [OSError]
                await opened.pool.remove_worker(0)
                assert [each.index for each in opened.pool.workers()] == [1]
                with pytest.raises(ValueError, match="index must be that of a worker, not 7"):
                    await opened.pool.remove_worker(7)

        run(main)

    def test_one_that_cannot_begin_is_as_one_that_cannot_be_made(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def start(hand: Told) -> None:
            raise RuntimeError("no more threads")

        async def main() -> None:
            async with Open(Scripted()) as opened:
                monkeypatch.setattr(Told, "start", start)
                with pytest.raises(RuntimeError, match="no more threads"):
                    await opened.pool.add_worker()
                assert len(opened.pool.workers()) == 1

        run(main)

    def test_one_that_has_done_its_share_is_not_replaced_at_the_end(self) -> None:
        async def main() -> None:
            pool = Scripted(recycle_after=1)
            async with Open(pool) as opened:
                [hand] = pool.hands
                hand.stays = True
                call = opened.sent(1)
                await turn()
                leaving = asyncio.ensure_future(opened.__aexit__())
                await turn()
                assert hand.ending
                hand.answers(2)
                assert await call == [2]
                hand.ends()
                await leaving
            assert sum(isinstance(each, WorkerAdded) for each in pool.events) == 1

        run(main)


class TestSpares:
    def test_one_has_the_call_of_a_worker_that_is_lost_at_once(self) -> None:
        """Nothing is waited for between a loss and that: no turn of the event loop, and none that starts."""

        async def main() -> None:
            async with Open(Scripted(spare=1, on_crash=Retry(2))) as opened:
                hand, spare = opened.pool.hands
                opened.sent(1)
                await turn()
                hand.answers(2, seconds=0.001)  # so quick that the next ones are given ahead
                under_way, ahead = opened.sent(3), opened.sent(4)
                await turn()
                assert len(hand.given) == 2
                opened.pool.events.clear()
                hand.dies()
                assert [call.items for call in spare.given] == [[4]]
                await turn()
                assert [call.items for call in spare.given] == [[4], [3]]
                spare.answers(8)
                spare.answers(6)
                assert [await under_way, await ahead] == [[6], [8]]
                assert not any(isinstance(each, WorkerPrepared) for each in opened.pool.events)

        run(main)

    def test_one_that_is_lost_is_not_replaced_where_the_pool_has_failed(self) -> None:
        async def main() -> None:
            async with Open(Scripted(spare=1)) as opened:
                hand, spare = opened.pool.hands
                opened.pool.refuses = OSError("full")
                spare.dies()  # and its successor cannot be made, which is an error
                hand.dies()
                assert await ended(opened.sent(1)) == [OSError]
                assert len(opened.pool.hands) == 2
            async with Open(Scripted(spare=2)) as opened:
                _, one, two = opened.pool.hands
                opened.pool.refuses = OSError("full")
                one.dies()
                opened.pool.refuses = None
                two.dies()
                assert len(opened.pool.hands) == 3, "nobody uses it any more"

        run(main)
