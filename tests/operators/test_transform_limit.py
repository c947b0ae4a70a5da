"""A concurrent map and for_each whose limit changes: by hand, by itself, and shared by several."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Adaptive, Limit, Resume, Retry, Stream, Suspend, ops
from streamkit.testing import VirtualLoop, run
from tests.laws.account import check_sum
from tests.marbles import ERROR, note


class Service:
    """Answers after `seconds`, and notes how many calls there are at once."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self.busy = self.most = self.calls = 0
        self.seen: list[tuple[float, int]] = []
        """How many calls were under way, and when, as each began."""

    async def __call__(self, item: Any) -> Any:
        self.busy += 1
        self.calls += 1
        self.most = max(self.most, self.busy)
        self.seen.append((asyncio.get_running_loop().time(), self.busy))
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.busy -= 1
        return item


def play(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return run(main)


class TestChanges:
    @pytest.mark.parametrize("ordered", [True, False])
    def test_while_it_runs(self, ordered: bool) -> None:
        service, limit = Service(), Limit(2, most=4)

        async def main() -> Any:
            loop = asyncio.get_running_loop()
            loop.call_later(1.5, limit.set, 4)
            loop.call_later(3.5, limit.set, 1)
            return await note(Stream(range(15)) | ops.map(service, concurrency=limit, ordered=ordered))

        assert sorted(item for _, item in play(main)[:-1]) == [*range(15)]
        at = {second: max(busy for time, busy in service.seen if int(time) == second) for second in range(7)}
        assert at[0] == 2
        assert at[2] == 4
        assert at[5] == at[6] == 1
        assert limit.in_flight == 0

    def test_wake_what_waits_for_a_place(self) -> None:
        service, limit = Service(9.0), Limit(1, most=3)

        async def main() -> Any:
            asyncio.get_running_loop().call_later(1.0, limit.set, 3)
            return await note(Stream(range(3)) | ops.map(service, concurrency=limit))

        assert play(main) == [(9.0, 0), (10.0, 1), (10.0, 2), (10.0, "|")]

    def test_in_a_plain_for(self) -> None:
        limit = Limit(1, most=9)
        found: list[int] = []
        for item in Stream(range(30)) | ops.map(lambda item: item, concurrency=limit):
            limit.set(1 + item % 9)
            found.append(item)
        assert found == [*range(30)]

    @given(
        st.lists(st.tuples(st.integers(1, 9), st.integers(1, 6)), max_size=12),
        st.booleans(),
        st.integers(0, 3),
        st.sampled_from(["list", "async"]),
    )
    def test_at_any_time_lose_nothing_and_let_no_more_begin(
        self, changes: list[tuple[int, int]], ordered: bool, lookahead: int, source: str
    ) -> None:
        limit = Limit(2, most=6)
        busy = 0

        async def work(item: int) -> int:
            nonlocal busy
            assert limit.in_flight <= limit.value
            busy += 1
            assert busy <= 6
            await asyncio.sleep(item * 7 % 5)
            busy -= 1
            return item

        async def waiting() -> AsyncIterator[int]:
            for number in range(40):
                await asyncio.sleep(number % 2)
                yield number

        async def main() -> list[int]:
            time = 0
            for seconds, value in changes:
                time += seconds
                asyncio.get_running_loop().call_later(time, limit.set, value)
            stream = Stream(range(40) if source == "list" else waiting)
            pipe = ops.map(work, concurrency=limit, ordered=ordered, lookahead=lookahead)
            return await (stream | pipe | ops.to_list())

        found = play(main)
        assert (found if ordered else sorted(found)) == [*range(40)]
        assert limit.in_flight == 0

    def test_are_refused_in_another_thread(self) -> None:
        limit = Limit(2, most=4)

        async def main() -> None:
            async with (Stream(range(9)) | ops.map(Service(0.0), concurrency=limit)).open() as items:
                await anext(items)
                with pytest.raises(
                    RuntimeError,
                    match=r": write loop\.call_soon_threadsafe\(limit\.set, value\), with .* there$",
                ):
                    await asyncio.to_thread(limit.set, 3)
                assert limit.value == 2

        asyncio.run(main())


class TestShared:
    def test_by_pipes_bounds_them_together_and_they_take_turns(self) -> None:
        service, limit = Service(), Limit(3)

        async def main() -> Any:
            pipes = [Stream(range(10)) | ops.map(service, concurrency=limit) for _ in range(3)]
            return await asyncio.gather(*map(note, pipes))

        found = play(main)
        assert service.most == 3
        for each in found:
            assert [item for _, item in each] == [*range(10), "|"]
            assert 9.0 <= each[-1][0] <= 10.0  # none was served before the others
        assert limit.in_flight == 0

    def test_by_one_that_comes_later(self) -> None:
        service, limit = Service(), Limit(1)

        async def late() -> Any:
            await asyncio.sleep(0.5)
            return await note(Stream("abc") | ops.map(service, concurrency=limit))

        async def main() -> Any:
            return await asyncio.gather(note(Stream(range(6)) | ops.map(service, concurrency=limit)), late())

        first, second = play(main)
        assert first == [(1.0, 0), (3.0, 1), (5.0, 2), (7.0, 3), (8.0, 4), (9.0, 5), (9.0, "|")]
        assert second == [(2.0, "a"), (4.0, "b"), (6.0, "c"), (6.0, "|")]

    def test_by_operators_behind_each_other_holds_up_none(self) -> None:
        service, limit = Service(), Limit(2)
        twice = ops.map(service, concurrency=limit) | ops.map(service, concurrency=limit)
        assert play(lambda: note(Stream(range(9)) | twice))[-1] == (9.0, "|")
        assert service.most == 2

    def test_results_that_wait_for_their_consumer_take_none_of_it(self) -> None:
        service, limit = Service(), Limit(2)

        async def main() -> Any:
            async with (Stream(range(9)) | ops.map(service, concurrency=limit)).open() as items:
                await anext(items)
                await asyncio.sleep(99.0)
                assert limit.in_flight == 0
                return await note(Stream("ab") | ops.map(service, concurrency=limit))

        assert play(main)[-1] == (101.0, "|")

    @pytest.mark.parametrize("fails", [False, True])
    def test_by_one_that_ends_early_serves_the_others(self, fails: bool) -> None:
        service, limit = Service(), Limit(1)

        async def main() -> Any:
            def stop(item: int) -> int:
                if item == 1:
                    raise ERROR
                return item

            stream = Stream(range(99)) | ops.map(service, concurrency=limit)
            short = stream | (ops.map(stop) if fails else ops.take(2))
            return await asyncio.gather(
                note(short), note(Stream("abc") | ops.map(service, concurrency=limit))
            )

        first, second = play(main)
        assert first[-1][1] == (ERROR if fails else "|")
        assert [item for _, item in second] == ["a", "b", "c", "|"]
        assert limit.in_flight == 0

    @pytest.mark.parametrize("step", range(1, 60))
    def test_with_one_that_is_cancelled_at_any_step_loses_no_place(self, step: int) -> None:
        service, limit = Service(), Limit(2)

        async def main() -> Any:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            stream = Stream(range(9)) | ops.map(service, concurrency=limit) | ops.tap(lambda _: None)
            work = loop.create_task(note(stream))
            other = loop.create_task(note(Stream("abcd") | ops.map(service, concurrency=limit)))
            loop.call_at_step(step, work.cancel)
            found = await other
            await asyncio.wait([work])
            return found

        assert [item for _, item in play(main)] == [*"abcd", "|"]
        assert limit.in_flight == 0

    def test_by_two_event_loops_is_refused_and_one_after_the_other_is_not(self) -> None:
        limit = Limit(2)
        stream = Stream(range(3)) | ops.map(lambda item: item, concurrency=limit)
        assert asyncio.run(awaited(stream | ops.to_list())) == [0, 1, 2]

        async def main() -> None:
            async with stream.open() as items:
                await anext(items)
                with pytest.raises(RuntimeError, match=r"Limit\(2\) is used in another event loop"):
                    await asyncio.to_thread(lambda: asyncio.run(awaited(stream | ops.to_list())))

        asyncio.run(main())
        assert asyncio.run(awaited(stream | ops.to_list())) == [0, 1, 2]


async def awaited(job: Any) -> Any:
    return await job


class TestAdaptive:
    def test_finds_how_many_calls_a_service_takes(self) -> None:
        limit = Adaptive(1, 64, latency=1.5)
        service = Service()
        found: list[int] = []

        async def answer(item: int) -> int:
            service.seconds = 1.0 if service.busy < 20 else 2.0
            found.append(limit.value)
            result: int = await service(item)
            return result

        play(lambda: awaited(Stream(range(3000)) | ops.map(answer, concurrency=limit) | ops.count()))
        later = found[1000:]
        assert 12 <= min(later) <= 20 <= max(later) <= 24
        assert limit.in_flight == 0

    def test_grows_to_its_most_where_all_is_well(self) -> None:
        limit = Adaptive(1, 8, latency=1.5)
        service = Service()
        play(lambda: awaited(Stream(range(200)) | ops.map(service, concurrency=limit) | ops.drain()))
        assert (limit.value, service.most) == (8, 8)

    def test_measures_functions_that_wait_for_nothing_too(self) -> None:
        limit = Adaptive(1, 8, latency=1.5)
        assert list(Stream(range(99)) | ops.map(abs, concurrency=limit)) == [*range(99)]

    def test_shrinks_at_an_error_that_says_so_and_is_kept_for_the_next_run(self) -> None:
        limit = Adaptive(1, 8, errors=TimeoutError)
        limit.set(8)

        async def fails(_: int) -> None:
            raise TimeoutError

        for _ in range(2):
            with pytest.raises(TimeoutError) as caught:
                play(lambda: awaited(Stream(range(99)) | ops.map(fails, concurrency=limit) | ops.drain()))
            assert caught.value.__notes__[0].startswith("in map(fails, concurrency=Adaptive(")
        assert limit.value <= 6

    def test_counts_each_attempt_that_fails_and_goes_on(self) -> None:
        limit = Adaptive(1, 8, errors=TimeoutError)
        limit.set(8)
        failures = iter(range(3))

        async def fails_at_first(item: int) -> int:
            await asyncio.sleep(1.0)
            if next(failures, None) is not None:
                raise TimeoutError
            return item

        pipe = ops.map(fails_at_first, concurrency=limit, on_error=Retry(5, 1.0))
        assert play(lambda: awaited(Stream(range(3)) | pipe | ops.to_list())) == [0, 1, 2]
        assert limit.value == 6  # the three were under way at once

    @pytest.mark.parametrize("ordered", [True, False])
    def test_an_item_that_is_dropped_gives_its_place_back(self, ordered: bool) -> None:
        limit = Limit(2)

        async def fails(item: int) -> int:
            await asyncio.sleep(item % 3)
            if item % 2:
                raise ValueError
            return item

        pipe = ops.map(fails, concurrency=limit, ordered=ordered, on_error=Resume())
        found = play(lambda: awaited(Stream(range(20)) | pipe | ops.to_list()))
        assert sorted(found) == [*range(0, 20, 2)]
        assert limit.in_flight == 0


class TestForms:
    def test_for_each_takes_one(self) -> None:
        service, limit = Service(), Limit(3)
        play(lambda: awaited(Stream(range(9)) | ops.for_each(service, concurrency=limit)))
        assert (service.calls, service.most) == (9, 3)

    def test_the_bound_is_that_of_its_most(self) -> None:
        explained = (Stream("a") | ops.map(str, concurrency=Limit(2, most=9), lookahead=3)).explain()
        assert (explained.bound, explained.lookahead) == (12, 12)

    def test_a_buffer_before_it_stays(self) -> None:
        pipe = ops.buffer(Suspend(3)) | ops.map(abs, concurrency=Limit(2))
        assert list(Stream(range(9)) | pipe) == [*range(9)]

    @pytest.mark.parametrize("value", [Limit, Adaptive, "8", None, 2.5, (1, 8)])
    def test_what_is_none_is_refused(self, value: Any) -> None:
        with pytest.raises(TypeError, match="concurrency must be"):
            ops.map(abs, concurrency=value)
        with pytest.raises(TypeError, match="concurrency must be"):
            ops.for_each(abs, concurrency=value)

    def test_accounts_add_up(self) -> None:
        async def main() -> None:
            pipe = ops.map(Service(), concurrency=Limit(3), lookahead=2)
            handle = (Stream(range(30)) | pipe | ops.for_each(lambda _: asyncio.sleep(0.7))).start()
            while not handle.done:
                for stats in handle.buffers():
                    check_sum(stats)
                await asyncio.sleep(1.1)
            await handle
            assert sum(stats.delivered for stats in handle.buffers()) == 30

        play(main)

    def test_nothing_is_left_of_runs_that_have_ended(self) -> None:
        limit = Limit(3)

        async def main() -> int:
            for _ in range(20):
                await (Stream(range(9)) | ops.map(abs, concurrency=limit) | ops.drain())
            gc.collect()
            return sum(type(each).__name__ == "GovernedSupply" for each in gc.get_objects())

        assert play(main) == 0


def test_workers_of_plain_functions_rest_together_and_lose_nothing() -> None:
    mapped = Stream(range(3000)) | ops.map(lambda item: -item, concurrency=Limit(2), ordered=True)
    assert play(lambda: mapped | ops.to_list()) == [-item for item in range(3000)]


def test_a_place_that_one_of_several_has_none_for_any_more_goes_to_another() -> None:
    """The limit is lowered and raised again while all of them wait for it."""
    service = Service()

    async def items(count: int) -> AsyncIterator[int]:
        for number in range(count):
            yield number
            if number % 3 == 2:
                await asyncio.sleep(0.5)

    async def main() -> None:
        limit, loop = Limit(3, most=4), asyncio.get_running_loop()
        at_once = ops.map(service, concurrency=limit)
        by_key = ops.map(service, concurrency=limit, key=lambda item: item % 2)
        jobs = [
            (Stream(items(9)) | at_once | ops.to_list()).start(),
            (Stream(items(7)) | at_once | ops.take(4) | ops.to_list()).start(),
            (Stream(items(9)) | by_key | ops.buffer(Suspend(1)) | ops.to_list()).start(),
        ]
        for at, value in ((0.5, 1), (1.5, 3), (2.0, 1)):
            loop.call_at(at, limit.set, value)
        assert [sorted(await job) for job in jobs] == [[*range(9)], [*range(4)], [*range(9)]]
        assert service.most == 3
        assert limit.in_flight == 0

    play(main)


def test_a_place_that_was_granted_to_one_at_its_end_goes_to_another() -> None:
    async def main() -> None:
        limit = Limit(1)
        jobs = [
            (Stream([*range(n)]) | ops.map(Service(), concurrency=limit) | ops.to_list()).start()
            for n in (1, 3)
        ]
        assert [await job for job in jobs] == [[0], [0, 1, 2]]
        assert limit.in_flight == 0

    play(main)
