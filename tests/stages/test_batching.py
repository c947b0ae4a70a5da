"""Lists by number and time without weights: whoever reads them, they are those of the stage that weighs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import chain
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from streamkit import ABSENT, BufferOverflowError, Fail, Spill, StoppedError, Stream, Suspend, ops
from streamkit.testing import run
from tests.marbles import Source
from tests.operators.batching import SECONDS, gapped
from tests.tiers import examples

Seen = list[tuple[float, Any]]
GAPS = st.lists(st.just(0.0) | SECONDS.map(lambda seconds: seconds + 0.01), min_size=20, max_size=20)
BUSY = SECONDS.map(lambda seconds: seconds + 0.0007)
"""So no item comes at the moment at which a time ends, or the consumer asks, where both answers are right."""


async def iterated(stream: Any, seen: Callable[[Any], float]) -> None:
    async for batch in stream:
        await asyncio.sleep(seen(batch))


async def delivered(stream: Any, seen: Callable[[Any], float]) -> None:
    """The pump that brings the last item of a list runs the sink, where that does not wait."""
    await (stream | ops.map(seen) | ops.drain())


async def awaited(stream: Any, seen: Callable[[Any], float]) -> None:
    await (stream | ops.for_each(lambda batch: asyncio.sleep(seen(batch))))


async def at_times(stream: Any, seen: Callable[[Any], float]) -> None:
    """It waits for some items and not for others."""
    await (stream | ops.map(lambda batch: [seen(batch)]) | ops.flatten() | ops.for_each(asyncio.sleep))


READERS = [iterated, delivered, awaited, at_times]


def timed(items: list[Any], gaps: list[float]) -> Source:
    """A source whose items come at times of their own, whenever each is asked for."""

    async def source() -> AsyncIterator[Any]:
        clock = asyncio.get_running_loop().time
        due = clock()
        for item, gap in zip(items, gaps, strict=False):
            due += gap
            await asyncio.sleep(due - clock())
            yield item

    return source


def lists(
    reader: Any,
    kind: Any,
    items: list[Any],
    gaps: list[float],
    busy: list[float],
    before: int,
    **arguments: Any,
) -> Seen:
    """What comes when, to a consumer that is so long busy with each; and an error at the end."""
    found: Seen = []

    async def main() -> None:
        rest = iter(busy)

        def seen(batch: Any) -> float:
            found.append((asyncio.get_running_loop().time(), batch))
            return next(rest, 0.0)

        stream = Stream(kind(items, gaps)) | ops.tap(lambda item: 1 / item)
        if before:
            stream |= ops.buffer(Suspend(before))
        stream |= ops.batch_within(seconds=1.0, **arguments)
        try:
            await reader(stream, seen)
        except ZeroDivisionError:
            found.append((asyncio.get_running_loop().time(), "error"))

    run(main)
    return found


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@settings(max_examples=examples(100), deadline=None)
@given(
    items=st.lists(st.integers(0, 9), max_size=20),
    gaps=GAPS,
    busy=st.lists(BUSY, max_size=20),
    count=st.integers(1, 5),
    before=st.sampled_from([0, 1, 7]),
    kind=st.sampled_from([gapped, timed]),
)
@example(  # the other wakes the pump for each list that leaves, this one when few items are left
    items=[1] * 9 + [0],
    gaps=[0.0] * 9 + [0.01] + [0.0] * 10,
    busy=[0.0007] * 2,
    count=1,
    before=7,
    kind=gapped,
)
def test_they_are_those_of_the_stage_that_weighs(
    reader: Any, items: list[int], gaps: list[float], busy: list[float], count: int, before: int, kind: Any
) -> None:
    """A source that counts from when it is asked comes later behind a large buffer: a lane that was full asks
    only when it has a quarter of its items left. What comes is the same then, and not when."""
    plain, weighed = (
        lists(reader, kind, items, gaps, busy, before, count=count, weight=weight, heaviest=heaviest)
        for weight, heaviest in ((ABSENT, ABSENT), (lambda _: 0.0, 1.0))
    )
    if before > 1 and kind is gapped:
        assert all(batch == "error" or 0 < len(batch) <= count for _, batch in plain)
        assert [*chain.from_iterable(batch for _, batch in plain)] == [
            *chain.from_iterable(batch for _, batch in weighed)
        ]
    else:
        assert plain == weighed


@pytest.mark.parametrize("count", [1, 3, 1_000])
def test_a_source_that_is_always_ready_is_read_no_further_than_the_sink_wants(count: int) -> None:
    pulled = 0

    async def source() -> AsyncIterator[int]:
        nonlocal pulled
        while True:
            pulled += 1
            yield pulled

    async def main() -> None:
        found = await (Stream(source) | ops.batch_within(count, seconds=9.0) | ops.take(2) | ops.to_list())
        assert [len(batch) for batch in found] == [count, count]
        assert pulled <= 3 * count

    run(main)


def test_an_error_of_a_callback_behind_it_ends_the_source_in_its_own_task() -> None:
    closed: list[bool] = []

    async def source() -> AsyncIterator[int]:
        task = asyncio.current_task()
        try:
            while True:
                yield 0
        finally:
            closed.append(asyncio.current_task() is task)

    async def main() -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            batches = Stream(source) | ops.batch_within(3, seconds=9.0)
            await (batches | ops.map(lambda batch: 1 / batch[0]) | ops.drain())
        assert any("map(" in note for note in caught.value.__notes__)
        assert closed == [True]

    run(main)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_all_of_it_is_counted(count: int) -> None:
    async def main() -> None:
        batches = Stream(gapped([*range(7)], [0.5] * 7)) | ops.batch_within(count, seconds=2.0)
        handle = (batches | ops.drain()).start()
        await asyncio.sleep(2.25)
        (before,) = handle.buffers()
        assert (before.offered, before.delivered, before.held) == (4, 4 - 4 % count, 4 % count)
        await handle
        (after,) = handle.buffers()
        assert (after.offered, after.delivered, after.held) == (7, 7, 0)
        assert after.held_at_most == min(count, 5)

    run(main)


def test_no_timer_is_left_when_it_is_stopped() -> None:
    async def main() -> None:
        handle = (
            Stream(gapped([1, 2], [0.0, 99.0])) | ops.batch_within(3, seconds=9.0) | ops.drain()
        ).start()
        await asyncio.sleep(1.0)
        await handle.stop()
        with pytest.raises(StoppedError):
            await handle

    run(main)  # which looks for what is left


def test_one_timer_serves_all_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        loop, armed = asyncio.get_running_loop(), 0
        call_at = loop.call_at

        def counted(when: float, *rest: Any, **named: Any) -> Any:
            nonlocal armed
            armed += 1
            return call_at(when, *rest, **named)

        monkeypatch.setattr(loop, "call_at", counted)
        await (Stream(range(10_000)) | ops.batch_within(10, seconds=60.0) | ops.drain())
        assert armed == 1

    run(main)


def test_a_buffer_that_fails_before_it_does_so() -> None:
    async def main() -> None:
        batches = Stream(range(50)) | ops.buffer(Fail(2)) | ops.batch_within(3, seconds=1.0)
        with pytest.raises(BufferOverflowError):
            await (batches | ops.for_each(lambda _: asyncio.sleep(1.0)))

    run(main)


class Unreadable:
    """It can be written to a disk, and not read."""

    def __reduce__(self) -> Any:
        return unread, ()


def unread() -> None:
    raise LookupError("unreadable")


def test_a_list_that_is_not_full_comes_before_the_error_of_an_item_that_cannot_be_read() -> None:
    async def main() -> None:
        seen: list[Any] = []

        async def slow(batch: Any) -> None:
            seen.append(batch)
            await asyncio.sleep(1.0)

        async def source() -> AsyncIterator[Any]:
            for number in range(20):
                yield Unreadable() if number == 14 else number

        spilled = Stream(source) | ops.buffer(Spill(2))
        with pytest.raises(LookupError, match="unreadable") as caught:
            await (spilled | ops.batch_within(4, seconds=5.0) | ops.for_each(slow))
        (note,) = caught.value.__notes__
        assert note.startswith("in buffer(Spill(")
        assert seen == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13]]

    run(main)


def test_a_stop_iteration_behind_it_names_the_operator_that_raised_it() -> None:
    def ended(_: object) -> None:
        raise StopIteration(5)

    async def source() -> AsyncIterator[int]:
        for number in range(6):
            await asyncio.sleep(0)
            yield number

    with pytest.raises(RuntimeError, match=r"map\(.*ended\) raised StopIteration") as caught:
        run(lambda: Stream(source) | ops.batch_within(2, seconds=1.0) | ops.map(ended) | ops.drain())
    assert "in map(" in caught.value.__notes__[0]
