"""How flat_map ends: errors, closing, and what is left of the streams that have ended."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
import reactivex

from streamkit import (
    BufferOverflowError,
    DropIncoming,
    DropOldest,
    Fail,
    Gap,
    KeepLatest,
    Spill,
    Stream,
    Suspend,
    attached,
    ops,
)
from streamkit.testing import VirtualLoop, run
from tests.laws.account import check_sum
from tests.marbles import ERROR, drawn, noted
from tests.nests import Counted, Inner, first_items, letters


class TestErrors:
    def test_of_an_inner_stream_comes_after_what_the_others_hold(self) -> None:
        closed: list[float] = []
        streams = letters(a=drawn("--X"), b=drawn("12|", closed), c=drawn("--------|", closed))
        nested = ops.flat_map(streams, concurrency=3)
        found = noted(Stream("abc") | nested | ops.buffer(Suspend(1)), 9.0)
        assert found == [(0.0, "1"), (9.0, "2"), (9.0, ERROR)]
        assert closed == [2.0, 2.0]

    def test_of_the_source_ends_the_inner_streams(self) -> None:
        inner = Inner(*"123456", closing=1.0)
        found = noted(Stream(drawn("a--X")) | ops.flat_map(inner, concurrency=2))
        assert found[:2] == [(1.0, "a1"), (2.0, "a2")]
        assert found[-1] == (4.0, ERROR)  # when all is closed
        assert inner.closed == [4.0]

    @pytest.mark.parametrize("awaits", [False, True])
    def test_of_the_function_ends_the_inner_streams(self, awaits: bool) -> None:
        def fails(item: str) -> Any:
            if item == "b":
                raise ERROR
            return inner(item)

        async def fails_later(item: str) -> Any:
            return fails(item)

        inner = Inner(*"123456")
        nested = ops.flat_map(fails_later if awaits else fails, concurrency=2)
        found = noted(Stream(drawn("a--b|")) | nested)
        assert found[:2] == [(1.0, "a1"), (2.0, "a2")]
        assert found[-1] == (3.0, ERROR)
        assert inner.closed == [3.0]

    @pytest.mark.parametrize("fails", ["function", "inner", "overflow"])
    def test_have_one_note_that_names_the_operator_and_its_place(self, fails: str) -> None:
        def function(item: Any) -> Any:
            if fails == "function":
                raise ValueError(item)
            return failing if fails == "inner" else Stream(range(9)) | ops.buffer(Fail(1))

        async def failing() -> AsyncIterator[int]:
            raise ValueError
            yield 1

        nested = ops.flat_map(function, concurrency=2)
        with pytest.raises((ValueError, BufferOverflowError)) as caught:
            list(Stream("a") | nested)
        *inner, told = caught.value.__notes__
        assert [each.partition("(")[0] for each in inner] == (["in buffer"] if fails == "overflow" else [])
        assert told.startswith("in flat_map(")
        assert "test_nest_ends.py:" in told

    def test_of_an_operator_inside_are_noted_inside_out(self) -> None:
        nested = ops.flat_map(lambda item: Stream([item]) | ops.map(int), concurrency=2)
        with pytest.raises(ValueError, match="invalid literal") as caught:
            list(Stream("a") | nested)
        assert [told.partition("(")[0] for told in caught.value.__notes__] == ["in map", "in flat_map"]

    @pytest.mark.parametrize("awaits", [False, True])
    def test_keep_what_they_came_of(self, awaits: bool) -> None:
        def fails(_: Any) -> Any:
            try:
                raise KeyError
            except KeyError:
                raise ERROR  # noqa: B904 - without a cause

        def inner(item: str) -> Any:
            return Stream([item]) | ops.map(fails) if awaits else fails(item)

        with pytest.raises(OSError, match="source") as caught:
            list(Stream("a") | ops.flat_map(inner, concurrency=2))
        assert isinstance(caught.value.__context__, KeyError)
        assert not caught.value.__suppress_context__

    def test_of_siblings_clean_up_hang_on_the_first(self) -> None:
        late = OSError("clean-up")

        async def dirty() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.sleep(99.0)
            finally:
                raise late

        streams = letters(a=drawn("-X"), b=dirty)
        found = noted(Stream("ab") | ops.flat_map(streams, concurrency=2))
        assert found == [(0.0, 1), (1.0, ERROR)]
        assert attached(ERROR)[-1] is late

    @pytest.mark.parametrize(("made", "told"), [(5, "not 5"), (None, "not None")])
    def test_what_is_no_stream_is_named(self, made: Any, told: str) -> None:
        with pytest.raises(TypeError, match=told) as caught:
            list(Stream("a") | ops.flat_map(lambda _: made, concurrency=2))
        assert caught.value.__notes__[0].startswith("in flat_map(")

    def test_an_observable_is_named_with_what_to_do_and_not_awaited(self) -> None:
        with pytest.raises(TypeError, match="from_observable"):
            list(Stream("a") | ops.flat_map(lambda _: reactivex.of(1), concurrency=2))


class TestClosing:
    @pytest.mark.parametrize("step", range(1, 30))
    def test_at_every_step_closes_each_inner_stream_once_in_its_task(self, step: int) -> None:
        inner = Inner(1, 2, closing=0.5)

        async def main() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            nested = Stream(drawn("ab-c|")) | ops.flat_map(inner, concurrency=2, lookahead=2)
            work = loop.create_task(first_items(nested, 6))
            loop.call_at_step(step, work.cancel)
            await asyncio.wait([work])
            assert len(inner.closed) == len(inner.opened)
            assert all(len(tasks) == 1 for tasks in inner.tasks)

        run(main)

    def test_by_the_consumer_closes_all_at_the_same_time(self) -> None:
        inner = Inner(1, 2, 3, closing=4.0)

        async def main() -> None:
            await first_items(Stream("abc") | ops.flat_map(inner, concurrency=3), 2)
            assert asyncio.get_running_loop().time() == 5.0
            assert inner.closed == [5.0, 5.0, 5.0]

        run(main)

    def test_a_function_that_waits_is_cancelled(self) -> None:
        ended: list[str] = []

        async def waits(item: str) -> list[str]:
            try:
                if item == "b":
                    await asyncio.sleep(99.0)
                return [item]
            finally:
                ended.append(item)

        async def main() -> None:
            await first_items(Stream("ab") | ops.flat_map(waits, concurrency=2), 1)
            assert asyncio.get_running_loop().time() == 0.0
            assert ended == ["a", "b"]

        run(main)

    def test_what_the_source_gives_although_it_was_cancelled_begins_nothing(self) -> None:
        called: list[str] = []

        async def stubborn() -> AsyncIterator[str]:
            yield "a"
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(99.0)
            yield "b"

        def function(item: str) -> list[str]:
            called.append(item)
            return [item]

        run(lambda: first_items(Stream(stubborn) | ops.flat_map(function, concurrency=2), 1))
        assert called == ["a"]

    def test_a_function_that_does_not_let_itself_be_cancelled_opens_nothing_after(self) -> None:
        inner = Inner(1)

        async def stubborn(item: str) -> Any:
            if item == "a":
                return ["a"]
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(99.0)
            return inner(item)

        run(lambda: first_items(Stream("ab") | ops.flat_map(stubborn, concurrency=2), 1))
        assert inner.opened == []


class TestBuffers:
    def test_one_at_the_end_of_an_inner_stream_is_what_is_read_ahead(self) -> None:
        async def main() -> None:
            inner = [Counted(), Counted()]
            streams = [Stream(inner[0]) | ops.buffer(Suspend(5)), Stream(inner[1])]
            async with (Stream(streams) | ops.flat_map(lambda each: each, concurrency=2)).open() as items:
                before = len(asyncio.all_tasks())
                await anext(items)
                await asyncio.sleep(9.0)
                assert 5 <= inner[0].pulled <= 6
                assert 1 <= inner[1].pulled <= 2
                assert len(asyncio.all_tasks()) == before + 4  # that of the pulls, the source's, one for each

        run(main)

    @pytest.mark.parametrize(
        ("strategy", "found"),
        [
            (KeepLatest(gaps=True), [Gap(3), "d", "e", "|"]),
            (DropIncoming(1, gaps=True), ["a", Gap(3), "e", "|"]),
        ],
        ids=repr,
    )
    def test_gaps_at_the_end_of_an_inner_stream_are_told_before_the_next(
        self, strategy: Any, found: list[Any]
    ) -> None:
        streams = [Stream("abcd") | ops.buffer(strategy), ["e"]]
        nested = Stream(streams) | ops.flat_map(lambda each: each, concurrency=1)
        assert [item for _, item in noted(nested, 1.0)] == found

    def test_one_that_spills_is_closed_with_its_stream(self) -> None:
        nested = ops.flat_map(lambda item: Stream([item] * 5) | ops.buffer(Spill(1)), concurrency=2)
        assert sorted(Stream([1, 2, 3]) | nested) == [1] * 5 + [2] * 5 + [3] * 5

    @pytest.mark.parametrize("lookahead", [1, 3])
    def test_the_accounts_of_streams_that_ended_are_kept_in_few(self, lookahead: int) -> None:
        def streams(number: int) -> Any:
            stream = Stream([number] * 3)
            if number % 3 == 0:
                return stream | ops.buffer(DropOldest(4, on_drop=lambda *_: None))
            return stream | ops.map(abs, concurrency=2) if number % 3 == 1 else stream

        async def main() -> None:
            nested = ops.flat_map(streams, concurrency=4, lookahead=lookahead)
            handle = (Stream(range(120)) | nested | ops.for_each(lambda _: asyncio.sleep(1.0))).start()
            while not handle.done:
                for stats in handle.buffers():
                    check_sum(stats)
                assert len(handle.buffers()) < 20
                await asyncio.sleep(7.0)
            await handle
            mine = [stats for stats in handle.buffers() if stats.operator.startswith("flat_map(")]
            assert sum(stats.delivered for stats in mine) == 360
            assert sum(stats.delivered for stats in handle.buffers()) == 360 + 120
            assert all(stats.held == stats.dropped == 0 for stats in handle.buffers())

        run(main)

    def test_what_is_held_when_it_is_closed_is_dropped_and_counted(self) -> None:
        async def main() -> None:
            nested = ops.flat_map(lambda _: count(), concurrency=2, lookahead=3)
            handle = (Stream("abc") | nested | ops.for_each(lambda _: asyncio.sleep(9.0))).start()
            await asyncio.sleep(1.0)
            assert len(handle.buffers()) == 2
            held = sum(stats.held for stats in handle.buffers())
            assert 5 <= held <= 6
            await handle.stop()
            assert sum(stats.dropped for stats in handle.buffers()) == held
            for stats in handle.buffers():
                check_sum(stats)

        run(main)


class TestMemory:
    @pytest.mark.parametrize("style", ["plain", "buffer", "stage"])
    def test_does_not_grow_with_the_streams_that_have_ended(self, style: str) -> None:
        def streams(number: int) -> Any:
            if style == "plain":
                return [number]
            if style == "buffer":
                return Stream([number]) | ops.buffer(DropOldest(2, on_drop=lambda *_: None))
            return Stream([number]) | ops.timeout(9.0)

        sizes: list[int] = []

        def weigh(number: int) -> None:
            if number in (500, 1000):
                gc.collect()
                sizes.append(len(gc.get_objects()))

        async def main() -> None:
            job = Stream(range(1100)) | ops.flat_map(streams, concurrency=2) | ops.for_each(weigh)
            await job.start()

        run(main)
        assert sizes[1] - sizes[0] < 100  # and not one for each of 500

    def test_of_an_item_is_let_go_when_its_stream_is_made(self) -> None:
        class Item:
            pass

        alive: weakref.WeakSet[Item] = weakref.WeakSet()

        def items() -> Iterator[Item]:
            item = Item()
            alive.add(item)
            yield item
            item = None  # type: ignore[assignment]
            yield Item()

        async def main() -> None:
            nested = ops.flat_map(lambda _: count(), concurrency=2)
            async with (Stream(items) | nested).open() as found:
                for _ in range(9):
                    await anext(found)
                assert len(alive) == 0

        run(main)


class TestStreamsOfManyParts:
    """Inner streams that have operators at their end which are read together with this one."""

    def test_an_error_of_a_plain_one_names_the_operator(self) -> None:
        async def fails(item: int) -> AsyncIterator[int]:
            yield item
            raise ERROR

        assert noted(Stream([1]) | ops.flat_map(fails, concurrency=2)) == [(0.0, 1), (0.0, ERROR)]
        assert ERROR.__notes__[-1].startswith("in flat_map(fails, concurrency=2) at ")

    def test_a_buffer_of_its_own_that_is_empty_when_it_ends_gives_its_place_back(self) -> None:
        streams = letters(a=drawn("1-----|"), b=drawn("2|"))
        buffered = ops.flat_map(lambda item: Stream(streams(item)) | ops.buffer(Suspend(2)), concurrency=1)
        twice = ops.flat_map(lambda item: Stream(streams(item)) | ops.buffer(Suspend(2)), concurrency=2)
        assert noted(Stream("ab") | twice)[-1] == (6.0, "|")
        assert noted(Stream("ab") | buffered)[-1][1] == "|"

    def test_flat_maps_of_streams_that_are_no_lists_are_read_by_the_same_places(self) -> None:
        outer = ops.flat_map(
            lambda _: Stream(drawn("a-b|")) | ops.flat_map(lambda item: item + item.upper(), concurrency=2),
            concurrency=2,
        )
        assert noted(Stream([1]) | outer) == [(0.0, "a"), (0.0, "A"), (2.0, "b"), (2.0, "B"), (3.0, "|")]

    def test_what_a_started_job_has_counted_before_a_nested_one_stays_in_its_counts(self) -> None:
        async def main() -> None:
            pages = ops.buffer(Suspend(2)) | ops.flat_map(lambda item: [item, -item], concurrency=1)
            nested = ops.flat_map(lambda _: Stream(drawn("1-2|")) | ops.map(int) | pages, concurrency=2)
            job = (Stream("ab") | nested | ops.to_list()).start()
            assert sorted(await job) == [-2, -2, -1, -1, 1, 1, 2, 2]
            buffered = [each for each in job.buffers() if each.operator == "buffer(Suspend(capacity=2))"]
            assert sum(each.delivered for each in buffered) == 4

        run(main)
