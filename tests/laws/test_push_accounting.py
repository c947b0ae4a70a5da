"""Law 8 at push sources: whatever producers and the consumer do, in whatever order, the sum comes out.

offered = delivered + dropped + folded + refused + held, first in is first out, and no capacity is exceeded.
"""

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from streamkit import BufferOverflowError, Emitter, EmitterClosedError, Gap, Offered, push
from streamkit.testing import VirtualLoop
from tests.laws.lab import Boom
from tests.laws.push_account import MAKERS, REFUSED, check_sum, check_told, every_strategy, keys, turns
from tests.tiers import examples, stride

PRODUCERS, EACH = 4, 2_000 // stride(4)
SETTINGS = settings(stateful_step_count=20, max_examples=examples(50) // stride(2))  # of each strategy


class PushSource(RuleBasedStateMachine):
    """Producers and a consumer in one event loop, who do whatever they can at that moment."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    @initialize(capacity=st.integers(1, 3))
    def begin(self, capacity: int) -> None:
        self.loop = VirtualLoop()
        self.dropped: list[int] = []
        self.strategy = MAKERS[self.name](capacity, lambda item, reason: self.dropped.extend(item))
        stream, self.emitter = push(self.strategy)
        self.opened = stream.open()
        self.entered = self.left = self.ended = False
        self.made = 0
        self.outcomes: Counter[Offered] = Counter()
        self.accepted: list[int] = []
        self.refused: list[int] = []
        self.senders: dict[int, asyncio.Task[Offered]] = {}
        self.pull: asyncio.Task[Any] | None = None
        self.got: list[Any] = []

    def do(self, work: Any) -> Any:
        """Await `work`, and let everyone go on until nobody can."""

        async def settled() -> Any:
            result = await work
            await turns()
            return result

        result = self.loop.run_until_complete(settled())
        for number, sender in [*self.senders.items()]:
            if sender.done():
                del self.senders[number]
                self.note(number, self.outcome(sender))
        if self.pull is not None and self.pull.done():
            pull, self.pull = self.pull, None
            self.take(pull)
        return result

    def outcome(self, sender: asyncio.Task[Offered]) -> Offered:
        try:
            return sender.result()
        except asyncio.CancelledError:
            return Offered.FULL
        except EmitterClosedError:
            return Offered.CLOSED

    def note(self, number: int, outcome: Offered) -> None:
        self.outcomes[outcome] += 1
        (self.refused if outcome in REFUSED else self.accepted).append(number)

    def take(self, pull: asyncio.Task[Any]) -> None:
        try:
            self.got.append(pull.result())
        except (StopAsyncIteration, Boom, BufferOverflowError, asyncio.CancelledError) as error:
            assert self.emitter.closed
            assert self.left or not isinstance(error, asyncio.CancelledError)
            self.ended = True

    # what producers do ---------------------------------------------------------------------

    @rule(count=st.integers(1, 6))
    def offer(self, count: int) -> None:
        closed, waited = self.emitter.closed, bool(self.senders)
        for _ in range(count):
            self.made += 1
            outcome = self.emitter.offer((self.made,))
            assert outcome is Offered.CLOSED or not closed
            assert outcome in REFUSED or not waited, "it overtook those who wait"
            self.note(self.made, outcome)
        self.do(asyncio.sleep(0))

    @rule(count=st.integers(1, 6))
    def send(self, count: int) -> None:
        for _ in range(count):
            self.made += 1
            self.senders[self.made] = self.loop.create_task(self.emitter.send((self.made,)))
        self.do(asyncio.sleep(0))

    @precondition(lambda self: self.senders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.senders)))
        self.senders[number].cancel()
        self.do(asyncio.sleep(0))
        assert number in self.refused

    @rule(error=st.sampled_from([None, Boom("told")]))
    def end(self, error: Boom | None) -> None:
        closed = self.emitter.closed
        assert (self.emitter.close() if error is None else self.emitter.fail(error)) is not closed
        self.do(asyncio.sleep(0))

    # what the consumer does ----------------------------------------------------------------

    @precondition(lambda self: not self.entered)
    @rule()
    def enter(self) -> None:
        self.entered = True
        self.do(self.opened.__aenter__())

    @precondition(lambda self: self.entered and not self.ended and self.pull is None)
    @rule()
    def ask(self) -> None:
        async def next_one() -> Any:
            return await anext(self.opened)

        self.pull = self.loop.create_task(next_one())
        self.do(asyncio.sleep(0))

    @precondition(lambda self: self.entered and not self.left)
    @rule()
    def leave(self) -> None:
        self.left = True
        self.do(self.opened.aclose())
        assert self.emitter.closed

    # what holds at any time ----------------------------------------------------------------

    @invariant()
    def the_sum_comes_out(self) -> None:
        stats = self.emitter.stats()
        check_sum(stats)
        assert stats.offered == self.made - len(self.senders)
        assert stats.refused == len(self.refused)
        if hasattr(self.strategy, "on_drop"):
            assert stats.dropped == len(self.dropped)

    @invariant()
    def first_in_is_first_out(self) -> None:
        got = keys(self.got)
        assert got == sorted(set(got))
        assert not self.senders or max(self.accepted, default=0) < min(self.senders)
        if self.strategy.loses == "nothing":
            assert got == sorted(self.accepted)[: len(got)]

    @invariant()
    def nobody_waits_for_what_is_there(self) -> None:
        held = self.emitter.stats().held
        assert self.pull is None or not held
        assert not self.senders or held
        assert not (self.senders and self.emitter.closed)

    @invariant()
    def gaps_stand_where_items_are_missing(self) -> None:
        if self.strategy.marks_gaps:
            place = 0
            for item in self.got:
                place = place + item.count if isinstance(item, Gap) else place + 1
                assert isinstance(item, Gap) or item == (place,), self.got

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        if not self.entered:
            self.enter()
        self.leave()
        assert not self.senders
        assert self.pull is None
        check_told(self.emitter.stats(), self.outcomes, self.dropped, self.got)
        if hasattr(self.strategy, "on_drop"):
            everything = [*keys(self.got), *self.dropped, *self.refused]
            assert sorted(everything) == list(range(1, self.made + 1))
        assert not asyncio.all_tasks(self.loop)
        self.loop.close()


@every_strategy
def test_the_sum_comes_out_whatever_producers_and_consumer_do(name: str) -> None:
    run_state_machine_as_test(lambda: PushSource(name), settings=SETTINGS)  # type: ignore[arg-type]


@pytest.fixture
def switching() -> Iterator[None]:
    """Threads take turns as often as Python can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class Producers:
    """Threads that produce at full speed, and note what became of each item; the last one closes."""

    def __init__(self, emitter: Emitter[Any], way: str) -> None:
        self.emitter = emitter
        self.put: Callable[[Any], Offered] = getattr(emitter, way)
        self.outcomes: list[list[Offered]] = [[] for _ in range(PRODUCERS)]
        self.threads = [threading.Thread(target=self.produce, args=(each,)) for each in range(PRODUCERS)]
        self.busy = PRODUCERS
        self.lock = threading.Lock()

    def produce(self, producer: int) -> None:
        for number in range(EACH):
            try:
                outcome = self.put(((producer, number),))
            except EmitterClosedError:
                outcome = Offered.CLOSED
            self.outcomes[producer].append(outcome)
        with self.lock:
            self.busy -= 1
            last = not self.busy
        if last:
            self.emitter.close()

    def accepted(self, producer: int) -> list[Any]:
        outcomes = enumerate(self.outcomes[producer])
        return [(producer, number) for number, outcome in outcomes if outcome is Offered.ACCEPTED]


async def taken(stream: Any, got: list[Any]) -> Exception | None:
    """Read all of `stream` into `got`; return the error that it ended with."""
    try:
        async for item in stream:
            got.append(item)
    except (Boom, BufferOverflowError) as error:
        return error
    return None


@pytest.mark.spread
@pytest.mark.usefixtures("switching")
@pytest.mark.parametrize("way", ["offer", "send_blocking"])
@every_strategy
def test_the_sum_comes_out_with_four_threads_at_full_speed(name: str, way: str) -> None:
    got: list[Any] = []
    dropped: list[Any] = []
    strategy = MAKERS[name](16, lambda item, reason: dropped.extend(item))
    stream, emitter = push(strategy)
    producers = Producers(emitter, way)

    async def main() -> Exception | None:
        for thread in producers.threads:
            thread.start()
        return await taken(stream, got)

    error = asyncio.run(main())
    for thread in producers.threads:
        thread.join()
    stats = emitter.stats()
    outcomes = Counter(outcome for each in producers.outcomes for outcome in each)
    assert error is None or strategy.fails, error
    assert stats.offered == PRODUCERS * EACH
    check_sum(stats)
    check_told(stats, outcomes, dropped, got)
    if strategy.drops_incoming:
        assert outcomes[Offered.DROPPED] == stats.dropped
    for producer in range(PRODUCERS):
        mine = [key for key in keys(got) if key[0] == producer]
        assert mine == sorted(mine)
        if strategy.loses == "nothing":
            assert mine == producers.accepted(producer)
    if strategy.loses == "nothing" and not strategy.fails and (way == "send_blocking" or not strategy.waits):
        assert len(keys(got)) == PRODUCERS * EACH
