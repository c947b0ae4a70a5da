"""Law 8 at push sources: whatever producers and the consumer do, in whatever order, the sum comes out.

offered = delivered + dropped + folded + refused + held, first in is first out, and no capacity is exceeded.
"""

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from types import FrameType
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

from streamkit import (
    BufferOverflowError,
    BufferStats,
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Emitter,
    EmitterClosedError,
    Fail,
    Gap,
    KeepLatest,
    Offered,
    Spill,
    Strategy,
    Suspend,
    Unbounded,
    push,
)
from streamkit.testing import VirtualLoop
from tests import tiers
from tests.laws.lab import Boom

Drop = Callable[[Any, str], object]

MAKERS: dict[str, Callable[[int, Drop], Strategy]] = {
    "Suspend": lambda capacity, drop: Suspend(capacity),
    "Fail": lambda capacity, drop: Fail(capacity),
    "DropIncoming": lambda capacity, drop: DropIncoming(capacity, on_drop=drop),
    "DropIncoming-gaps": lambda capacity, drop: DropIncoming(capacity, on_drop=drop, gaps=True),
    "DropOldest": lambda capacity, drop: DropOldest(capacity, on_drop=drop),
    "DropOldest-gaps": lambda capacity, drop: DropOldest(capacity, on_drop=drop, gaps=True),
    "DropYoungest": lambda capacity, drop: DropYoungest(capacity, on_drop=drop),
    "DropAll": lambda capacity, drop: DropAll(capacity, on_drop=drop),
    "KeepLatest": lambda capacity, drop: KeepLatest(on_drop=drop),
    "Conflate": lambda capacity, drop: Conflate(lambda waiting, item: waiting + item),
    "Collect": lambda capacity, drop: Collect(capacity),
    "Spill": lambda capacity, drop: Spill(capacity),
    "Unbounded": lambda capacity, drop: Unbounded(),
}
"""Items are tuples of one key: what is folded and what is collected shows which items it is made of."""

REFUSED = (Offered.FULL, Offered.CLOSED)
PRODUCERS, EACH = 4, 2_000
every_strategy = pytest.mark.parametrize("name", MAKERS)


def keys(items: Any) -> list[Any]:
    """The keys of all items in `items`, in order; gaps have none."""
    if isinstance(items, Gap):
        return []
    if isinstance(items, list):
        return [key for item in items for key in keys(item)]
    return list(items)


def check_sum(stats: BufferStats) -> None:
    parts = stats.delivered + stats.dropped + stats.folded + stats.refused + stats.held
    assert stats.offered == parts, stats
    if stats.strategy is not None and stats.strategy.overflows:
        assert max(stats.held, stats.held_at_most) <= (stats.strategy.limit or 0), stats


def check_told(stats: BufferStats, outcomes: Counter[Offered], dropped: list[Any], got: list[Any]) -> None:
    """What producers, ``on_drop`` and the consumer were told, when all has ended, is what was counted."""
    assert stats.held == 0
    assert stats.offered == outcomes.total()
    assert stats.refused == sum(outcomes[each] for each in REFUSED)
    assert stats.strategy is not None
    assert stats.delivered == len(got if stats.strategy.folds else keys(got))
    if hasattr(stats.strategy, "on_drop"):
        assert stats.dropped == len(dropped)
    if not stats.strategy.drops_incoming:
        assert not outcomes[Offered.DROPPED]


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
    run_state_machine_as_test(lambda: PushSource(name), settings=settings(stateful_step_count=20))  # type: ignore[arg-type]


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


# Below, the threads' turns are no matter of luck: one side is stopped before every line of the package that
# it runs, one after the other, and the other side goes on meanwhile as far as it gets.

BLOCKED_SECONDS = 0.005
"""How long the other side is waited for: it is blocked where the side that was stopped holds the lock."""
STUCK_SECONDS = 2.0


@contextmanager
def stopped_at(place: int, action: Callable[[], object]) -> Iterator[list[str]]:
    """Call `action` before the `place`-th line of streamkit in this thread; gives the lines so far."""
    lines: list[str] = []

    def trace(frame: FrameType, event: str, _: object) -> Any:
        module = frame.f_globals.get("__name__", "")
        if not (module.startswith("streamkit._") or frame.f_code.co_filename.startswith("<streamkit")):
            return None
        if event == "line":
            lines.append(f"{frame.f_code.co_qualname}, line {frame.f_lineno}")
            if len(lines) == place:
                sys.settrace(None)
                action()
                sys.settrace(trace)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lines
    finally:
        sys.settrace(before)


class Meeting:
    """A push source of two places with some items in it, and what both sides were told."""

    def __init__(self, name: str, held: int) -> None:
        self.dropped: list[Any] = []
        self.strategy = MAKERS[name](2, lambda item, reason: self.dropped.extend(item))
        self.stream, self.emitter = push(self.strategy)
        self.outcomes: Counter[Offered] = Counter()
        self.accepted: list[int] = []
        self.got: list[Any] = []
        self.error: BaseException | None = None
        for number in range(held):
            self.put(self.emitter.offer, number)

    def put(self, way: Callable[..., Offered], number: int, **options: float) -> None:
        try:
            outcome = way((number,), **options)
        except TimeoutError:
            outcome = Offered.FULL
        except EmitterClosedError:
            outcome = Offered.CLOSED
        self.outcomes[outcome] += 1
        if outcome is Offered.ACCEPTED:
            self.accepted.append(number)

    async def read(self, pauses: dict[int, asyncio.Event]) -> None:
        """Take everything, but after so many items wait until it is time for more."""
        try:
            async with asyncio.timeout(STUCK_SECONDS), self.stream.open() as items:
                async for item in items:
                    self.got.append(item)
                    if len(self.got) in pauses:
                        await pauses[len(self.got)].wait()
        except Exception as error:
            self.error = error

    def produce(self, first: int) -> None:
        self.put(self.emitter.offer, first)
        self.put(self.emitter.send_blocking, first + 1, timeout=0.0)
        self.emitter.fail(Boom("last"))

    def check(self) -> None:
        stats = self.emitter.stats()
        expected = BufferOverflowError if self.strategy.fails else Boom
        assert isinstance(self.error, (expected, Boom)), repr(self.error)
        check_sum(stats)
        check_told(stats, self.outcomes, self.dropped, self.got)
        if self.strategy.drops_incoming:
            assert self.outcomes[Offered.DROPPED] == stats.dropped
        if self.strategy.loses == "nothing":
            assert keys(self.got) == self.accepted
        assert keys(self.got) == sorted(keys(self.got))


def everywhere(name: str, meet: Callable[[int], tuple[Meeting, list[str]]]) -> None:
    """Let two sides meet at every line that there is, and tell at which of them something went wrong.

    In the default tier at every few lines, from another line on for each strategy: they share most lines.
    """
    failures: list[str] = []
    stride = tiers.stride(5)
    place = 1 + [*MAKERS].index(name) % stride
    while True:
        meeting, lines = meet(place)
        if len(lines) < place:
            break
        try:
            meeting.check()
        except AssertionError as error:
            failures.append(f"stopped before {lines[place - 1]}: {str(error).partition(chr(10))[0]}")
        place += stride
    assert place > 10, "nothing was traced"
    assert not failures, "\n".join(failures)


@every_strategy
def test_nothing_is_lost_where_a_producer_comes_between_any_two_lines_of_the_reader(name: str) -> None:
    def meet(place: int) -> tuple[Meeting, list[str]]:
        meeting = Meeting(name, 2)
        producer = threading.Thread(target=meeting.produce, args=(2,))

        def start() -> None:
            if producer.ident is None:
                producer.start()
                producer.join(BLOCKED_SECONDS)

        async def main() -> None:
            reader = asyncio.create_task(meeting.read({}))
            await turns()
            start()
            await reader

        with stopped_at(place, start) as lines:
            runner.run(main())
        producer.join()
        return meeting, lines

    with asyncio.Runner() as runner:
        everywhere(name, meet)


@pytest.fixture
def elsewhere() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in another thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@every_strategy
def test_nothing_is_lost_where_the_reader_comes_between_any_two_lines_of_a_producer(
    name: str, elsewhere: asyncio.AbstractEventLoop
) -> None:
    def there(work: Any, seconds: float | None = None) -> None:
        wait([asyncio.run_coroutine_threadsafe(work, elsewhere)], seconds)

    def meet(place: int) -> tuple[Meeting, list[str]]:
        meeting = Meeting(name, 1)
        more, rest = asyncio.Event(), asyncio.Event()
        reader = asyncio.run_coroutine_threadsafe(meeting.read({1: more, 4: rest}), elsewhere)
        there(turns())
        meeting.put(meeting.emitter.offer, 1)
        meeting.put(meeting.emitter.offer, 2)

        def take() -> None:
            elsewhere.call_soon_threadsafe(more.set)
            there(turns(), BLOCKED_SECONDS)

        with stopped_at(place, take) as lines:
            meeting.produce(3)
        elsewhere.call_soon_threadsafe(more.set)
        elsewhere.call_soon_threadsafe(rest.set)
        reader.result()
        return meeting, lines

    everywhere(name, meet)


async def turns() -> None:
    """Let everyone in this loop go on until nobody can."""
    for _ in range(8):
        await asyncio.sleep(0)
