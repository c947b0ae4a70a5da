"""Law 8 at push sources: nothing is lost where one side comes between any two lines of the other."""

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from streamkit import BufferOverflowError, EmitterClosedError, Offered, push
from tests import tiers
from tests.laws.lab import Boom
from tests.laws.push_account import MAKERS, check_sum, check_told, every_strategy, keys, turns

# Below, the threads' turns are no matter of luck: one side is stopped before every line of the package that
# it runs, one after the other, and the other side goes on meanwhile as far as it gets.

BLOCKED_SECONDS = 0.005
"""How long the other side is waited for: it is blocked where the side that was stopped holds the lock."""
STUCK_SECONDS = 30.0


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
    stride = tiers.stride(27)
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
