"""Law 11: however often a pipe was extended or goes on with itself, its stack is flat, its time linear."""

import asyncio
import gc
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from streamkit import SourceConsumedError, Stream, Suspend, ops
from tests.laws.lab import play
from tests.tiers import stride

DEEP = 3000 // stride(11)
FRAMES = 200
"""Frames that a run may stack up, whatever its depth."""


def same(value: Any) -> Any:
    return value


# Nests of every form, as deep as one likes ----------------------------------------------------------------


def chained(link: Any, depth: int) -> Any:
    stream: Any = Stream([0])
    for _ in range(depth):
        stream = stream | link
    return stream


def inside(link: Callable[[Any], Any], depth: int) -> Any:
    stream: Any = Stream([0])
    for _ in range(depth):
        stream = Stream([0]) | link(stream)
    return stream


def turned(depth: int) -> Any:
    """Inside and behind in turn."""
    stream: Any = Stream([0])
    for number in range(depth):
        stream = stream | ops.concat([0]) if number % 2 else Stream([0]) | ops.concat(stream)
    return stream


def reconnecting(depth: int) -> Any:
    left = [depth]

    async def connect() -> AsyncIterator[int]:
        yield 0
        left[0] -= 1
        if left[0] >= 0:
            raise ConnectionError

    def forever() -> Any:
        return Stream(connect) | ops.catch(lambda _: forever(), errors=ConnectionError)

    return forever()


def failing_over(depth: int) -> Any:
    """Each error is for the operator that stands last."""

    def fail() -> Iterator[int]:
        yield 0
        raise ConnectionError

    def again(_: Exception) -> Any:
        return fail

    return Stream(fail).pipe(*[ops.catch(again)] * (depth - 1), ops.catch(lambda _: [0]))


def pages(depth: int, *behind: Any, every: bool = True) -> Any:
    """Each leads to the next, and ends in `behind`; only the last has an item, or every one."""

    def page(number: int) -> Any:
        if number == depth:
            return Stream([number])
        here: Any = Stream([number] if every else [])
        return here.pipe(ops.concat(lambda: page(number + 1)), *behind)

    return page(0)


def tree(depth: int) -> Any:
    def branch(number: int) -> Any:
        here = Stream([number])
        return here | ops.merge(lambda: branch(number + 1)) if number < depth else here

    return branch(0)


def flat_pages(
    depth: int, *, source: Any = lambda number: [number], after: Any = (), first: Any = (0,)
) -> Any:
    def page(number: int) -> Any:
        if number >= depth:
            return Stream(first)
        following = Stream(source(number + 1)) | ops.flat_map(page, concurrency=1)
        return Stream(first) | ops.concat(following, *after) if first else following

    return page(0)


async def later(number: int) -> AsyncIterator[int]:
    yield number


FORMS: dict[str, tuple[Callable[[int], Any], Callable[[int], int]]] = {
    "concat": (lambda depth: chained(ops.concat([0]), depth), lambda depth: depth + 1),
    "concat inside": (lambda depth: inside(ops.concat, depth), lambda depth: depth + 1),
    "concat of several": (
        lambda depth: inside(lambda stream: ops.concat([0], stream, [0]), depth),
        lambda depth: 3 * depth + 1,
    ),
    "concat in turn": (turned, lambda depth: depth + 1),
    "merge": (lambda depth: chained(ops.merge([0]), depth), lambda depth: depth + 1),
    "merge inside": (lambda depth: inside(ops.merge, depth), lambda depth: depth + 1),
    "catch": (lambda depth: chained(ops.catch(lambda _: []), depth), lambda _: 1),
    "catch and concat": (
        lambda depth: chained(ops.catch(lambda _: []) | ops.concat([0]), depth // 2),
        lambda depth: depth // 2 + 1,
    ),
    "catch behind steps": (
        lambda depth: chained(ops.catch(lambda _: []) | ops.map(same), depth // 4),
        lambda _: 1,
    ),
    "catch that fails over": (failing_over, lambda depth: depth + 1),
    "catch that connects again": (reconnecting, lambda depth: depth + 1),
    "retry": (lambda depth: chained(ops.retry(2), depth), lambda _: 1),
    "retry and repeat": (
        lambda depth: chained(ops.retry(2) | ops.map(same) | ops.repeat(1), depth // 4),
        lambda _: 1,
    ),
    "repeat": (lambda depth: Stream([0]) | ops.repeat(depth), lambda depth: depth),
    "pages": (pages, lambda depth: depth + 1),
    "pages before a catch": (lambda depth: pages(depth, ops.catch(lambda _: [])), lambda depth: depth + 1),
    "pages before a merge": (lambda depth: pages(depth, ops.merge([0])), lambda depth: 2 * depth + 1),
    "pages before a buffer": (lambda depth: pages(depth, ops.buffer(Suspend(2))), lambda depth: depth + 1),
    "pages before more": (lambda depth: pages(depth, ops.concat([0])), lambda depth: 2 * depth + 1),
    "pages before steps": (lambda depth: pages(depth, ops.map(same), every=False), lambda _: 1),
    "pages before steps with a state": (
        lambda depth: pages(depth, ops.batch(2), every=False),
        lambda _: 1,
    ),
    "concat before steps": (lambda depth: chained(ops.concat([]) | ops.map(same), depth // 2), lambda _: 1),
    "concat before steps with a state": (
        lambda depth: chained(ops.concat([]) | ops.batch(2), depth // 2),
        lambda _: 1,
    ),
    "merge of calls": (tree, lambda depth: depth + 1),
    "flat_map of pages": (flat_pages, lambda depth: depth + 1),
    "flat_map of a flat_map": (lambda depth: flat_pages(depth, first=[]), lambda _: 0),
    "flat_map before more": (lambda depth: flat_pages(depth, after=[[0]]), lambda depth: 2 * depth + 1),
    "flat_map over a source that waits": (
        lambda depth: flat_pages(depth, source=lambda number: lambda: later(number)),
        lambda depth: depth + 1,
    ),
    "map": (lambda depth: chained(ops.map(same), depth), lambda _: 1),
    "filter": (lambda depth: chained(ops.filter(lambda _: True), depth), lambda _: 1),
}


def frames_left() -> int:
    """How many more calls the interpreter allows here: those of C count too, unlike in a traceback."""
    try:
        return 1 + frames_left()
    except RecursionError:
        return 0


@contextmanager
def shallow() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before - frames_left() + FRAMES)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def counted(stream: Any) -> int:
    count: int = play(lambda: work(stream | ops.count()))
    return count


async def work(job: Any) -> Any:
    return await job


@pytest.mark.parametrize("name", FORMS)
def test_the_stack_of_a_run_is_flat_and_nothing_is_lost(name: str) -> None:
    make, length = FORMS[name]
    counted(make(40))  # the loops are compiled: that is no part of the run
    stream = make(DEEP)
    play(lambda: work(stream | ops.take(1) | ops.count()))
    with shallow():
        assert counted(stream if name != "catch that connects again" else make(DEEP)) == length(DEEP)


@pytest.mark.parametrize("name", FORMS)
def test_twice_as_deep_takes_twice_as_many_calls(name: str) -> None:
    half = 200 // stride(5)

    def calls(depth: int) -> int:
        number = 0

        def note(_frame: Any, event: str, _argument: Any) -> None:
            nonlocal number
            number += event == "call"  # also when a generator or coroutine goes on

        stream = FORMS[name][0](depth)
        sys.setprofile(note)
        try:
            counted(stream)
        finally:
            sys.setprofile(None)
        return number

    with patch("streamkit._engine.compile.pace.perf_counter", lambda: 0.0):
        for depth in (half, 2 * half):
            counted(FORMS[name][0](depth))
        once, twice = calls(half), calls(2 * half)
    assert twice <= 2.3 * once


@pytest.mark.parametrize("name", FORMS)
def test_a_deep_nest_is_closed_where_its_consumer_leaves(name: str) -> None:
    async def main() -> None:
        async with FORMS[name][0](DEEP // 3).open() as items:
            async for _ in items:
                break

    counted(FORMS[name][0](40))
    with shallow():
        play(main)


@pytest.mark.parametrize("name", FORMS)
def test_a_deep_nest_can_be_shown_and_explained(name: str) -> None:
    stream = FORMS[name][0](DEEP)
    with shallow():
        assert repr(stream)
        assert stream.explain().bound >= 0


def test_a_pipe_is_built_in_linear_time() -> None:
    links = [0]

    class Counted(tuple[Any, ...]):
        """Links that count how often they are copied."""

        def __iter__(self) -> Iterator[Any]:
            links[0] += len(self)
            return super().__iter__()

        def __radd__(self, before: tuple[Any, ...]) -> tuple[Any, ...]:
            links[0] += len(before) + len(self)
            return tuple.__add__(before, self)

    def copied(depth: int) -> int:
        operator: Any = ops.map(same)
        operator._links = Counted(operator.links)
        links[0] = 0
        stream = chained(operator, depth)
        assert len(stream.links) == depth
        return links[0]

    assert copied(400) <= 2 * copied(200)


def test_a_stream_that_goes_on_with_itself_keeps_no_error_of_before() -> None:
    class LostError(Exception):
        pass

    errors: weakref.WeakSet[LostError] = weakref.WeakSet()
    most = 0

    async def connect() -> AsyncIterator[int]:
        nonlocal most
        most = max(most, len(errors))
        yield 0
        error = LostError()
        errors.add(error)
        try:
            raise error
        finally:
            del error

    def forever() -> Any:
        return Stream(connect) | ops.catch(lambda _: forever(), errors=LostError)

    gc.disable()
    try:
        assert counted(forever() | ops.take(200)) == 200
    finally:
        gc.enable()
    assert most <= 2


@pytest.mark.full
@pytest.mark.parametrize("make", [pages, flat_pages])
def test_pages_that_lead_to_pages_keep_none_of_those_before(make: Callable[[int], Any]) -> None:
    def objects(depth: int) -> int:
        most = 0

        def look(_: Any) -> None:
            nonlocal most
            most = max(most, len(gc.get_objects()))

        gc.collect()
        before = len(gc.get_objects())
        counted(make(depth) | ops.batch(depth // 2) | ops.tap(look))
        return most - before

    objects(50)
    assert objects(400) < objects(200) + 400


# No operator swallows a RecursionError --------------------------------------------------------------------


def test_a_recursion_error_is_not_caught() -> None:
    def deeper(_: Any) -> Any:
        raise RecursionError

    with pytest.raises(RecursionError):
        list(Stream([1]) | ops.map(deeper) | ops.catch(lambda _: []))
    with pytest.raises(RecursionError):
        list(Stream(lambda: deeper(0)) | ops.catch(lambda _: []) | ops.concat([1]) | ops.catch(lambda _: []))
    with pytest.raises(ValueError, match="errors must not have RecursionError"):
        ops.catch(same, errors=(ValueError, RecursionError))


def test_a_source_that_can_run_only_once_is_no_error_to_connect_again_after() -> None:
    once = Stream(iter([1]))

    def forever(_: Any = None) -> Any:
        return once | ops.map(lambda item: 1 // (item - 1)) | ops.catch(forever)

    with pytest.raises(SourceConsumedError):
        list(forever())


# Long pipes under a plain for -----------------------------------------------------------------------------


@pytest.mark.spread
@pytest.mark.parametrize("count", [1, 100, 500])
@pytest.mark.parametrize("place", [0, 0.5, 1])
def test_a_plain_for_awaits_what_callbacks_return_anywhere_in_a_long_pipe(count: int, place: float) -> None:
    async def length(batch: list[int]) -> int:
        await asyncio.sleep(0)
        return len(batch)

    closed: list[bool] = []

    def source() -> Iterator[int]:
        try:
            yield from [1, 2, 3]
        finally:
            closed.append(True)

    links: list[Any] = [ops.filter(lambda _: True)] * count
    links[int(place * count) : int(place * count)] = [ops.batch(2), ops.map(lambda batch: length(batch))]
    assert list(Stream(source).pipe(*links)) == [2, 1]
    assert closed == [True]
    assert next(iter(Stream(source).pipe(*links))) == 2
