"""What became of the deliveries of a durable source that several read, who come and go at any time."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from streamkit import (
    BufferOverflowError,
    Fail,
    OnFull,
    Suspend,
    Unbounded,
    from_awaitable,
    interval,
    ops,
    timer,
)
from streamkit._stages.share_pairs import Portion
from streamkit.testing import run
from tests.run.calling import Calls
from tests.run.interrupted import everywhere
from tests.run.ledger import MANY, Trial
from tests.run.pipes_shared import SHARED, STRATEGIES, UNDER
from tests.tiers import examples


@pytest.mark.parametrize("name", SHARED)
def test_nothing_is_acknowledged_early_or_lost(name: str) -> None:
    everywhere(SHARED[name], exact=name != "one leaves")


@pytest.mark.parametrize("name", UNDER)
def test_nothing_is_acknowledged_early_or_lost_under_any_strategy(name: str) -> None:
    everywhere(UNDER[name], seconds=0.25, lossy=True)


class Noting(Calls):
    """Callbacks that note how many items had come when one failed."""

    trial: Trial
    handed: int = 0

    def same(self, item: Any) -> Any:
        if self.many + 1 == self.failing:
            self.handed = len(self.trial.handed)
        return super().same(item)


class Two:
    """Two jobs that read one stream: what has left the first, and the second, which goes on to the end."""

    def __init__(self, failing: int = 0) -> None:
        self.trial = Trial(8)
        self.first: list[int] = []
        self.second: list[int] = []
        self.calls = Noting(self.first.append, failing)
        self.calls.trial = self.trial

    async def read(self, cancel_at: int = 10_000) -> int:
        """Run both; the first is cancelled so many steps after both have come. How many steps it took."""
        c, shared = self.calls, self.trial.stream() | ops.share(readers=2, strategy=Suspend(2))
        job = shared | ops.map(c.uneven, concurrency=2) | ops.buffer(Suspend(1)) | ops.for_each(c.store)
        first = asyncio.ensure_future(awaited(job))
        second = asyncio.ensure_future(awaited(shared | ops.for_each(self._slowly)))
        while not self.trial.opened:  # noqa: ASYNC110 - the steps from then on are counted
            await asyncio.sleep(0)
        steps = 0
        while not first.done() and steps < cancel_at:
            await asyncio.sleep(0)
            steps += 1
        if first.cancel():
            c.handed = len(self.trial.handed)
        with suppress(asyncio.CancelledError, ValueError):
            await first
        await second
        return steps

    async def _slowly(self, item: int) -> None:
        await asyncio.sleep(0)
        self.second.append(item)

    def wrong(self) -> str:
        """What must not be; nothing, if all is well."""
        trial = self.trial
        told = trial.wrong()
        if self.second != [*trial.items]:
            told += f", the second has got {self.second}"
        if trial.open:
            told += f", left open: {trial.open}"
        # of the newest, the pump may have one in hand, and one that it has not dealt out yet
        lost = {*trial.handed[: max(self.calls.handed - 2, 0)]} - {*self.first} - {*trial.failed}
        if lost:
            told += f", acknowledged, and yet the first was not done with {lost}"
        if {*trial.failed} & {*self.first[:-1]}:
            told += f", handed back: {trial.failed}, and yet {self.first} had left"
        return told


def test_what_a_reader_has_not_settled_when_it_is_cancelled_is_handed_back_while_others_go_on() -> None:
    told, many = {}, 0
    for step in range(run(Two().read)):
        two = Two()
        run(partial(two.read, step))
        told[step] = two.wrong()
        many += len(two.trial.failed)
    assert not any(told.values()), told
    assert many > 3 * len(told) > 30


def test_what_a_reader_has_not_settled_when_it_fails_is_handed_back_while_others_go_on() -> None:
    whole = Two()
    run(whole.read)
    assert whole.trial.settled == [*whole.trial.items]
    told = {}
    for call in range(1, whole.calls.many + 1):
        two = Two(failing=call)
        run(two.read)
        told[call] = two.wrong()
        assert [each.message for each in two.trial.deliveries if each.error is not None], call
    assert not any(told.values()), told


def test_in_whatever_order_the_tasks_run() -> None:
    async def main() -> None:
        for step, call in (2, 0), (9, 0), (10_000, 4):
            two = Two(failing=call)
            await two.read(step)
            assert not two.wrong()

    run(main, schedules=examples(80), seed=1)


async def awaited(job: Awaitable[Any]) -> Any:
    return await job


async def called(reading: Callable[[], Awaitable[Any]]) -> Any:
    return await reading()


async def seconds(item: int) -> int:
    await asyncio.sleep(1)
    return item


async def turn(item: int) -> int:
    await asyncio.sleep(0)
    return item


def test_the_source_is_closed_with_its_last_reader_and_its_ledger_with_the_last_job() -> None:
    trial = Trial(6, due=Counter({MANY + number: 1 for number in range(6)}))

    async def main() -> None:
        shared = trial.stream() | ops.share(readers=2, strategy=Suspend(9))
        slow = asyncio.ensure_future(awaited(shared | ops.map(seconds) | ops.for_each(trial.out)))
        assert await (shared | ops.take(4) | ops.count()) == 4
        assert not trial.settled
        await slow

    run(main)
    assert [*trial.left] == [*trial.items] == sorted(trial.settled + trial.failed)
    assert not trial.wrong()


def test_a_result_settles_what_it_has_something_of_when_it_is_returned() -> None:
    trial = Trial(3)

    async def main() -> None:
        shared = trial.stream() | ops.share(readers=2)
        listed = asyncio.ensure_future(awaited(shared | ops.map(seconds) | ops.to_list()))
        await (shared | ops.for_each(lambda _: None))
        assert (trial.settled, trial.closings) == ([], 0)
        await listed

    run(main)
    assert (trial.settled, trial.closings) == ([*trial.items], 1)


def test_who_comes_late_gets_what_is_replayed_which_concerns_no_delivery() -> None:
    trial = Trial(4)
    late: list[int] = []

    async def main() -> None:
        shared = trial.stream() | ops.map(seconds) | ops.share(9)
        first = asyncio.ensure_future(awaited(shared | ops.for_each(lambda _: None)))
        await asyncio.sleep(2.5)
        with pytest.raises(ValueError, match="late"):
            await (shared | ops.for_each(fails))
        assert trial.settled == [MANY, MANY + 1]
        await first
        assert await (shared | ops.to_list()) == [*trial.items]

    def fails(item: int) -> None:
        late.append(item)
        if item == MANY + 2:
            raise ValueError("late")

    run(main)
    assert late == [MANY, MANY + 1, MANY + 2]
    assert (trial.settled, trial.failed) == ([MANY, MANY + 1, MANY + 3], [MANY + 2])
    assert [trial.opened, trial.closings] == [1, 1]


@pytest.mark.parametrize("strategy", [Suspend(4), *STRATEGIES.values()], ids=repr)
def test_what_a_way_leaves_in_its_buffer_is_handed_back_while_its_job_goes_on(strategy: Any) -> None:
    async def main() -> None:
        trial = Trial(3)
        shared = trial.stream() | ops.map(seconds) | ops.share(readers=2, strategy=strategy)
        way = shared | ops.map(lambda _: asyncio.sleep(99)) | ops.take_until(timer(4))
        job = (shared | ops.merge(way, interval(9)) | ops.drain()).start()
        await asyncio.sleep(5)
        assert trial.open == {MANY}  # the way had it in hand, and nobody knows what became of it
        assert trial.failed
        await job.stop()
        assert not trial.wrong()

    run(main)


def test_what_is_replayed_to_one_settles_nothing_for_another() -> None:
    trial = Trial(4, due=Counter({MANY + number: 1 for number in range(4)}))

    async def main() -> None:
        shared = trial.stream() | ops.share(9, strategy=Suspend(9))
        slow = asyncio.ensure_future(awaited(shared | ops.map(seconds) | ops.for_each(trial.out)))
        await asyncio.sleep(0.5)
        assert await (shared | ops.count()) == 4
        await slow

    run(main)
    assert trial.settled == [*trial.items]
    assert not trial.wrong()


def _in_branches(shared: Any) -> Any:
    return ops.broadcast(ops.share() | ops.map(shared), ops.map(str))


def test_what_a_reader_had_in_hand_where_it_failed_is_to_blame() -> None:
    def fails(item: int) -> int:
        if item == MANY + 3:
            raise ValueError(item)
        return item

    for pipe in (ops.share() | ops.map(fails), _in_branches(fails), ops.map(fails) | ops.share()):
        trial = Trial(8)
        with pytest.raises(ValueError, match="1003"):
            run(partial(awaited, trial.stream() | pipe | ops.for_each(turn)))
        blamed = [each for each in trial.deliveries if each.failed and each.message == MANY + 3]
        assert blamed, pipe
        others = [each for each in trial.deliveries if isinstance(each.error, ValueError)]
        assert others in ([], blamed), pipe


def test_one_that_goes_is_not_to_blame_and_one_that_fails_is_whoever_was_first() -> None:
    trial = Trial(1)

    async def fails(item: int) -> None:
        await asyncio.sleep(2)
        raise ValueError(item)

    async def main() -> None:
        shared = trial.stream() | ops.concat(interval(9)) | ops.share(readers=3)
        pipes = ops.for_each(lambda _: asyncio.sleep(99)), ops.for_each(fails), ops.drain()
        goes, fail, stays = [asyncio.ensure_future(awaited(shared | pipe)) for pipe in pipes]
        await asyncio.sleep(1)
        goes.cancel()
        await asyncio.gather(goes, fail, return_exceptions=True)
        assert isinstance(trial.deliveries[0].error, ValueError)
        assert trial.failed == [MANY]
        stays.cancel()
        await asyncio.wait([stays])

    run(main)


def test_an_item_that_comes_while_nobody_reads_waits_for_the_next_reader_or_is_handed_back() -> None:
    for replay, begin, settled, seen in (0, 4.0, 5, [2, 3, 4]), (1, 4.0, 5, [1, 2, 3, 4]), (0, 9.0, 2, []):
        trial = Trial(5)
        got: list[int] = []

        async def main(
            replay: int = replay, begin: float = begin, trial: Trial = trial, got: list[int] = got
        ) -> None:
            shared = trial.stream() | ops.map(seconds) | ops.share(replay, linger=5.0)
            with suppress(TimeoutError):
                async with asyncio.timeout(2.5):
                    await (shared | ops.drain())
            await asyncio.sleep(begin - 2.5)
            assert trial.deliveries[2].count == 1
            if not trial.closings:
                await (shared | ops.for_each(lambda item: got.append(item - MANY)))
            await asyncio.sleep(9)

        run(main)
        assert (got, len(trial.settled), trial.wrong()) == (seen, settled, ""), (replay, begin)
        assert trial.open == ({MANY + 2} if not seen else set())


def test_what_nobody_took_when_the_source_ended_is_handed_back_and_not_for_who_comes_later() -> None:
    async def main(trial: Trial, count: int) -> list[Any]:
        def fails(item: int) -> None:
            if item == trial.items[-2]:
                raise ValueError(item)

        source = trial.stream() | ops.share() if count == 4 else trial.stream()
        shared = (
            source
            | ops.map(turn)
            | ops.concat(from_awaitable(turn(0)) | ops.skip(1))
            | ops.share(strategy=Unbounded(), linger=1.0)
        )
        with suppress(ValueError):
            await (shared | ops.for_each(fails))
        await asyncio.sleep(2)
        assert trial.closings == 1
        return await (shared | ops.to_list())

    for count in 2, 3, 4:
        trial = Trial(count)
        assert run(partial(main, trial, count)) == []
        assert trial.handed == [*trial.items]
        assert trial.settled == [*trial.items[:-2]]


def test_whenever_the_last_has_left_no_more_than_one_is_pulled_and_the_next_gets_all_that_has_come() -> None:
    async def main(step: int, count: int) -> None:
        trial = Trial(count)
        shared = trial.stream() | ops.map(turn) | ops.share(linger=5.0, strategy=Suspend(9))
        reader = asyncio.ensure_future(awaited(shared | ops.for_each(turn)))
        for _ in range(step):
            await asyncio.sleep(0)
        reader.cancel()
        await asyncio.wait([reader])
        handed = len(trial.handed)
        await asyncio.sleep(1)
        assert len(trial.handed) <= handed + 1, step
        await (shared | ops.drain())
        assert not trial.open, step
        await asyncio.sleep(9)
        assert not trial.wrong(), step

    for step in range(1, 24):
        run(partial(main, step, 30))
    for step in range(2, 12, 3):
        run(partial(main, step, 3), schedules=examples(200), seed=step)


def test_a_strategy_that_fails_hands_back_what_its_reader_has_and_the_others_go_on() -> None:
    trial = Trial(6)

    async def main() -> None:
        shared = trial.stream() | ops.map(seconds) | ops.share(strategy=Fail(2), readers=2)
        slow = asyncio.ensure_future(awaited(shared | ops.for_each(lambda _: asyncio.sleep(99))))
        assert await (shared | ops.count()) == 6
        with pytest.raises(BufferOverflowError):
            await slow

    run(main)
    assert trial.failed == [MANY + 3]  # its error comes behind what it held, and all else was settled
    assert not trial.wrong()


def test_of_a_share_in_each_of_many_groups_nothing_is_kept() -> None:
    portions = 99

    def look(pair: tuple[str, int]) -> None:
        nonlocal portions
        if pair[1] == MANY + 199:
            portions = sum(type(each) is Portion for each in gc.get_objects())

    pipe = ops.group_by(str, ops.share() | ops.map(turn), max_groups=1, on_full=OnFull.EVICT)
    run(partial(awaited, Trial(200).stream() | pipe | ops.for_each(look)))
    assert portions < 9


def test_one_that_was_left_and_begins_anew_has_another_ledger_and_waits_for_no_job() -> None:
    trial = Trial(4)

    async def main() -> None:
        shared = trial.stream() | ops.share()
        await (shared | ops.take(2) | ops.concat(shared) | ops.buffer(Suspend(9)) | ops.for_each(seconds))

    run(main)
    assert (trial.opened, trial.closings) == (2, 2)
    assert trial.handed == [MANY, MANY + 1, MANY + 2, *trial.items] or trial.handed[-4:] == [*trial.items]
