"""flat_map with one place, and concat_map: streams that are read in the loop, one after the other."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
import reactivex

from streamkit import Fail, Resume, Stream, Suspend, attached, ops, push
from streamkit.testing import VirtualLoop, run
from tests.marbles import ERROR, drawn, noted
from tests.nests import Counted, Inner, first_items


async def numbers(size: int) -> AsyncIterator[int]:
    for number in range(size):
        yield number


class Item:
    """Something that can be told to be alive."""


class TestReading:
    def test_nothing_is_read_before_it_is_asked_for(self) -> None:
        async def main() -> None:
            source, inner = Counted(), Counted()
            async with (Stream(source) | ops.concat_map(lambda _: inner)).open() as items:
                for taken in range(1, 5):
                    await anext(items)
                    await asyncio.sleep(9.0)
                    assert (source.pulled, inner.pulled) == (1, taken)

        run(main)

    @pytest.mark.parametrize("behind", [[], [ops.filter(bool)], [ops.batch(2)]], ids=repr)
    def test_it_holds_nothing_and_is_a_part_of_the_loop(self, behind: list[Any]) -> None:
        stream = (Stream([3, 2]) | ops.flat_map(numbers, concurrency=1)).pipe(*behind)
        found = stream.explain()
        assert len(found.parts) == 2
        assert found.parts[1].kind == "segment"
        assert found.lookahead == 0

    def test_no_task_is_made(self) -> None:
        async def main() -> None:
            seen = set[Any]()

            async def here(_: int) -> AsyncIterator[int]:
                seen.add(asyncio.current_task())
                yield 1
                seen.add(asyncio.current_task())

            await (Stream([1, 2]) | ops.concat_map(here) | ops.drain())
            assert seen == {asyncio.current_task()}

        run(main)

    @pytest.mark.parametrize(
        "source", [range(300), [*range(300)], lambda: iter(range(300)), lambda: numbers(300)]
    )
    @pytest.mark.parametrize(
        "behind", [[], [ops.buffer(Suspend(2))], [ops.map(str, concurrency=2)]], ids=repr
    )
    def test_streams_of_all_kinds_may_come_from_one_function(self, source: Any, behind: list[Any]) -> None:
        async def waits(number: int) -> Any:
            await asyncio.sleep(0)
            return [number]

        kinds: list[Callable[[int], Any]] = [
            lambda number: [number],
            lambda number: (number,),
            lambda number: range(number, number + 1),
            lambda number: iter([number]),
            lambda number: (each for each in [number]),
            lambda number: lambda: numbers(1),
            lambda number: Stream([number - 1]) | ops.map(lambda item: item + 1),
            lambda number: Stream([number]) | ops.buffer(Suspend(1)),
            waits,
        ]
        nested = ops.concat_map(lambda number: kinds[number % 9](number))
        wanted = [0 if number % 9 == 5 else number for number in range(300)]
        found = list((Stream(source) | nested).pipe(*behind))
        assert [int(item) for item in found] == wanted

    def test_several_behind_each_other(self) -> None:
        stream = Stream([2, 3])
        for _ in range(6):
            stream = stream | ops.concat_map(lambda number: numbers(number) if number % 2 else [number])
        items = [2, 3]
        for _ in range(6):
            items = [each for item in items for each in (range(item) if item % 2 else [item])]
        assert list(stream) == items

    def test_what_is_dropped_for_an_error_makes_nothing(self) -> None:
        nested = ops.flat_map(lambda item: [10 // item], concurrency=1, on_error=Resume())
        assert list(Stream([5, 0, 2]) | nested | ops.map(str)) == ["2", "5"]

    def test_others_run_between_the_items_of_one_stream(self) -> None:
        async def main() -> None:
            handle = (Stream([1]) | ops.concat_map(lambda _: endless()) | ops.drain()).start()
            for _ in range(20):
                await asyncio.sleep(0)
            await handle.stop()

        async def endless() -> AsyncIterator[int]:
            for number in count():
                yield number

        run(main)


class TestClosing:
    @pytest.mark.parametrize("step", range(1, 40))
    @pytest.mark.parametrize("behind", [[], [ops.buffer(Suspend(1))]], ids=repr)
    def test_at_every_step_closes_each_stream_once_in_its_task(self, step: int, behind: list[Any]) -> None:
        inner = Inner(1, 2, closing=0.5)

        async def main() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            nested = (Stream(drawn("ab-c|")) | ops.concat_map(inner)).pipe(*behind)
            work = loop.create_task(first_items(nested, 6))
            loop.call_at_step(step, work.cancel)
            await asyncio.wait([work])
            assert len(inner.closed) == len(inner.opened)
            assert all(len(tasks) == 1 for tasks in inner.tasks)

        run(main)

    @pytest.mark.parametrize("ends", ["enough", "fails"])
    def test_the_innermost_is_closed_first(self, ends: str) -> None:
        log = list[str]()

        async def level(name: str) -> AsyncIterator[str]:
            try:
                for number in count():
                    yield f"{name}{number}"
            finally:
                await asyncio.sleep(1.0)
                log.append(name)

        def fail(_: str) -> None:
            raise ERROR

        pipe = ops.concat_map(lambda _: level("b")) | ops.flat_map(lambda _: level("c"), concurrency=1)
        last = ops.take(3) if ends == "enough" else ops.tap(fail)
        found = noted(Stream(lambda: level("a")) | pipe | last)
        assert found[-1] == (3.0, "|" if ends == "enough" else ERROR)
        assert log == ["c", "b", "a"]

    @pytest.mark.parametrize("taken", [1, 2, 3])
    def test_what_was_made_for_the_run_is_closed_at_its_end_or_early(self, taken: int) -> None:
        class Rows:
            open = 0

            def __init__(self) -> None:
                Rows.open += 1
                self.rows = iter([1, 2])

            def __iter__(self) -> Any:
                return self

            def __next__(self) -> int:
                return next(self.rows)

            def close(self) -> None:
                Rows.open -= 1

        seen = list[int]()
        stream = Stream("ab") | ops.concat_map(lambda _: Rows) | ops.tap(lambda _: seen.append(Rows.open))
        assert len(list(stream | ops.take(taken))) == taken
        assert seen == [1] * taken
        assert Rows.open == 0

    def test_a_stream_is_closed_before_what_follows_its_error_is_made(self) -> None:
        log = list[str]()

        async def inner() -> AsyncIterator[int]:
            try:
                yield 1
                raise ERROR
            finally:
                await asyncio.sleep(0)
                log.append("closed")

        def instead(_: Exception) -> list[int]:
            log.append("made")
            return [2]

        def late(item: int) -> int:
            if item == 7:
                raise ERROR
            return item

        stream = Stream([1]) | ops.concat_map(lambda _: inner()) | ops.catch(instead)
        assert list(stream) == [1, 2]
        assert log == ["closed", "made"]
        log.clear()
        dirty = (
            Stream([1]) | ops.concat_map(lambda _: inner()) | ops.map(lambda _: late(7)) | ops.catch(instead)
        )
        assert list(dirty) == [2]
        assert log == ["closed", "made"]

    def test_an_iterator_that_is_dropped_closes_both_once(self) -> None:
        log = list[str]()

        async def level(name: str) -> AsyncIterator[str]:
            try:
                for _ in range(3):
                    yield name
            finally:
                await asyncio.sleep(0)
                log.append(name)

        async def main() -> None:
            async for _ in Stream(lambda: level("a")) | ops.concat_map(lambda _: level("b")):
                break
            gc.collect()
            await asyncio.sleep(1.0)
            assert log == ["b", "a"]

        run(main)

    def test_one_that_the_collector_drops_closes_both_once(self) -> None:
        log = list[str]()

        async def level(name: str) -> AsyncIterator[str]:
            try:
                for _ in range(3):
                    yield name
            finally:
                await asyncio.sleep(0)
                log.append(name)

        async def main() -> None:
            items: Any = aiter(Stream(lambda: level("a")) | ops.concat_map(lambda _: level("b")))
            await anext(items)
            ring = [items]
            ring.append(ring)
            del items, ring
            gc.collect()
            await asyncio.sleep(1.0)
            assert log == ["b", "a"]

        run(main)

    def test_a_function_that_heeds_no_cancellation_opens_nothing(self) -> None:
        inner = Inner(1)
        stream, emitter = push(Suspend(1))

        async def stubborn(_: Any) -> Any:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(99.0)
            return stream | ops.concat_map(inner)

        async def main() -> None:
            async with (Stream("a") | ops.concat_map(stubborn) | ops.buffer(Suspend(1))).open() as items:
                with suppress(TimeoutError):
                    await asyncio.wait_for(anext(items), 1.0)
            assert emitter.closed

        run(main)
        assert inner.opened == []


class TestErrors:
    @pytest.mark.parametrize("fails", ["function", "awaited", "inner", "pipe", "buffer"])
    def test_have_notes_from_the_inside_out(self, fails: str) -> None:
        async def failing(_: int) -> AsyncIterator[int]:
            raise KeyError
            yield 1

        async def later(_: int) -> Any:
            raise KeyError

        def function(item: int) -> Any:
            if fails == "function":
                raise KeyError
            if fails == "awaited":
                return later(item)
            if fails == "pipe":
                return Stream([1]) | ops.map(lambda _: 1 // 0)
            return Stream(range(9)) | ops.buffer(Fail(1)) if fails == "buffer" else failing(item)

        with pytest.raises(Exception) as caught:  # noqa: PT011 - its notes are looked at
            list(Stream([1]) | ops.concat_map(function))
        inside = {"pipe": ["in map"], "buffer": ["in buffer"]}.get(fails, [])
        assert [each.partition("(")[0] for each in caught.value.__notes__] == [*inside, "in concat_map"]

    def test_of_the_source_and_of_steps_behind_do_not_name_it(self) -> None:
        def source() -> Iterator[int]:
            yield 1
            raise KeyError

        with pytest.raises(KeyError) as caught:
            list(Stream(source) | ops.concat_map(lambda item: [item]))
        assert "concat_map" not in str(getattr(caught.value, "__notes__", ""))
        with pytest.raises(ZeroDivisionError) as other:
            list(Stream([[0]]) | ops.concat_map(list) | ops.map(lambda item: 1 // item))
        assert [each.partition("(")[0] for each in other.value.__notes__] == ["in map"]

    def test_of_clean_up_hang_on_the_first(self) -> None:
        async def dirty(name: str) -> AsyncIterator[str]:
            try:
                yield name
            finally:
                raise KeyError(name)

        def fail(_: str) -> None:
            raise ValueError

        stream = Stream(lambda: dirty("a")) | ops.concat_map(lambda _: dirty("b")) | ops.tap(fail)
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - what hangs on it is looked at
            list(stream)
        (first,) = attached(caught.value)
        (second,) = attached(first)
        assert (first.args, second.args) == (("b",), ("a",))
        assert first.__notes__[0].startswith("in concat_map(")

    def test_come_behind_what_steps_hold(self) -> None:
        async def inner(_: int) -> AsyncIterator[int]:
            yield 1
            yield 2
            yield 3
            raise ERROR

        found = noted(Stream([1]) | ops.concat_map(inner) | ops.batch(2))
        assert found == [(0.0, [1, 2]), (0.0, [3]), (0.0, ERROR)]


@pytest.mark.parametrize("flat", [ops.concat_map, ops.exhaust_map])
def test_an_observable_is_named_with_what_to_do_and_not_awaited(flat: Any) -> None:
    with pytest.raises(TypeError, match="from_observable"):
        list(Stream("a") | flat(lambda _: reactivex.of(1)))


class Closable:
    """An iterator over some items, which notes when it is closed."""

    def __init__(self, name: str, log: list[str], *, fails: bool = False) -> None:
        self._name, self._log, self._fails, self._items = name, log, fails, iter("abc")

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._items)

    def close(self) -> None:
        self._log.append(self._name)
        if self._fails:
            raise OSError(self._name)


def test_iterators_inside_of_each_other_are_closed_from_within_and_their_errors_named() -> None:
    log = list[str]()

    def outer(_: str) -> Closable:
        return Closable("outer", log, fails=True)

    def inner(_: str) -> Closable:
        return Closable("inner", log)

    with pytest.raises(OSError, match="outer") as caught:
        list(Stream("x") | ops.concat_map(outer) | ops.concat_map(inner) | ops.take(1))
    assert log == ["inner", "outer"]
    assert caught.value.__notes__[0].startswith("in concat_map(")
    assert "outer" in caught.value.__notes__[0]


def test_an_iterator_that_cannot_be_closed_is_left_as_it_is() -> None:
    class Endless:
        def __aiter__(self) -> AsyncIterator[int]:
            return self

        async def __anext__(self) -> int:
            return 7

    async def main() -> list[int]:
        return await (Stream("ab") | ops.concat_map(lambda _: Endless()) | ops.take(3) | ops.to_list())

    assert run(main) == [7, 7, 7]
