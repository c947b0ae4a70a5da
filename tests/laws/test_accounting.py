"""Law 8: offered = delivered + dropped + folded + refused + held, for every lane at every moment."""

import asyncio
from typing import Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import streamkit
from streamkit import BufferOverflowError, BufferStats, Gap
from streamkit._core.markers import EMPTY
from streamkit._core.spill import SpillStore
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned
from streamkit.testing import VirtualLoop
from tests.laws.account import Account, check_sum, strategies
from tests.laws.lab import trying
from tests.tiers import examples

TURNS = 6
STEPS = 50


class Accounting(RuleBasedStateMachine):
    """Writers and the reader of one channel, in any order; an `Account` says what each lane must show.

    An item is the list of its number, so that folded ones show which numbers went into them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.channel = Channel(clock=self.loop.time)
        self.accounts: list[Account] = []
        self.reader: asyncio.Task[bool] | None = None
        self.numbers = 0
        self.steps = 0
        self.lasts = 0

    def teardown(self) -> None:
        try:
            for task in (self.reader, *(account.waiter for account in self.accounts)):
                if task is not None:
                    task.cancel()
            self.turn()
            if not self.channel.left:
                self.leave()
                self.everything_adds_up()
        finally:
            for account in self.accounts:
                if isinstance(account.lane.held, SpillStore):
                    account.lane.held.close()
            self.loop.close()

    def turn(self, seconds: float = 0.0) -> None:
        """Let the tasks go on, for some virtual time."""

        async def turns() -> None:
            await asyncio.sleep(seconds)
            for _ in range(TURNS):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turns())

    def may_end(self) -> bool:
        """Whether it has gone on for as long as it should, before something ends."""
        return self.steps >= self.lasts

    @initialize(made=st.lists(strategies(), min_size=1, max_size=3), lasts=st.integers(0, STEPS))
    def lanes(self, made: list[Any], lasts: int) -> None:
        self.lasts = lasts
        for make in made:
            told: list[tuple[int, str]] = []

            def note(item: Any, reason: str, told: list[tuple[int, str]] = told) -> None:
                told.append((item[0], reason))

            lane = self.channel.lane(make(note))
            self.accounts.append(Account(lane, told=told))

    # the writers ---------------------------------------------------------------------------

    @rule(place=st.integers(0, 2), puts=st.integers(1, 9), pops=st.integers(0, 9))
    def put_and_pop(self, place: int, puts: int, pops: int) -> None:
        """Both in one rule: hypothesis leaves rules out, and without one of the two nothing is delivered."""
        self.put(place, puts)
        if not self.channel.left:
            self.pop(pops)

    def put(self, place: int, count: int) -> None:
        account = self.accounts[place % len(self.accounts)]
        for _ in range(count):
            lane = account.lane
            if account.waiter is not None or (not lane.open and not self.channel.left) or lane.full():
                return
            self.numbers += 1
            number = self.numbers
            if self.channel.left or self.channel.error is not None:  # an error ends intake at once
                account.offered += 1
                account.refused.append(number)
                with pytest.raises(Abandoned):
                    lane.put([number])
                return
            account.put(number)
            try:
                must_wait = lane.put([number])
            except BufferOverflowError as error:
                assert account.refused[-1] == number
                self.channel.fail(error)  # what a pump does
                lane.close()
                return
            assert must_wait is (lane.waits and account.full())
            if must_wait:
                self.wait_for_room(place)

    @rule(place=st.integers(0, 2))
    def put_what_cannot_be_pickled(self, place: int) -> None:
        """An item that has to go to disk, and cannot, is refused, and fails the stream."""
        account = self.accounts[place % len(self.accounts)]
        strategy = account.lane.strategy
        if (
            not isinstance(strategy, streamkit.Spill)
            or not account.lane.open
            or self.channel.error is not None
            or len(account.held) <= strategy.capacity
        ):
            return
        account.offered += 1
        account.refused.append(-1)
        with pytest.raises(Exception, match="pickle") as caught:
            account.lane.put(lambda: None)
        self.channel.fail(caught.value)
        account.lane.close()

    @rule(place=st.integers(0, 2))
    def wait_for_room(self, place: int) -> None:
        account = self.accounts[place % len(self.accounts)]
        if account.waiter is None and account.lane.full():
            account.waiter = self.loop.create_task(account.lane.room())
            self.turn()

    @rule(place=st.integers(0, 2))
    def stop_waiting_for_room(self, place: int) -> None:
        account = self.accounts[place % len(self.accounts)]
        if account.waiter is not None:
            account.waiter.cancel()
            self.turn()
            account.waiter = None

    @precondition(may_end)
    @rule(place=st.integers(0, 2))
    def close(self, place: int) -> None:
        self.accounts[place % len(self.accounts)].lane.close()

    @precondition(may_end)
    @rule(place=st.integers(0, 2))
    def fail(self, place: int) -> None:
        lane = self.accounts[place % len(self.accounts)].lane
        if lane.open:
            self.channel.fail(OSError("the source fails"))
            lane.close()

    # the reader ----------------------------------------------------------------------------

    @precondition(lambda self: not self.channel.left)
    @rule(count=st.integers(1, 9))
    def pop(self, count: int) -> None:
        for _ in range(count):
            before = [account.lane.delivered for account in self.accounts]
            expected = [getattr(account.lane, "_expected", 0) for account in self.accounts]
            value = self.channel.pop()
            if value is EMPTY:
                assert not any(account.held for account in self.accounts), "something was held"
                ended = [account for account in self.accounts if not account.lane.open]
                assert not any(self.gap_due(account) for account in ended), "the last gap untold"
                return
            if isinstance(value, Gap):
                assert value.count > 0
                (place,) = [
                    place
                    for place, account in enumerate(self.accounts)
                    if getattr(account.lane, "_expected", 0) != expected[place]
                ]
                self.told_of_gap(self.accounts[place], value)
                continue
            (account,) = [
                account
                for account, count in zip(self.accounts, before, strict=True)
                if account.lane.delivered != count
            ]
            self.delivered(account, value)

    def told_of_gap(self, account: Account, gap: Gap) -> None:
        assert self.gap_due(account) == gap.count
        account.missing += gap.count

    def gap_due(self, account: Account) -> int:
        """How many items are missing before the next that is delivered."""
        strategy = account.lane.strategy
        if strategy is None or not strategy.marks_gaps:
            return 0
        following = account.held[0] if account.held else float("inf")
        return sum(number < following for number, _ in account.dropped) - account.missing

    def delivered(self, account: Account, value: Any) -> None:
        strategy = account.lane.strategy
        if isinstance(strategy, streamkit.Collect):
            assert [item[0] for item in value] == account.held, "out of order, or not all that waited"
            account.delivered += account.held
            account.held = []
        else:
            assert value == [account.held[0], *account.folds], "out of order, or something else"
            assert strategy is None or not strategy.marks_gaps or not self.gap_due(account), "a gap untold"
            account.delivered.append(account.held.pop(0))

    @precondition(lambda self: not self.channel.left and self.reader is None)
    @rule()
    def wait(self) -> None:
        """The reader begins to wait; writers that hand over may now put."""
        self.reader = self.loop.create_task(self.channel.wait())
        self.turn()

    @precondition(lambda self: self.reader is not None)
    @rule(cancels=st.booleans())
    def end_of_waiting(self, cancels: bool) -> None:
        assert self.reader is not None
        self.turn()
        held = any(account.held for account in self.accounts) or self.channel.ready
        over = self.channel.error is not None or not any(account.lane.open for account in self.accounts)
        if self.reader.done():
            if self.reader.exception() is not None:
                assert self.reader.exception() is self.channel.error
            else:  # True: something was there, and may have been popped since
                assert self.reader.result() or (over and not held)
            self.reader = None
        elif cancels:
            assert not held
            assert not over
            self.reader.cancel()
            self.turn()
            self.reader = None

    @precondition(lambda self: self.may_end() and not self.channel.left and self.reader is None)
    @rule()
    def leave(self) -> None:
        self.channel.leave()
        for account in self.accounts:
            account.drop(account.held, "closed")
            account.held = []

    @rule(seconds=st.sampled_from([0.5, 1.0, 4.0]))
    def let_time_pass(self, seconds: float) -> None:
        for account in self.accounts:
            account.seconds_full += seconds if account.full() else 0.0
        self.turn(seconds)

    # what must be true all the time --------------------------------------------------------

    @invariant()
    def everything_adds_up(self) -> None:
        for account in self.accounts:
            stats = account.lane.stats()
            with trying(stats.strategy):
                self.check(account, stats)

    def check(self, account: Account, stats: BufferStats) -> None:
        strategy = stats.strategy
        assert stats.held == len(account.held)
        check_sum(stats)
        assert stats.offered == account.offered
        assert stats.delivered == len(account.delivered)
        assert stats.dropped == len(account.dropped)
        assert stats.folded == account.folded
        assert stats.refused == len(account.refused)
        assert stats.held_at_most == account.most
        assert stats.seconds_full == pytest.approx(account.seconds_full)
        assert account.delivered == sorted(set(account.delivered)), "delivered twice, or out of order"
        if getattr(strategy, "on_drop", None) is not None:
            assert account.told == account.dropped
        if strategy is None or strategy.loses == "nothing":
            assert all(reason == "closed" for _, reason in account.dropped)

    @invariant()
    def no_writer_waits_for_room_that_is_there(self) -> None:
        self.steps += 1
        self.turn()
        for account in self.accounts:
            if account.waiter is not None and not account.waiter.done():
                assert len(account.held) > account.lane.low or account.lane.strategy is None
            elif account.waiter is not None:
                account.waiter = None


Accounting.TestCase.settings = settings(max_examples=examples(150), stateful_step_count=STEPS)
TestAccounting = Accounting.TestCase


# what a buffer says of the time it was full ------------------------------------------------


def lane_with_a_clock(strategy: Any) -> tuple[Channel, Lane, list[float]]:
    now = [0.0]
    channel = Channel(clock=lambda: now[0])
    return channel, channel.lane(strategy), now


def test_a_buffer_counts_the_seconds_that_it_is_full() -> None:
    _, lane, now = lane_with_a_clock(streamkit.DropOldest(2))
    for number in range(4):
        lane.put(number)
        now[0] += 1.0
    assert lane.stats().seconds_full == 3.0
    lane.pop()
    now[0] += 5.0
    assert lane.stats().seconds_full == 3.0


def test_the_seconds_that_a_buffer_was_full_still_count_when_its_reader_has_left() -> None:
    """Once this passes, `Accounting` may look at the seconds after the reader left, too."""
    channel, lane, now = lane_with_a_clock(streamkit.Suspend(1))
    lane.put(0)
    now[0] = 3.0
    channel.leave()
    assert lane.stats().seconds_full == 3.0


@pytest.mark.parametrize("strategy", [streamkit.Suspend(2), streamkit.Collect(2)], ids=repr)
def test_a_buffer_whose_writer_does_not_wait_is_full_until_an_item_is_taken_out(strategy: Any) -> None:
    _, lane, now = lane_with_a_clock(strategy)
    for full in (3.0, 5.0):
        lane.put(0)
        lane.put(1)
        now[0] += full
        while lane.held:
            lane.pop()
        now[0] += 7.0
    assert lane.stats().seconds_full == 8.0


def test_a_buffer_that_dropped_everything_is_not_full_any_more() -> None:
    """Once this passes, `Accounting` may look at the seconds under ``DropAll``, too."""
    _, lane, now = lane_with_a_clock(streamkit.DropAll(2))
    for number in range(3):
        lane.put(number)
    now[0] = 3.0
    assert lane.stats().held == 1
    assert lane.stats().seconds_full == 0.0
