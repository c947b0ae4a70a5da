"""balance: each item goes to whichever branch is free."""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from streamkit import DropOldest, Stream, Suspend, ops
from streamkit.testing import run
from tests.tiers import examples


def slow(seconds: float, seen: list[int] | None = None) -> Any:
    async def wait(item: Any) -> Any:
        if seen is not None:
            seen.append(item)
        await asyncio.sleep(seconds)
        return item

    return wait


async def awaited(job: Any) -> Any:
    return await job


class TestBalance:
    def test_each_item_goes_to_one_branch(self) -> None:
        job = Stream(range(9)) | ops.balance(ops.to_list(), ops.to_list(), ops.to_list())
        found = job.run()
        assert sorted(item for each in found for item in each) == [*range(9)]

    def test_to_the_one_that_is_free(self) -> None:
        async def main() -> None:
            quick, lame = await (
                Stream(range(12))
                | ops.balance(ops.map(slow(1.0)) | ops.to_list(), ops.map(slow(10.0)) | ops.to_list())
            )
            assert lame == [1, 11]
            assert quick == [0, *range(2, 11)]
            assert asyncio.get_running_loop().time() == 20.0

        run(main)

    def test_those_that_are_free_take_turns(self) -> None:
        def main() -> Any:
            return awaited(Stream(range(8)) | ops.balance(ops.map(slow(1.0)) | ops.to_list(), workers=4))

        assert run(main) == ([0, 4], [1, 5], [2, 6], [3, 7])

    def test_workers_run_the_pipe_so_many_times(self) -> None:
        async def main() -> None:
            found = await (Stream(range(12)) | ops.balance(ops.map(slow(1.0)), workers=4) | ops.to_list())
            assert sorted(found) == [*range(12)]
            assert asyncio.get_running_loop().time() == 3.0

        run(main)

    def test_nothing_is_pulled_before_a_branch_is_free(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            work = ops.for_each(slow(10.0))
            handle = (Stream(range(9)) | ops.tap(pulled.append) | ops.balance(work, workers=3)).start()
            await asyncio.sleep(5.0)
            assert pulled == [0, 1, 2]
            await handle.stop()

        run(main)

    def test_a_branch_that_begins_with_a_buffer_is_free_while_that_has_room(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            work = ops.buffer(Suspend(2)) | ops.for_each(slow(10.0))
            handle = (Stream(range(99)) | ops.tap(pulled.append) | ops.balance(work, workers=2)).start()
            await asyncio.sleep(5.0)
            assert len(pulled) == 6
            await handle.stop()
            assert [
                (stats.offered, stats.delivered, stats.dropped) for stats in handle.buffers() if stats.offered
            ] == [(3, 1, 2)] * 2

        run(main)

    def test_and_always_if_it_loses(self) -> None:
        async def main() -> None:
            lossy = ops.buffer(DropOldest(1)) | ops.map(slow(1.0)) | ops.to_list()
            found = await (Stream(range(20)) | ops.balance(lossy, workers=2))
            assert {each[-1] for each in found} == {18, 19}

        run(main)

    def test_a_branch_that_ends_leaves_and_the_others_go_on(self) -> None:
        found = (Stream(range(9)) | ops.balance(ops.take(2) | ops.to_list(), ops.to_list())).run()
        assert len(found[0]) == 2
        assert sorted(found[0] + found[1]) == [*range(9)]

    def test_the_source_is_closed_when_all_have_ended(self) -> None:
        closed: list[int] = []

        async def source() -> Any:
            try:
                for number in range(99):
                    yield number
            finally:
                closed.append(number)

        assert len(list(Stream(source) | ops.balance(ops.take(2), workers=3))) == 6
        assert closed
        assert closed[0] < 9

    def test_an_error_of_one_ends_all(self) -> None:
        seen: list[int] = []

        async def fail(item: int) -> None:
            if item == 4:
                raise ValueError(item)

        async def main() -> None:
            with pytest.raises(ValueError, match="4") as raised:
                await (Stream(range(9)) | ops.balance(ops.for_each(fail), ops.for_each(slow(0.0, seen))))
            assert raised.value.__notes__[0].startswith("in for_each(fail)")

        run(main)
        assert len(seen) < 9

    @settings(max_examples=examples(30))
    @given(st.integers(1, 5), st.integers(0, 10**6))
    def test_none_is_lost_and_none_comes_twice_whatever_takes_how_long(self, workers: int, seed: int) -> None:
        choose = random.Random(seed)

        async def work(item: int) -> int:
            await asyncio.sleep(choose.choice([0, 0, 0.5, 3.0]))
            return item

        async def source() -> Any:
            for number in range(20):
                await asyncio.sleep(choose.choice([0, 0, 1.0]))
                yield number

        pipes = [
            ops.buffer(Suspend(choose.randint(1, 3))) | ops.map(work)
            if choose.random() < 0.5
            else ops.map(work)
            for _ in range(workers)
        ]
        found = run(lambda: awaited(Stream(source) | ops.balance(*pipes) | ops.to_list()))
        assert Counter(found) == Counter(range(20))


BAD: list[tuple[Any, type[Exception], str]] = [
    (lambda: ops.balance(), ValueError, "branches must be one or more"),
    (lambda: ops.balance(workers=2), ValueError, "branches must be one or more"),
    *(
        (lambda v=v: ops.balance(v), TypeError, "branches must be operators or sinks")
        for v in (None, 1, abs, "x")
    ),
    (lambda: ops.balance(ops.count(), ops.map(abs)), TypeError, "branches must be all"),
    *(
        (lambda v=v: ops.balance(ops.count(), workers=v), TypeError, "workers must be")
        for v in (None, 1.5, "2", True)
    ),
    *((lambda v=v: ops.balance(ops.count(), workers=v), ValueError, "workers must be") for v in (0, -1)),
    (
        lambda: ops.balance(ops.count(), ops.count(), workers=2),
        ValueError,
        "workers must be given with one branch",
    ),
]


@pytest.mark.parametrize(
    ("make", "kind", "text"), BAD, ids=[f"{text} {n}" for n, (_, _, text) in enumerate(BAD)]
)
def test_bad_arguments_are_refused_at_the_call(make: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        make()
