"""throttle."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import RateExceededError, Stream, Suspend, ops
from streamkit.testing import run
from tests.marbles import ERROR, drawn, noted
from tests.operators.pacing import MANY

COSTS = st.lists(st.integers(0, 24).map(lambda eighths: eighths / 8), max_size=20)


class TestThrottle:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("abc---------d--|")) | ops.throttle(1 / 2.0)
        assert noted(stream) == [(0.0, "a"), (2.0, "b"), (4.0, "c"), (12.0, "d"), (15.0, "|")]

    @given(COSTS, st.sampled_from([0.25, 1.0, 4.0]), st.sampled_from([0.5, 1.0, 2.0]))
    def test_the_rate_is_exact_in_the_long_run(self, costs: list[float], rate: float, burst: float) -> None:
        seen = noted(Stream(costs) | ops.throttle(rate, burst=burst, cost=float))
        before = [0.0, *accumulate(costs)]
        due = [
            max(0.0, (earlier + min(cost, burst) - burst) / rate)
            for earlier, cost in zip(before, costs, strict=False)
        ]
        assert [item for _, item in seen[:-1]] == costs
        assert [time for time, _ in seen[:-1]] == pytest.approx(list(accumulate(due, max)))

    @given(
        COSTS, st.lists(st.integers(0, 3), min_size=20, max_size=20), st.lists(st.integers(0, 3), max_size=20)
    )
    def test_no_span_of_time_lets_more_pass_than_burst_and_rate(
        self, costs: list[float], gaps: list[int], busy: list[int]
    ) -> None:
        async def source() -> AsyncIterator[float]:
            for cost, gap in zip(costs, gaps, strict=False):
                await asyncio.sleep(gap)
                yield cost

        rate, burst = 2.0, 3.0
        seen = noted(Stream(source) | ops.throttle(rate, burst=burst, cost=float), *busy)[:-1]
        assert [item for _, item in seen] == costs
        for first in range(len(seen)):
            for last in range(first, len(seen)):
                passed = sum(costs[first : last + 1])
                assert passed <= burst + rate * (seen[last][0] - seen[first][0]) + 1e-6

    def test_a_thousand_items_do_not_drift(self) -> None:
        seen = noted(Stream(range(1001)) | ops.throttle(3.0))
        assert seen[-1][0] == pytest.approx(1000 / 3.0, abs=1e-9)

    def test_tokens_are_saved_up_to_burst_and_no_further(self) -> None:
        stream = Stream(drawn("abc----------defg|")) | ops.throttle(0.5, burst=2)
        assert noted(stream) == [
            *((0.0, "a"), (1.0, "b"), (2.0, "c")),
            *((13.0, "d"), (14.0, "e"), (15.0, "f"), (17.0, "g"), (17.0, "|")),
        ]

    def test_tokens_come_while_the_consumer_is_busy(self) -> None:
        stream = Stream("abcd") | ops.throttle(1.0, burst=2)
        assert [time for time, _ in noted(stream, 0.0, 9.0)] == [0.0, 0.0, 9.0, 9.0, 9.0]

    def test_nothing_is_pulled_while_an_item_waits(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            stream = Stream(range(MANY)) | ops.tap(pulled.append) | ops.throttle(1.0)
            async with stream.open() as items:
                assert pulled == []
                await anext(items)
                await asyncio.sleep(50.0)
                assert pulled == [0]
                await anext(items)
                waiting = asyncio.ensure_future(anext(items))
                await asyncio.sleep(0.5)
                assert pulled == [0, 1, 2]
                assert await waiting == 2

        run(main)

    def test_what_costs_more_than_the_bucket_waits_for_a_full_one_and_leaves_a_debt(self) -> None:
        stream = Stream([1.0, 5.0, 1.0, 0.0]) | ops.throttle(1.0, burst=2, cost=lambda item: item)
        assert noted(stream) == [(0.0, 1.0), (1.0, 5.0), (5.0, 1.0), (5.0, 0.0), (5.0, "|")]

    def test_an_awaitable_cost_is_awaited(self) -> None:
        async def cost(item: str) -> int:
            await asyncio.sleep(0.25)
            return 1

        stream = Stream("abc") | ops.throttle(1.0, cost=cost)
        assert [time for time, _ in noted(stream)] == [0.25, 1.25, 2.25, 2.25]

    def test_failing_fails_where_an_item_would_wait(self) -> None:
        cleaned: list[float] = []
        stream = Stream(drawn("a-b-c--d|", cleaned)) | ops.throttle(0.25, burst=2, failing=True)
        seen = noted(stream)
        assert seen[:3] == [(0.0, "a"), (2.0, "b"), (4.0, "c")]
        time, error = seen[3]
        assert time == 7.0
        assert isinstance(error, RateExceededError)
        assert str(error) == "an item came 1 s sooner than 0.25 per second allow"
        assert error.__notes__[0].startswith("in throttle(0.25, burst=2.0")
        assert cleaned == [7.0]

    def test_failing_lets_pass_what_comes_at_the_rate(self) -> None:
        async def source() -> AsyncIterator[int]:
            for number in range(500):
                yield number
                await asyncio.sleep(0.1)

        assert len(noted(Stream(source) | ops.throttle(10.0, failing=True))) == 501

    def test_failing_fails_at_what_can_only_pass_with_a_full_bucket(self) -> None:
        stream = Stream([5, 1]) | ops.throttle(1.0, burst=2, cost=int, failing=True)
        seen = noted(stream)
        assert seen[0] == (0.0, 5)
        assert str(seen[1][1]) == "an item came 4 s sooner than 1 per second allow"

    def test_an_error_of_the_source_comes_at_once(self) -> None:
        assert noted(Stream(drawn("a-X")) | ops.throttle(0.1)) == [(0.0, "a"), (2.0, ERROR)]

    def test_an_error_of_cost_is_named(self) -> None:
        error = ValueError("cost")

        def cost(item: str) -> float:
            raise error

        cleaned: list[float] = []
        assert noted(Stream(drawn("-a-b|", cleaned)) | ops.throttle(1.0, cost=cost)) == [(1.0, error)]
        assert error.__notes__[0].startswith("in throttle(1.0, ")
        assert cleaned == [1.0]

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            *((value, ValueError) for value in (-1, float("nan"), float("inf"))),
            *((value, TypeError) for value in ("1", None, True)),
        ],
    )
    def test_a_cost_that_is_none_is_named(self, value: Any, kind: type[Exception]) -> None:
        error = noted(Stream("a") | ops.throttle(1.0, cost=lambda _: value))[-1][1]
        assert type(error) is kind
        assert str(error) == f"cost must be a finite number of at least 0, not {value!r}"
        assert error.__notes__[0].startswith("in throttle(1.0, ")

    def test_a_consumer_that_leaves_while_an_item_waits_closes_the_source(self) -> None:
        cleaned: list[float] = []

        async def main() -> None:
            async with (Stream(drawn("ab-", cleaned)) | ops.throttle(0.01)).open() as items:
                await anext(items)
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(5.0):
                        await anext(items)
            assert cleaned == [5.0]

        run(main)

    def test_a_plain_for_is_throttled_too(self) -> None:
        assert list(Stream("abc") | ops.throttle(1e6)) == ["a", "b", "c"]

    @pytest.mark.parametrize("name", ["rate", "burst"])
    @pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), True, "2", None])
    def test_no_number_above_zero(self, name: str, value: Any) -> None:
        arguments = {"rate": 1.0, "burst": 1.0, name: value}
        kind = ValueError if isinstance(value, (int, float)) and value is not True else TypeError
        with pytest.raises(kind) as caught:
            ops.throttle(**arguments)
        assert str(caught.value) == f"{name} must be a finite number above 0, not {value!r}"

    def test_other_bad_arguments(self) -> None:
        with pytest.raises(TypeError, match="cost must be a callable, not 3"):
            ops.throttle(1.0, cost=3)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="failing must be True or False, not 1"):
            ops.throttle(1.0, failing=1)  # type: ignore[arg-type]


SECOND = ops.throttle(1.0)


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        (SECOND | ops.catch(lambda _: []), [0, 1, 2]),
        (SECOND | ops.map(str) | ops.retry(attempts=2), [0, 1, 2]),
        (SECOND | ops.repeat(2), [0, 1, 2, 2, 3, 4]),
        (SECOND | ops.concat("x"), [0, 1, 2, 2]),
        (ops.repeat(2) | SECOND | ops.repeat(2), [0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10]),
        (SECOND | ops.concat("x") | ops.throttle(2.0) | ops.catch(lambda _: []), [0, 1, 2, 2.5]),
        (ops.throttle(1.0, failing=True) | ops.catch(lambda _: "xy"), [0, 0, 0]),
        (SECOND | ops.take(2) | ops.concat("x"), [0, 1, 1]),
    ],
)
def test_it_keeps_its_rate_before_what_goes_on_with_other_streams(rest: Any, found: list[float]) -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    async def read(stream: Any) -> list[float]:
        clock = asyncio.get_running_loop().time
        begun = clock()
        return await (stream | rest | ops.map(lambda _: clock() - begun) | ops.to_list())

    async def twice(stream: Any) -> list[list[float]]:
        return await asyncio.gather(read(stream), read(stream))

    for stream in (Stream(range(3)), Stream(source), Stream(source) | ops.buffer(Suspend(1))):
        assert run(partial(twice, stream)) == [found, found]
