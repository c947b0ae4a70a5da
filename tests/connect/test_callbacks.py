"""Clients with threads of their own: how they are opened, closed, and held up."""

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import (
    Backoff,
    Collect,
    DropOldest,
    EmitterClosedError,
    Fail,
    Gap,
    Stream,
    Suspend,
    connect,
    ops,
)
from streamkit.connect import HeartbeatLostError, Reconnect, Sender
from streamkit.testing import run

SOON = Reconnect(Backoff(1.0, factor=1.0, jitter=0.0))


def client(
    act: Callable[[Sender[Any]], object], closed: list[str] | None = None
) -> Callable[[Sender[Any]], Any]:
    """A client that acts when it is opened, and notes in which thread it was closed."""

    def open_client(sender: Sender[Any]) -> Callable[[], object]:
        act(sender)
        return lambda: None if closed is None else closed.append(threading.current_thread().name)

    return open_client


async def items(stream: Stream[Any]) -> list[Any]:
    return await (stream | ops.to_list())


def sends(*sent: Any) -> Callable[[Sender[Any]], object]:
    def act(sender: Sender[Any]) -> None:
        for item in sent:
            sender.offer(item)
        sender.end()

    return act


def test_it_is_opened_and_closed_in_a_thread_that_is_not_the_loops() -> None:
    closed: list[str] = []
    opened: list[str] = []

    def act(sender: Sender[Any]) -> None:
        opened.append(threading.current_thread().name)
        sends(1, 2)(sender)

    stream = connect.threaded(client(act, closed), strategy=Suspend(2))
    assert run(lambda: items(stream)) == [1, 2]
    assert len(opened) == len(closed) == 1
    assert threading.current_thread().name not in opened + closed
    assert str(stream.explain()).splitlines()[-1] == "bound: 2 items inside at most, 2 items read ahead"


def test_what_is_held_is_delivered_before_a_failure_is_seen() -> None:
    fails = [True]

    def act(sender: Sender[Any]) -> None:
        for item in "abc":
            sender.offer(item)
        sender.fail("lost") if fails.pop(0) else sender.end()
        assert not sender.offer("late")
        with pytest.raises(EmitterClosedError):
            sender.send("late")

    fails += [False]
    found = run(lambda: items(connect.threaded(client(act), strategy=DropOldest(2), reconnect=SOON)))
    assert [each for each in found if not isinstance(each, Gap)] == ["b", "c", "b", "c"]
    assert found[2].reason == "ConnectionError: lost"


def test_no_operator_takes_its_buffer_over_as_each_connection_has_another() -> None:
    stream = connect.threaded(client(sends(1, 2, 3)), strategy=DropOldest(2)) | ops.throttle(1.0)
    assert run(lambda: items(stream)) == [2, 3]


def test_a_thread_that_sends_waits_for_room_and_is_let_go_when_the_consumer_leaves() -> None:
    ended = threading.Event()

    def act(sender: Sender[Any]) -> None:
        def work() -> None:
            try:
                for number in range(1000):
                    sender.send(number)
            except EmitterClosedError:
                ended.set()

        thread = threading.Thread(target=work)
        thread.start()

    async def main() -> None:
        stream = connect.threaded(client(act), strategy=Suspend(3))
        async with stream.open() as found:
            assert [await anext(found) for _ in range(20)] == [*range(20)]
        assert await asyncio.to_thread(ended.wait, 10.0)

    run(main, threads=True)


def test_one_item_too_many_under_fail_ends_the_stream() -> None:
    def act(sender: Sender[Any]) -> None:
        assert [sender.offer(item) for item in "abc"] == [True, True, False]

    with pytest.raises(BufferError):
        run(lambda: items(connect.threaded(client(act), strategy=Fail(2), reconnect=SOON)))


def test_what_opens_may_fail_and_defects_end_it() -> None:
    calls = 0

    def refused(sender: Sender[Any]) -> Any:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise ConnectionRefusedError("nobody")
        sends("at last")(sender)
        return print

    assert run(lambda: items(connect.threaded(refused, strategy=Suspend(1), reconnect=SOON))) == ["at last"]
    for wrong, error, words in (
        (lambda _: 3, TypeError, "must return what closes the client, not 3"),
        (lambda _: {}["x"], KeyError, "x"),
    ):
        with pytest.raises(error, match=words):
            run(lambda wrong=wrong: items(connect.threaded(wrong, strategy=Suspend(1))))  # type: ignore[misc]


def test_a_consumer_that_leaves_while_it_is_opened_waits_for_that_and_closes_it() -> None:
    closed: list[str] = []
    left = threading.Event()

    def slow(sender: Sender[Any]) -> Any:
        left.wait(30)
        return lambda: closed.append("closed")

    def slow_and_failing(sender: Sender[Any]) -> Any:
        left.wait(30)
        raise LookupError("late")

    async def main() -> None:
        for each in (slow, slow_and_failing):
            left.clear()
            reading = asyncio.create_task(items(connect.threaded(each, strategy=Suspend(1))))
            for _ in range(2):
                await asyncio.sleep(0)
            reading.cancel()
            await asyncio.sleep(0)
            assert not reading.done()
            left.set()
            with pytest.raises(asyncio.CancelledError):
                await reading
        assert closed == ["closed"]

    asyncio.run(main())


def test_a_beat_keeps_it_alive_and_silence_does_not() -> None:
    times: list[float] = []

    async def main() -> None:
        senders: list[Sender[Any]] = []
        stream = connect.threaded(
            client(senders.append), strategy=Suspend(1), heartbeat=10.0, reconnect=Reconnect(threshold=1)
        )
        reading = asyncio.create_task(items(stream))
        loop = asyncio.get_running_loop()
        for _ in range(5):
            await asyncio.sleep(9.0)
            senders[0].beat()
        with pytest.raises(HeartbeatLostError):
            await reading
        times.append(loop.time())

    run(main)
    assert times == [55.0]


def test_an_error_that_a_client_fails_with_may_be_of_any_kind() -> None:
    for error, kind in ((TimeoutError("t"), TimeoutError), (ValueError("v"), ConnectionError)):
        stream = connect.threaded(
            client(lambda sender, error=error: sender.fail(error)),  # type: ignore[misc]
            strategy=Suspend(1),
            heartbeat=None if kind is TimeoutError else 5.0,
            reconnect=Reconnect(threshold=1),
        )
        with pytest.raises(kind) as caught:
            run(lambda stream=stream: items(stream))  # type: ignore[misc]
        assert error in (caught.value, caught.value.__cause__)


def test_a_callback_that_fails_tells_the_stream_and_not_the_client() -> None:
    answers: list[Any] = []

    def act(sender: Sender[Any]) -> None:
        answers.append(sender.guarded(lambda number, *, by: number / by)(4, by=2))
        answers.append(sender.guarded(lambda number, *, by: number / by)(4, by=0))

    with pytest.raises(ConnectionError, match="ZeroDivisionError: division by zero"):
        run(
            lambda: items(
                connect.threaded(client(act), strategy=Suspend(1), reconnect=Reconnect(threshold=1))
            )
        )
    assert answers == [2.0, None]


def test_a_thread_is_watched_from_its_start() -> None:
    def act(sender: Sender[Any]) -> None:
        thread = threading.Thread(target=lambda: None, name="worker")
        sender.watch(thread)
        thread.start()
        thread.join()
        with pytest.raises(ValueError, match="before it is started"):
            sender.watch(thread)

    with pytest.raises(ConnectionError, match="the thread worker has ended"):
        run(
            lambda: items(
                connect.threaded(client(act), strategy=Suspend(1), reconnect=Reconnect(threshold=1))
            )
        )


def test_wrong_arguments_are_told_at_the_call() -> None:
    threaded: Any = connect.threaded
    for words, more in (
        ("open must be", {"open": 3}),
        ("strategy must be", {"strategy": 3}),
        ("strategy must be one that passes items on", {"strategy": Collect(3)}),
        ("heartbeat must be", {"heartbeat": 0.0}),
        ("reconnect must be", {"reconnect": 3}),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            threaded(**{"open": print, "strategy": Suspend(1), **more})


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_a_thread_or_the_client_raises_beside_usual_errors_ends_the_connection() -> None:
    def leaves(sender: Sender[Any]) -> None:
        thread = threading.Thread(target=sys.exit, args=("told to leave",))
        sender.watch(thread)
        thread.start()

    def stops(_sender: Sender[Any]) -> None:
        next(iter(()))

    async def main() -> None:
        for act, error, says in (
            (leaves, ConnectionError, "the thread .* has ended"),
            (stops, RuntimeError, "has raised StopIteration"),
        ):
            with pytest.raises(error, match=says):
                await items(connect.threaded(client(act), strategy=Fail(1), reconnect=Reconnect(threshold=1)))

    run(main, threads=True, limit=60.0)
