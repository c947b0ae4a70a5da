"""share: one run of a source, for readers that come and go."""

import asyncio
import gc
import pickle
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import (
    Stream,
    Suspend,
    ops,
)
from streamkit.testing import FaultySource, Leave, consume, run
from tests.operators.sharing import Ticks, read


class TestOneRun:
    def test_all_readers_get_what_comes_from_one_run(self) -> None:
        source = Ticks(4)
        shared = Stream(source) | ops.share()

        async def main() -> None:
            assert await asyncio.gather(read(shared), read(shared), read(shared)) == [[0, 1, 2, 3]] * 3

        run(main)
        assert len(source.opened) == len(source.closed) == 1

    def test_who_comes_late_gets_what_comes_from_then_on(self) -> None:
        shared = Stream(Ticks(5)) | ops.share()

        async def main() -> None:
            first, late = await asyncio.gather(read(shared), read(shared, begin=2.5))
            assert (first, late) == ([0, 1, 2, 3, 4], [2, 3, 4])

        run(main)

    def test_it_is_opened_by_the_first_pull_and_closed_when_the_last_has_left(self) -> None:
        source = Ticks()
        shared = Stream(source) | ops.share()

        async def main() -> None:
            async with shared.open():
                await asyncio.sleep(5.0)
                assert not source.opened
            await asyncio.gather(
                read(shared, begin=6.0, count=2),
                read(shared, begin=7.5, count=4),
                read(shared, begin=9.5, count=1),
            )
            assert asyncio.get_running_loop().time() == source.closed[0] == 11.0

        run(main)
        assert source.opened == [6.0]

    def test_the_source_lives_in_one_task_of_its_own(self) -> None:
        source = Ticks(closing=1.0)
        shared = Stream(source) | ops.share()

        async def main() -> set[Any]:
            readers = [asyncio.create_task(read(shared, begin=n / 4, count=3)) for n in range(4)]
            await asyncio.gather(*readers)
            return {*readers}

        assert not run(main) & source.tasks
        assert len(source.tasks) == 1

    def test_a_reader_that_is_cancelled_ends_nothing_for_the_others(self) -> None:
        source = Ticks(4)
        shared = Stream(source) | ops.share()

        async def main() -> None:
            stays, goes = asyncio.create_task(read(shared)), asyncio.create_task(read(shared))
            await asyncio.sleep(1.5)
            goes.cancel()
            assert await stays == [0, 1, 2, 3]
            assert goes.cancelled()

        run(main)
        assert source.closed == [4.0]

    def test_the_cancelled_last_reader_waits_until_the_source_is_closed(self) -> None:
        source = Ticks(closing=3.0)
        shared = Stream(source) | ops.share()

        async def main() -> None:
            reader = asyncio.create_task(read(shared))
            await asyncio.sleep(1.5)
            reader.cancel()
            await asyncio.wait([reader])
            assert source.closed == [4.5] == [asyncio.get_running_loop().time()]

        run(main)

    def test_an_error_of_the_clean_up_reaches_the_last_reader(self) -> None:
        async def source() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.sleep(99.0)
            finally:
                raise OSError("clean-up")

        shared = Stream(source) | ops.share()

        async def main() -> None:
            found = await asyncio.gather(*[read(shared, count=1) for _ in range(2)], return_exceptions=True)
            assert sorted(map(str, found)) == ["[1]", "clean-up"]

        run(main)

    @pytest.mark.parametrize("leave", Leave)
    def test_a_source_that_ignores_its_cancellation_ends_still(self, leave: Leave) -> None:
        source = FaultySource(range(6), every=1.0, ignores_cancel=1)
        shared = Stream(source) | ops.share()

        async def main() -> list[int]:
            seen = await consume(shared | ops.merge(shared), at=2, leave=leave)
            await asyncio.sleep(9.0)
            return seen.items

        assert run(main) == [0, 0]
        source.check()

    def test_without_a_loop_it_runs_for_the_one_reader(self) -> None:
        shared = Stream("abc") | ops.share()
        assert [*zip(shared, range(2), strict=False)] == [("a", 0), ("b", 1)]
        assert list(Stream("abc") | ops.map(str.upper) | ops.share() | ops.batch(2)) == [["A", "B"], ["C"]]


class TestStreamsThatAreEqual:
    def test_share_one_run(self) -> None:
        source = Ticks(3)
        stream, shared = Stream(source), ops.map(str) | ops.share()

        async def main() -> None:
            both = await asyncio.gather(read(stream | shared), read(stream | shared | ops.map(int)))
            assert both == [["0", "1", "2"], [0, 1, 2]]

        run(main)
        assert len(source.opened) == 1

    def test_others_share_nothing(self) -> None:
        shared = ops.share()
        assert list(Stream("ab") | shared) == ["a", "b"]
        assert list(Stream("cd") | shared) == ["c", "d"]
        assert list(Stream("ab") | ops.share()) == ["a", "b"]
        assert list(Stream("ab") | pickle.loads(pickle.dumps(shared))) == ["a", "b"]
        assert shared != ops.share()

    def test_one_behind_the_other(self) -> None:
        source = Ticks(3)
        inner = Stream(source) | ops.share()
        outer = inner | ops.map(str) | ops.share()

        async def main() -> None:
            assert await asyncio.gather(read(outer), read(inner), read(outer)) == [
                ["0", "1", "2"],
                [0, 1, 2],
                ["0", "1", "2"],
            ]

        run(main)
        assert len(source.opened) == 1

    def test_readers_may_join_what_they_share(self) -> None:
        source = Ticks(3)
        shared = Stream(source) | ops.share()

        async def main() -> None:
            assert await read(shared | ops.zip(shared | ops.map(str))) == [(0, "0"), (1, "1"), (2, "2")]
            assert await read(Stream([1, 2]) | ops.flat_map(lambda _: shared, concurrency=2)) == []

        run(main)
        assert len(source.opened) == 1

    def test_one_in_a_branch_or_in_what_a_function_makes(self) -> None:
        branches = ops.broadcast(ops.share() | ops.to_list(), ops.share(1) | ops.take(1) | ops.to_list())
        assert (Stream(range(4)) | branches).run() == ([0, 1, 2, 3], [0])
        made = Stream(lambda: Stream("ab") | ops.share())
        assert list(made) == list(made) == ["a", "b"]


class TestReadersThatAreWaitedFor:
    def test_the_source_is_opened_when_so_many_have_come(self) -> None:
        source = Ticks(3)
        shared = Stream(source) | ops.share(readers=3)

        async def main() -> None:
            found = await asyncio.gather(*[read(shared, begin=begin) for begin in (0.0, 2.0, 5.0, 6.5)])
            assert found == [[0, 1, 2]] * 3 + [[1, 2]]

        run(main)
        assert source.opened == [5.0]

    def test_two_ways_that_meet_again_miss_nothing(self) -> None:
        shared = Stream(range(9)) | ops.share(readers=2)
        pairs = shared | ops.zip(shared | ops.map(lambda n: asyncio.sleep(1, -n), concurrency=2))
        assert run(lambda: read(pairs)) == [(n, -n) for n in range(9)]

    def test_one_that_has_left_has_come(self) -> None:
        source = Ticks(3)
        shared = Stream(source) | ops.share(readers=3)

        async def main() -> None:
            waits = asyncio.create_task(read(shared))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await read(shared)
            assert await read(shared, begin=2.0) == await waits == [0, 1, 2]

        run(main)

    def test_when_all_have_left_the_next_run_waits_for_as_many(self) -> None:
        source = Ticks()
        shared = Stream(source) | ops.share(readers=2)

        async def main() -> None:
            for begin in (0.0, 10.0):
                both = read(shared, begin=begin, count=1), read(shared, begin=begin + 3, count=2)
                assert await asyncio.gather(*both) == [[0], [0, 1]]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await read(shared)
            await asyncio.gather(*[read(shared, begin=begin, count=1) for begin in (30.0, 31.0)])

        run(main)
        assert source.opened == [3.0, 13.0, 31.0]

    def test_explain_shows_it(self) -> None:
        shared = Stream([1]) | ops.share(readers=2)
        assert "share(readers=2)" in str((shared | ops.zip(shared)).explain())


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    *(
        ({"replay": value}, TypeError, "replay must be a whole number")
        for value in (1.5, "2", None, True, [])
    ),
    *(
        ({"replay": value}, ValueError, "replay must be a whole number of at least 0")
        for value in (-1, -(10**30))
    ),
    *(({"linger": value}, TypeError, "linger must be") for value in ("1", None, True, [1.0])),
    *(
        ({"linger": value}, ValueError, "linger must be")
        for value in (-1, float("nan"), float("inf"), 10**400)
    ),
    *(
        ({"strategy": value}, TypeError, "strategy must be")
        for value in (8, None, Suspend, "drop", lambda: 1)
    ),
    ({"readers": 0}, ValueError, "readers must be a whole number of at least 1"),
    ({"readers": None}, TypeError, "readers must be a whole number"),
    ({"replays": 1}, TypeError, "replay"),
]


@pytest.mark.parametrize(("arguments", "kind", "text"), BAD)
def test_bad_arguments_are_refused_at_the_call(arguments: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        ops.share(**arguments)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it is closed in no loop
def test_a_run_whose_event_loop_was_closed_is_forgotten() -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(9):
            yield number
            await asyncio.sleep(60.0)

    shared, kept = Stream(source) | ops.share(), list[Any]()

    async def first() -> int:
        kept.append(aiter(shared))
        return await anext(kept[-1])

    async def again() -> int:
        async with shared.open() as items:
            return await anext(items)

    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(first()) == 0
    loop.close()
    assert run(again) == 0
    kept.clear()
    gc.collect()
