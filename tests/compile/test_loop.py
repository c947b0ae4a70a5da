"""Loops: how large one may be, and what is said of a step that is larger."""

import asyncio
import linecache
import sys
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from functools import reduce
from operator import or_
from typing import Any

import pytest

import streamkit
from streamkit import Contract, DropOldest, Keep, Stream, Suspend, attached, ops, step
from streamkit._engine.compile import loop
from streamkit.testing import run


def repeated(each: str) -> Callable[[], Any]:
    """A step that is no other yet."""

    def again() -> Keep:
        return Keep(again)

    return step(each=each)(again)


def nested(depth: int) -> str:
    headers = [f"{'    ' * number}for a{number} in [item]:" for number in range(depth)]
    return "\n".join([*headers, f"{'    ' * depth}emit(item)"])


def branching(depth: int) -> str:
    indents = ["    " * number for number in range(depth)]
    headers = [f"{indent}if item > {number}:" for number, indent in enumerate(indents)]
    others = [f"{indent}else:\n{indent}    pass" for indent in reversed(indents)]
    return "\n".join([*headers, f"{'    ' * depth}emit(item)", *others])


async def later(item: Any) -> Any:
    return item


class TestTooLarge:
    """Python allows more loops inside one another than a step may have: others stand around its own."""

    @pytest.mark.parametrize("source", [[1], iter([1])], ids=["list", "iterator"])
    def test_a_step_is_told_what_to_do(self, source: Any) -> None:
        with pytest.raises(SyntaxError, match=r"^step again: it is too large for one loop: put a part of it"):
            list(Stream(source) | repeated(nested(13))())

    def test_so_it_is_among_others(self) -> None:
        async def main() -> None:
            await (Stream([1]) | ops.map(str) | repeated(nested(13))() | ops.buffer(Suspend(4)) | ops.drain())

        with pytest.raises(SyntaxError, match=r"^step again: it is too large"):
            run(main)

    def test_so_is_one_whose_ifs_are_too_deep_in_one_another(self) -> None:
        assert list(Stream([99, 3]) | ops.map(abs) | repeated(branching(57))() | ops.map(str)) == ["99"]
        with pytest.raises(SyntaxError, match=r"^step again: it is too large"):
            list(Stream([99]) | repeated(branching(58))())

    def test_one_that_just_fits_runs_among_others(self) -> None:
        pipe = Stream([1, 2]) | ops.map(str) | repeated(nested(12))() | ops.map(int)
        assert list(pipe) == [1, 2]

    def test_those_that_an_expression_becomes_count_too(self) -> None:
        written = " ".join(f"for a{number} in [item]" for number in range(12))
        pipe = reduce(or_, [ops.batch(1) | ops.flatten()] * 9, Stream([1]))
        assert list(pipe | repeated(f"emit([await later(a11) {written}])")()) == [[1]]

    def test_what_a_frame_has_around_them_counts_too(self) -> None:
        """A loop that passes on what it holds, goes on with another source, and has scopes to tell of."""

        async def numbers() -> AsyncIterator[int]:
            yield 1

        async def main() -> None:
            first = streamkit.concat(numbers, [1])
            for nests in range(4, 7):
                stream = reduce(or_, [ops.map(lambda item: [item]) | ops.flatten()] * nests, first)
                held = stream | ops.batch(1) | ops.flatten() | ops.map(lambda item: asyncio.sleep(0, item))
                caught = stream | ops.catch(lambda _: []) | ops.map(lambda item: asyncio.sleep(0, item))
                for each in (held, caught):
                    for end in (ops.zip([1, 2]), ops.merge([]), ops.buffer(DropOldest(4)), ops.concat([])):
                        assert len(await (each | end | ops.to_list())) == 2

        run(main)


def test_a_program_that_is_too_deep_in_calls_is_told_that() -> None:
    def below(calls: int, pipe: Any) -> list[Any]:
        return below(calls - 1, pipe) if calls else list(pipe)

    found: list[Any] = []
    calls = sys.getrecursionlimit()
    while not found:
        calls -= 5
        try:
            found = below(calls, Stream([1]) | repeated("emit([[[[[[[[item + 1]]]]]]]])")())
        except RecursionError:
            continue
    assert found == [[[[[[[[[2]]]]]]]]]


REGROUPS = Contract(holds="unbounded", regroups=True)


@step(each="emit(item)", contract=REGROUPS)
def _idle() -> Keep:
    return Keep(_idle)


@step(
    setup="held = []",
    each="held.append(item)",
    finish="for each in held:\n    emit(each)",
    contract=REGROUPS,
)
def _holding() -> Keep:
    return Keep(_holding)


@pytest.mark.parametrize("pipe", [_idle() | _idle(), _holding() | _idle() | _idle(), _idle() | _holding()])
def test_an_error_comes_behind_what_is_held_though_a_step_beside_it_holds_nothing(pipe: Any) -> None:
    def source() -> Iterator[int]:
        yield from range(3)
        raise LookupError("at the end")

    found: list[int] = []
    with pytest.raises(LookupError, match=r"^at the end$"):
        for item in Stream(source) | pipe:
            found.append(item)
    assert found == [0, 1, 2]


async def failing() -> AsyncIterator[int]:
    yield 1
    raise LookupError("at the end")


def test_a_second_error_of_what_is_passed_on_after_the_first_hangs_on_that() -> None:
    pipe = Stream(failing) | ops.batch(2) | ops.map(lambda _: 1 // 0) | ops.batch(2)
    with pytest.raises(LookupError, match="at the end") as caught:
        run(lambda: pipe | ops.to_list())
    assert [type(each) for each in attached(caught.value)] == [ZeroDivisionError]


def test_of_a_reader_that_is_cancelled_meanwhile_the_clean_up_comes_with_the_first_error() -> None:
    async def untidy(_: object) -> None:
        try:
            await asyncio.sleep(60.0)
        finally:
            raise OSError("clean-up")

    async def main() -> None:
        reading = asyncio.ensure_future(drained(Stream(failing) | ops.batch(2) | ops.map(untidy)))
        await asyncio.sleep(1.0)
        reading.cancel()
        with pytest.raises(OSError, match="clean-up") as caught:
            await reading
        assert [str(each) for each in attached(caught.value)] == ["at the end"]

    run(main)


async def drained(stream: Any) -> None:
    async for _ in stream:
        pass


def test_what_a_loop_of_tasks_is_too_small_for_is_done_by_several() -> None:
    async def same(item: int) -> int:
        return item

    stream = Stream(range(3)) | ops.map(same, concurrency=2)
    for _ in range(25):
        stream |= ops.map(lambda item: [item]) | ops.flatten()
    assert run(lambda: stream | ops.to_list()) == [0, 1, 2]


def test_of_many_shapes_the_oldest_is_forgotten_and_its_text_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_cache", OrderedDict())
    monkeypatch.setattr(loop, "_SIZE", 3)
    before, texts = {*linecache.cache}, list[set[str]]()
    for number in range(5):
        assert list(Stream([1]) | reduce(or_, [ops.map(abs)] * (number + 1))) == [1]
        texts.append({*linecache.cache} - before)
    assert [len(each) for each in texts] == [1, 2, 3, 3, 3]
    assert not texts[0] & texts[-1]
    linecache.clearcache()  # as anybody may
    assert list(Stream([1]) | reduce(or_, [ops.map(abs)] * 6)) == [1]


def test_a_list_is_read_as_before_by_a_loop_that_is_there_already() -> None:
    closings: list[int] = []
    pipes: list[tuple[Any, list[Any]]] = [
        (ops.map(abs), [1, 2, 3]),
        (ops.concat_map(lambda item: [item] * 2), [1, 1, 2, 2, 3, 3]),
        (ops.on_close(lambda: closings.append(1)), [1, 2, 3]),
        (ops.batch(2), [[1, 2], [3]]),
        (ops.broadcast(ops.take(1), ops.skip(2)), [1, 3]),
    ]
    for pipe, items in pipes:
        job = Stream([1, 2, 3]) | pipe | ops.to_list()
        assert [job.run(), job.run()] == [items, items], pipe
    assert len(closings) == 2
