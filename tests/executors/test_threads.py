"""Threads, and what all pools do, which threads show at the least cost."""

import asyncio
import copy
import logging
import pickle
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from streamkit import (
    Failure,
    PreparationError,
    Resume,
    Retry,
    Return,
    Stream,
    WorkersClosedError,
    ops,
)
from streamkit._core.workers import Calls
from streamkit.executors import ChunkDone, ChunkSent, Event, Threads, WorkerAdded, WorkerRemoved, worker
from tests.executors.work import Model, Noted, double, fails_at_three, not_prepared, shares


def started(*calls: Awaitable[Any]) -> list[asyncio.Future[Any]]:
    return [asyncio.ensure_future(each) for each in calls]


class Door:
    """Calls stand before it until it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.came = threading.Semaphore(0)
        self.calls: list[Any] = []

    def __call__(self, item: Any) -> Any:
        self.calls.append(item)
        self.came.release()
        assert self.open.wait(10.0)
        return item

    async def entered(self, count: int = 1) -> None:
        for _ in range(count):
            await asyncio.to_thread(self.came.acquire)


def sent(pool: Any, function: Callable[..., Any], *chunks: list[Any]) -> list[Any]:
    """What comes of chunks that are sent one after the other."""

    async def main() -> list[Any]:
        async with pool.used(Calls(function)) as send:
            return [[*await send(chunk)] for chunk in chunks]

    return asyncio.run(main())


class TestCalls:
    def test_pa1_steps_with_threads_of_their_own_count_each_item_once(self) -> None:
        failures = iter([OSError("once")])

        def step(number: int) -> int:
            if number == 200 and (error := next(failures, None)):
                raise error
            return number

        pipe = (
            ops.map(double, on=Threads(4), chunk=50)
            | ops.map(double, on=Threads(1), chunk=50)
            | ops.map(step, on=Threads(4), on_error=Retry(2))
        )
        assert (Stream(range(100)) | pipe | ops.count()).run() == 100
        assert next(failures, None) is None

    def test_pa11_what_fails_does_not_end_the_others(self) -> None:
        letters: list[Any] = []
        resume = Resume(lambda item, error: letters.append((item, str(error))))
        pipe = Stream(range(6)) | ops.map(fails_at_three, on=Threads(2), on_error=resume)
        assert list(pipe) == [0, 1, 2, 4, 5]
        assert letters == [(3, "no 3")]
        with pytest.raises(ValueError, match="no 3"):
            list(Stream(range(6)) | ops.map(fails_at_three, on=Threads(2), chunk=6))

    def test_pa19_db4_results_come_in_order_or_as_they_are_ready(self) -> None:
        door = Door()

        def call(number: int) -> int:
            return door(number) if number == 0 else door.open.set() or number

        assert list(Stream(range(2)) | ops.map(call, on=Threads(2), ordered=False)) == [1, 0]
        assert list(Stream(range(9)) | ops.map(double, on=Threads(3))) == [*range(0, 18, 2)]

    def test_db3_db8_results_and_errors_are_told_apart_and_have_their_number(self) -> None:
        pipe = (
            ops.enumerate()
            | ops.map(
                lambda pair: (pair[0], fails_at_three(pair[1])),
                on=Threads(2),
                ordered=False,
                on_error=Return(),
            )
            | ops.to_list()
        )
        found = (Stream([1, 3]) | pipe).run()
        good = [each for each in found if not isinstance(each, Failure)]
        [bad] = [each for each in found if isinstance(each, Failure)]
        assert good == [(0, 1)]
        assert (bad.item, str(bad.error)) == ((1, 3), "no 3")

    def test_pa2_pa3_pa4_steps_are_functions_generators_and_objects_that_drop_and_expand(self) -> None:
        class Counts:
            """Keeps state: one for each thread."""

            def __init__(self) -> None:
                self.count = 0

            def __call__(self, pair: list[int]) -> list[int]:
                self.count += 1
                return [self.count, *pair]

        def pairs(numbers: list[int]) -> Iterator[list[int]]:
            yield numbers[:2]
            yield numbers[2:]

        odd = ops.on(Threads(2), ops.filter(lambda number: number % 2 == 1), chunk=2)
        assert (Stream(range(6)) | odd | ops.count()).run() == 3
        pipe = (
            ops.batch(4)
            | ops.on(Threads(2), ops.map(pairs) | ops.flatten(), ops.filter(bool), chunk=1)
            | ops.map(on=Threads(1, prepare=Counts))
        )
        assert list(Stream(range(6)) | pipe) == [[1, 0, 1], [2, 2, 3], [3, 4, 5]]

    def test_pa8_a_call_that_fails_twice_is_made_again(self) -> None:
        errors = [OSError("one"), OSError("two")]

        def call(number: int) -> int:
            if number == 5 and errors:
                raise errors.pop()
            return number

        assert list(Stream(range(6)) | ops.map(call, on=Threads(2), on_error=Retry(3))) == [*range(6)]
        assert errors == []

    def test_db10_nothing_to_do_ends(self) -> None:
        assert list(Stream(()) | ops.map(double, on=Threads(2))) == []

    def test_a_thread_that_is_told_to_exit_ends_nothing_but_the_run(self) -> None:
        def leaves(item: int) -> None:
            raise SystemExit(item)

        with pytest.raises(Exception, match=r"told to end by SystemExit\(3\)"):
            list(Stream([3]) | ops.map(leaves, on=Threads(1)))


class TestPrepared:
    def test_pa5_db1_db2_each_is_prepared_once_with_arguments_of_its_own(self) -> None:
        made = Model.made
        pool = Threads(2, prepare=Model, each=[{"name": "a"}, {"name": "b"}])

        async def main() -> list[Any]:
            async with pool:
                for _ in range(2):
                    found = await (Stream(range(8)) | ops.map(on=pool, ordered=False) | ops.to_list())
                return found

        found = asyncio.run(main())
        assert sorted(item for _, _, item in found) == [*range(8)]
        assert {name for name, _, _ in found} <= {"a", "b"}
        assert Model.made == made + 2

    def test_pa7_siblings_share_a_place(self) -> None:
        shared: list[Any] = []

        def call(item: int) -> tuple[int, int]:
            shared.append(worker().shared)
            return shares(item)

        found = [pair for [pair] in sent(Threads(3), call, [1], [2], [3], [4])]
        assert {index for index, _ in found} <= {0, 1, 2}
        assert {count for _, count in found} == {3}
        assert shared[0]["items"] == [1, 2, 3, 4]
        assert all(each is shared[0] for each in shared)
        with pytest.raises(RuntimeError, match="outside of a worker"):
            worker()

    def test_pa6_pa24_hooks_come_in_order(self) -> None:
        notes: list[Any] = []
        found = sent(Threads(1, hooks=Noted(notes)), fails_at_three, [1, 3])
        assert found[0][0] == 1
        around = [("before", 1), ("after", 1, 1), ("before", 3), ("after", 3, "no 3")]
        assert notes == ["opened", "began", *around, "ended", "closed"]

    def test_an_error_of_a_hook_is_that_of_the_item(self) -> None:
        class Bad(Noted):
            def before(self, item: Any) -> None:
                if item == 2:
                    raise LookupError("hook")

        [[one, two, three]] = sent(Threads(1, hooks=Bad([])), double, [1, 2, 3])
        assert (one, str(two.error), three) == (2, "hook", 6)

    @pytest.mark.parametrize(
        ("prepare", "error", "words"),
        [
            (not_prepared, OSError, "no such device"),
            (lambda: 5, PreparationError, "must return what can be called with an item, not 5"),
            (lambda: asyncio.sleep(0), PreparationError, "must return at once"),
        ],
    )
    def test_what_cannot_be_prepared_is_an_error_at_once(
        self, prepare: Callable[..., Any], error: type[Exception], words: str
    ) -> None:
        read: list[int] = []
        source = Stream(range(100)) | ops.tap(read.append)
        with pytest.raises(error, match=words):
            list(source | ops.map(on=Threads(2, prepare=prepare)))
        assert len(read) <= 4

    def test_what_hangs_is_left(self) -> None:
        door = Door()
        pool = Threads(1, prepare=lambda: door(0), prepare_timeout=0.02)
        with pytest.raises(PreparationError, match=r"not prepared within 0.02 s"):
            list(Stream([1]) | ops.map(double, on=pool))
        door.open.set()

    def test_what_was_prepared_is_closed(self) -> None:
        class Closes:
            closed = 0

            def __call__(self, item: Any) -> Any:
                return item

            def close(self) -> None:
                Closes.closed += 1
                raise OSError("late")

        with pytest.raises(OSError, match="late"):
            list(Stream([1]) | ops.map(on=Threads(2, prepare=Closes)))
        assert Closes.closed == 2


class TestDispatch:
    def test_db5_no_worker_has_more_than_its_share(self) -> None:
        door = Door()
        pool = Threads(2, prefetch=1)

        async def main() -> None:
            async with pool, pool.used(Calls(double)) as send, pool.used(Calls(door)) as wait:
                await asyncio.gather(*[send([number]) for number in range(20)])  # now calls count as quick
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
