"""Changes of a shared channel: how long callbacks may go on, and what a producer is told."""

import asyncio
from collections.abc import Callable
from threading import Event, Thread, get_ident
from time import sleep
from typing import Any

import pytest

from streamkit import (
    Conflate,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Fail,
    Offered,
    RunningLoopError,
    Strategy,
    Suspend,
    push,
)
from streamkit._engine.buffer.changes import Accepted
from streamkit._engine.buffer.meanwhile import CHAIN
from streamkit._engine.buffer.threads import SharedChannel
from streamkit.testing import run
from tests.patience import comes, joined

ACCEPTED, DROPPED, FULL, CLOSED = Offered


class TestChains:
    """What a callback offers makes it be called again: that may go on for so long, and no longer."""

    @pytest.mark.parametrize("kind", [DropIncoming, DropOldest])
    @pytest.mark.parametrize(("calls", "error"), [(CHAIN, None), (CHAIN + 1, RuntimeError)])
    def test_of_on_drop(
        self, kind: Callable[..., Strategy], calls: int, error: type[Exception] | None
    ) -> None:
        left = calls

        def on_drop(item: Any, why: str) -> None:
            nonlocal left
            if left:
                left -= 1
                emitter.offer("more")

        stream, emitter = push(kind(1, on_drop=on_drop))
        emitter.offer("first")
        emitter.offer("second")
        emitter.close()
        if error is None:
            assert len(list(stream)) == 1
        else:
            with pytest.raises(error, match=r"^Drop\w+\(capacity=1.*\): its on_drop offers"):
                list(stream)
        assert left == 0

    @pytest.mark.parametrize(("calls", "error"), [(CHAIN, None), (CHAIN + 1, RuntimeError)])
    def test_of_a_fold(self, calls: int, error: type[Exception] | None) -> None:
        left = calls

        def fold(before: int, item: int) -> int:
            nonlocal left
            if left:
                left -= 1
                emitter.offer(1)
            return before + item

        stream, emitter = push(Conflate(fold))
        emitter.offer(1)
        emitter.offer(1)
        emitter.close()
        if error is None:
            assert list(stream) == [CHAIN + 2]
        else:
            with pytest.raises(error, match="its fold offers"):
                list(stream)
        assert left == 0


ANSWERS: list[tuple[Strategy, list[Offered]]] = [
    (Suspend(2), [ACCEPTED, ACCEPTED, FULL, FULL]),
    (Fail(2), [ACCEPTED, ACCEPTED, FULL, CLOSED]),
    (DropIncoming(2), [ACCEPTED, ACCEPTED, DROPPED, DROPPED]),
    (DropOldest(2), [ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED]),
    (Conflate(lambda one, other: other), [ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED]),
]


@pytest.mark.parametrize(("strategy", "answers"), ANSWERS)
def test_what_became_of_an_item_is_answered(strategy: Strategy, answers: list[Offered]) -> None:
    _, emitter = push(strategy)
    assert [emitter.offer(number) for number in range(4)] == answers
    emitter.close()
    assert emitter.offer("late") is CLOSED


def test_a_reader_that_begins_to_wait_sees_what_came_in_a_change() -> None:
    async def main() -> None:
        channel = SharedChannel(Suspend(9)).begin()
        with channel.lock:  # a change, which a handler interrupts
            assert channel.offer("item") is ACCEPTED
        assert await asyncio.wait_for(channel.wait(), 1.0)
        assert channel.pop() == "item"

    run(main)


def test_another_thread_wakes_a_waiting_reader_once_for_all_that_it_does_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        channel = SharedChannel(Suspend(9)).begin()
        loop, wakes = asyncio.get_running_loop(), list[Any]()
        threadsafe = loop.call_soon_threadsafe
        monkeypatch.setattr(
            loop, "call_soon_threadsafe", lambda call: (wakes.append(call), threadsafe(call))[1]
        )
        for number, does in enumerate([channel.offer, lambda item: (channel.offer(item), channel.end())]):
            waits = asyncio.create_task(channel.wait())
            await asyncio.sleep(0)
            other = Thread(target=does, args=[number])
            other.start()
            assert joined(other)  # and the loop runs nothing meanwhile
            assert len(wakes) == number + 1
            assert await waits
            assert channel.pop() == number

    asyncio.run(main())


@pytest.mark.parametrize("more", [1, 3])
def test_how_much_was_held_at_most_is_known_after_an_interruption_too(more: int) -> None:
    channel, told = SharedChannel(Suspend(20)), Accepted("item")
    told.outcome = ACCEPTED
    for number in range(3):
        channel.offer(number)
    with channel.lock:
        channel.give_up(told)
    for number in range(3, 3 + more):
        channel.offer(number)
    assert [channel.pop() for _ in range(3)] == [0, 1, 2]
    channel.offer("one that comes when less is held")
    assert channel.stats()[0].held_at_most == 3 + more


def test_its_lane_bears_its_name_or_that_of_who_asks() -> None:
    channel = SharedChannel(Suspend(9))
    assert [each.operator for each in (*channel.stats(), *channel.stats("hold"))] == ["", "hold"]
    with channel.lock:
        assert [each.operator for each in (*channel.stats(), *channel.stats("hold"))] == ["", "hold"]


class Wanted:
    """The lock of a channel, which tells when somebody waits for it."""

    def __init__(self, channel: Any) -> None:
        self.lock, self.waits = channel.lock, Event()
        channel.lock = self

    def __enter__(self) -> None:
        if not self.lock.acquire(blocking=False):
            self.waits.set()
            self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def test_an_item_is_not_read_while_another_thread_folds_into_it() -> None:
    folds = Event()

    def fold(before: int, item: int) -> int:
        folds.set()
        return before + item if comes(lock.waits.wait) else -1

    stream, emitter = push(Conflate(fold))
    lock = Wanted(stream.source.value)
    emitter.offer(0)
    items = iter(stream)
    assert next(items) == 0
    emitter.offer(1)
    other = Thread(target=lambda: (emitter.offer(2), emitter.close()))
    other.start()
    assert comes(folds.wait)
    assert [*items] == [3]
    assert joined(other)


@pytest.mark.parametrize("strategy", [DropOldest(9), DropYoungest(9)], ids=repr)
def test_nor_while_one_may_drop_it(strategy: Strategy) -> None:
    stream, emitter = push(strategy)
    assert all(emitter.offer(number) for number in range(3))
    channel: Any = stream.source.value
    lock, begun, done = Wanted(channel), Event(), list[bool]()

    def change() -> None:
        with channel.lock:
            begun.set()
            done.append(comes(lock.waits.wait))

    items = iter(stream)
    assert next(items) == 0
    other = Thread(target=change)
    other.start()
    assert comes(begun.wait)
    assert (next(items), done) == (1, [True])
    assert joined(other)
    emitter.close()
    assert [*items] == [2]


def test_what_was_dropped_in_a_call_that_failed_is_told_of_too() -> None:
    told: list[Any] = []

    def on_drop(item: Any, why: str) -> None:
        told.append(item)
        if item == "second":
            emitter.offer("third")
            raise LookupError(why)

    stream, emitter = push(DropIncoming(1, on_drop=on_drop))
    emitter.offer("first")
    assert emitter.offer("second") is DROPPED
    assert told == ["second", "third"]
    with pytest.raises(LookupError, match="full"):
        list(stream)


def test_another_thread_may_tell_of_what_was_dropped_first() -> None:
    told: list[tuple[Any, int]] = []

    class Raced(SharedChannel):
        def tells(self) -> bool:
            """Looked at when something was lost, before that is told of."""
            before = super().tells()
            if not (before or self._meanwhile.owned()) and get_ident() == main:
                other = Thread(target=self.released)
                other.start()
                assert joined(other)
            return before

    main = get_ident()
    channel = Raced(DropIncoming(1, on_drop=lambda item, why: told.append((item, get_ident()))))
    assert [channel.offer(1), channel.offer(2)] == [ACCEPTED, DROPPED]
    assert [item for item, thread in told if thread != main] == [2]
    assert not channel.tells()


def test_the_first_error_of_on_drop_is_raised_where_the_reader_leaves_and_all_is_told() -> None:
    told: list[Any] = []

    def on_drop(item: Any, why: str) -> None:
        told.append(item)
        raise LookupError(item)

    channel = SharedChannel(DropOldest(2, on_drop=on_drop))
    assert [channel.offer(1), channel.offer(2)] == [ACCEPTED] * 2
    with pytest.raises(LookupError, match="1"):
        channel.leave()
    assert told == [1, 2]


def test_no_thread_that_reads_may_wait_for_itself_though_no_loop_runs_in_it_now() -> None:
    stream, emitter = push(Suspend(4))
    items = iter(stream)
    channel: Any = stream.source.value

    def producer() -> None:
        assert comes(lambda seconds: channel.asking or sleep(seconds))
        emitter.offer(1)

    other = Thread(target=producer)
    other.start()
    assert next(items) == 1
    assert joined(other)
    with pytest.raises(RunningLoopError, match="send_blocking would hold the thread that reads"):
        emitter.send_blocking(2)
    emitter.close()
    assert [*items] == []


def test_nor_may_one_that_has_read_and_never_waited() -> None:
    stream, emitter = push(Suspend(4))
    emitter.offer(0)
    items = iter(stream)
    assert next(items) == 0
    assert [emitter.offer(number) for number in range(1, 6)] == [ACCEPTED] * 4 + [FULL]
    with pytest.raises(RunningLoopError, match="send_blocking would hold the thread that reads"):
        emitter.send_blocking(6)
    emitter.close()
    assert [*items] == [1, 2, 3, 4]
