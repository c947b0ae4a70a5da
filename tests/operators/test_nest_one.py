"""One inner stream at a time, to its end: concat_map, whose source waits, and exhaust_map, whose does not."""

import asyncio
import gc
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from streamkit import DropIncoming, Gap, Stream, attached, ops
from streamkit.testing import VirtualLoop, run
from tests.laws.account import check_sum
from tests.marbles import ERROR, drawn, noted
from tests.nests import Counted, Inner, first_items, letters


async def turning() -> AsyncIterator[int]:
    for number in count():
        yield number
        await asyncio.sleep(0)


class TestConcatMap:
    def test_reads_one_stream_after_the_other(self) -> None:
        streams = letters(a=drawn("--1--2|"), b=drawn("-3--4|"), c=drawn("--5|"))
        assert noted(Stream(drawn("--a--b------c--|")) | ops.concat_map(streams)) == [
            (4.0, "1"),
            (7.0, "2"),
            (9.0, "3"),
            (12.0, "4"),
            (15.0, "5"),
            (16.0, "|"),
        ]

    def test_is_a_flat_map_with_one_place(self) -> None:
        async def later(item: int) -> Any:
            await asyncio.sleep(item)
            return drawn("-" * item + f"{item}-x|")

        source = drawn("1-23|")
        pipe = ops.map(int) | ops.concat_map(later, lookahead=2)
        other = ops.map(int) | ops.flat_map(later, concurrency=1, lookahead=2)
        assert noted(Stream(source) | pipe) == noted(Stream(source) | other)
        assert (Stream([1]) | pipe).explain().bound == (Stream([1]) | other).explain().bound

    def test_opens_the_next_when_the_one_before_is_closed_and_was_delivered(self) -> None:
        inner = Inner(1, 2, closing=0.5)
        stream = Stream("ab") | ops.concat_map(inner, lookahead=1)
        assert noted(stream, 10.0) == [(1.0, "a1"), (11.0, "a2"), (12.5, "b1"), (13.5, "b2"), (14.0, "|")]
        assert (inner.opened, inner.closed) == ([0.0, 11.5], [11.5, 14.0])

    def test_does_not_read_its_source_meanwhile(self) -> None:
        async def main() -> None:
            source = Counted()
            async with (Stream(source) | ops.concat_map(lambda item: [item, item])).open() as items:
                for _ in range(8):
                    await anext(items)
                await asyncio.sleep(9.0)
                assert source.pulled <= 5

        run(main)

    @pytest.mark.parametrize("outer", ["concat_map", "flat_map"])
    def test_pages_that_lead_to_pages_fill_one_channel(self, outer: str) -> None:
        def page(number: int) -> Any:
            following = [number + 1] if number < 2000 else []
            return Stream([number]) | ops.concat(Stream(following) | ops.concat_map(page))

        first = ops.concat_map(page) if outer == "concat_map" else ops.flat_map(page, concurrency=1)
        assert list(Stream([0]) | first) == [*range(2001)]

    @pytest.mark.full
    def test_a_hundred_thousand_pages(self) -> None:
        def page(number: int) -> Any:
            following = [number + 1] if number < 100_000 else []
            return Stream([number]) | ops.concat(Stream(following) | ops.concat_map(page))

        assert (Stream([0]) | ops.concat_map(page) | ops.count()).run() == 100_001

    def test_a_buffer_at_the_end_of_a_stream_is_what_is_read_ahead(self) -> None:
        streams = [Stream("abcd") | ops.buffer(DropIncoming(1, gaps=True)), ["e"]]
        nested = Stream(streams) | ops.concat_map(lambda each: each)
        assert [item for _, item in noted(nested, 1.0)] == ["a", Gap(3), "e", "|"]

    def test_errors_name_it(self) -> None:
        with pytest.raises(ValueError, match="invalid") as caught:
            list(Stream("a") | ops.concat_map(int))  # type: ignore[arg-type]
        assert caught.value.__notes__[0].startswith("in concat_map(int) at ")


class TestExhaustMap:
    def test_drops_what_comes_while_a_stream_is_read(self) -> None:
        dropped: list[tuple[str, str]] = []
        streams = letters(a=drawn("--1--2|"), b=drawn("-3|"), c=drawn("--4|"))
        nested = ops.exhaust_map(streams, on_drop=lambda *told: dropped.append(told))
        assert noted(Stream(drawn("--a--b------c--|")) | nested) == [
            (4.0, "1"),
            (7.0, "2"),
            (14.0, "4"),
            (15.0, "|"),
        ]
        assert dropped == [("b", "full")]

    def test_is_busy_until_its_stream_is_closed_and_was_delivered(self) -> None:
        inner = Inner(1, 2, closing=1.0)
        stream = Stream(drawn("a--bc-----d|")) | ops.exhaust_map(inner)
        assert [item for _, item in noted(stream)] == ["a1", "a2", "c1", "c2", "d1", "d2", "|"]
        assert inner.opened == [0.0, 4.0, 10.0]
        inner = Inner(1, 2)
        stream = Stream(drawn("a--bc-----d|")) | ops.exhaust_map(inner)
        assert [item for _, item in noted(stream, 6.0)] == ["a1", "a2", "d1", "d2", "|"]

    def test_is_busy_while_the_function_is_called(self) -> None:
        async def slow(item: str) -> list[str]:
            await asyncio.sleep(2.5)
            return [item]

        found = noted(Stream(drawn("abcdefg|")) | ops.exhaust_map(slow))
        assert found == [(2.5, "a"), (5.5, "d"), (8.5, "g"), (8.5, "|")]

    def test_calls_the_function_before_more_is_read(self) -> None:
        def fails(_: int) -> Any:
            raise ValueError

        def source() -> Any:
            yield 1
            raise AssertionError("read on")

        with pytest.raises(ValueError) as caught:  # noqa: PT011 - its notes are looked at
            list(Stream(source) | ops.exhaust_map(fails))
        assert caught.value.__notes__[0].startswith("in exhaust_map(")

    def test_counts_what_it_drops(self) -> None:
        async def main() -> None:
            nested = ops.exhaust_map(lambda item: drawn(f"{item}--|"))
            handle = (Stream(drawn("abcdefghi|")) | nested | ops.drain()).start()
            await handle
            door, *inner = handle.buffers()
            for stats in (door, *inner):
                check_sum(stats)
            assert (door.offered, door.delivered, door.dropped) == (9, 3, 6)
            assert sum(stats.delivered for stats in inner) == 3

        run(main)

    def test_an_error_of_on_drop_ends_the_stream(self) -> None:
        def fails(*_: object) -> None:
            raise ERROR

        closed: list[float] = []
        nested = ops.exhaust_map(lambda _: drawn("1---|", closed), on_drop=fails)
        assert noted(Stream(drawn("a-b|")) | nested) == [(0.0, "1"), (2.0, ERROR)]
        assert closed == [2.0]

    def test_never_holds_up_its_source(self) -> None:
        async def main() -> None:
            pulled: list[int] = []
            stream = Stream(turning) | ops.tap(pulled.append) | ops.exhaust_map(lambda item: [item, item])
            async with stream.open() as items:
                await anext(items)
                before = len(pulled)
                for _ in range(9):
                    await asyncio.sleep(0)
                assert len(pulled) >= before + 8

        run(main)

    def test_one_inside_another_drops_by_itself(self) -> None:
        inside = ops.exhaust_map(lambda item: drawn(f"-{item}|"))
        nested = ops.exhaust_map(lambda item: Stream(drawn(f"{item}x-y|")) | inside)
        found = noted(Stream(drawn("ab----c|")) | nested)
        assert found == [(1.0, "a"), (4.0, "y"), (7.0, "c"), (10.0, "y"), (11.0, "|")]

    def test_errors_of_siblings_clean_up_hang_on_the_first(self) -> None:
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

        assert noted(Stream(source) | ops.exhaust_map(lambda _: dirty)) == [(0.0, 1), (2.0, failure)]
        assert [*attached(failure)] == [late]

    @pytest.mark.parametrize("step", range(1, 30))
    def test_at_every_step_closes_each_inner_stream_once_in_its_task(self, step: int) -> None:
        inner = Inner(1, 2, closing=0.5)

        async def main() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            nested = Stream(drawn("ab-c-d|")) | ops.exhaust_map(inner, lookahead=2)
            work = loop.create_task(first_items(nested, 6))
            loop.call_at_step(step, work.cancel)
            await asyncio.wait([work])
            assert len(inner.closed) == len(inner.opened)
            assert all(len(tasks) == 1 for tasks in inner.tasks)

        run(main)

    def test_memory_does_not_grow(self) -> None:
        sizes: list[int] = []

        async def main() -> None:
            async with (Stream(turning) | ops.exhaust_map(lambda item: [item])).open() as items:
                for number in range(401):
                    await anext(items)
                    if number in (200, 400):
                        gc.collect()
                        sizes.append(len(gc.get_objects()))

        run(main)
        assert sizes[1] - sizes[0] < 100


class TestArguments:
    @pytest.mark.parametrize("name", ["concat_map", "exhaust_map"])
    @pytest.mark.parametrize("function", [5, None, [1], ops.map(abs)])
    def test_the_function_must_be_callable(self, name: str, function: Any) -> None:
        with pytest.raises(TypeError, match="function must be"):
            getattr(ops, name)(function)

    @pytest.mark.parametrize("name", ["concat_map", "exhaust_map"])
    @pytest.mark.parametrize(
        ("value", "error"),
        [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("1", TypeError), (float("nan"), TypeError)],
    )
    def test_lookahead_must_be_whole_and_positive(
        self, name: str, value: Any, error: type[Exception]
    ) -> None:
        if (name, value) == (
            "concat_map",
            0,
        ):  # it reads nothing ahead then, which is what it does by default
            assert ops.concat_map(iter, lookahead=0) == ops.concat_map(iter)
            return
        with pytest.raises(error, match=f"lookahead must be .*{value}"):
            getattr(ops, name)(iter, lookahead=value)

    @pytest.mark.parametrize("value", [5, "print", [print]])
    def test_on_drop_must_be_callable(self, value: Any) -> None:
        with pytest.raises(TypeError, match="on_drop must be"):
            ops.exhaust_map(iter, on_drop=value)

    def test_what_they_say_of_themselves(self) -> None:
        assert repr(ops.concat_map(iter, lookahead=2)) == "concat_map(iter, lookahead=2)"
        assert repr(ops.exhaust_map(iter)) == "exhaust_map(iter)"
        assert ops.exhaust_map(iter) == ops.exhaust_map(iter) != ops.concat_map(iter)
        assert "reads any number of items ahead" in str((Stream("a") | ops.exhaust_map(iter)).explain())
