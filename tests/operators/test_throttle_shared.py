"""throttle by a `RateLimit` that several streams share, and buckets whose size comes from the rate."""

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import KeepLatest, RateExceededError, RateLimit, Stream, ops
from streamkit.testing import run
from tests.marbles import drawn, note, noted
from tests.operators.pacing import gapped
from tests.operators.test_throttle_pace import RATES, coarse


async def together(*streams: Any) -> list[tuple[float, Any, int]]:
    """When each item passed, the item, and which stream it is of; in that order."""
    loop = asyncio.get_running_loop()
    seen: list[tuple[float, Any, int]] = []

    async def consume(place: int, stream: Any) -> None:
        async for item in stream:
            seen.append((loop.time(), item, place))

    async with asyncio.TaskGroup() as tasks:
        for place, stream in enumerate(streams):
            tasks.create_task(consume(place, stream))
    return seen


def taken(*streams: Any) -> list[tuple[float, Any, int]]:
    return run(lambda: together(*streams))


class TestSharing:
    @given(RATES, st.integers(1, 5))
    def test_any_rate_is_exact_for_all_of_them_together(self, rate: float, pipes: int) -> None:
        limit = RateLimit(rate)
        seen = taken(*[Stream(range(1000 // pipes)) | ops.throttle(limit) for _ in range(pipes)])
        assert len(seen) == 1000 // pipes * pipes
        assert seen[-1][0] == pytest.approx((len(seen) - 1) / rate, rel=1e-6)

    @given(
        RATES, st.sampled_from([0.0, 0.001, 0.015]), st.lists(st.floats(0.0, 0.09), min_size=1, max_size=9)
    )
    def test_coarse_and_late_timers_are_made_up_for(
        self, rate: float, grain: float, late: list[float]
    ) -> None:
        turns = iter(late * 1001)

        async def main() -> list[tuple[float, Any, int]]:
            coarse(grain, lambda: next(turns))
            limit = RateLimit(rate)
            return await together(*[Stream(range(100)) | ops.throttle(limit) for _ in range(3)])

        seen = run(main)
        for number, (time, _, _) in enumerate(seen):
            assert time >= number / rate - 1e-6  # nothing passes before it is due
        assert seen[-1][0] <= 299 / rate + max(late) + grain + 1e-6

    @given(st.integers(2, 6))
    def test_those_that_always_have_an_item_take_turns(self, pipes: int) -> None:
        limit = RateLimit(4.0)
        seen = taken(*[Stream(range(20)) | ops.throttle(limit) for _ in range(pipes)])
        places = [place for _, _, place in seen]
        for begin in range(1, len(places) - pipes, pipes):  # the first one waits for nothing
            assert sorted(places[begin : begin + pipes]) == [*range(pipes)]

    def test_one_that_comes_later_gets_its_part(self) -> None:
        limit = RateLimit(1.0)
        late = Stream(range(5)) | ops.delay_start(9.5) | ops.throttle(limit)
        seen = taken(Stream(range(20)) | ops.throttle(limit), late)
        assert [place for time, _, place in seen if 10 <= time < 20] == [0, 1] * 5

    def test_an_item_that_costs_much_is_not_overtaken_for_ever(self) -> None:
        limit = RateLimit(1.0, burst=5)
        cheap = Stream([1] * 50) | ops.throttle(limit, cost=int)
        seen = taken(cheap, Stream([5, 5]) | ops.throttle(limit, cost=int))
        assert [time for time, item, _ in seen if item == 5] == [6.0, 12.0]

    @given(
        st.lists(st.lists(st.integers(0, 12).map(lambda eighths: eighths / 8), max_size=8), max_size=4),
        st.sampled_from([1.0, 2.0, 3.5]),
    )
    def test_no_span_of_time_lets_more_pass_than_burst_and_rate(
        self, gaps: list[list[float]], burst: float
    ) -> None:
        limit = RateLimit(2.0, burst=burst)
        seen = taken(*[Stream(gapped(each)) | ops.throttle(limit) for each in gaps])
        assert len(seen) == sum(map(len, gaps))
        for first in range(len(seen)):
            for last in range(first, len(seen)):
                assert last - first + 1 <= burst + 2.0 * (seen[last][0] - seen[first][0]) + 1e-6

    def test_one_alone_passes_what_a_rate_of_its_own_lets_pass(self) -> None:
        marbles = "abc----------defg|"
        shared = noted(Stream(drawn(marbles)) | ops.throttle(RateLimit(0.5, burst=2)))
        assert shared == noted(Stream(drawn(marbles)) | ops.throttle(0.5, burst=2))

    def test_one_that_leaves_while_it_waits_holds_up_no_other(self) -> None:
        async def main() -> list[tuple[float, Any, int]]:
            limit = RateLimit(1.0)
            going = asyncio.ensure_future(together(Stream(range(9)) | ops.throttle(limit)))
            async with (Stream(range(9)) | ops.throttle(limit)).open() as items:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(3.5):
                        while True:
                            await anext(items)
            return await going

        assert [time for time, _, _ in run(main)][-1] == 10.0  # it is the eleventh item, of both

    def test_failing_fails_where_others_wait(self) -> None:
        async def main() -> None:
            limit = RateLimit(1.0, burst=3)
            waiting = asyncio.ensure_future(together(Stream([3, 3]) | ops.throttle(limit, cost=int)))
            await asyncio.sleep(2.0)
            with pytest.raises(RateExceededError, match="an item came 1 s sooner than 1 per second allow"):
                await (Stream([1]) | ops.throttle(limit, failing=True) | ops.drain())
            assert [time for time, _, _ in await waiting] == [0.0, 3.0]

        run(main)

    def test_an_item_in_a_lossy_buffer_can_be_replaced_until_it_may_pass(self) -> None:
        limit = RateLimit(0.1)
        ticks = Stream(gapped([1.0] * 44)) | ops.buffer(KeepLatest()) | ops.throttle(limit)
        seen = taken(ticks, Stream(gapped([5.5, 0.0])) | ops.throttle(limit))
        assert seen == [(1.0, 0, 0), (11.0, 10, 0), (21.0, 0, 1), (31.0, 30, 0), (41.0, 1, 1), (51.0, 43, 0)]


class TestRuns:
    def test_what_one_run_has_taken_the_next_cannot_have(self) -> None:
        limit = RateLimit(1.0, burst=2)

        async def main() -> list[float]:
            first = await note(Stream("abc") | ops.throttle(limit))
            await asyncio.sleep(0.5)
            return [time for time, _ in first + await note(Stream("de") | ops.throttle(limit))]

        assert run(main) == [0.0, 0.0, 1.0, 1.0, 2.0, 3.0, 3.0]

    def test_nor_can_one_in_another_loop(self) -> None:
        limit = RateLimit(1.0, burst=2)
        assert [time for time, _ in noted(Stream("abc") | ops.throttle(limit))] == [0.0, 0.0, 1.0, 1.0]
        assert [time for time, _ in noted(Stream("de") | ops.throttle(limit))] == [1.0, 2.0, 2.0]

    def test_two_loops_at_once_are_refused(self) -> None:
        limit = RateLimit(1e6)

        async def main() -> None:
            async with (Stream("ab") | ops.throttle(limit)).open() as items:
                await anext(items)
                with pytest.raises(RuntimeError, match=r"RateLimit\(1e\+06, burst=1\) is in use in another"):
                    await asyncio.to_thread(list, Stream("cd") | ops.throttle(limit))
            assert await asyncio.to_thread(list, Stream("cd") | ops.throttle(limit)) == ["c", "d"]

        asyncio.run(main())

    def test_an_error_of_the_source_lets_go_of_it(self) -> None:
        limit = RateLimit(1e6)
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                list(Stream([0]) | ops.map(lambda zero: 1 // zero) | ops.throttle(limit))

    def test_is_shown_and_stays_one_where_it_is_copied(self) -> None:
        limit = RateLimit(5, burst=2.5)
        operator = ops.throttle(limit)
        assert repr(operator) == "throttle(RateLimit(5, burst=2.5))"
        assert (limit.rate, limit.burst) == (5.0, 2.5)
        assert copy.deepcopy(operator) == operator
        assert operator != ops.throttle(RateLimit(5, burst=2.5))


class TestBurstOfTheRate:
    @pytest.mark.parametrize(
        ("rate", "seconds", "burst"), [(100.0, 0.1, 10.0), (2.0, 0.1, 1.0), (0.5, 60.0, 30.0)]
    )
    def test_is_what_comes_in_so_many_seconds_and_one_at_least(
        self, rate: float, seconds: float, burst: float
    ) -> None:
        assert RateLimit(rate, burst_seconds=seconds).burst == burst
        assert ops.throttle(rate, burst_seconds=seconds) == ops.throttle(rate, burst=burst)

    def test_lets_so_many_pass_at_once(self) -> None:
        seen = noted(Stream(range(15)) | ops.throttle(10.0, burst_seconds=1.0))
        assert [time for time, _ in seen[:10]] == [0.0] * 10
        assert seen[14][0] == pytest.approx(0.5)


async def nothing() -> AsyncIterator[int]:
    return
    yield


class TestBadArguments:
    @pytest.mark.parametrize("name", ["rate", "burst", "burst_seconds"])
    @pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), 10**400, True, "2", None])
    def test_no_number_above_zero(self, name: str, value: Any) -> None:
        kind = ValueError if isinstance(value, (int, float)) and value is not True else TypeError
        arguments = {"rate": 1.0, name: value}
        for make in (RateLimit, ops.throttle):
            with pytest.raises(kind, match=f"^{name} must be a finite number") as caught:
                make(**arguments)
            assert "above 0, not" in str(caught.value)

    def test_both_bursts(self) -> None:
        for make in (RateLimit, ops.throttle):
            with pytest.raises(
                ValueError, match="burst must be left out where burst_seconds is given, not 2"
            ):
                make(1.0, burst=2, burst_seconds=1.0)
            with pytest.raises(
                ValueError, match="burst_seconds must be so few that a number of tokens comes"
            ):
                make(1e300, burst_seconds=1e300)

    @pytest.mark.parametrize(
        ("given", "name"),
        [({"burst": 2}, "burst"), ({"burst_seconds": 1.0}, "burst_seconds"), ({"key": str}, "key")],
    )
    def test_what_a_limit_has_itself(self, given: dict[str, Any], name: str) -> None:
        with pytest.raises(ValueError, match=f"^{name} must be left out where rate is a RateLimit, not"):
            ops.throttle(RateLimit(1.0), **given)

    def test_empty(self) -> None:
        assert list(Stream(nothing) | ops.throttle(RateLimit(1.0))) == []


def test_who_leaves_while_in_line_stands_in_it_no_more() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        yield 2
        await asyncio.sleep(20.0)

    async def main() -> None:
        limit = RateLimit(1.0)
        stays = asyncio.create_task(together(Stream(source) | ops.throttle(limit)))
        await asyncio.sleep(0.25)
        leaves = asyncio.create_task(together(Stream([3]) | ops.throttle(limit)))
        await asyncio.sleep(0.25)
        leaves.cancel()
        await asyncio.wait([leaves])
        await asyncio.sleep(10.0)
        # where somebody stood in line, it would fail, though there is a token
        assert await (Stream([4]) | ops.throttle(limit, failing=True) | ops.to_list()) == [4]
        assert await stays == [(0.0, 1, 0), (1.0, 2, 0)]

    run(main)
