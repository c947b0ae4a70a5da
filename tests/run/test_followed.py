"""The ledgers of a run: opened before its first pull, told of each delivery, and closed behind its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, cast
from weakref import ref

import pytest

from streamkit import DropOldest, Operator, Resume, Stream, Suspend, attached, ops, step
from streamkit._core.delivery import NO_DELIVERY, Delivery, Together, together, trimmed
from streamkit._engine.plan.tracked import Tracked
from streamkit.testing import run
from tests.run.ledger import MANY, Trial
from tests.run.staging import notes, written

FIRST = [MANY, MANY + 1, MANY + 2]


def done(work: Callable[[], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await work()

    return run(main)


def test_a_loop_that_is_cut_in_two_passes_the_deliveries_on() -> None:
    trial = Trial(3)
    stream: Any = trial.stream()
    for _ in range(400):
        stream = stream | ops.map(lambda item: item)
    done(lambda: stream | ops.for_each(trial.out))
    assert (trial.settled, [*trial.left]) == (FIRST, FIRST)


@pytest.mark.parametrize("concurrency", [1, 2])
def test_an_item_that_is_dropped_is_settled_when_its_dead_letter_was_taken(concurrency: int) -> None:
    trial = Trial(3)
    letters: list[int] = []

    async def fails(item: int) -> int:
        raise ValueError(item)

    async def take(item: int, error: Exception) -> None:
        assert item not in trial.settled
        await asyncio.sleep(0)
        letters.append(item)

    done(
        lambda: trial.stream() | ops.map(fails, concurrency=concurrency, on_error=Resume(take)) | ops.drain()
    )
    assert sorted(letters) == sorted(trial.settled) == FIRST


def test_an_item_whose_dead_letter_was_not_taken_stays_open() -> None:
    trial = Trial(1)
    failing = ops.map(lambda item: item / 0, on_error=Resume(lambda item, error: item / 0))
    with pytest.raises(ZeroDivisionError):
        done(lambda: trial.stream() | failing | ops.drain())
    assert trial.open == {MANY}


BLAMED: dict[str, Callable[[Stream[Any]], Any]] = {
    "a step": lambda s: s | ops.map(fails) | ops.drain(),
    "a buffer before it": lambda s: s | ops.buffer(Suspend(2)) | ops.map(fails) | ops.drain(),
    "a call": lambda s: s | ops.map(slow, concurrency=3) | ops.drain(),
    "of several": lambda s: s | ops.batch(2) | ops.map(lambda pair: fails(pair[1])) | ops.drain(),
}


def fails(item: int) -> int:
    if item == MANY + 3:
        raise ValueError(item)
    return item


async def slow(item: int) -> int:
    await asyncio.sleep(1)
    return fails(item)


@pytest.mark.parametrize("name", BLAMED)
def test_what_was_in_hand_where_an_error_came_up_is_to_blame(name: str) -> None:
    trial = Trial(8)
    with pytest.raises(ValueError):  # noqa: PT011 - its words are its item
        done(lambda: BLAMED[name](trial.stream()))
    assert trial.blamed == ([MANY + 2, MANY + 3] if name == "of several" else [MANY + 3])


_AHEAD: Any = ops.map(lambda item: fails(item)) | ops.buffer(Suspend(1))
BRANCHES: dict[str, tuple[Any, int]] = {
    "broadcast": (ops.broadcast(_AHEAD, ops.take_last(1) | ops.buffer(Suspend(1))), 1),
    "partition": (ops.partition(lambda item: item % 2, _AHEAD, ops.ignore_items() | ops.map(slow)), 2),
    "groups": (ops.group_by(lambda item: item % 2, _AHEAD, max_groups=2), 2),
}
"""Pipes of which a branch that every so many items go to fails, which is known when its buffer is read."""


def test_what_came_for_a_branch_that_has_failed_is_not_settled() -> None:
    for name, (pipe, every) in BRANCHES.items():
        trial = Trial(12)
        job = trial.stream() | pipe | ops.for_each(lambda _: asyncio.sleep(1))
        with pytest.raises(ValueError):  # noqa: PT011 - its words are its item
            done(partial(_awaited, job))
        assert not {*trial.settled}.intersection(range(MANY + 3, MANY + 12, every)), name


def test_what_came_for_a_branch_that_ends_later_is_settled_then() -> None:
    branch: Any = ops.take(1) | ops.map(lambda item: asyncio.sleep(9, item), concurrency=2)
    parted: list[Any] = [ops.broadcast, partial(ops.partition, lambda item: True)]
    for parts in parted:
        trial = Trial(6)
        done(partial(_awaited, trial.stream() | parts(branch, ops.map(str)) | ops.drain()))
        assert not trial.open, parts


def test_a_loop_of_ones_own_settles_an_item_when_it_asks_for_the_next() -> None:
    trial = Trial(3)

    async def main() -> None:
        seen = 0
        async for _ in trial.stream() | ops.buffer(Suspend(1)):
            assert len(trial.settled) == seen
            seen += 1
            if seen == 2:
                break
        await asyncio.sleep(1)

    run(main)
    assert (trial.settled, trial.closings) == ([MANY], 1)


def test_a_result_settles_what_it_has_something_of_when_it_is_returned() -> None:
    trial = Trial(3)

    def seen(item: int) -> int:
        assert not trial.settled
        return item

    assert done(lambda: trial.stream() | ops.map(seen) | ops.to_list()) == FIRST
    assert trial.settled == FIRST


class Thing:
    """Says whether it is there still."""


@step(each="emit(item)\nemit(item)")
def twice() -> Operator[Any, Any]:
    return Operator(twice)


@pytest.mark.parametrize(("pipe", "there"), [(ops.skip(0), [0]), (twice(), [1, 0])])
def test_what_was_handed_over_is_let_go_of_while_its_reader_works(pipe: Any, there: list[int]) -> None:
    trial, things, seen = Trial(2), list[ref[Thing]](), list[int]()

    def made(_: int) -> Thing:
        thing = Thing()
        things.append(ref(thing))
        return thing

    async def look(kind: type) -> None:
        assert kind is Thing
        await asyncio.sleep(1)
        seen.append(sum(each() is not None for each in things))

    handed = trial.stream() | ops.map(made) | pipe | ops.timeout(9.0)
    done(lambda: handed | ops.map(type) | ops.for_each(look))
    assert (seen, trial.settled) == (there * 2, FIRST[:2])


def test_a_job_that_was_started_closes_its_ledger_when_it_is_stopped() -> None:
    trial = Trial(3)

    async def main() -> None:
        handle = (trial.stream() | ops.map(asyncio.sleep) | ops.drain()).start()
        await asyncio.sleep(1)
        await handle.stop()
        assert (trial.opened, trial.closings, trial.settled) == (1, 1, [])

    run(main)


def test_several_durable_sources_are_all_opened_and_closed() -> None:
    one, other = Trial(2), Trial(2, first=2 * MANY)
    both = one.stream() | ops.merge(other.stream()) | ops.batch(4)
    done(lambda: both | ops.for_each(lambda batch: [one.out(batch), other.out(batch)]))
    for trial in (one, other):
        assert (trial.opened, trial.closings, trial.settled) == (1, 1, [*trial.items])


class _Failing:
    """A ledger that fails where it is told to."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.calls: list[str] = []

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name == self.at:
            raise OSError(name)

    async def open(self) -> None:
        self._called("open")

    async def deliveries(self) -> Any:
        self._called("deliveries")
        yield Delivery(self, 1), 1

    def closed(self, delivery: Delivery) -> None:
        pass

    async def close(self, error: BaseException | None = None) -> None:
        self._called("close")


@pytest.mark.parametrize(
    ("at", "calls"),
    [
        ("open", ["open"]),
        ("deliveries", ["open", "deliveries", "close"]),
        ("close", ["open", "deliveries", "close"]),
    ],
)
def test_an_error_of_a_ledger_is_raised(at: str, calls: list[str]) -> None:
    ledger = _Failing(at)
    stream: Any = Stream(Tracked("failing", (), lambda: ledger, 9))
    with pytest.raises(OSError, match=at):
        done(lambda: stream | ops.drain())
    assert ledger.calls == calls


def test_an_error_of_closing_is_no_less_than_that_of_the_run() -> None:
    stream: Any = Stream(Tracked("failing", (), lambda: _Failing("close"), 9))
    with pytest.raises(ZeroDivisionError) as caught:
        done(lambda: stream | ops.for_each(lambda item: item / 0))
    assert any("close" in note for note in caught.value.__notes__)


def test_a_ledger_is_closed_when_its_run_is_cancelled() -> None:
    trial = Trial(1)

    async def main() -> None:
        task = asyncio.ensure_future(_awaited(trial.stream() | ops.for_each(asyncio.sleep)))
        await asyncio.sleep(1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run(main)
    assert (trial.closings, trial.settled) == (1, [])


async def _awaited(job: Any) -> Any:
    return await job


def test_what_was_made_of_several_lets_go_of_all_and_the_worst_outcome_wins() -> None:
    trial = Trial()
    ledger: Any = trial.stream().source.value()
    one, two, three = (Delivery(ledger, number) for number in FIRST)
    kept = [one, two, three]
    union = together(kept, 1)
    assert kept == [three]
    union.count += 1
    union.settle()
    assert not trial.settled
    union.fail()
    assert (trial.failed, trial.settled) == (FIRST[:2], [])
    trimmed(kept, 0)
    assert trial.failed == FIRST
    assert together([], 0) is NO_DELIVERY
    assert isinstance(union, Together)


@pytest.mark.parametrize("fails", [False, True])
def test_a_ledger_is_told_of_another_that_cannot_be_opened(fails: bool) -> None:
    closed: list[BaseException | None] = []

    class Opened:
        async def open(self) -> None:
            pass

        async def close(self, error: BaseException | None = None) -> None:
            closed.append(error)
            if fails:
                raise LookupError("in the clean-up")

    class Away:
        async def open(self) -> None:
            raise OSError("away")

    first: Any = Stream(Tracked("first", (), cast(Any, Opened), 4))
    other: Any = Stream(Tracked("other", (), cast(Any, Away), 4))
    with pytest.raises(OSError, match="away") as raised:
        done(lambda: first | ops.merge(other) | ops.drain())
    assert closed == [raised.value]
    assert [str(each) for each in attached(raised.value)] == ["in the clean-up"] * fails


def test_an_error_of_closing_a_ledger_is_that_of_the_run() -> None:
    class Fails(_Empty):
        async def close(self, error: BaseException | None = None) -> None:
            assert error is None
            raise LookupError("in the clean-up")

    with pytest.raises(LookupError, match="in the clean-up"):
        done(lambda: Stream(Tracked("fails", (), cast(Any, Fails), 4)) | ops.drain())


class _Empty:
    async def open(self) -> None:
        pass

    def deliveries(self) -> Any:
        return self

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        raise StopAsyncIteration


@pytest.mark.parametrize("started", [False, True])
def test_one_that_a_stage_comes_to_read_by_itself_is_refused(started: bool) -> None:
    async def stage(run: Any, _: Any) -> AsyncIterator[Any]:
        async for item in run.open(Trial(2).stream()):
            yield item

    async def main() -> None:
        job: Any = Stream([]) | written(stage) | ops.to_list()
        await (job.start() if started else job)

    with pytest.raises(TypeError, match=r"^reader\(\) hands out deliveries, and what reads it here"):
        run(main)


def test_the_buffers_behind_it_are_those_of_its_job() -> None:
    async def main() -> None:
        handle = (
            Trial(3).stream() | ops.buffer(Suspend(2)) | ops.for_each(lambda _: asyncio.sleep(1))
        ).start()
        await asyncio.sleep(1.5)
        (stats,) = handle.buffers()
        assert (stats.offered, stats.held) == (3, 1)
        handle.pause()
        await asyncio.sleep(9)
        assert not handle.done
        handle.resume()
        await handle

    run(main)


def test_a_scope_around_the_deliveries_ends_the_run_by_its_own_error() -> None:
    class Timed(_Empty):
        def closed(self, delivery: Delivery) -> None:
            pass

        async def close(self, error: BaseException | None = None) -> None:
            assert isinstance(error, TimeoutError)

        async def deliveries(self) -> AsyncIterator[tuple[Delivery, int]]:
            async with asyncio.timeout(3.0):
                for number in range(9):
                    yield Delivery(self, number), number

    async def main() -> None:
        stream: Any = Stream(Tracked("timed", (), cast(Any, Timed), 4))
        await (stream | ops.buffer(Suspend(1)) | ops.for_each(lambda _: asyncio.sleep(2)))

    with pytest.raises(TimeoutError):
        run(main)


def test_streams_that_follow_each_other_may_stand_beside_it() -> None:
    beside: Any = Stream([1]) | ops.concat([2]) | ops.map(lambda number: -number)
    assert sorted(done(lambda: Trial(2).stream() | ops.merge(beside) | ops.to_list())) == [-2, -1, *FIRST[:2]]


def test_one_that_a_callback_beside_it_makes_once_more_is_refused() -> None:
    stream: Any = Trial(2).stream()
    with pytest.raises(TypeError, match=r"^what reads a durable source here"):
        done(lambda: stream | ops.merge(Stream([1]) | ops.switch_map(lambda _: stream)) | ops.drain())


def test_an_error_of_a_buffer_that_a_stage_takes_over_names_the_buffer() -> None:
    def dropped(item: int, reason: str) -> None:
        raise LookupError(item, reason)

    stream: Any = Trial(5).stream() | ops.buffer(DropOldest(1, on_drop=dropped)) | ops.merge([])
    with pytest.raises(LookupError) as caught:
        done(lambda: stream | ops.for_each(lambda _: asyncio.sleep(1)))
    assert [note.partition("(")[0] for note in notes(caught.value)] == ["in buffer"]
