"""A thread that is held owns locks; the event loop goes on, whichever of them it wants."""

import asyncio
import contextlib
import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import reactivex
from reactivex import operators as of
from reactivex.scheduler import NewThreadScheduler
from reactivex.subject import Subject

from streamkit import BufferOverflowError, Collect, Suspend, rx
from tests.patience import comes, result_of
from tests.rx.observables import Source, drained, threads
from tests.stages.owning import OWNERS

HANG = 60.0
"""Seconds after which a process whose loop stands still, which one operator keeps busy for half of one, is
ended with the stacks of its threads."""

THROUGH_OPERATORS = f"""
import asyncio, faulthandler, reactivex
from reactivex import operators as of
from reactivex.scheduler import NewThreadScheduler, ThreadPoolScheduler
from streamkit import BufferOverflowError, Stream, Suspend, ops, rx
SOON = 0.0001
ticks = lambda: reactivex.interval(SOON)
soon = lambda _: reactivex.timer(SOON)
MADE = [
    of.delay(SOON), of.delay_with_mapper(soon), of.delay_subscription(SOON), of.debounce(SOON / 10),
    of.throttle_with_mapper(soon), of.throttle_first(SOON), of.sample(SOON), of.sample(ticks()),
    of.timeout(5.0), of.timeout_with_mapper(reactivex.never(), lambda _: reactivex.timer(5.0)),
    of.buffer_with_time(SOON), of.buffer_with_time_or_count(SOON, 3), of.buffer(ticks()),
    of.buffer_when(lambda: reactivex.timer(SOON)), of.buffer_toggle(ticks(), soon),
    of.compose(of.window_with_time(SOON), of.merge_all()),
    of.compose(of.window_with_time_or_count(SOON, 3), of.merge_all()),
    of.compose(of.window(ticks()), of.merge_all()),
    of.compose(of.map(soon), of.switch_latest()), of.compose(of.map(soon), of.merge(max_concurrent=2)),
    of.flat_map(soon), of.flat_map_latest(soon), of.concat_map(soon), of.switch_map(soon),
    of.merge(ticks()), of.combine_latest(ticks()), of.with_latest_from(ticks()), of.zip(ticks()),
    of.amb(ticks()), of.concat(ticks()), of.start_with(-1), of.join(ticks(), soon, soon),
    of.skip_until(reactivex.timer(SOON)), of.take_until(reactivex.timer(0.05)),
    of.skip_with_time(SOON), of.take_with_time(0.05), of.take_last_with_time(SOON),
    of.skip_last_with_time(SOON),
    of.observe_on(NewThreadScheduler()), of.observe_on(ThreadPoolScheduler(2)),
    of.subscribe_on(NewThreadScheduler()),
    of.compose(of.publish(), of.ref_count()), of.share(), of.compose(of.replay(3), of.ref_count()),
    of.compose(of.delay(SOON), of.merge(ticks()), of.observe_on(NewThreadScheduler())),
    of.compose(of.merge(ticks()), of.repeat(3)), of.compose(of.delay(SOON), of.retry(3)),
    of.time_interval(), of.timestamp(), of.scan(lambda a, b: b), of.pairwise(),
]
async def slowly(item):
    await asyncio.sleep(0.002)
    return item
async def source():
    for item in range(100):
        await asyncio.sleep(0)
        yield item
async def main():
    for made in MADE:
        faulthandler.dump_traceback_later({HANG}, exit=True)
        stream = Stream(source) | rx.operator(made, strategy=Suspend(1)) | ops.take(10) | ops.map(slowly)
        try:
            await asyncio.wait_for(stream | ops.to_list(), 0.5)
        except (BufferOverflowError, TimeoutError):
            continue
    print("through", len(MADE))
asyncio.run(main())
"""


@pytest.mark.full
def test_of_every_operator_with_a_lock_or_a_timer_never_freeze_the_loop() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THROUGH_OPERATORS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "through" in done.stdout, done.stderr


@contextmanager
def hang_guarded(seconds: float = 20.0) -> Iterator[None]:
    """Fail, rather than hang, where the loop's thread stays in a lock: a thread would have to free it."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


over = threading.Event()
"""Ends the endless sources: behind a ``merge``, RxPY itself never ends a thread that does not stop."""


@pytest.fixture(autouse=True)
def endless_sources_end() -> Iterator[None]:
    over.clear()
    yield
    over.set()


def fast() -> Any:
    numbers = itertools.takewhile(lambda _: not over.is_set(), itertools.count())
    return reactivex.from_iterable(numbers).pipe(of.subscribe_on(NewThreadScheduler()))


SHARED: dict[str, Callable[[Subject[Any]], Any]] = {
    "merge": lambda subject: reactivex.merge(fast(), subject),
    "merge after a map": lambda subject: reactivex.merge(fast().pipe(of.map(str)), subject),
    "three in a merge": lambda subject: reactivex.merge(fast(), fast(), subject),
    "combine_latest": lambda subject: reactivex.combine_latest(fast(), subject.pipe(of.start_with(0))),
    "with_latest_from": lambda subject: fast().pipe(of.with_latest_from(subject.pipe(of.start_with(0)))),
    "inside subscribe": lambda subject: reactivex.merge(fast(), reactivex.of(1, 2), subject),
}

MAY_OVERFLOW = {"inside subscribe": (BufferOverflowError,)}
"""Where there may be no room for what is emitted inside subscribe: that is an error, and no hang."""


@pytest.mark.spread
@pytest.mark.parametrize("strategy", [Suspend(1), Suspend(4), Collect(2)], ids=repr)
@pytest.mark.parametrize("shared", SHARED)
def test_that_a_callback_of_the_loop_wants_too_is_let_go(shared: str, strategy: Any) -> None:
    async def main() -> None:
        subject: Any = Subject()
        async with rx.from_observable(SHARED[shared](subject), strategy=strategy).open() as items:
            for number in range(5):
                await anext(items)
                await asyncio.sleep(0.01)
                subject.on_next(number)
            for _ in range(20):
                await anext(items)

    with hang_guarded(), contextlib.suppress(*MAY_OVERFLOW.get(shared, ())):
        asyncio.run(main())


@pytest.mark.parametrize("owner", OWNERS)
def test_of_the_programs_own_is_let_go(owner: str) -> None:
    async def main() -> None:
        own, source = OWNERS[owner](), Source()

        def emit() -> None:
            with own.hold:
                own.owned.set()
                for number in range(6):
                    observer.on_next(number)

        async with source.stream(Suspend(2)).open() as items:
            observer = source.observer
            with threads(emit) as (emitter,):
                assert comes(own.owned.wait)
                own.take(emitter)
                assert [await anext(items) for _ in range(6)] == [*range(6)]

    with hang_guarded():
        asyncio.run(main())


def test_a_plain_for_that_is_stepped_in_one_thread_after_another() -> None:
    """Which thread reads, and may not be held, is the one of the latest step."""
    subject: Any = Subject()
    items, got = iter(rx.from_observable(subject, strategy=Suspend(1))), list[Any]()
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        begun = first.submit(next, items)
        while not subject.observers:
            time.sleep(0.001)
        subject.on_next(0)
        assert result_of(begun) == 0
        waits = second.submit(next, items)
        subject.on_next(1)
        assert result_of(waits) == 1
        held = first.submit(lambda: [subject.on_next(number) for number in range(2, 6)])
        held.add_done_callback(lambda _: subject.on_completed())
        while (item := result_of(second.submit(next, items, None))) is not None:
            got.append(item)
    assert got == [2, 3, 4, 5]


def test_a_delay_of_a_subject_that_the_loop_feeds() -> None:
    async def main() -> list[Any]:
        subject: Any = Subject()
        stream = rx.from_observable(subject.pipe(of.delay(0.0001)), strategy=Suspend(1))
        got: list[Any] = []
        async with stream.open() as items:
            for number in range(30):
                subject.on_next(number)
                await asyncio.sleep(0.001)
            async for item in items:
                got.append(item)
                if item == 29:
                    return got
        return got

    with hang_guarded():
        assert asyncio.run(main()) == [*range(30)]


@pytest.mark.parametrize("rest", [lambda: time.sleep(0.2), lambda: sum(range(5_000_000))])
def test_a_loop_that_is_merely_busy_or_idle_lets_nothing_in_beyond_the_capacity(rest: Any) -> None:
    async def main() -> None:
        async with rx.from_observable(fast(), strategy=Suspend(3)).open() as items:
            await anext(items)
            rest()
            await asyncio.sleep(0.1)
            seen = [await anext(items) for _ in range(5)]
            assert seen == [1, 2, 3, 4, 5]

    before = rx.incoming.Observed.let_in  # type: ignore[attr-defined]
    let_in: list[Any] = []
    rx.incoming.Observed.let_in = lambda self, waiter: (let_in.append(waiter), before(self, waiter))[1]  # type: ignore[attr-defined]
    try:
        asyncio.run(main())
    finally:
        rx.incoming.Observed.let_in = before  # type: ignore[attr-defined]
    assert not let_in


def test_that_is_never_let_go_ends_the_stream_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamkit._stages.hold._BEYOND", 5)

    async def main() -> None:
        lock, source, got = threading.Lock(), Source(), list[Any]()

        def emit() -> None:
            with lock:
                for number in range(100):
                    observer.on_next(number)

        async with source.stream(Suspend(2)).open() as items:
            observer = source.observer
            with threads(emit):
                await asyncio.sleep(0.05)
                with lock:
                    pass
                error = await drained(items, got)
        assert isinstance(error, BufferOverflowError)
        assert "waits for a lock" in str(error)
        assert got == [*range(7)]

    with hang_guarded():
        asyncio.run(main())
