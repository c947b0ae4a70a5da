"""throttle with a bucket for each key."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import RateExceededError, RateLimit, Stream, Unbounded, ops
from streamkit.testing import run
from tests.marbles import ERROR, drawn, note, noted
from tests.operators.pacing import balanced, consumed, stopped
from tests.operators.test_throttle_pace import RATES, coarse

Item = tuple[str, int]
ITEMS = st.lists(
    st.tuples(st.integers(0, 12).map(lambda eighths: eighths / 8), st.sampled_from("abc")), max_size=14
)
KEY = itemgetter(0)


def arriving(items: list[tuple[float, str]]) -> Callable[[], AsyncIterator[Item]]:
    """Each item after a pause: its key and its number."""

    async def source() -> AsyncIterator[Item]:
        for number, (gap, key) in enumerate(items):
            await asyncio.sleep(gap)
            yield key, number

    return source


def by_key(**given: Any) -> Any:
    return ops.throttle(**{"rate": 1.0, "key": KEY, "max_keys": 3, **given})


def alone(items: list[tuple[float, str]], key: str, **given: Any) -> list[tuple[float, Item]]:
    """What a throttle of their own lets pass of the items of `key`, which come when they do."""
    only = ops.filter(lambda item: item[0] == key)
    return noted(Stream(arriving(items)) | only | ops.buffer(UNHURRIED) | ops.throttle(**given))[:-1]


UNHURRIED = Unbounded()


class TestByKey:
    def test_the_diagram(self) -> None:
        stream = Stream(drawn("aab---|")) | ops.throttle(1 / 3, key=str, max_keys=2)
        seen = noted(stream)
        assert [item for _, item in seen] == ["a", "b", "a", "|"]
        assert [time for time, _ in seen] == pytest.approx([0.0, 2.0, 3.0, 6.0])

    @given(ITEMS, st.sampled_from([0.5, 1.0, 4.0]), st.sampled_from([1.0, 2.0, 2.5]))
    def test_the_items_of_each_key_pass_as_by_a_throttle_of_their_own(
        self, items: list[tuple[float, str]], rate: float, burst: float
    ) -> None:
        seen = noted(Stream(arriving(items)) | by_key(rate=rate, burst=burst))[:-1]
        assert len(seen) == len(items)
        for key in "abc":
            times, passed = zip(*[(0.0, None), *((t, i) for t, i in seen if i[0] == key)], strict=True)
            wants, want = zip(*[(0.0, None), *alone(items, key, rate=rate, burst=burst)], strict=True)
            assert passed == want
            assert times == pytest.approx(wants)

    @given(ITEMS, st.lists(st.sampled_from([0.0, 0.0, 2.5, 7.5]), max_size=14), st.integers(1, 4))
    def test_however_slow_the_consumer_is_order_and_rate_of_each_key_are_kept(
        self, items: list[tuple[float, str]], busy: list[float], lookahead: int
    ) -> None:
        seen = noted(Stream(arriving(items)) | by_key(rate=2.0, burst=2.0, lookahead=lookahead), *busy)[:-1]
        assert sorted(number for _, (_, number) in seen) == [*range(len(items))]
        times: dict[str, list[tuple[float, int]]] = defaultdict(list)
        for time, (key, number) in seen:
            times[key].append((time, number))
        for passed in times.values():
            assert passed == sorted(passed, key=itemgetter(1))
            for first, (begin, _) in enumerate(passed):
                for last in range(first, len(passed)):
                    assert last - first + 1 <= 2.0 + 2.0 * (passed[last][0] - begin) + 1e-6

    @given(RATES, st.integers(1, 4))
    def test_any_rate_is_exact_for_each_key(self, rate: float, keys: int) -> None:
        source = Stream(range(250 * keys)) | ops.map(lambda number: (number % keys, number))
        seen = noted(source | by_key(rate=rate, max_keys=4))[:-1]
        assert len(seen) == 250 * keys
        assert seen[-1][0] == pytest.approx(249 / rate, rel=1e-6)

    @given(RATES, st.sampled_from([0.001, 0.015]), st.lists(st.floats(0.0, 0.09), min_size=1, max_size=9))
    def test_coarse_and_late_timers_are_made_up_for(
        self, rate: float, grain: float, late: list[float]
    ) -> None:
        turns = iter(late * 1001)

        async def main() -> list[tuple[float, Any]]:
            coarse(grain, lambda: next(turns))
            return await note(Stream([("a", number) for number in range(200)]) | by_key(rate=rate))

        seen = run(main)[:-1]
        for number, (time, (_, which)) in enumerate(seen):
            assert which == number
            assert time >= number / rate - 1e-6  # nothing passes before it is due
        assert seen[-1][0] <= 199 / rate + max(late) + grain + 1e-6

    def test_costs_are_those_of_the_key(self) -> None:
        items = [("a", 3), ("b", 1), ("a", 1), ("b", 1)]
        seen = noted(Stream(items) | by_key(burst=2, cost=itemgetter(1)))
        assert seen[:-1] == [(0.0, items[0]), (0.0, items[1]), (0.0, items[3]), (2.0, items[2])]

    def test_an_awaitable_key_is_awaited(self) -> None:
        async def key(item: str) -> str:
            await asyncio.sleep(0.25)
            return item

        stream = Stream("aab") | ops.throttle(1.0, key=key, max_keys=2)
        assert noted(stream) == [(0.25, "a"), (0.75, "b"), (1.25, "a"), (1.25, "|")]

    def test_a_source_is_not_pulled_when_lookahead_items_wait(self) -> None:
        pulled: list[Item] = []

        async def main() -> None:
            source = Stream([("a", 0), ("a", 1), ("a", 2), ("b", 3), ("b", 4)]) | ops.tap(pulled.append)
            async with (source | by_key(lookahead=2)).open() as items:
                assert await anext(items) == ("a", 0)
                following = asyncio.ensure_future(anext(items))
                await asyncio.sleep(0.5)
                assert len(pulled) == 3
                assert await following == ("a", 1)
                assert [item async for item in items] == [("b", 3), ("a", 2), ("b", 4)]

        run(main)


class TestKeys:
    def test_one_more_waits_until_a_bucket_is_full_and_is_forgotten(self) -> None:
        seen = noted(Stream([("a", 0), ("b", 1), ("c", 2), ("d", 3)]) | by_key(rate=0.5, max_keys=2))
        assert [time for time, _ in seen] == [0.0, 0.0, 2.0, 2.0, 2.0]

    def test_it_holds_up_what_is_behind_it_and_not_what_waits_already(self) -> None:
        items = [("a", 0), ("a", 1), ("b", 2), ("b", 3), ("c", 4), ("a", 5)]
        seen = noted(Stream(items) | by_key(max_keys=2))
        assert [(time, number) for time, (_, number) in seen[:-1]] == [
            *((0.0, 0), (0.0, 2), (1.0, 1), (1.0, 3)),
            *((2.0, 4), (2.0, 5)),
        ]

    def test_any_number_of_keys_passes_in_turn(self) -> None:
        source = Stream(range(5000)) | ops.map(lambda number: (number, number))
        seen = noted(source | by_key(rate=1000.0, max_keys=10))
        assert seen[-1][0] == pytest.approx(0.499)

    def test_many_buckets_cost_no_more_per_item_than_few(self) -> None:
        source = Stream(range(8000)) | ops.map(lambda number: (number, number))
        seen = noted(source | by_key(rate=1.0, max_keys=2000))
        assert [time for time, _ in seen[:-1]] == [float(number // 2000) for number in range(8000)]

    @given(st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from("abcde")), max_size=20))
    def test_never_have_more_than_so_many_keys_a_bucket_that_is_not_full(
        self, items: list[tuple[float, str]]
    ) -> None:
        seen = noted(Stream(arriving(items)) | by_key(max_keys=2))[:-1]
        assert sorted(number for _, (_, number) in seen) == [*range(len(items))]
        for place, (time, _) in enumerate(seen):
            busy = {key for when, (key, _) in seen[: place + 1] if when > time - 1.0 + 1e-9}
            assert len(busy) <= 2
        for key in "abcde":
            times = [time for time, (each, _) in seen if each == key]
            assert all(later - time >= 1.0 - 1e-9 for time, later in pairwise(times))

    def test_a_key_that_cannot_be_one_is_named_and_what_waits_comes_before_the_error(self) -> None:
        *items, (time, error) = noted(Stream([("a", 0), ("a", 1), ([], 2), ("b", 3)]) | by_key())
        assert items == [(0.0, ("a", 0)), (1.0, ("a", 1))]
        assert time == 1.0
        assert type(error) is TypeError
        assert error.__notes__[0].startswith("in throttle(1.0, ")

    @pytest.mark.parametrize("name", ["key", "cost"])
    def test_so_does_an_error_of_a_callback(self, name: str) -> None:
        error = ValueError(name)

        def failing(item: Item) -> Any:
            if item[1] == 2:
                raise error
            return 1

        seen = noted(Stream([("a", 0), ("a", 1), ("a", 2), ("b", 3)]) | by_key(**{name: failing}))
        assert seen == [(0.0, ("a", 0)), (1.0, ("a", 1)), (1.0, error)]
        assert error.__notes__[0].startswith("in throttle(1.0, ")

    def test_an_error_of_the_source_comes_after_what_waits(self) -> None:
        stream = Stream(drawn("aaX")) | ops.throttle(0.25, key=str, max_keys=1)
        assert noted(stream) == [(0.0, "a"), (4.0, "a"), (4.0, ERROR)]


class TestFailing:
    def test_where_an_item_of_the_key_would_wait(self) -> None:
        stream = Stream(drawn("ab-a|")) | ops.throttle(0.25, key=str, max_keys=2, failing=True)
        *items, (time, error) = noted(stream)
        assert items == [(0.0, "a"), (1.0, "b")]
        assert time == 3.0
        assert isinstance(error, RateExceededError)
        assert str(error) == "an item of 'a' came 1 s sooner than 0.25 per second and key allow"
        assert error.__notes__[0].startswith("in throttle(0.25, ")

    def test_where_a_key_would_wait(self) -> None:
        stream = Stream(drawn("ab-c|")) | ops.throttle(0.25, key=str, max_keys=2, failing=True)
        assert (
            str(noted(stream)[-1][1]) == "an item of 'c' came 1 s sooner than 0.25 per second and key allow"
        )

    def test_lets_pass_what_comes_at_the_rate(self) -> None:
        items = [(0.1, "a"), (0.0, "b")] * 300
        assert len(noted(Stream(arriving(items)) | by_key(rate=10.0, failing=True))) == 601


class TestAccounts:
    @given(ITEMS, st.lists(st.sampled_from([0.0, 0.5, 3.0]), min_size=15, max_size=15), st.integers(1, 4))
    def test_all_is_counted(self, items: list[tuple[float, str]], busy: list[float], lookahead: int) -> None:
        operator = by_key(rate=2.0, lookahead=lookahead)
        got, stats, error = consumed(Stream(arriving(items)) | operator, busy.__getitem__)
        assert error is None
        assert balanced(stats)
        assert (stats.offered, stats.delivered, stats.dropped) == (len(items), len(got), 0)
        assert stats.held_at_most <= lookahead

    def test_what_waits_at_an_early_end_is_dropped(self) -> None:
        cleaned: list[float] = []
        stream = Stream(drawn("aaab-", cleaned)) | ops.throttle(0.1, key=str, max_keys=2)
        stats = stopped(stream, 5.0)
        assert (stats.offered, stats.delivered, stats.dropped, stats.held) == (4, 1, 3, 0)
        assert cleaned == [5.0]


class TestBadArguments:
    @pytest.mark.parametrize("name", ["max_keys", "lookahead"])
    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            (0, ValueError),
            (-1, ValueError),
            (1.5, TypeError),
            ("2", TypeError),
            (None, TypeError),
            (True, TypeError),
        ],
    )
    def test_no_whole_number(self, name: str, value: Any, kind: type[Exception]) -> None:
        with pytest.raises(kind, match=f"{name} must be a whole number of at least 1, not"):
            by_key(**{name: value})

    def test_no_max_keys(self) -> None:
        with pytest.raises(TypeError, match="max_keys must be a whole number of at least 1, not ABSENT"):
            ops.throttle(1.0, key=KEY)

    @pytest.mark.parametrize("name", ["max_keys", "lookahead"])
    def test_what_is_for_keys(self, name: str) -> None:
        for rate in (1.0, RateLimit(1.0)):
            with pytest.raises(ValueError, match=f"{name} must be left out where key is, not 3"):
                ops.throttle(rate, **{name: 3})

    @pytest.mark.parametrize("key", [3, None, "a", ops.take(1)])
    def test_no_key(self, key: Any) -> None:
        with pytest.raises(TypeError, match="key must be a callable, not"):
            ops.throttle(1.0, key=key, max_keys=3)
