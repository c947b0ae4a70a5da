"""broadcast."""

import asyncio
from collections.abc import AsyncIterator
from operator import add
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import BufferOverflowError, DropOldest, Fail, Stream, Suspend, attached, ops
from streamkit.testing import run

NUMBERS = st.lists(st.integers(), max_size=8)


class Counted:
    """A source that counts what was pulled and how often it was closed."""

    def __init__(self, count: int = 100) -> None:
        self.count = count
        self.pulled = self.closed = 0

    async def __call__(self) -> AsyncIterator[int]:
        try:
            for number in range(self.count):
                self.pulled += 1
                yield number
        finally:
            self.closed += 1


async def failing() -> AsyncIterator[int]:
    yield 1
    yield 2
    raise OSError("source")


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


async def awaited(job: Any) -> Any:
    return await job


def slow(seconds: float) -> Any:
    async def wait(item: Any) -> Any:
        await asyncio.sleep(seconds)
        return item

    return wait


def fail(item: Any) -> Any:
    raise ValueError(item)


class TestSinks:
    @given(NUMBERS)
    def test_the_result_is_the_tuple_of_theirs(self, numbers: list[int]) -> None:
        job = Stream(numbers) | ops.broadcast(ops.to_list(), ops.count(), ops.fold(add, 0))
        assert job.run() == (numbers, len(numbers), sum(numbers))

    def test_each_may_have_operators_before_it(self) -> None:
        odd = ops.filter(lambda number: number % 2) | ops.to_list()
        pairs = ops.batch(2) | ops.map(tuple) | ops.to_list()
        assert (Stream(range(5)) | ops.broadcast(odd, pairs)).run() == ([1, 3], [(0, 1), (2, 3), (4,)])

    def test_one_alone_makes_a_tuple_of_one(self) -> None:
        assert (Stream("ab") | ops.broadcast(ops.count())).run() == (2,)

    def test_one_that_has_its_result_leaves_and_the_others_go_on(self) -> None:
        assert (Stream(range(9)) | ops.broadcast(ops.first(), ops.count())).run() == (0, 9)

    def test_the_source_is_closed_when_all_have_their_result(self) -> None:
        source = Counted()
        job = Stream(source) | ops.broadcast(ops.first(), ops.skip(2) | ops.first())
        assert run(lambda: awaited(job)) == (0, 2)
        assert source.closed == 1
        assert source.pulled <= 4

    def test_stages_may_stand_in_them(self) -> None:
        job = Stream(range(4)) | ops.broadcast(
            ops.map(slow(1.0), concurrency=2) | ops.to_list(), ops.merge("ab") | ops.count()
        )
        assert run(lambda: awaited(job)) == ([0, 1, 2, 3], 6)

    def test_every_run_begins_anew(self) -> None:
        job = Stream([1, 2]) | ops.broadcast(ops.to_list(), ops.last())
        assert job.run() == job.run() == ([1, 2], 2)

    def test_one_inside_the_other(self) -> None:
        job = Stream([1, 2]) | ops.broadcast(ops.broadcast(ops.count(), ops.last()), ops.to_list())
        assert job.run() == ((2, 2), [1, 2])


class TestOperators:
    @given(NUMBERS)
    def test_outputs_are_merged_and_each_keeps_its_order(self, numbers: list[int]) -> None:
        branches = [ops.map(lambda number, name=name: (name, number)) for name in "abc"]
        found = list(Stream(numbers) | ops.broadcast(*branches))
        assert [[n for name, n in found if name == each] for each in "abc"] == [numbers] * 3

    def test_one_that_ends_leaves_and_the_others_go_on(self) -> None:
        found = list(Stream(range(9)) | ops.broadcast(ops.take(2), ops.map(str)))
        assert [each for each in found if isinstance(each, int)] == [0, 1]
        assert [each for each in found if isinstance(each, str)] == list("012345678")

    def test_the_source_is_closed_when_all_have_ended(self) -> None:
        source = Counted()
        assert sorted(Stream(source) | ops.broadcast(ops.take(2), ops.take(3))) == [0, 0, 1, 1, 2]
        assert source.closed == 1
        assert source.pulled <= 4

    def test_is_an_operator_that_others_can_follow(self) -> None:
        assert (Stream([1, 2]) | ops.broadcast(ops.map(abs), ops.map(abs)) | ops.fold(add, 0)).run() == 6


class TestLockStep:
    def test_the_slowest_branch_sets_the_pace(self) -> None:
        quick: list[tuple[float, int]] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            note = ops.for_each(lambda number: quick.append((loop.time(), number)))
            await (Stream(range(4)) | ops.broadcast(note, ops.for_each(slow(10.0))))
            assert loop.time() == 40.0

        run(main)
        assert [number for _, number in quick] == [0, 1, 2, 3]
        # no branch is more than the item in the other's hand ahead of it
        assert [seconds for seconds, _ in quick] == [0.0, 10.0, 20.0, 30.0]

    def test_a_branch_with_a_buffer_holds_the_others_up_only_as_far_as_it_waits(self) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            times: list[float] = []
            note = ops.for_each(lambda _: times.append(loop.time()))
            await (Stream(range(9)) | ops.broadcast(note, ops.buffer(Suspend(4)) | ops.for_each(slow(10.0))))
            assert times[:5] == [0.0] * 5
            assert times[-1] > 0.0

        run(main)

    def test_a_branch_that_may_lose_holds_nobody_up(self) -> None:
        dropped: list[Any] = []

        async def main() -> tuple[int, list[int]]:
            lossy = ops.buffer(DropOldest(2, on_drop=lambda item, _: dropped.append(item)))
            job = Stream(range(9)) | ops.broadcast(ops.count(), lossy | ops.map(slow(10.0)) | ops.to_list())
            result: tuple[int, list[int]] = await job
            return result

        count, kept = run(main)
        assert count == 9
        assert dropped
        assert sorted(kept + dropped) == list(range(9))
        assert kept[-2:] == [7, 8]


class TestErrors:
    def test_an_error_of_a_sink_ends_all(self) -> None:
        source = Counted()
        with pytest.raises(ValueError, match="0") as caught:
            run(lambda: awaited(Stream(source) | ops.broadcast(ops.count(), ops.for_each(fail))))
        assert any(note.startswith("in for_each(fail) at ") for note in caught.value.__notes__)
        assert source.closed == 1

    def test_an_error_of_an_operator_ends_all(self) -> None:
        source = Counted()
        with pytest.raises(ValueError, match="0") as caught:
            run(lambda: collect(Stream(source) | ops.broadcast(ops.take(5), ops.map(fail))))
        assert any(note.startswith("in map(fail) at ") for note in caught.value.__notes__)
        assert source.closed == 1

    def test_an_error_of_the_source_comes_after_what_every_branch_had_before_it(self) -> None:
        seen: list[tuple[str, int]] = []
        branches = [ops.for_each(lambda number, name=name: seen.append((name, number))) for name in "ab"]
        with pytest.raises(OSError, match="source") as caught:
            run(lambda: awaited(Stream(failing) | ops.broadcast(*branches)))
        assert sorted(seen) == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
        assert attached(caught.value) == ()

    def test_a_branch_can_catch_the_error_of_the_source_for_itself(self) -> None:
        caught: list[str] = []

        def recover(error: Exception) -> list[int]:
            caught.append(str(error))
            return [-1]

        seen: list[int] = []

        async def main() -> None:
            async for item in Stream(failing) | ops.broadcast(
                ops.catch(recover), ops.filter(lambda _: False)
            ):
                seen.append(item)

        with pytest.raises(OSError, match="source"):
            run(main)
        assert caught == ["source"]
        assert seen == [1, 2, -1]

    def test_a_branch_whose_buffer_overflows_ends_all(self) -> None:
        job = Stream(range(9)) | ops.broadcast(ops.count(), ops.buffer(Fail(2)) | ops.for_each(slow(1.0)))
        with pytest.raises(BufferOverflowError):
            run(lambda: awaited(job))


class TestArguments:
    def test_none(self) -> None:
        with pytest.raises(ValueError, match="branches must be one or more, not none"):
            ops.broadcast()

    @pytest.mark.parametrize("value", [5, None, abs, [ops.count()], Stream([1])])
    def test_no_operator(self, value: Any) -> None:
        with pytest.raises(TypeError) as caught:
            ops.broadcast(ops.take(1), value)
        assert str(caught.value).startswith(f"branches must be operators or sinks, not {value!r}")

    def test_operators_and_sinks_together(self) -> None:
        with pytest.raises(TypeError) as caught:
            ops.broadcast(ops.take(1), ops.count())
        assert str(caught.value) == "branches must be all operators or all sinks, not both: take(1), count()"

    def test_shows_its_branches_only(self) -> None:
        assert repr(ops.broadcast(ops.take(1), ops.buffer(Suspend(2)))) == (
            "broadcast(take(1), buffer(Suspend(capacity=2)))"
        )

    def test_equal_branches_make_equal_broadcasts(self) -> None:
        assert ops.broadcast(ops.take(1), ops.skip(1)) == ops.broadcast(ops.take(1), ops.skip(1))
        assert ops.broadcast(ops.take(1), ops.skip(1)) != ops.broadcast(ops.skip(1), ops.take(1))


class TestCleanUp:
    """What fails in the clean-up of a source is told, with sinks as with operators."""

    @staticmethod
    def dirty(name: str, count: int, seconds: float = 0.0) -> Any:
        async def numbers() -> AsyncIterator[int]:
            try:
                for number in range(count):
                    await asyncio.sleep(seconds)
                    yield number
            finally:
                raise OSError(name)

        return numbers

    @pytest.mark.parametrize(
        "branches",
        [
            (ops.buffer(Suspend(1)) | ops.first(), ops.first()),
            (ops.buffer(Suspend(1)) | ops.take(1) | ops.drain(), ops.take(1) | ops.drain()),
        ],
        ids=repr,
    )
    def test_after_every_branch_has_left(self, branches: Any) -> None:
        with pytest.raises(OSError, match="main"):
            (Stream(self.dirty("main", 20)) | ops.broadcast(*branches)).run()

    def test_of_the_source_when_a_branch_fails_before_it_hears_of_it(self) -> None:
        branch = ops.merge(self.dirty("other", 2)) | ops.drain()
        job = Stream(self.dirty("main", 2, 1.0)) | ops.broadcast(ops.to_list(), branch)

        async def main() -> None:
            with pytest.raises(OSError, match="other") as caught:
                await job
            assert [str(error) for error in attached(caught.value)] == ["main"]

        run(main)
