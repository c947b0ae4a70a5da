"""expand: what waits to be expanded, in which bound; and crawls that are deep or wide."""

import asyncio
import gc
import inspect
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings, strategies as st

from streamkit import (
    BufferOverflowError,
    Collect,
    Conflate,
    DropIncoming,
    DropOldest,
    Fail,
    Limit,
    Spill,
    Stream,
    Suspend,
    Unbounded,
    ops,
)
from streamkit.testing import run
from tests.laws.account import check_sum
from tests.tiers import examples

WIDE = 50


def wide(item: int) -> Any:
    """One item leads to many, of which nothing comes."""
    return range(1, WIDE) if item == 0 else []


def twofold(item: int) -> Any:
    """A tree of ten levels."""
    return [2 * item, 2 * item + 1] if item < 512 else []


class TestFrontier:
    @pytest.mark.parametrize("concurrency", [2, 5])
    @pytest.mark.parametrize("capacity", [1, 3])
    def test_makes_streams_wait_while_others_take_out_of_it(self, concurrency: int, capacity: int) -> None:
        crawl = ops.expand(wide, concurrency=concurrency, frontier=Suspend(capacity))
        assert sorted(Stream([0]) | crawl) == [*range(WIDE)]

    def test_that_is_full_while_all_streams_wait_ends_the_crawl_after_what_is_held(self) -> None:
        seen: list[int] = []
        crawl = ops.expand(wide, concurrency=1, frontier=Suspend(9))
        with pytest.raises(BufferOverflowError, match=r"\(1 at once\).*Suspend\(capacity=9\)") as caught:
            (Stream([0]) | crawl | ops.for_each(seen.append)).run()
        assert seen == [*range(11)]  # the last found no room
        (told,) = caught.value.__notes__
        assert told.startswith("in expand(wide, concurrency=1, frontier=Suspend(capacity=9)) at ")

    def test_goes_with_the_depth_where_the_newest_is_expanded_first(self) -> None:
        list(Stream([1]) | ops.expand(twofold, concurrency=1, frontier=Suspend(10), depth_first=True))
        with pytest.raises(BufferOverflowError):
            list(Stream([1]) | ops.expand(twofold, concurrency=1, frontier=Suspend(100)))

    def test_that_is_full_ends_the_crawl_where_the_limit_was_lowered_before_the_last_place_came_free(
        self,
    ) -> None:
        limit = Limit(2)

        async def inner(item: int) -> AsyncIterator[int]:
            if item == 0:
                await asyncio.sleep(2.0)  # the other stream finds no room meanwhile, and this one has none
            for number in range(9 * item):
                yield number + 1

        async def main() -> None:
            asyncio.get_running_loop().call_later(1.0, limit.set, 1)
            crawl = ops.expand(inner, concurrency=limit, frontier=Suspend(1))
            with pytest.raises(BufferOverflowError, match=r"\(1 at once\)") as caught:
                await (Stream([0, 1]) | crawl | ops.drain())
            (told,) = caught.value.__notes__
            assert told.startswith("in expand(inner, concurrency=Limit(1, most=2), ")

        run(main)

    @settings(max_examples=examples(60))
    @given(st.integers(0, 10**6))
    def test_never_holds_a_crawl_up_for_ever_whatever_becomes_of_the_limit(self, seed: int) -> None:
        random, limit = Random(seed), Limit(3)

        async def inner(_: int) -> AsyncIterator[int]:
            if random.random() < 0.5:
                await asyncio.sleep(random.randint(1, 9))
                return
            for number in range(9):
                yield number

        async def main() -> None:
            for second in range(9):
                asyncio.get_running_loop().call_later(second, limit.set, random.randint(1, 3))
            crawl = ops.expand(inner, concurrency=limit, frontier=Suspend(random.randint(1, 3)))
            with suppress(BufferOverflowError):
                await (Stream([0, 1]) | crawl | ops.drain())

        run(main)  # it fails where the crawl waits for nothing

    def test_of_fail_fails_at_once(self) -> None:
        with pytest.raises(
            BufferOverflowError, match=r"Fail\(capacity=9\) was offered an item more"
        ) as caught:
            list(Stream([0]) | ops.expand(wide, concurrency=1, frontier=Fail(9)))
        (told,) = caught.value.__notes__
        assert told.startswith("in expand(")

    @pytest.mark.parametrize("frontier", [Spill(2), Unbounded()])
    def test_without_a_limit_takes_all(self, frontier: Any) -> None:
        found = list(Stream([1]) | ops.expand(twofold, concurrency=1, frontier=frontier))
        assert found == [*range(1, 1024)]

    def test_that_drops_drops_what_would_come_of_an_item(self) -> None:
        dropped: list[int] = []
        frontier = DropIncoming(1, on_drop=lambda item, _: dropped.append(item))
        found = list(Stream([1]) | ops.expand(twofold, concurrency=1, frontier=frontier))
        firsts = [2**level for level in range(9)]
        assert found == [1, *[item for first in firsts for item in (2 * first, 2 * first + 1)]]
        assert dropped == [2 * first + 1 for first in firsts]

    def test_is_an_account_of_its_own(self) -> None:
        async def main() -> None:
            crawl = ops.expand(twofold, concurrency=3, frontier=Suspend(700))
            handle = (Stream([1]) | crawl | ops.for_each(lambda _: asyncio.sleep(0.1))).start()
            while not handle.done:
                for stats in handle.buffers():
                    check_sum(stats)
                assert len(handle.buffers()) < 9
                await asyncio.sleep(7.0)
            await handle
            (frontier,) = [each for each in handle.buffers() if each.strategy == Suspend(700)]
            assert (frontier.offered, frontier.delivered, frontier.held) == (1023, 1023, 0)
            assert frontier.held_at_most <= 700

        run(main)

    def test_is_dropped_and_counted_where_the_crawl_is_stopped(self) -> None:
        async def main() -> None:
            crawl = ops.expand(lambda item: [item, item, item], concurrency=1)
            handle = (Stream([1]) | crawl | ops.for_each(lambda _: asyncio.sleep(1.0))).start()
            await asyncio.sleep(9.5)
            (frontier,) = [each for each in handle.buffers() if each.strategy == Suspend(10_000)]
            held = frontier.held
            assert held > 3
            await handle.stop()
            (frontier,) = [each for each in handle.buffers() if each.strategy == Suspend(10_000)]
            assert (frontier.held, frontier.dropped) == (0, held)
            check_sum(frontier)

        run(main)


def chain(depth: int) -> Any:
    return Stream([0]) | ops.expand(lambda item: [item + 1] if item < depth else [], concurrency=1)


class TestDepth:
    def test_twice_as_deep_takes_twice_as_many_calls(self) -> None:
        def calls(depth: int) -> int:
            number = 0

            def note(_frame: Any, event: str, _argument: Any) -> None:
                nonlocal number
                number += event == "call"

            job = chain(depth) | ops.count()
            sys.setprofile(note)
            try:
                run(partial(started, job))
            finally:
                sys.setprofile(None)
            return number

        with patch("streamkit._engine.compile.pace.perf_counter", lambda: 0.0):
            calls(50)
            once, twice = calls(200), calls(400)
        assert twice <= 2.1 * once

    def test_the_stack_is_flat(self) -> None:
        list(chain(10))
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(len(inspect.stack(0)) + 150)
        try:
            assert run(partial(started, chain(1000) | ops.count())) == 1001
        finally:
            sys.setrecursionlimit(before)

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="tasks are eager from Python 3.12 on")
    def test_a_deep_crawl_is_flat_where_tasks_are_eager(self) -> None:
        async def main() -> int:
            factory = vars(asyncio)["eager_task_factory"]
            asyncio.get_running_loop().set_task_factory(factory)
            return await (chain(3000) | ops.count())

        assert asyncio.run(main()) == 3001

    def test_memory_does_not_grow_with_the_streams_that_have_ended(self) -> None:
        sizes: list[int] = []

        def weigh(number: int) -> None:
            if number in (500, 1000):
                gc.collect()
                sizes.append(len(gc.get_objects()))

        run(partial(started, chain(1100) | ops.for_each(weigh)))
        assert sizes[1] - sizes[0] < 100

    @pytest.mark.full
    def test_a_hundred_thousand_levels_and_a_hundred_thousand_at_once(self) -> None:
        assert (chain(100_000) | ops.count()).run() == 100_001
        crawl = ops.expand(lambda item: range(1, 100_000) if item == 0 else [], concurrency=8)
        assert (Stream([0]) | crawl | ops.count()).run() == 100_000


async def started(job: Any) -> Any:
    return await job.start()


class TestArguments:
    @pytest.mark.parametrize("function", [5, None, [1], ops.map(abs)])
    def test_the_function_must_be_callable(self, function: Any) -> None:
        with pytest.raises(TypeError, match="function must be"):
            ops.expand(function, concurrency=1)

    @pytest.mark.parametrize("name", ["concurrency", "lookahead"])
    @pytest.mark.parametrize(
        ("value", "error"),
        [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("1", TypeError), (float("nan"), TypeError)],
    )
    def test_numbers_must_be_whole_and_positive(self, name: str, value: Any, error: type[Exception]) -> None:
        with pytest.raises(error, match=f"{name} must be .*{value}"):
            ops.expand(iter, **{"concurrency": 1, name: value})

    @pytest.mark.parametrize("value", [9, None, Suspend, "spill"])
    def test_the_frontier_must_be_a_strategy(self, value: Any) -> None:
        with pytest.raises(TypeError, match="frontier must be"):
            ops.expand(iter, concurrency=1, frontier=value)

    @pytest.mark.parametrize("value", [Collect(9), Conflate(max), DropOldest(9, gaps=True)])
    def test_the_frontier_must_hold_items_as_they_are(self, value: Any) -> None:
        with pytest.raises(ValueError, match=r"frontier must be .*, not (Collect|Conflate|DropOldest)\("):
            ops.expand(iter, concurrency=1, frontier=value)

    def test_a_frontier_on_disk_gives_back_in_order_only(self) -> None:
        with pytest.raises(ValueError, match=r"frontier must be .*depth_first=True, not Spill\("):
            ops.expand(iter, concurrency=1, frontier=Spill(9), depth_first=True)

    @pytest.mark.parametrize("value", [1, "yes", None])
    def test_depth_first_is_a_flag(self, value: Any) -> None:
        with pytest.raises(TypeError, match="depth_first must be True or False"):
            ops.expand(iter, concurrency=1, depth_first=value)

    def test_concurrency_has_to_be_given(self) -> None:
        with pytest.raises(TypeError, match="concurrency"):
            ops.expand(iter)  # type: ignore[call-overload]

    def test_what_it_says_of_itself(self) -> None:
        crawl = ops.expand(iter, concurrency=3, lookahead=2)
        assert repr(crawl) == "expand(iter, concurrency=3, lookahead=2)"
        assert crawl == ops.expand(iter, concurrency=3, lookahead=2)
        explained = (Stream("a") | crawl).explain()
        assert (explained.bound, explained.lookahead) == (7, 7)
        assert explained.parts[-1].strategy == "Suspend(capacity=10000)"
        assert "in the frontier" in explained.parts[-1].result
        lossy = ops.expand(iter, concurrency=3, frontier=DropIncoming(4))
        assert (Stream("a") | lossy).explain().parts[-1].loses == (
            "what would come of items that frontier drops"
        )
