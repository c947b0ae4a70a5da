"""What all pools do, which threads show at the least cost: dispatch, growth, halt, events."""

import asyncio
import copy
import gc
import logging
import pickle
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from streamkit import (
    Stream,
    WorkersClosedError,
    attached,
    ops,
)
from streamkit._core.workers import Calls
from streamkit.executors import ChunkDone, ChunkSent, Event, Threads, WorkerAdded, WorkerRemoved, station
from tests.executors.door import Door
from tests.executors.work import Model, Noted, double


def started(*calls: Awaitable[Any]) -> list[asyncio.Future[Any]]:
    return [asyncio.ensure_future(each) for each in calls]


class TestDispatch:
    def test_db5_no_worker_has_more_than_its_share(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(station, "QUICK", 1e9)
        door = Door()
        pool = Threads(2, prefetch=1)

        async def main() -> None:
            async with pool, pool.used(Calls(double)) as send, pool.used(Calls(door)) as wait:
                await asyncio.gather(*[send([number]) for number in range(20)])
                calls = started(*[wait([number]) for number in range(10)])
                await door.entered(2)
                assert [each.load for each in pool.workers()] == [2, 2]
                assert pool.limit.value == 4
                door.open.set()
                await asyncio.gather(*calls)
                assert [(each.load, each.peak) for each in pool.workers()] == [(0, 2), (0, 2)]

        asyncio.run(main())

    def test_slow_calls_are_not_given_ahead(self) -> None:
        door = Door()
        pool = Threads(2, prefetch=3)

        async def main() -> None:
            async with pool, pool.used(Calls(door)) as wait:
                calls = started(*[wait([number]) for number in range(6)])
                await door.entered(2)
                assert [each.load for each in pool.workers()] == [1, 1]
                door.open.set()
                await asyncio.gather(*calls)

        asyncio.run(main())

    def test_db4_first_come_first_served_unless_there_is_priority(self) -> None:
        door = Door()
        pool = Threads(1, prefetch=0)

        async def main() -> None:
            urgent = pool.with_priority(1)
            async with pool.used(Calls(door)) as send, urgent.used(Calls(door)) as first:
                calls = started(send([0]))
                await door.entered()
                calls += started(send([1]), send([2]), first([3]), first([4]))
                await asyncio.sleep(0)
                door.open.set()
                await asyncio.gather(*calls)

        asyncio.run(main())
        assert door.calls == [0, 3, 4, 1, 2]

    def test_a_cancelled_call_is_taken_out_or_waited_for(self) -> None:
        door = Door()
        pool = Threads(1)

        async def main() -> None:
            async with pool.used(Calls(door)) as send:
                first, second = started(send([0]), send([1]))
                await door.entered()
                second.cancel()
                first.cancel()
                await asyncio.sleep(0.01)
                assert second.cancelled()
                assert not first.done(), "its thread is still at it"
                door.open.set()
                with suppress(asyncio.CancelledError):
                    await first
                assert first.cancelled()
                assert await send([2]) == [2]

        asyncio.run(main())
        assert door.calls == [0, 2]


class TestWhileItRuns:
    def test_db6_workers_come_and_go(self) -> None:
        pool = Threads(1, prepare=Model, each=[{"name": "a"}], most=2)

        async def main() -> None:
            with pytest.raises(RuntimeError, match="not open"):
                await pool.add_worker(name="b")
            async with pool:
                assert await pool.add_worker(name="b") == 1
                assert (pool.limit.value, pool.limit.most) == (4, 4)
                with pytest.raises(ValueError, match="most="):
                    await pool.add_worker(name="c")
                found = await pool.broadcast(lambda model: model.name)
                assert found == ["a", "b"]
                await pool.remove_worker(0)
                assert [each.arguments["name"] for each in pool.workers()] == ["b"]
                assert await (Stream([7]) | ops.map(on=pool) | ops.single()) == ("b", 1, 7)
                with pytest.raises(ValueError, match="only one"):
                    await pool.remove_worker(1)
                with pytest.raises(TypeError, match="unexpected keyword"):
                    await pool.add_worker(nothing=1)
                assert await pool.broadcast(Model.reload) == ["b 2"]

        asyncio.run(main())

    @pytest.mark.parametrize("stays", [True, False])
    def test_whoever_is_told_something_hears_of_a_worker_that_is_never_ready(self, stays: bool) -> None:
        door = Door()

        def prepare(wait: bool = False) -> None:
            if wait:
                raise LookupError(door(0))

        async def main() -> None:
            pool = Threads(1, prepare=prepare, most=2)
            await pool.__aenter__()
            calls = started(pool.add_worker(wait=True))
            await door.entered()
            calls += started(pool.broadcast(id))
            leaving = None if stays else asyncio.create_task(pool.__aexit__(None, None, None))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            door.open.set()
            async with asyncio.timeout(10.0):
                errors = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(each) for each in errors] == [LookupError if stays else WorkersClosedError] * 2
            await (leaving or pool.__aexit__(None, None, None))

        asyncio.run(main())

    def test_one_that_is_removed_before_it_is_ready_is_never_added(self) -> None:
        door = Door()

        async def main() -> None:
            async with Threads(1, prepare=lambda wait=False: wait and door(0), most=2) as pool:
                [adding] = started(pool.add_worker(wait=True))
                await door.entered()
                [removing] = started(pool.remove_worker(1))
                with pytest.raises(WorkersClosedError, match="worker 1 was removed before it was ready"):
                    async with asyncio.timeout(10.0):
                        await adding
                door.open.set()
                await removing
                assert [each.index for each in pool.workers()] == [0]
                assert pool.limit.value == 2

        asyncio.run(main())

    def test_one_is_removed_also_where_nobody_waits_for_that(self) -> None:
        door = Door()

        async def main() -> None:
            async with Threads(2) as pool, pool.used(Calls(door)) as send:
                [sent] = started(send([1]))
                await door.entered()
                [busy] = [each.index for each in pool.workers() if each.load]
                [removing] = started(pool.remove_worker(busy))
                await asyncio.sleep(0)
                removing.cancel()
                await asyncio.wait([removing])
                assert pool.limit.value == 2
                door.open.set()
                assert await sent == [1]

        asyncio.run(main())

    def test_db7_a_second_run_has_the_same_workers(self) -> None:
        pool = Threads(1)

        async def main() -> None:
            async with pool:
                names = [
                    await (Stream([0]) | ops.map(lambda _: threading.get_ident(), on=pool) | ops.single())
                    for _ in range(2)
                ]
                assert names[0] == names[1]

        asyncio.run(main())

    def test_db14_all_are_told(self) -> None:
        pool = Threads(2, prepare=Model, each=[{"name": "a"}, {"name": "b"}])

        async def main() -> None:
            async with pool:
                assert await pool.broadcast(Model.reload) == ["a 2", "b 2"]
                with pytest.raises(AttributeError):
                    await pool.broadcast(lambda model: model.nothing)

        asyncio.run(main())

    def test_whoever_leaves_a_broadcast_hears_of_no_error_in_it(self) -> None:
        door, heard = Door(), list[Any]()

        def fails(*_: Any) -> None:
            raise LookupError(door(0))

        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, told: heard.append(told))
            async with Threads(1) as pool:
                [telling] = started(pool.broadcast(fails))
                await door.entered()
                telling.cancel()
                await asyncio.wait([telling])
                door.open.set()
            gc.collect()

        asyncio.run(main())
        assert heard == []

    def test_db11_db12_db13_pa25_events_tell_all(self) -> None:
        events: list[Event] = []
        pool = Threads(1, on_event=events.append)

        async def main() -> None:
            async with pool:
                await (Stream(range(4)) | ops.map(double, on=pool, chunk=2) | ops.drain())
                [info] = pool.workers()
                assert (info.items, info.chunks, info.load, info.crashes) == (4, 2, 0, 0)

        asyncio.run(main())
        assert isinstance(events[0], WorkerAdded)
        assert isinstance(events[-1], WorkerRemoved)
        assert [each.chunk for each in events if isinstance(each, ChunkSent)] == [0, 1]
        done = [each for each in events if isinstance(each, ChunkDone)]
        assert [(each.worker, each.items, each.done) for each in done] == [(0, 2, 2), (0, 2, 4)]
        assert done[-1].total == 4

    def test_db17_a_logger_hears_of_it(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("DEBUG", "pool")
        pool = Threads(1, on_event=logging.getLogger("pool").debug)
        assert list(Stream([1]) | ops.map(double, on=pool)) == [2]
        assert caplog.messages[0] == "WorkerAdded(worker=0)"
        assert "ChunkSent(worker=0, chunk=0, items=1)" in caplog.messages

    def test_an_error_of_on_event_ends_the_run(self) -> None:
        def bad(event: Event) -> None:
            if isinstance(event, ChunkDone):
                raise LookupError("monitor")

        with pytest.raises(LookupError, match="monitor"):
            list(Stream(range(50)) | ops.map(double, on=Threads(1, on_event=bad)))

    @pytest.mark.parametrize("in_time", [True, False])
    def test_db15_halt_drains_and_says_what_was_left(self, in_time: bool) -> None:
        door = Door()
        pool = Threads(1)

        async def main() -> None:
            async with pool, pool.used(Calls(door)) as send:
                calls = started(send([0]), send([1, 2]))
                await door.entered()
                if in_time:
                    door.open.set()
                left = await pool.halt(5.0 if in_time else 0.01)
                assert left == (() if in_time else (0, 1, 2))
                with pytest.raises(WorkersClosedError, match="halted"):
                    await send([3])
                found = await asyncio.gather(*calls, return_exceptions=True)
                assert (found == [[0], [1, 2]]) is in_time
                assert pool.workers() == ()
                door.open.set()

        asyncio.run(main())

    def test_an_error_of_closing_is_attached_to_that_of_the_block(self) -> None:
        class CloseFails:
            def close(self) -> None:
                raise OSError("late")

        async def main() -> None:
            async with Threads(1, prepare=CloseFails):
                raise LookupError("mine")

        with pytest.raises(LookupError, match="mine") as caught:
            asyncio.run(main())
        assert [str(each) for each in attached(caught.value)] == ["late"]

    def test_a_pool_that_a_loop_has_left_open_is_opened_anew(self) -> None:
        pool = Threads(1)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(pool.__aenter__())
        loop.close()
        assert list(Stream([1]) | ops.map(double, on=pool)) == [2]

    def test_db16_both_exits_are_clean(self) -> None:
        async def main(error: Exception | None) -> None:
            async with Threads(1):
                if error is not None:
                    raise error

        asyncio.run(main(None))
        with pytest.raises(LookupError, match="mine"):
            asyncio.run(main(LookupError("mine")))


class TestArguments:
    @pytest.mark.parametrize(
        ("make", "error", "words"),
        [
            (lambda: Threads(0), ValueError, "count must be a whole number of at least 1, not 0"),
            (lambda: Threads(2, prepare=5), TypeError, "prepare must be a callable, not 5"),  # type: ignore[arg-type]
            (lambda: Threads(2, prepare=Model, each=[{}]), ValueError, "of 2 workers, not 1"),
            (lambda: Threads(1, each=[{"a": 1}]), TypeError, "each must not be given without prepare"),
            (lambda: Threads(1, prepare=Model, each=[5]), TypeError, "must be a mapping"),  # type: ignore[list-item]
            (lambda: Threads(2, most=1), ValueError, "most must be a whole number of at least 2"),
            (lambda: Threads(1, hooks=Noted), TypeError, "hooks must be an instance"),  # type: ignore[arg-type]
            (lambda: Threads(1, prepare_timeout=0), ValueError, "prepare_timeout must be a finite number"),
        ],
    )
    def test_a_wrong_one_is_named(self, make: Callable[[], Any], error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words):
            make()

    def test_a_pool_is_printed_copied_and_sent_as_what_it_is(self) -> None:
        pool = Threads(2, prepare=Model)
        assert repr(pool.with_priority(3)) == "Threads(2, prepare=Model).with_priority(3)"
        assert copy.deepcopy(pool) is copy.copy(pool) is pool

        async def main() -> Any:
            async with pool:
                return pickle.loads(pickle.dumps(pool))

        sent = asyncio.run(main())
        assert list(Stream([1]) | ops.map(on=sent)) == [("", 1, 1)]

    def test_a_pool_is_open_in_one_loop(self) -> None:
        pool = Threads(1)

        async def main() -> None:
            async with pool:
                with pytest.raises(RuntimeError, match="open in another event loop"):
                    await asyncio.to_thread(lambda: list(Stream([1]) | ops.map(double, on=pool)))

        asyncio.run(main())

    def test_work_that_can_never_be_done_is_refused_before_anything_is_read(self) -> None:
        read: list[int] = []
        source = Stream([1]) | ops.tap(read.append)
        with pytest.raises(TypeError, match=r"a function must be given, or Threads\(1\) must have prepare="):
            list(source | ops.map(on=Threads(1)))
        with pytest.raises(TypeError, match="hooks with before or after"):
            list(source | ops.on(Threads(1, hooks=Noted([])), ops.map(double)))
        assert read == []
