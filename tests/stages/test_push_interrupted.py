"""push: an emitter that is called in the middle of another call of the same thread, at each step of it.

A signal handler, a ``__del__`` or a profiler does that. No item is lost, each becomes what was answered, and
the accounts come out.
"""

import asyncio
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import streamkit
from streamkit import Emitter, EmitterClosedError, Offered, Strategy, Suspend, push
from tests.laws.lab import Boom
from tests.laws.push_account import MAKERS, check_sum, check_told, every_strategy, keys
from tests.patience import done_in_time
from tests.stages.pushing import ACCEPTED, CLOSED, virtual
from tests.tiers import stride

PACKAGE = str(Path(streamkit.__file__).parent)
CAPACITY = 2
ROOMY = 9
"""A capacity with which some items go in the short way."""


@contextmanager
def interrupted(act: Callable[[], object], at: int) -> Iterator[list[int]]:
    """Call `act` once, at the step `at` of what this thread does in streamkit: lines, calls and returns.

    Yields a list, into which how many steps there were goes.
    """
    steps = [0]

    def step(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return step
        steps[0] += 1
        if steps[0] == at + 1:
            sys.settrace(None)
            sys.setprofile(None)
            act()
        return step

    def call(frame: FrameType, event: str, argument: Any) -> None:
        if event.startswith("c_"):  # before and after what is written in C, such as an append
            step(frame, event, argument)

    before = sys.gettrace(), sys.getprofile()
    sys.setprofile(call)
    sys.settrace(step)
    try:
        yield steps
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])


class Producer:
    """Offers items to an emitter, and knows what it was told of each."""

    def __init__(self, name: str, capacity: int) -> None:
        self.dropped: list[int] = []
        self.stream, self.emitter = push(MAKERS[name](capacity, lambda item, _: self.dropped.extend(item)))
        self.outcomes: dict[int, Offered] = {}
        self.got: list[Any] = []
        self.number = 0

    def offer(self, times: int = 1) -> None:
        for _ in range(times):
            self._offer()

    def _offer(self) -> None:
        self.number += 1
        number = self.number
        self.outcomes[number] = self.emitter.offer((number,))

    def check(self) -> None:
        stats = self.emitter.stats()
        check_sum(stats)
        counted = Counter(self.outcomes.values())
        assert self.emitter.closed
        check_told(stats, counted, self.dropped, self.got)
        given = [number for number, outcome in self.outcomes.items() if outcome]
        if stats.strategy is not None and stats.strategy.loses == "nothing":
            assert sorted(keys(self.got)) == sorted(given)


def read(producer: Producer) -> None:
    error = None

    async def main() -> None:
        async for item in producer.stream:
            producer.got.append(item)

    try:
        asyncio.run(main())
    except Exception as failed:
        error = failed
    strategy = producer.emitter.stats().strategy
    assert error is None or isinstance(error, Boom) or (strategy is not None and strategy.fails), error


def every_step(play: Callable[[int], int]) -> None:
    """Play it again and again, interrupted at one step after the other, until there are no more.

    In the default tier only at each nineteenth.
    """
    at = 0
    while at < play(at):
        at += stride(19)
    assert at > 10, "nothing was interrupted"


def offer_and_close(producer: Producer) -> None:
    producer.offer()
    producer.emitter.close()
    producer.offer()


INTERRUPTIONS: dict[str, Callable[[Producer], object]] = {
    "offer": lambda producer: producer.offer(),
    "offers": lambda producer: producer.offer(ROOMY),
    "close": lambda producer: producer.emitter.close(),
    "fail": lambda producer: producer.emitter.fail(Boom("interrupted")),
    "stats": lambda producer: check_sum(producer.emitter.stats()),
    "offer and close": offer_and_close,
}


@pytest.mark.spread
@pytest.mark.parametrize("capacity", [1, CAPACITY, ROOMY])
@pytest.mark.parametrize("interruption", INTERRUPTIONS)
@every_strategy
def test_an_offer_may_be_interrupted_at_each_step(name: str, interruption: str, capacity: int) -> None:
    def play(at: int) -> int:
        producer = Producer(name, capacity)
        with interrupted(lambda: INTERRUPTIONS[interruption](producer), at) as steps:
            for _ in range(3):
                producer.offer()
        producer.offer()
        producer.emitter.close()
        read(producer)
        producer.check()
        return steps[0]

    every_step(play)


@pytest.mark.spread
@pytest.mark.parametrize("interruption", ["offer", "offers", "close", "fail"])
@every_strategy
def test_a_reader_may_be_interrupted_at_each_step(name: str, interruption: str) -> None:
    def play(at: int) -> int:
        producer = Producer(name, CAPACITY)
        for _ in range(CAPACITY):
            producer.offer()
        steps = [0]

        async def main() -> None:
            async with producer.stream.open() as items:
                with interrupted(lambda: INTERRUPTIONS[interruption](producer), at) as counted:
                    producer.got.append(await anext(items))
                steps[0] = counted[0]
                producer.emitter.close()
                async for item in items:
                    producer.got.append(item)

        try:
            asyncio.run(main())
        except Boom:
            assert interruption == "fail"
        except Exception:
            assert name == "Fail"
        producer.check()
        return steps[0]

    every_step(play)


@pytest.mark.spread
@pytest.mark.parametrize("ends", [lambda emitter: emitter.close(), lambda emitter: emitter.fail(Boom("end"))])
@every_strategy
def test_the_end_may_be_interrupted_at_each_step(name: str, ends: Callable[[Emitter[Any]], bool]) -> None:
    def play(at: int) -> int:
        producer = Producer(name, CAPACITY)
        producer.offer()
        with interrupted(producer.offer, at) as steps:
            assert ends(producer.emitter)
        assert producer.emitter.offer((0,)) is CLOSED
        producer.outcomes[0] = CLOSED
        read(producer)
        producer.check()
        return steps[0]

    every_step(play)


def test_send_blocking_holds_no_call_that_it_interrupts() -> None:
    def play(at: int) -> int:
        _, emitter = push(Suspend(1))
        told: list[Offered] = []

        def send() -> None:
            try:
                told.append(emitter.send_blocking(1, timeout=0.0))
            except TimeoutError:
                told.append(Offered.FULL)

        with interrupted(send, at) as steps:
            emitter.offer(2)
        assert len(told) == (at < steps[0])
        stats = emitter.stats()
        check_sum(stats)
        assert stats.held == 1
        return steps[0]

    every_step(play)


def test_a_send_that_is_let_go_in_a_call_gives_up_its_place() -> None:
    def play(at: int) -> int:
        stream, emitter = push(Suspend(1))
        emitter.offer(1)
        sender: Any = emitter.send(2)
        loop = asyncio.new_event_loop()
        try:
            task = loop.create_task(sender)
            loop.run_until_complete(asyncio.sleep(0))
            with interrupted(task.get_coro().close, at) as steps:
                emitter.offer(3)
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        finally:
            loop.close()
        del task, sender
        emitter.close()
        assert list(stream) in ([1], [1, 2])
        check_sum(emitter.stats())
        return steps[0]

    every_step(play)


# signals -----------------------------------------------------------------------------------

needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="no signal can be sent to itself")


@contextmanager
def handled(number: int, act: Callable[[], object]) -> Iterator[None]:
    before = signal.signal(number, lambda *_: act())
    try:
        yield
    finally:
        signal.signal(number, before)


@needs_signals
@pytest.mark.parametrize("end", ["offer", "close"])
def test_a_handler_wakes_a_reader_whose_loop_is_asleep(end: str) -> None:
    """The handler runs in the thread of the loop, which waits for the system, and does not look by itself."""
    stream, emitter = push(Suspend(1))
    act: Any = (lambda: emitter.offer(1)) if end == "offer" else emitter.close

    async def main() -> list[int]:
        async for item in stream:
            return [item]
        return []

    with handled(signal.SIGUSR1, act):
        sender = threading.Timer(0.05, signal.pthread_kill, (threading.get_ident(), signal.SIGUSR1))
        sender.start()
        found = done_in_time(main)
        sender.join()
    assert found == ([1] if end == "offer" else [])


@needs_signals
def test_a_handler_lets_a_sender_go_whose_loop_is_asleep() -> None:
    _, emitter = push(Suspend(1))
    emitter.offer(1)

    async def main() -> None:
        with pytest.raises(EmitterClosedError):
            await emitter.send(2)

    with handled(signal.SIGUSR1, emitter.close):
        sender = threading.Timer(0.05, signal.pthread_kill, (threading.get_ident(), signal.SIGUSR1))
        sender.start()
        done_in_time(main)
        sender.join()


@virtual
async def test_what_an_item_offers_while_it_is_pickled_comes_after_it() -> None:
    class Talking:
        def __reduce__(self) -> Any:
            assert emitter.offer("of the item") is ACCEPTED
            return str, ("item",)

    strategy: Strategy = streamkit.Spill(1)
    stream, emitter = push(strategy)
    for item in ("first", Talking()):
        emitter.offer(item)
    emitter.close()
    assert [item async for item in stream] == ["first", "item", "of the item"]
