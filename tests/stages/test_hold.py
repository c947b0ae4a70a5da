"""send_blocking: a thread that is held never freezes the event loop, whatever it owns."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import streamkit
from streamkit import BufferOverflowError, Collect, Emitter, EmitterClosedError, Stream, Suspend, ops, push
from tests.patience import PIECES, comes, joined
from tests.stages.owning import OWNERS, Owner
from tests.stages.pushing import check_sum, drained, thread, turns

ITEMS = 6


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamkit._stages.hold._BEAT", 0.002)


def sending(emitter: Emitter[int], own: Owner, told: list[Any]) -> Callable[[], None]:
    """Send all items while holding what `own` is."""

    def send() -> None:
        with own.hold:
            own.owned.set()
            for number in range(ITEMS):
                told.append(emitter.send_blocking(number))
        emitter.close()

    return send


def owned(own: Owner) -> None:
    assert comes(own.owned.wait)


def worker_of(work: Callable[[], None]) -> threading.Thread:
    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    return worker


@pytest.mark.usefixtures("looks_often")
class TestTheLoopGoesOn:
    @pytest.mark.parametrize("owner", OWNERS)
    def test_whatever_it_wants_that_the_thread_owns(self, owner: str) -> None:
        own, told = OWNERS[owner](), list[Any]()

        async def main() -> list[int]:
            stream, emitter = push(Suspend(1), of=int)
            async with stream.open() as items:
                worker = worker_of(sending(emitter, own, told))
                owned(own)
                own.take(worker)
                return [item async for item in items]

        assert asyncio.run(main()) == [*range(ITEMS)]
        assert all(told)

    @pytest.mark.parametrize("reads", ["before it reads", "in a step", "in a merge", "in a job"])
    def test_whenever_it_wants_it(self, reads: str) -> None:
        own, told = OWNERS["lock by with"](), list[Any]()

        async def main() -> Any:
            stream, emitter = push(Suspend(1), of=int)

            def locks(item: int) -> int:
                own.take(worker)
                return item

            worker = worker_of(sending(emitter, own, told))
            owned(own)
            if reads == "before it reads":
                own.take(worker)
                return await (stream | ops.to_list())
            if reads == "in a merge":
                return await (streamkit.merge(stream | ops.map(locks), Stream([])) | ops.to_list())
            job = stream | ops.map(locks) | ops.to_list()
            return await (job.start() if reads == "in a job" else job)

        assert asyncio.run(main()) == [*range(ITEMS)]

    def test_where_a_plain_for_is_stepped_in_one_thread_after_another(self) -> None:
        own, told = OWNERS["lock by with"](), list[Any]()
        stream, emitter = push(Suspend(1), of=int)
        items, got = iter(stream), list[int]()
        worker_of(sending(emitter, own, told))
        owned(own)

        def step() -> None:
            got.append(next(items))
            own.take(threading.current_thread())

        for _ in range(ITEMS):
            stepping = worker_of(step)
            assert joined(stepping)
        assert got == [*range(ITEMS)]
        assert next(items, None) is None

    def test_where_the_strategy_collects(self) -> None:
        own, told = OWNERS["rlock by with"](), list[Any]()

        async def main() -> list[int]:
            stream, emitter = push(Collect(2), of=int)
            async with stream.open() as items:
                worker = worker_of(sending(emitter, own, told))
                owned(own)
                own.take(worker)
                return [item async for batch in items for item in batch]

        assert asyncio.run(main()) == [*range(ITEMS)]

    def test_where_it_was_closed_while_a_thread_was_held(self) -> None:
        stream, emitter = push(Suspend(1), of=int)
        loop, kept = asyncio.new_event_loop(), list[Any]()
        loop.set_exception_handler(
            lambda *_: None
        )  # of the task that it leaves behind, whenever that is collected

        async def first() -> int:
            emitter.offer(1)
            kept.append(aiter(stream))
            return int(await anext(kept[0]))

        def send() -> None:
            with pytest.raises(EmitterClosedError):
                for number in range(3):
                    emitter.send_blocking(number)

        assert loop.run_until_complete(first()) == 1
        worker = worker_of(send)
        loop.close()
        for _ in range(PIECES):  # not `join`: that this thread waits for the other would let that go, too
            time.sleep(0.002)
            if not worker.is_alive():
                break
        assert not worker.is_alive()
        check_sum(emitter.stats())


class TestTheBoundHolds:
    @pytest.mark.parametrize("rest", [lambda: time.sleep(0.05), lambda: sum(range(2_000_000))])
    def test_while_the_loop_is_busy_asleep_or_idle(self, rest: Callable[[], object]) -> None:
        async def main() -> list[int]:
            stream, emitter = push(Suspend(2), of=int)

            def send() -> None:
                for number in range(ITEMS):
                    emitter.send_blocking(number)
                emitter.close()

            async with stream.open() as items:
                with thread(send):
                    got = [await anext(items)]
                    rest()
                    await asyncio.sleep(0.02)
                    assert emitter.stats().held <= 2
                    got += [item async for item in items]
            assert emitter.stats().held_at_most == 2
            return got

        assert asyncio.run(main()) == [*range(ITEMS)]

    def test_when_the_loop_has_got_the_lock(self) -> None:
        own, taken, told, ahead = OWNERS["lock by with"](), threading.Event(), list[Any](), list[int]()

        async def main() -> None:
            stream, emitter = push(Suspend(2), of=int)
            async with stream.open() as items:

                def send() -> None:
                    with own.hold:
                        own.owned.set()
                        for number in range(ITEMS):
                            told.append(emitter.send_blocking(number))
                    comes(taken.wait)
                    for number in range(ITEMS, 4 * ITEMS):
                        told.append(emitter.send_blocking(number))
                    emitter.close()

                worker = worker_of(send)
                owned(own)
                own.take(worker)
                taken.set()
                got = []
                async for item in items:
                    got.append(item)
                    await turns(2)
                    if len(got) > ITEMS + 2:
                        ahead.append(emitter.stats().held)
            assert got == [*range(4 * ITEMS)]
            check_sum(emitter.stats())

        asyncio.run(main())
        assert max(ahead) <= 2

    def test_and_the_stream_fails_with_the_cure_where_the_lock_is_never_let_go(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("streamkit._stages.hold._BEYOND", 5)
        lock, has, got = threading.Lock(), threading.Event(), list[int]()

        async def main() -> BaseException | None:
            stream, emitter = push(Suspend(2), of=int)

            def send() -> None:
                with lock:
                    has.set()
                    with pytest.raises(EmitterClosedError):
                        for number in range(100):
                            emitter.send_blocking(number)

            async with stream.open() as items:
                worker = worker_of(send)
                assert comes(has.wait)
                with lock:
                    error = await drained(items, got)
                assert joined(worker)
                check_sum(emitter.stats())
            return error

        error = asyncio.run(main())
        assert isinstance(error, BufferOverflowError)
        assert "waits for a lock" in str(error)
        assert got == [*range(7)]

    def test_of_the_time_that_a_thread_is_held_at_most(self) -> None:
        _, emitter = push(Suspend(1), of=int)
        emitter.offer(1)
        for limit in (0, 0.01):
            with pytest.raises(TimeoutError):
                emitter.send_blocking(2, timeout=limit)
        check_sum(emitter.stats())
