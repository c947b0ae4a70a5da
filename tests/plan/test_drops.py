"""What callbacks drop is counted for each run, in the book of the job, beside what its buffers did."""

from typing import Any

from streamkit import BufferStats, Job, Resume, Stream, Suspend, ops
from streamkit.testing import run


def odd(number: int) -> int:
    return 1 // (number % 2)


def above(number: int) -> int:
    return 1 // (number // 3)


def stats(job: Job[Any]) -> list[BufferStats]:
    async def main() -> list[BufferStats]:
        handle = job.start()
        await handle
        return [*handle.buffers()]

    return run(main)


def dropped(operator: Any, count: int) -> BufferStats:
    """Of what holds nothing, and has dropped all that it was offered."""
    return BufferStats(
        operator=repr(operator),
        strategy=None,
        offered=count,
        delivered=0,
        dropped=count,
        folded=0,
        refused=0,
        held=0,
        held_at_most=0,
        seconds_full=0.0,
    )


def test_each_operator_whose_callback_drops_is_in_the_book_of_each_run() -> None:
    first, second = ops.filter(above, on_error=Resume()), ops.map(odd, on_error=Resume())
    job = Stream(range(8)) | first | ops.map(abs) | second | ops.count()
    for _ in range(2):  # a run counts anew
        assert stats(job) == [dropped(first, 3), dropped(second, 1)]
    assert stats(Stream(range(8)) | second | first | ops.count())[0] == dropped(second, 4)


def test_what_has_no_callback_that_drops_is_in_no_book() -> None:
    assert stats(Stream(range(3)) | ops.map(abs) | ops.count()) == []
    (buffer,) = stats(Stream(range(3)) | ops.map(abs) | ops.buffer(Suspend(1)) | ops.count())
    assert (buffer.strategy, buffer.delivered, buffer.dropped) == (Suspend(1), 3, 0)


def test_arguments_beside_the_callback_stay_as_they_are() -> None:
    scanned = ops.scan(lambda total, item: total + odd(item), 10, on_error=Resume())
    job = Stream(range(4)) | scanned | ops.to_list()
    assert stats(job) == [dropped(scanned, 2)]
    assert job.run() == [11, 12]


def test_a_run_in_no_book_drops_all_the_same() -> None:
    assert list(Stream(range(4)) | ops.map(odd, on_error=Resume())) == [1, 1]
