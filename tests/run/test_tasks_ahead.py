"""Tasks of pumps that fail ahead of their reader: who leaves before that is not told, whatever it reads."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from typing import Any

import pytest

import streamkit
from streamkit import Stream, Suspend, attached, ops
from streamkit.testing import run
from tests.tiers import stride


class FailedError(Exception):
    """Of what comes after the first item."""


def at_once() -> Iterator[int]:
    yield 0
    raise FailedError


async def ready() -> AsyncIterator[int]:
    yield 0
    raise FailedError


async def in_turn() -> AsyncIterator[int]:
    yield 0
    await asyncio.sleep(0)
    raise FailedError


Leaf = Callable[[], Any]
AHEAD: dict[str, Callable[[Leaf, int], Stream[Any]]] = {
    "flat_map at 1": lambda leaf, ahead: (
        Stream([7]) | ops.flat_map(lambda _: Stream(leaf), concurrency=1, lookahead=ahead)
    ),
    "flat_map at 2": lambda leaf, ahead: (
        Stream([7]) | ops.flat_map(lambda _: leaf(), concurrency=2, lookahead=ahead)
    ),
    "concat_map": lambda leaf, ahead: Stream([7]) | ops.concat_map(lambda _: leaf(), lookahead=ahead),
    "expand": lambda leaf, ahead: (
        Stream([7]) | ops.expand(lambda item: leaf() if item else [], concurrency=2, lookahead=ahead)
    ),
    "merge": lambda leaf, ahead: Stream(leaf) | ops.merge([], lookahead=ahead),
    "interleave": lambda leaf, ahead: Stream(leaf) | ops.interleave([1, 2], lookahead=ahead),
    "merge_sorted": lambda leaf, ahead: Stream(leaf) | ops.merge_sorted([1, 2], lookahead=ahead),
    "merge_prioritized": lambda leaf, ahead: Stream(leaf) | ops.merge_prioritized([1], lookahead=ahead),
    "zip": lambda leaf, ahead: Stream(leaf) | ops.buffer(Suspend(ahead)) | ops.zip([1, 2], lookahead=1),
    "buffer": lambda leaf, ahead: Stream(leaf) | ops.buffer(Suspend(ahead)),
    "switch_map": lambda leaf, _: Stream([7]) | ops.switch_map(lambda _: leaf()),
    "exhaust_map": lambda leaf, _: Stream([7]) | ops.exhaust_map(lambda _: leaf()),
    "combine_latest": lambda leaf, _: Stream(leaf) | ops.combine_latest([1]),
    "race": lambda leaf, _: Stream(leaf) | ops.race(streamkit.never()),
    "timeout": lambda leaf, _: Stream(leaf) | ops.timeout(5),
    "share": lambda leaf, _: Stream(leaf) | ops.share(),
}


def same(item: Any) -> Any:
    return item


PIPES = (
    ops.map(same, concurrency=3, ordered=False),
    ops.map(same, concurrency=3),
    ops.buffer(Suspend(2)) | ops.map(same, concurrency=3, ordered=False),
)


async def by_anext(items: Any) -> None:
    await anext(items)


async def by_for(items: Any) -> None:
    async for _ in items:
        return


async def by_anext_a_little_later(items: Any) -> None:
    await anext(items)
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize("operator", AHEAD)
def test_who_leaves_before_an_error_that_was_read_ahead_is_not_told(
    monkeypatch: pytest.MonkeyPatch, operator: str
) -> None:
    """Whether the pump lets others run with the error in hand or not, its clock says."""

    async def left(leaf: Leaf, ahead: int, read: Callable[[Any], Any]) -> None:
        async with AHEAD[operator](leaf, ahead).open() as items:
            try:
                await read(items)
            except FailedError:  # it came before the item: that of another source was not there yet
                assert operator == "zip"
                assert ahead > 1

    for look in (1e-5, 6e-3):
        monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", count(0.0, look).__next__)
        for leaf in (at_once, ready, in_turn):
            for ahead in (1, 2, 3)[:: stride(2)]:
                for read in (by_anext, by_for, by_anext_a_little_later):
                    run(lambda leaf=leaf, ahead=ahead, read=read: left(leaf, ahead, read))


@pytest.mark.parametrize("operator", AHEAD)
def test_a_job_that_has_its_result_before_an_error_that_was_read_ahead_is_not_told(
    monkeypatch: pytest.MonkeyPatch, operator: str
) -> None:
    """Found by the soak: a task whose item met a job that had just ended had it as an error of a clean-up."""

    async def first(leaf: Leaf, ahead: int, pipe: Any) -> None:
        given: list[int] = []
        try:
            await (AHEAD[operator](leaf, ahead) | pipe | ops.tap(given.append) | ops.first())
        except FailedError:
            assert given == [], "the job had its result"

    for look in (1e-5, 6e-3):
        monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", count(0.0, look).__next__)
        for leaf in (at_once, ready, in_turn):
            for ahead in (1, 2, 3)[:: stride(2)]:
                for pipe in PIPES:
                    run(lambda leaf=leaf, ahead=ahead, pipe=pipe: first(leaf, ahead, pipe))


def test_who_leaves_is_told_what_is_raised_because_it_has_left() -> None:
    """Beside an error that was read ahead, too."""

    async def failing() -> AsyncIterator[int]:
        yield 0
        raise FailedError

    async def unclean() -> AsyncIterator[int]:
        try:
            yield 0
            yield 1
        finally:
            raise KeyError("clean-up")

    async def main(concurrency: int) -> None:
        streams = Stream([unclean, failing][:concurrency])
        async with (streams | ops.flat_map(lambda leaf: leaf(), concurrency=2)).open() as items:
            await anext(items)

    for concurrency in (1, 2):
        with pytest.raises(KeyError, match="clean-up") as caught:
            run(lambda concurrency=concurrency: main(concurrency))
        assert attached(caught.value) == ()


async def turned() -> AsyncIterator[int]:
    yield 0
    try:
        await asyncio.sleep(9.0)
    except asyncio.CancelledError:
        raise FailedError from None


def test_who_leaves_is_told_what_a_source_has_made_of_its_cancellation() -> None:
    async def main(name: str) -> None:
        async with AHEAD[name](turned, 3).open() as items:
            async for _ in items:
                await asyncio.sleep(1.0)
                break

    for name in AHEAD.keys() - {"timeout"}:  # which does not read ahead
        with pytest.raises(FailedError):
            run(main(name))
            pytest.fail(name)


def test_who_leaves_is_not_told_of_an_error_that_a_cancelled_clean_up_has_overtaken() -> None:
    async def main() -> float:
        waited = asyncio.get_running_loop().create_future()

        async def unclean() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                await waited

        def fails(_: int) -> int:
            raise FailedError

        async with streamkit.merge(Stream(unclean) | ops.map(fails), [0]).open() as items:
            await anext(items)
            asyncio.get_running_loop().call_later(1.0, waited.cancel)
        return asyncio.get_running_loop().time()

    assert run(main) == 1.0
