"""`on`, and `on=`: what is sent to workers in chunks, and what is done where a worker could not."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from streamkit import Failure, Job, Lasting, Replace, Resume, Retry, Return, Stream, WorkersClosedError, ops
from streamkit._core.workers import Calls, Outcomes, Send, Work
from streamkit.testing import run
from tests.workers import InLoop


def numbers_at(job: Any) -> Any:
    async def main() -> Any:
        return await job

    return run(main())


def inverse(number: int) -> float:
    return 12 / (number - 4)


class TestOn:
    def test_a_chunk_goes_through_the_pipe_by_itself(self) -> None:
        pipe = ops.on(InLoop(), ops.enumerate(), ops.filter(lambda pair: pair[0] != 1), chunk=3)
        assert list(Stream("abcdefg") | pipe) == [(0, "a"), (2, "c"), (0, "d"), (2, "f"), (0, "g")]

    def test_what_is_cut_in_slices_is_cut_as_what_is_not(self) -> None:
        for source in (range(7), [*range(7)], (*range(7),), lambda: iter(range(7))):
            for chunk, cut in (
                (3, [[0, 1, 2], [3, 4, 5], [6]]),
                (Lasting(2 / 64), [[0], [1, 2], [3, 4], [5, 6]]),
            ):
                pipe = ops.on(InLoop(1), ops.batch(100), chunk=chunk)
                assert numbers_at(Stream(source) | pipe | ops.to_list()) == cut

    def test_a_list_that_grows_while_it_is_read_is_read_to_its_end(self) -> None:
        items = [0]
        pipe = ops.map(str, on=InLoop(1), chunk=2) | ops.tap(
            lambda _: items.append(5) if len(items) < 4 else None
        )
        assert numbers_at(Stream(items) | pipe | ops.to_list()) == ["0", "5", "5", "5"]

    def test_what_came_before_an_error_in_its_chunk_is_delivered(self) -> None:
        seen = list[float]()
        with pytest.raises(ZeroDivisionError) as caught:
            for number in Stream(range(9)) | ops.on(InLoop(), ops.map(inverse), chunk=3):
                seen.append(number)
        assert seen == [-3.0, -4.0, -6.0, -12.0]
        assert "on" in caught.value.__notes__[-1]

    def test_a_later_chunk_is_not_delivered_before_an_error(self) -> None:
        seen = list[int]()
        with pytest.raises(ZeroDivisionError):
            for number in Stream([8, 8, 4, 4]) | ops.map(inverse, on=InLoop(4), chunk=2):
                seen.append(number)
        assert seen == [3.0, 3.0]

    def test_there_must_be_operators(self) -> None:
        with pytest.raises(ValueError, match=r"^operators must be given: write ops.on\(executor, ops.map"):
            ops.on(InLoop())

    def test_bound_counts_the_items_of_all_chunks(self) -> None:
        job = Stream(iter(range(9))) | ops.on(InLoop(3), ops.map(str), chunk=4) | ops.to_list()
        assert job.explain().bound == 16


class TestPolicies:
    """Where an item of a chunk fails, only that one is dealt with."""

    @pytest.mark.parametrize("chunk", [1, 3, Lasting(3 / 64, most=4)])
    def test_each(self, chunk: Any) -> None:
        def job(policy: Any) -> Job[list[Any]]:
            return (
                Stream(range(2, 7))
                | ops.map(inverse, on=InLoop(), chunk=chunk, on_error=policy)
                | ops.to_list()
            )

        letters = list[Any]()
        assert numbers_at(job(Resume(lambda item, _: letters.append(item)))) == [-6.0, -12.0, 12.0, 6.0]
        assert letters == [4]
        assert numbers_at(job(Replace(lambda item, _: item))) == [-6.0, -12.0, 4, 12.0, 6.0]
        failure = numbers_at(job(Return()))[2]
        assert isinstance(failure, Failure)
        assert (failure.item, type(failure.error)) == (4, ZeroDivisionError)

    @pytest.mark.parametrize("chunk", [1, 3])
    def test_an_item_is_sent_again_by_itself(self, chunk: int) -> None:
        called = list[int]()

        def fails_twice(number: int) -> int:
            called.append(number)
            if number == 4 and called.count(4) < 3:
                raise ConnectionError
            return number

        pipe = ops.map(fails_twice, on=InLoop(1), chunk=chunk, on_error=Retry(3, backoff=1.0))
        assert numbers_at(Stream(range(6)) | pipe | ops.to_list()) == [*range(6)]
        assert sorted(called) == [0, 1, 2, 3, 4, 4, 4, 5]
        called.clear()
        with pytest.raises(ConnectionError):
            numbers_at(Stream(range(6)) | ops.map(fails_twice, on=InLoop(1), on_error=Retry(2)) | ops.drain())

    @pytest.mark.parametrize("chunk", [1, 2])
    @pytest.mark.parametrize("on_error", [Resume(), Return(), Retry(9, backoff=1.0), Retry(9, then=Resume())])
    def test_where_there_are_no_workers_the_stream_fails(self, on_error: Any, chunk: int) -> None:
        """No item is dropped or sent again for that."""
        workers = Closing(1)
        taken = list[int]()
        source = Stream(range(2, 99)) | ops.tap(taken.append)
        with pytest.raises(WorkersClosedError, match="closed"):
            numbers_at(source | ops.map(inverse, on=workers, chunk=chunk, on_error=on_error) | ops.drain())
        assert workers.sent <= 4
        assert len(taken) <= 8


class Closing(InLoop):
    """They are closed by the item 4, which fails."""

    sent = 0

    @asynccontextmanager
    async def used(self, work: Work) -> AsyncIterator[Send]:
        async with super().used(work) as send:
            closed = False

            async def until_closed(items: Sequence[Any]) -> Outcomes:
                nonlocal closed
                self.sent += 1
                if closed:
                    raise WorkersClosedError("these workers are closed")
                closed = 4 in items
                return await send(items)

            yield until_closed


def test_chunks_grow_until_they_last_as_long_as_was_said() -> None:
    """Each item takes 1/64 s, by these workers."""
    sizes = list[int]()
    workers = InLoop(1)
    note = ops.tap(lambda chunk: sizes.append(len(chunk)))
    pipe = ops.on(workers, ops.batch(100) | note, chunk=Lasting(5 / 64))
    numbers_at(Stream(range(20)) | pipe | ops.drain())
    assert sizes == [1, 2, 4, 5, 5, 3]


class TestCalls:
    @pytest.mark.parametrize("bad", [0, 1, 2])
    def test_one_that_raises_stop_iteration_is_named_and_ends_nothing(self, bad: int) -> None:
        def stops(number: int) -> int:
            if number == bad:
                raise StopIteration(number)
            return number

        found = Calls(stops).done([0, 1, 2])
        assert [found.index(each) for each in (0, 1, 2) if each in found] == [
            n for n in (0, 1, 2) if n != bad
        ]
        assert re.fullmatch(r".*stops raised StopIteration", str(found[bad].error))
        assert not found.are_results


class TestMap:
    def test_same_keys_are_sent_one_after_the_other(self) -> None:
        pipe = ops.map(str, on=InLoop(4), key=lambda number: number % 2)
        assert sorted(numbers_at(Stream(range(6)) | pipe | ops.to_list())) == [*"012345"]

    def test_a_job_of_calls(self) -> None:
        seen = list[int]()
        numbers_at(Stream(range(6)) | ops.for_each(seen.append, on=InLoop(), chunk=2))
        assert sorted(seen) == [*range(6)]

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"on": InLoop(), "concurrency": 2}, "concurrency and lookahead must not be given with on"),
            ({"on": InLoop(), "key": str, "chunk": 2}, "chunk must be 1 where key is given, not 2"),
            ({"chunk": 2}, "chunk must be given together with on"),
        ],
    )
    def test_what_does_not_go_together(self, given: Any, words: str) -> None:
        with pytest.raises((TypeError, ValueError), match=words):
            ops.map(str, **given)

    def test_a_function_is_needed_where_nothing_is_prepared(self) -> None:
        with pytest.raises(TypeError, match=r"^function must be given"):
            ops.map()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
