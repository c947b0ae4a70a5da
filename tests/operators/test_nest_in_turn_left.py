"""flat_map with a concurrency of 1, and concat_map: who closes what they read; errors and scopes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import streamkit
from streamkit import Stream, Suspend, attached, ops
from streamkit.testing import run

TASKS = list[bool]


def in_turn(function: Callable[[Any], Any]) -> Any:
    return ops.flat_map(function, concurrency=1)


async def ready() -> AsyncIterator[int]:
    for item in range(3):
        yield item


async def scoped(_: object) -> AsyncIterator[int]:
    async with asyncio.timeout(1.0):
        yield 0
        yield 1


@pytest.mark.parametrize("ends", [ops.take(2), ops.first(), ops.take_while(lambda item: item < 1)], ids=repr)
def test_a_stream_made_of_an_item_of_a_list_is_closed_in_its_task_when_the_run_ends_early(ends: Any) -> None:
    async def main() -> None:
        closed: list[asyncio.Task[Any] | None] = []

        async def pages(_: int) -> AsyncIterator[int]:
            try:
                for item in range(3):
                    yield item
            finally:
                closed.append(asyncio.current_task())

        made = Stream([1, 2]) | in_turn(pages) | ends
        await (made | ops.drain() if isinstance(made, Stream) else made)
        assert closed == [asyncio.current_task()]

    run(main)


def places() -> dict[str, Callable[[Any], Any]]:
    """Where a pump reads what a nesting step is before, with more streams behind it."""
    nest = in_turn(lambda _: ready())
    return {
        "buffer": lambda source: Stream(source) | nest | ops.concat(ready) | ops.buffer(Suspend(2)),
        "merge": lambda source: streamkit.merge(Stream(source) | nest | ops.concat(ready), ready),
        "flat_map": lambda source: Stream([1]) | ops.flat_map(lambda _: Stream(source) | nest, concurrency=2),
    }


@pytest.mark.parametrize("place", ["buffer", "merge", "flat_map"])
def test_what_is_before_it_is_closed_in_the_task_that_read_it(place: str) -> None:
    async def main() -> None:
        same: TASKS = []

        async def source() -> AsyncIterator[int]:
            task = asyncio.current_task()
            try:
                for item in range(4):
                    await asyncio.sleep(1.0)
                    yield item
            finally:
                same.append(asyncio.current_task() is task)

        async with places()[place](source).open() as items:
            async for _ in items:
                break
        assert same == [True]

    run(main)


@pytest.mark.parametrize(
    "behind",
    [
        lambda bad: ops.concat(ready) | in_turn(lambda item: [item]) | ops.concat(bad),
        lambda bad: ops.catch(lambda _: []) | ops.concat_map(lambda _: bad()) | ops.repeat(2),
    ],
    ids=["concat", "repeat"],
)
def test_an_error_behind_it_among_streams_that_follow_each_other_is_itself(behind: Any) -> None:
    async def bad() -> AsyncIterator[int]:
        yield 2
        raise KeyError("of bad")

    with pytest.raises(KeyError, match="of bad"):
        run(lambda: Stream(ready) | behind(bad) | ops.to_list())


def test_a_scope_in_a_nest_of_nests_that_fires_while_its_item_waits_is_its_own() -> None:
    async def main() -> None:
        nests = Stream([1]) | in_turn(lambda _: Stream([1]) | in_turn(scoped))
        async for _ in nests | ops.buffer(Suspend(1)):
            await asyncio.sleep(3.0)

    with pytest.raises(TimeoutError):
        run(main)


def test_a_scope_that_fires_while_a_callback_behind_it_is_awaited_is_its_own() -> None:
    waiting = Stream([1, 2]) | in_turn(scoped) | ops.map(lambda _: asyncio.sleep(9.0))
    with pytest.raises(TimeoutError):
        run(lambda: streamkit.merge(waiting, []) | ops.to_list())


def test_a_clean_up_that_a_scope_cuts_short_after_the_reader_has_gone_is_no_error_of_the_reader() -> None:
    async def two() -> AsyncIterator[int]:
        yield 0
        yield 1

    async def slow_to_close() -> AsyncIterator[str]:
        try:
            yield "x"
        finally:
            await asyncio.sleep(5.0)

    async def caught() -> AsyncIterator[Any]:
        try:
            async with asyncio.timeout(1.0):
                yield 0
                yield 1
        except TimeoutError:
            yield "late"

    nest = streamkit.concat(two, caught) | in_turn(lambda _: slow_to_close())
    assert run(lambda: streamkit.zip(nest, two) | ops.to_list()) == [("x", 0), ("x", 1)]


@pytest.mark.parametrize(("length", "given"), [(2, 50), (300, 700)])
def test_a_list_that_grows_while_it_is_merged_is_read_to_its_end(length: int, given: int) -> None:
    async def main() -> None:
        items, got = [*range(length)], list[int]()
        async for item in streamkit.merge(items, [], [-1]):
            got.append(item)
            if len(items) < given:
                items.append(len(items))
        assert sorted(got) == [-1, *range(given)]

    run(main)


class Untidy:
    """Numbers whose clean-up fails."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __aiter__(self) -> AsyncIterator[int]:
        try:
            for item in range(3):
                yield item
        finally:
            raise OSError(self.name)


@pytest.mark.parametrize("outer", [in_turn, ops.concat_map, lambda f: ops.flat_map(f, concurrency=2)])
def test_errors_of_the_clean_up_of_nested_streams_are_all_told(outer: Callable[..., Any]) -> None:
    def page(_: object) -> Any:
        return Stream(Untidy("page")) | in_turn(
            lambda item: Stream(Untidy("entry")) | in_turn(lambda _: [item])
        )

    def told(error: BaseException | None) -> list[str]:
        return (
            [] if error is None else [str(error), *(word for late in attached(error) for word in told(late))]
        )

    async def main() -> None:
        with pytest.raises(OSError, match="page") as left:
            await (Stream([1]) | outer(page) | ops.first())
        assert sorted(told(left.value)) == ["entry", "page"]
        with pytest.raises(ZeroDivisionError) as failed:
            await (Stream([1]) | outer(page) | ops.map(lambda item: 1 // item) | ops.to_list())
        assert sorted(told(failed.value)[1:]) == ["entry", "page"]
        with pytest.raises(OSError, match="entry") as ended:
            await (Stream([1]) | outer(page) | ops.to_list())
        assert told(ended.value) == ["entry", "page"]

    run(main)


def test_an_error_behind_a_nested_stream_whose_clean_up_fails_is_taken_with_that() -> None:
    async def page(_: object) -> AsyncIterator[int]:
        try:
            yield 0
        finally:
            raise OSError("page")

    taken: list[BaseException] = []

    def instead(error: Exception) -> list[int]:
        taken.extend([error, *attached(error)])
        return [9]

    fails = ops.map(lambda item: 1 // item)
    found = run(lambda: Stream([1]) | in_turn(lambda _: page(1)) | fails | ops.catch(instead) | ops.to_list())
    assert found == [9]
    assert [*map(type, taken)] == [ZeroDivisionError, OSError]


def test_a_group_that_says_only_that_a_nested_stream_was_closed_is_no_error() -> None:
    async def grouped(_: object) -> AsyncIterator[int]:
        async with asyncio.TaskGroup():
            yield 1
            yield 2

    async def main() -> None:
        async with (Stream([0]) | in_turn(grouped)).open() as items:
            assert await anext(items) == 1

    run(main)
