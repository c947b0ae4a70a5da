"""Loops too large for one function are cut in two, and do what one would; whose clean-up an error is of."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import reduce
from itertools import product
from typing import Any

import pytest

from streamkit import DropOldest, Stream, Suspend, attached, ops, push
from streamkit._engine.run.leave import is_of_clean_up
from streamkit.testing import run
from tests.run.ledger import Trial

DEPTHS = [3, 99, 250]
"""Levels of nested steps: for one loop, for two and for several."""


def behind_filters(depth: int, stream: Any) -> Any:
    return reduce(lambda stream, _: stream | ops.filter(lambda _: True), range(depth), stream)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_plain_for_reads_them_and_closes_the_source_once(depth: int) -> None:
    log: list[str] = []

    def source() -> Iterator[int]:
        try:
            yield from range(5)
        finally:
            log.append("closed")

    assert list(behind_filters(depth, Stream(source))) == [*range(5)]
    assert log == ["closed"]
    items: Any = iter(behind_filters(depth, Stream(source)))
    assert [next(items), next(items)] == [0, 1]
    items.close()
    assert log == ["closed"] * 2


def test_what_fails_as_a_plain_for_closes_the_source_is_raised_there() -> None:
    def source() -> Iterator[int]:
        try:
            yield 0
        finally:
            raise OSError("closed")

    items: Any = iter(behind_filters(DEPTHS[-1], Stream(source)))
    assert next(items) == 0
    with pytest.raises(OSError, match="closed"):
        items.close()


def test_the_items_of_a_stream_inside_stand_for_the_one_that_it_was_made_of() -> None:
    def inner(item: int) -> Any:
        return behind_filters(99, Stream([item, item]))

    trial = Trial(3)
    job = trial.stream() | ops.flat_map(inner, concurrency=2) | ops.for_each(trial.out)
    run(lambda: as_awaited(job))
    assert sorted(trial.settled) == sorted(trial.left) == [*trial.items]
    assert {*trial.left.values()} == {2}
    assert not trial.early


@pytest.mark.parametrize(("depth", "follows"), [*product(DEPTHS, (False, True))])
def test_a_scope_of_the_source_that_fires_while_there_is_no_room_is_its_own(
    depth: int, follows: bool
) -> None:
    async def source() -> AsyncIterator[Any]:
        for number in range(4):
            try:
                async with asyncio.timeout(1.0):
                    yield number
            except TimeoutError:
                yield f"late {number}"

    async def main() -> list[Any]:
        found: list[Any] = []
        stream: Any = Stream([]) | ops.concat(source) if follows else Stream(source)
        async for item in behind_filters(depth, stream) | ops.buffer(Suspend(1)):
            found.append(item)
            await asyncio.sleep(2.5)
        return found

    assert run(main) == [0, 1, "late 1", 2, "late 2", 3, "late 3"]


@pytest.mark.parametrize(("at", "expected"), [(9, True), (1, False)])
def test_an_error_of_clean_up_is_told_from_others(at: int, expected: bool) -> None:
    async def source() -> AsyncIterator[int]:
        try:
            for number in range(3):
                if number == at:
                    raise OSError
                yield number
        finally:
            if at == 9:
                raise OSError

    with pytest.raises(OSError) as caught:  # noqa: PT011 - it has no text
        run(lambda: Stream(source) | ops.take(2) | ops.drain())
    assert is_of_clean_up(caught.value) == expected


READ_IN_PLACE: dict[str, Any] = {
    "behind steps": ops.map(str) | ops.throttle(1e6),
    "one after the other": ops.map(str) | ops.concat(Stream([2]) | ops.map(repr)),
    "streams of steps": ops.concat_map(lambda item: [item]) | ops.map(str),
    "tasks": ops.map(str) | ops.buffer(Suspend(1)) | ops.map(str),
}


@pytest.mark.parametrize("pipe", READ_IN_PLACE.values(), ids=READ_IN_PLACE)
def test_the_steps_before_what_is_read_in_place_are_a_part_of_its_loop(pipe: Any) -> None:
    async def source() -> AsyncIterator[int]:
        yield 0
        yield 1

    async def main() -> None:
        for made in (source, [0, 1]):
            found = await (Stream(made) | pipe | ops.to_list())
            assert found == [item async for item in Stream(made) | pipe]
            assert found[:2] == ["0", "1"]

    run(main)


@pytest.mark.parametrize("depth", DEPTHS)
def test_what_was_opened_and_never_read_is_closed(depth: int) -> None:
    async def main() -> Any:
        stream, emitter = push(DropOldest(4))
        async with behind_filters(depth, stream | ops.concat([])).open():
            emitter.offer("item")
        return emitter.offer("late")

    assert not run(main)


@pytest.mark.parametrize("concurrency", [None, 2])
def test_what_fails_as_a_synchronous_source_is_closed_is_told_with_its_error(concurrency: int | None) -> None:
    class Source:
        def __iter__(self) -> Iterator[int]:
            return self

        def __next__(self) -> int:
            raise LookupError("in it")

        def close(self) -> None:
            raise OSError("closed")

    def inner(_: int) -> Any:
        return Source()

    flat = ops.concat_map(inner) if concurrency is None else ops.flat_map(inner, concurrency=concurrency)
    with pytest.raises(LookupError, match="in it") as caught:
        run(lambda: as_awaited(Stream([1]) | flat | ops.drain()))
    (late,) = attached(caught.value)
    assert isinstance(late, OSError)


def test_an_error_of_a_list_is_told_of_each_time_with_its_operator() -> None:
    for _ in range(3):  # from the second on, the loop is known
        with pytest.raises(ZeroDivisionError) as caught:
            run(lambda: as_awaited(Stream([1, 0]) | ops.map(lambda number: 1 // number) | ops.to_list()))
        (note,) = caught.value.__notes__
        assert note.startswith("in map(")


async def numbers() -> AsyncIterator[int]:
    yield 1


BEGUN: dict[str, tuple[Callable[[], Any], int]] = {
    "a list": (lambda: [1], 16),
    "a generator": (lambda: (number for number in [1]), 29),
    "an async generator": (numbers, 23),
}
"""Sources, and how many calls of Python functions it may take at most to begin one more run."""


@pytest.mark.parametrize("source", BEGUN)
def test_a_run_of_a_shape_that_was_seen_begins_in_few_calls(source: str) -> None:
    make, most = BEGUN[source]
    calls: list[str] = []

    def note(frame: Any, event: str, _: object) -> None:
        if event == "call":
            calls.append(frame.f_code.co_name)

    async def main() -> None:
        for _ in range(2):
            job: Any = Stream(make()) | ops.map(str) | ops.filter(bool) | ops.to_list()
            calls.clear()
            before = sys.getprofile()
            sys.setprofile(note)
            try:
                begun = job.__await__()
            finally:
                sys.setprofile(before)
            with pytest.raises(StopIteration):
                begun.send(None)

    run(main)
    assert len(calls) <= most, calls


def test_a_scope_of_the_source_that_fires_while_others_run_is_its_own_in_each_run_of_a_shape(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def source() -> AsyncIterator[Any]:
        for number in range(3):
            try:
                async with asyncio.timeout(0.0):
                    yield number
            except TimeoutError:
                yield f"late {number}"

    async def main() -> None:
        for _ in range(3):
            found = await (Stream(source()) | ops.map(str) | ops.to_list())
            assert found == ["0", "1", "late 1", "2", "late 2"]

    monkeypatch.setattr(
        "streamkit._engine.compile.pace.BUDGET", 1e-9
    )  # they run before each item but the first
    run(main)


async def as_awaited(job: Any) -> Any:
    return await job
