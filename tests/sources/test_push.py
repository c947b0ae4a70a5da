"""Sources that are filled from outside."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

import streamkit
from streamkit import (
    BufferOverflowError,
    DropIncoming,
    DropOldest,
    EmitterClosedError,
    Fail,
    KeepLatest,
    Offered,
    RunningLoopError,
    SourceConsumedError,
    Suspend,
    Unbounded,
    ops,
    push,
)
from streamkit.testing import run


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


class TestPush:
    def test_what_was_offered_comes_out_and_then_the_end(self) -> None:
        stream, emitter = push(Unbounded())
        assert [emitter.offer(item) for item in "abc"] == [Offered.ACCEPTED] * 3
        assert emitter.close()
        assert list(stream) == ["a", "b", "c"]

    def test_items_come_while_the_stream_is_read(self) -> None:
        async def main() -> list[tuple[float, str]]:
            stream, emitter = push(Suspend(1))
            loop = asyncio.get_running_loop()
            for number, letter in enumerate("abc", 1):
                loop.call_at(float(number), emitter.offer, letter)
            loop.call_at(4.0, emitter.close)
            return [(loop.time(), item) async for item in stream]

        assert run(main) == [(1.0, "a"), (2.0, "b"), (3.0, "c")]

    @pytest.mark.parametrize(
        ("strategy", "answers", "kept"),
        [
            (Suspend(2), ["accepted", "accepted", "full", "full"], [0, 1]),
            (DropIncoming(2), ["accepted", "accepted", "dropped", "dropped"], [0, 1]),
            (DropOldest(2), ["accepted"] * 4, [2, 3]),
            (KeepLatest(), ["accepted"] * 4, [3]),
            (Unbounded(), ["accepted"] * 4, [0, 1, 2, 3]),
        ],
        ids=repr,
    )
    def test_a_full_buffer_answers_as_its_strategy_says(
        self, strategy: Any, answers: list[str], kept: list[int]
    ) -> None:
        stream, emitter = push(strategy)
        assert [emitter.offer(number).value for number in range(4)] == answers
        emitter.close()
        assert list(stream) == kept

    def test_one_item_too_many_under_fail_ends_the_stream_after_what_is_held(self) -> None:
        stream, emitter = push(Fail(2))
        assert [emitter.offer(number) for number in range(4)][2:] == [Offered.FULL, Offered.CLOSED]
        seen: list[int] = []
        with pytest.raises(BufferOverflowError):
            (stream | ops.for_each(seen.append)).run()
        assert seen == [0, 1]

    def test_an_error_comes_after_what_is_held(self) -> None:
        stream, emitter = push(Suspend(9))
        error = OSError("gone")
        emitter.offer(1)
        assert emitter.fail(error)
        seen: list[int] = []
        with pytest.raises(OSError, match="gone") as caught:
            (stream | ops.for_each(seen.append)).run()
        assert (caught.value, seen) == (error, [1])

    def test_after_its_end_nothing_is_taken_in(self) -> None:
        _, emitter = push(Suspend(1))
        assert not emitter.closed
        assert emitter.close()
        assert emitter.closed
        assert (emitter.close(), emitter.fail(OSError())) == (False, False)
        assert emitter.offer(1) is Offered.CLOSED
        with pytest.raises(EmitterClosedError):
            run(emitter.send(1))
        with pytest.raises(EmitterClosedError):
            emitter.send_blocking(1)

    def test_when_the_consumer_leaves_what_is_held_is_dropped_and_offers_are_refused(self) -> None:
        dropped: list[tuple[int, str]] = []

        async def main() -> None:
            stream, emitter = push(DropOldest(5, on_drop=lambda item, why: dropped.append((item, why))))
            for number in range(3):
                emitter.offer(number)
            async with stream.open() as items:
                assert await anext(items) == 0
            assert dropped == [(1, "closed"), (2, "closed")]
            assert emitter.offer(9) is Offered.CLOSED

        run(main)

    def test_can_be_run_once(self) -> None:
        stream, emitter = push(Suspend(1))
        emitter.close()
        assert list(stream) == []
        with pytest.raises(SourceConsumedError, match=r"push\(Suspend\(capacity=1\)\) can be run only once"):
            list(stream | ops.map(str))

    def test_send_waits_for_room_and_keeps_the_order(self) -> None:
        async def main() -> list[tuple[float, int]]:
            stream, emitter = push(Suspend(1))
            loop = asyncio.get_running_loop()

            async def produce() -> None:
                for number in range(3):
                    await emitter.send(number)
                emitter.close()

            task = loop.create_task(produce())
            seen: list[tuple[float, int]] = []
            async for item in stream:
                await asyncio.sleep(10.0)
                seen.append((loop.time(), item))
            await task
            return seen

        assert run(main) == [(10.0, 0), (20.0, 1), (30.0, 2)]

    def test_a_send_that_is_cancelled_refuses_its_item(self) -> None:
        async def main() -> None:
            stream, emitter = push(Suspend(1))
            emitter.offer(0)
            task = asyncio.ensure_future(emitter.send(1))
            await asyncio.sleep(1.0)
            task.cancel()
            await asyncio.wait([task])
            emitter.close()
            assert await collect(stream) == [0]
            assert (emitter.stats().refused, emitter.stats().delivered) == (1, 1)

        run(main)

    def test_threads_are_held_by_a_full_buffer_and_lose_nothing(self) -> None:
        stream, emitter = push(Suspend(2))
        threads = [
            threading.Thread(target=lambda name=name: [emitter.send_blocking((name, n)) for n in range(50)])
            for name in "ab"
        ]

        def close() -> None:
            for thread in threads:
                thread.join()
            emitter.close()

        closer = threading.Thread(target=close)
        for thread in (*threads, closer):
            thread.start()
        found = list(stream)
        closer.join()
        for name in "ab":
            assert [n for found_name, n in found if found_name == name] == list(range(50))
        assert emitter.stats().held_at_most <= 2

    def test_send_blocking_gives_up_after_its_timeout(self) -> None:
        _, emitter = push(Suspend(1))
        emitter.send_blocking(0, timeout=0)
        with pytest.raises(TimeoutError, match="there was no room for 1 within 0 s"):
            emitter.send_blocking(1, timeout=0)
        assert emitter.stats().refused == 1

    def test_send_blocking_refuses_to_hold_an_event_loop(self) -> None:
        async def main() -> None:
            _, emitter = push(Suspend(1))
            with pytest.raises(RunningLoopError, match=r"use await send\(item\)"):
                emitter.send_blocking(1)

        run(main)

    @given(
        st.lists(st.sampled_from(["offer", "pull"]), max_size=20),
        st.sampled_from([Suspend(2), DropOldest(2), DropIncoming(1), KeepLatest()]),
    )
    def test_every_offer_is_accounted_for(self, deeds: list[str], strategy: Any) -> None:
        async def main() -> None:
            stream, emitter = push(strategy)
            async with stream.open() as items:
                for number, deed in enumerate(deeds):
                    if deed == "offer":
                        emitter.offer(number)
                    elif emitter.stats().held:
                        await anext(items)
                    _balanced(emitter.stats())
            _balanced(emitter.stats())
            assert emitter.stats().held == 0
            assert emitter.stats().offered == deeds.count("offer")

        run(main)

    @pytest.mark.parametrize("strategy", [None, 5, Suspend, "suspend"])
    def test_a_strategy_is_required(self, strategy: Any) -> None:
        with pytest.raises(TypeError, match="strategy must be"):
            push(strategy)

    @pytest.mark.parametrize("error", ["gone", None, OSError])
    def test_fail_takes_an_exception(self, error: Any) -> None:
        with pytest.raises(TypeError, match="error must be an exception, not"):
            push(Suspend(1))[1].fail(error)

    def test_says_what_it_is(self) -> None:
        stream, emitter = push(Suspend(2))
        assert repr(stream) == "Stream(push(Suspend(capacity=2)))"
        assert repr(emitter) == "<Emitter open push(Suspend(capacity=2))>"
        emitter.close()
        assert repr(emitter) == "<Emitter closed push(Suspend(capacity=2))>"
        assert stream.explain().lookahead == 2


def _balanced(stats: streamkit.BufferStats) -> None:
    assert stats.offered == stats.delivered + stats.dropped + stats.folded + stats.refused + stats.held


def test_a_plain_for_reads_what_a_thread_offers() -> None:
    stream, emitter = push(Suspend(1))

    def produce() -> None:
        for number in range(5):
            emitter.send_blocking(number)
        emitter.close()

    def reading() -> Iterator[int]:
        yield from stream

    thread = threading.Thread(target=produce)
    thread.start()
    assert list(reading()) == [0, 1, 2, 3, 4]
    thread.join()


class TestInbox:
    def test_is_a_place_in_a_pipe_that_says_what_it_holds(self) -> None:
        stream = streamkit.inbox(Suspend(4), of=int, name="orders") | ops.batch(2)
        assert repr(stream) == "Stream(inbox(Suspend(capacity=4), name='orders')) | batch(2)"
        assert stream.explain().bound == 6

    def test_wrong_arguments_are_answered(self) -> None:
        wrong: Any = 3
        with pytest.raises(TypeError, match="strategy must be a strategy"):
            streamkit.inbox(wrong)
        with pytest.raises(TypeError, match="of must be a type such as int, not 3"):
            streamkit.inbox(Suspend(1), of=wrong)
        with pytest.raises(TypeError, match="name must be a text, not 3"):
            streamkit.inbox(Suspend(1), name=wrong)
