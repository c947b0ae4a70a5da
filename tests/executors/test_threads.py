"""Threads: what they do, and how they are prepared."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from streamkit import (
    Failure,
    PreparationError,
    Resume,
    Retry,
    Return,
    Stream,
    WorkerError,
    WorkersClosedError,
    ops,
)
from streamkit._core.markers import ABSENT
from streamkit._core.workers import Calls
from streamkit.executors import Threads, worker
from tests.executors.door import Door
from tests.executors.work import Model, Noted, double, fails_at_three, not_prepared, opened, shares


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

    def test_whatever_can_be_awaited_is(self) -> None:
        class Later:
            def __init__(self, item: int) -> None:
                self.item = item

            def __await__(self) -> Iterator[Any]:
                yield from asyncio.sleep(0).__await__()
                return self.item

        def calls(item: int) -> Any:
            future: Future[int] = Future()
            future.set_result(item)
            return future if item % 2 else Later(item)

        for chunk in (1, 4):
            assert list(Stream(range(4)) | ops.map(calls, on=Threads(1), chunk=chunk)) == [*range(4)]

    def test_what_was_given_ahead_and_is_cancelled_never_begins(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("streamkit.executors.station.QUICK", 60.0)  # as each of these calls is
        door = Door()

        async def main() -> None:
            async with Threads(1, prefetch=2) as pool, pool.used(Calls(door)) as send:
                door.open.set()
                await send([0])
                door.open.clear()
                one, two = asyncio.ensure_future(send([1])), asyncio.ensure_future(send([2]))
                await door.entered(2)
                two.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await two
                door.open.set()
                assert [*await one] == [1]

        asyncio.run(main())
        assert door.calls == [0, 1]

    def test_db10_nothing_to_do_ends(self) -> None:
        assert list(Stream(()) | ops.map(double, on=Threads(2))) == []

    @pytest.mark.parametrize("chunk", [1, 4])
    def test_a_worker_that_is_told_to_end_costs_the_item_alone(self, chunk: int) -> None:
        async def leaves(item: int) -> int:
            if item == 1:
                raise SystemExit(item)
            if item == 2:
                raise asyncio.CancelledError
            return item

        found = list(Stream(range(4)) | ops.map(leaves, on=Threads(1), chunk=chunk, on_error=Return()))
        assert (found[0], found[3]) == (0, 3)
        words = [str(each.error) for each in found if isinstance(each, Failure)]
        assert words == [
            f"a worker was told to end by {each}" for each in ("SystemExit(1)", "CancelledError()")
        ]
        with pytest.raises(WorkerError, match=r"told to end by SystemExit\(1\)"):
            list(Stream([1]) | ops.on(Threads(1), ops.map(leaves)))


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
        [[words]] = sent(Threads(1, prepare=Model, each=[{"name": "a"}]), lambda _: repr(worker()), [1])
        assert words == "<worker 0 with {'name': 'a'}>"
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

    def test_threads_that_the_program_has_ended_are_an_error(self) -> None:
        """The interpreter does that, where nobody waits for a job in a thread."""

        door = Door()

        async def main() -> None:
            async with asyncio.timeout(10.0), Threads(1) as pool, pool.used(Calls(door)) as send:
                calls = [asyncio.ensure_future(send([number])) for number in range(2)]
                await door.entered()
                assert pool._staff is not None
                hand: Any = pool._staff.stations[0].hand
                hand._executor.shutdown(wait=False)
                door.open.set()
                assert await calls[0] == [0]
                await asyncio.wait(calls)
                found.append(calls[1].exception())

        found = list[Any]()
        with pytest.raises(RuntimeError, match="cannot schedule new futures"):
            asyncio.run(main())  # so is closing what was prepared
        assert "cannot schedule new futures" in str(found)

    def test_what_hangs_is_left(self) -> None:
        door = Door()
        pool = Threads(1, prepare=lambda: door(0), prepare_timeout=0.02)
        with pytest.raises(PreparationError, match=r"not prepared within 0.02 s"):
            list(Stream([1]) | ops.map(double, on=pool))
        door.open.set()

    def test_one_that_does_not_close_in_time_is_left(self) -> None:
        door = Door()

        class Client:
            def close(self) -> None:
                door(0)

        async def main() -> None:
            with pytest.raises(WorkerError, match=r"worker 0 was not closed within 0.02 s"):
                async with Threads(1, prepare=Client, prepare_timeout=0.02):
                    pass
            door.open.set()
            await asyncio.sleep(0.01)  # it says so too late

        asyncio.run(main())

    def test_what_works_too_long_is_left_and_never_closed(self) -> None:
        door, closed = Door(), list[int]()

        class Client:
            def __call__(self, item: int) -> Any:
                return door(item)

            def close(self) -> None:
                closed.append(1)

        async def main() -> None:
            with pytest.raises(WorkerError, match=r"worker 0 was not closed within 0.02 s"):
                async with Threads(1, prepare=Client, prepare_timeout=0.02) as pool:
                    use = pool.used(Calls(ABSENT))
                    send = await use.__aenter__()
                    call = asyncio.ensure_future(send([1]))
                    await door.entered()
                    await use.__aexit__(None, None, None)
            door.open.set()
            with pytest.raises(WorkersClosedError):
                await call

        asyncio.run(main())
        assert closed == []

    def test_what_is_prepared_may_be_a_context_manager(self, tmp_path: Path) -> None:
        pool = Threads(1, prepare=opened, each=[{"path": str(tmp_path / "notes")}])
        assert list(Stream([1]) | ops.map(on=pool)) == [2]
        assert (tmp_path / "notes").read_text() == "opened\nclosed\n"

    def test_closing_it_is_awaited(self) -> None:
        closed: list[int] = []

        class Client:
            def __call__(self, item: Any) -> Any:
                return item

            async def close(self) -> None:
                await asyncio.sleep(0)
                closed.append(1)

        assert list(Stream([1]) | ops.map(on=Threads(1, prepare=Client))) == [1]
        assert closed == [1]

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
