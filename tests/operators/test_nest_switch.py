"""switch_map: the newest stream, and what becomes of the one before it."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest

from streamkit import DropOldest, KeepLatest, Stream, attached, ops
from streamkit.testing import VirtualLoop, run
from tests.laws.account import check_sum
from tests.marbles import ERROR, drawn, noted
from tests.nests import Inner, first_items, letters


class TestItems:
    def test_a_newer_item_ends_the_stream_before_it(self) -> None:
        streams = letters(a=drawn("--1--2--3--4|"), b=drawn("--5--6|"), c=drawn("--7|"))
        assert noted(Stream(drawn("--a-------b-----c--|")) | ops.switch_map(streams)) == [
            (4.0, "1"),
            (7.0, "2"),
            (12.0, "5"),
            (15.0, "6"),
            (18.0, "7"),
            (19.0, "|"),
        ]

    def test_the_last_stream_is_read_to_its_end_after_that_of_the_source(self) -> None:
        streams = letters(a=drawn("1-2|"), b=drawn("-3----4|"))
        found = noted(Stream(drawn("a----b|")) | ops.switch_map(streams))
        assert found == [(0.0, "1"), (2.0, "2"), (6.0, "3"), (11.0, "4"), (12.0, "|")]

    def test_of_items_that_are_ready_at_once_only_the_last_has_a_say(self) -> None:
        called: list[int] = []

        def function(item: int) -> list[int]:
            called.append(item)
            return [item, -item]

        assert list(Stream([1, 2, 3]) | ops.switch_map(function)) == [3, -3]
        assert called == [1, 2, 3]  # each item is asked for its stream

    def test_nothing_comes_of_nothing(self) -> None:
        assert list(Stream([]) | ops.switch_map(iter)) == []
        assert list(Stream("a") | ops.switch_map(lambda _: [])) == []

    @pytest.mark.parametrize("made", [[1, 2], (1, 2), lambda: [1, 2], drawn("12|"), Stream([1, 2])])
    @pytest.mark.parametrize("awaits", [False, True])
    def test_a_function_returns_anything_that_can_be_a_stream(self, made: Any, awaits: bool) -> None:
        async def later(_: str) -> Any:
            await asyncio.sleep(1.0)
            return made

        found = noted(Stream("a") | ops.switch_map(later if awaits else lambda _: made))
        assert [str(item) for _, item in found] == ["1", "2", "|"]

    def test_a_stream_that_ends_in_a_buffer_has_it(self) -> None:
        streams = [Stream(range(9)) | ops.buffer(DropOldest(2))]
        assert [item for _, item in noted(Stream(streams) | ops.switch_map(lambda each: each), 9.0)][-2:] == [
            8,
            "|",
        ]


class TestSwitching:
    def test_cancels_a_call_of_the_function_that_is_under_way(self) -> None:
        ended: list[tuple[str, float]] = []

        async def search(text: str) -> list[str]:
            try:
                await asyncio.sleep(3.0)
            except asyncio.CancelledError:
                ended.append((text, asyncio.get_running_loop().time()))
                raise
            return [text]

        assert noted(Stream(drawn("a-b----c|")) | ops.switch_map(search)) == [
            (5.0, "b"),
            (10.0, "c"),
            (10.0, "|"),
        ]
        assert ended == [("a", 2.0)]

    def test_opens_the_next_when_the_clean_up_of_the_one_before_has_ended(self) -> None:
        inner = Inner(1, 2, 3, closing=4.0)
        found = noted(Stream(drawn("a--b|")) | ops.switch_map(inner))
        assert found == [(1.0, "a1"), (2.0, "a2"), (8.0, "b1"), (9.0, "b2"), (10.0, "b3"), (14.0, "|")]
        assert (inner.opened, inner.closed) == ([0.0, 7.0], [7.0, 14.0])

    def test_never_has_two_streams_open(self) -> None:
        inner = Inner(*range(9), closing=0.25)
        noted(Stream(drawn("ab-cd---e|")) | ops.switch_map(inner))
        assert len(inner.opened) == 5
        assert all(closed <= opened for opened, closed in zip(inner.opened[1:], inner.closed, strict=False))
        assert all(len(tasks) == 1 for tasks in inner.tasks)

    def test_ends_a_stream_at_once_also_while_the_consumer_is_busy(self) -> None:
        inner = Inner(1, 2, 3)
        found = noted(Stream(drawn("a-b|")) | ops.switch_map(inner), 9.0)
        assert found[0] == (1.0, "a1")
        assert inner.closed[0] == 2.0
        assert found[1] == (11.0, "b1")

    def test_drops_what_the_stream_before_has_left(self) -> None:
        async def main() -> None:
            stream = Stream(drawn("a-b|")) | ops.switch_map(lambda item: [item] * 9, lookahead=4)
            seen: list[str] = []

            async def slowly(item: str) -> None:
                seen.append(item)
                await asyncio.sleep(5.0 if len(seen) == 1 else 0)

            handle = (stream | ops.for_each(slowly)).start()
            await handle
            assert seen == ["a"] + ["b"] * 9
            for stats in handle.buffers():
                check_sum(stats)
            assert (
                sum(stats.dropped for stats in handle.buffers()) == 3
            )  # one has left, and the lane is filled again when it is nearly empty

        run(main)

    def test_a_slow_consumer_holds_up_the_source_one_item_ahead(self) -> None:
        pulled: list[int] = []

        async def source() -> AsyncIterator[int]:
            for number in count():
                pulled.append(number)
                await asyncio.sleep(2.0)
                yield number

        found = noted(
            Stream(source) | ops.switch_map(lambda item: drawn(f"{item}-----|")) | ops.take(3), 19.0, 19.0
        )
        assert found == [(2.0, "0"), (21.0, "1"), (40.0, "2"), (40.0, "|")]
        assert len(pulled) == 4

    def test_a_buffer_before_it_lets_the_source_go_on(self) -> None:
        called: list[str] = []

        def function(item: str) -> Any:
            called.append(item)
            return drawn(f"{item}-------|")

        source = Stream(drawn("a-b-c-d|")) | ops.buffer(KeepLatest())
        assert noted(source | ops.switch_map(function), 9.0) == [(0.0, "a"), (9.0, "d"), (17.0, "|")]
        assert called == ["a", "d"]


class TestErrors:
    def test_of_a_clean_up_end_the_stream(self) -> None:
        async def dirty() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.sleep(99.0)
            finally:
                raise ERROR

        found = noted(Stream(drawn("a--b|")) | ops.switch_map(letters(a=dirty, b=drawn("2|"))))
        assert found == [(0.0, 1), (3.0, ERROR)]

    def test_of_a_clean_up_come_out_too_where_the_consumer_leaves(self) -> None:
        async def dirty() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.sleep(99.0)
            finally:
                raise ERROR

        async def main() -> None:
            streams = letters(a=dirty, b=drawn("2|"))
            async with (Stream(drawn("a--b|")) | ops.switch_map(streams)).open() as items:
                assert await anext(items) == 1
                await asyncio.sleep(9.0)  # it has ended meanwhile, and nobody has asked

        with pytest.raises(OSError, match="source") as caught:
            run(main)
        assert caught.value is ERROR

    def test_of_an_inner_stream_or_the_source_come_after_what_is_held(self) -> None:
        found = noted(Stream(drawn("a----|")) | ops.switch_map(letters(a=drawn("1--X"))), 9.0)
        assert found == [(0.0, "1"), (9.0, ERROR)]
        closed: list[float] = []
        streams = letters(a=drawn("12-------|", closed))
        found = noted(Stream(drawn("a--X")) | ops.switch_map(streams), 9.0)
        assert found == [(0.0, "1"), (9.0, "2"), (9.0, ERROR)]
        assert closed == [3.0]

    @pytest.mark.parametrize("fails", ["function", "inner"])
    def test_have_one_note_that_names_the_operator_and_its_place(self, fails: str) -> None:
        async def failing() -> AsyncIterator[int]:
            raise ValueError
            yield 1

        def function(_: Any) -> Any:
            if fails == "function":
                raise ValueError
            return failing

        with pytest.raises(ValueError) as caught:  # noqa: PT011 - its notes are looked at
            list(Stream("a") | ops.switch_map(function))
        (told,) = caught.value.__notes__
        assert told.startswith("in switch_map(")
        assert "test_nest_switch.py:" in told

    def test_of_siblings_clean_up_hang_on_the_first(self) -> None:
        late = OSError("clean-up")

        async def dirty() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.sleep(99.0)
            finally:
                raise late

        failure = ValueError()

        async def source() -> AsyncIterator[str]:
            yield "a"
            await asyncio.sleep(2.0)
            raise failure

        assert noted(Stream(source) | ops.switch_map(lambda _: dirty)) == [(0.0, 1), (2.0, failure)]
        assert [*attached(failure)] == [late]

    @pytest.mark.parametrize("made", [5, None])
    def test_what_is_no_stream_is_named(self, made: Any) -> None:
        with pytest.raises(TypeError, match=f"not {made}"):
            list(Stream("a") | ops.switch_map(lambda _: made))


class TestClosing:
    @pytest.mark.parametrize("step", range(1, 40))
    def test_at_every_step_closes_each_inner_stream_once_in_its_task(self, step: int) -> None:
        inner = Inner(1, 2, 3, closing=0.5)

        async def main() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            nested = Stream(drawn("a-bc--d|")) | ops.switch_map(inner, lookahead=2)
            work = loop.create_task(first_items(nested, 6))
            loop.call_at_step(step, work.cancel)
            await asyncio.wait([work])
            assert len(inner.closed) == len(inner.opened)
            assert all(len(tasks) == 1 for tasks in inner.tasks)

        run(main)

    def test_a_function_that_does_not_let_itself_be_cancelled_opens_nothing_after(self) -> None:
        inner = Inner(1)

        async def stubborn(item: str) -> Any:
            if item == "b":
                return ["b"]
            try:
                await asyncio.sleep(99.0)
            except asyncio.CancelledError:
                return inner(item)

        assert noted(Stream(drawn("a-b|")) | ops.switch_map(stubborn))[0] == (2.0, "b")
        assert inner.opened == []


async def started(job: Any) -> Any:
    return await job.start()


async def waiting(size: int) -> AsyncIterator[int]:
    """Items that come when the stream of the one before was read."""
    for number in range(size):
        for _ in range(4):
            await asyncio.sleep(0)
        yield number


class TestDepth:
    @pytest.mark.parametrize("source", [range, lambda size: lambda: waiting(size)], ids=["ready", "waiting"])
    def test_twice_as_many_switches_take_twice_as_many_calls(self, source: Callable[[int], Any]) -> None:
        def calls(size: int) -> int:
            number = 0

            def note(_frame: Any, event: str, _argument: Any) -> None:
                nonlocal number
                number += event == "call"

            job = Stream(source(size)) | ops.switch_map(lambda item: [item]) | ops.count()
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

    def test_memory_does_not_grow_with_the_streams_that_have_ended(self) -> None:
        sizes: list[int] = []

        def weigh(number: int) -> None:
            if number in (500, 1000):
                gc.collect()
                sizes.append(len(gc.get_objects()))

        job = Stream(lambda: waiting(1100)) | ops.switch_map(lambda item: [item, item]) | ops.for_each(weigh)
        run(partial(started, job))
        assert sizes[-1] - sizes[0] < 100

    @pytest.mark.full
    def test_a_hundred_thousand_switches(self) -> None:
        assert list(Stream(range(100_000)) | ops.switch_map(lambda item: [item])) == [99_999]


class TestArguments:
    @pytest.mark.parametrize("function", [5, None, [1], ops.map(abs)])
    def test_the_function_must_be_callable(self, function: Any) -> None:
        with pytest.raises(TypeError, match="function must be"):
            ops.switch_map(function)

    @pytest.mark.parametrize(
        ("value", "error"),
        [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("1", TypeError), (float("nan"), TypeError)],
    )
    def test_lookahead_must_be_a_whole_number_of_at_least_1(self, value: Any, error: type[Exception]) -> None:
        with pytest.raises(error, match=f"lookahead must be .*{value}"):
            ops.switch_map(iter, lookahead=value)

    def test_what_it_says_of_itself(self) -> None:
        assert repr(ops.switch_map(iter, lookahead=2)) == "switch_map(iter, lookahead=2)"
        assert ops.switch_map(iter) == ops.switch_map(iter)
        explained = (Stream("a") | ops.switch_map(iter, lookahead=2)).explain()
        assert (explained.bound, explained.lookahead) == (5, 3)
        assert "loses what is left of a stream" in str(explained)
