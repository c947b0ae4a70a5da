"""explain: how many items of the source an item counts for, behind what makes batches or takes them apart."""

from typing import Any

import pytest

from streamkit import Contract, DropOldest, Keep, Resume, Stream, Suspend, ops, push, stage
from tests.files import over

NONE: Any = Stream[int]([])
THREES: Any = NONE | ops.batch(3)
TENS: Any = NONE | ops.batch(5) | ops.batch(2)


@pytest.mark.parametrize(
    ("stream", "items"),
    [
        (NONE, 1),
        (THREES, 3),
        (TENS, 10),
        (TENS | ops.flatten(), 5),
        (TENS | ops.flatten() | ops.flatten(), 1),
        (TENS | ops.take(3) | ops.flatten(), 5),  # what passes items on leaves them as they are
        (TENS | ops.map(list) | ops.flatten(), 10),  # each that a callback returns may have all of it
        (TENS | ops.map(list) | ops.flatten() | ops.flatten(), 10),
        (NONE | ops.merge(THREES), 3),
        (NONE | ops.merge(THREES, TENS), 10),
        (TENS | ops.merge(THREES), 10),
        (TENS | ops.merge(THREES) | ops.flatten(), 5),
        (THREES | ops.merge(TENS) | ops.flatten() | ops.flatten(), 1),
        (TENS | ops.merge(THREES | ops.map(list)) | ops.flatten(), 5),
        (THREES | ops.map(list) | ops.merge(TENS | ops.map(list)) | ops.flatten(), 10),
        (TENS | ops.merge(NONE | ops.batch(99) | ops.map(list)) | ops.flatten(), 99),
    ],
    ids=str,
)
def test_an_item_counts_for(stream: Any, items: float) -> None:
    assert (stream | ops.buffer(Suspend(1))).explain().parts[-1].lookahead == items


SHARED = NONE | ops.share(strategy=Suspend(2))
LOSSY = NONE | ops.share(strategy=DropOldest(2))
BATCHES = THREES | ops.share(strategy=Suspend(2))
SECOND = SHARED | ops.zip(SHARED | ops.map(str)) | ops.share(strategy=Suspend(2))


@over(
    [
        (SHARED | ops.zip(SHARED), 1),
        (SHARED | ops.zip(SHARED | ops.map(str) | ops.enumerate(), SHARED), 1),
        (SHARED | ops.zip(SHARED | ops.buffer(Suspend(3)) | ops.map(str, concurrency=3)), 1),
        (SECOND | ops.zip(SECOND | ops.map(str)) | ops.tap(print), 1),
        # what each has inside of it
        (BATCHES | ops.tap(print) | ops.flatten(), 1),
        (BATCHES | ops.map(list) | ops.flatten(), 3),
        (BATCHES | ops.zip(BATCHES) | ops.map(list), 3),
        (BATCHES | ops.zip(BATCHES) | ops.map(list) | ops.flatten(), 6),
        (BATCHES | ops.zip(BATCHES) | ops.tap(print) | ops.flatten() | ops.flatten(), 1),
        # what is left out, taken apart, or not next to each other
        (SHARED | ops.zip(SHARED) | ops.filter(bool), 2),
        (SHARED | ops.zip(SHARED) | ops.batch(3), 6),
        (SHARED | ops.zip(SHARED) | ops.flatten(), 1),
        (SECOND | ops.zip(SECOND | ops.map(str)) | ops.filter(bool), 4),
        (SHARED | ops.zip(SHARED | ops.filter(bool)), 2),
        (SHARED | ops.zip(SHARED | ops.map(str, on_error=Resume(dead_letters=print))), 2),
        (SHARED | ops.zip(SHARED | ops.map(str, concurrency=3, ordered=False)), 2),
        (SHARED | ops.zip(SHARED | ops.buffer(DropOldest(3))), 2),
        (SHARED | ops.combine_latest(SHARED), 2),
        (SHARED | ops.zip(NONE), 2),
        (SHARED | ops.zip(SECOND), 3),
        (LOSSY | ops.zip(LOSSY), 2),
    ],
    named=str,
)
def test_of_a_shared_run_that_meets_again_each_item_counts_once(case: tuple[Any, float]) -> None:
    test_an_item_counts_for(*case)


def test_no_item_counts_for_more_than_fits_in_any_memory() -> None:
    stream = NONE.pipe(*[ops.batch(1000)] * 200, ops.buffer(Suspend(1)))
    assert stream.explain().parts[-1].lookahead == 2**63


def test_a_place_for_what_comes_out_of_a_branch_is_as_wide_as_that() -> None:
    narrow = (NONE | ops.balance(ops.map(str), ops.map(abs))).explain()
    wide = (NONE | ops.balance(ops.map(str), ops.batch(5))).explain()
    assert [part.text for part in narrow.parts[:2]] == [part.text for part in wide.parts[:2]]
    # of its batches, one stands in that place, and one is in the hand of the consumer
    assert wide.parts[1].holds == narrow.parts[1].holds + 4 + 4


def test_a_job_shows_the_loops_of_its_stream_and_its_sink_on_demand_only() -> None:
    job = THREES | ops.buffer(Suspend(1)) | ops.count()
    assert job.explain().code == ()
    assert len(job.explain(code=True).code) == 2


def test_what_stands_in_the_pipe_of_a_group_holds_so_much_for_each_group() -> None:
    pipe = ops.batch(3) | ops.buffer(Suspend(2)) | ops.timeout(9.0)
    grouped = (NONE | ops.group_by(abs, pipe, max_groups=5)).explain()
    (alone,) = [part for part in (NONE | pipe).explain().parts if part.strategy]
    (inside,) = [part for part in grouped.parts if part.strategy]
    assert (alone.holds, alone.lookahead) == (6, 6)
    assert (inside.holds, inside.lookahead) == (30, 30)


def test_what_stands_in_a_branch_holds_so_much_of_what_it_is_given() -> None:
    def holds(branch: Any) -> float:
        return (THREES | ops.broadcast(branch, ops.skip(2))).explain().parts[1].holds

    for branch, more in ((ops.pairwise(), 3), (ops.batch(4), 9), (ops.batch(2) | ops.batch(3), 15)):
        assert holds(branch) - holds(ops.skip(1)) == more
    assert holds(ops.flatten() | ops.batch(4)) - holds(ops.flatten()) == 3


def test_a_source_with_a_buffer_is_a_part_that_holds_what_that_does_however_deep() -> None:
    for strategy in (Suspend(2), DropOldest(3)):
        pushed: Any = push(strategy)[0]
        alone, deep = pushed.explain().parts[0], (NONE | ops.merge(pushed)).explain().parts[-1]
        for part, depth in ((alone, 0), (deep, 1)):
            found = (part.text, part.kind, part.strategy, part.loses, part.depth)
            assert found == (repr(pushed.source), "source", repr(strategy), strategy.loses, depth)
            assert (part.holds, part.lookahead) == (strategy.limit, strategy.limit)


AHEAD: Any = ops.map(str, concurrency=2)
BUFFERED: Any = ops.buffer(Suspend(2)) | ops.batch(3)
COUNT: Any = ops.count()
BRANCHES: list[tuple[Any, list[tuple[float, float]]]] = [
    (ops.balance(AHEAD, ops.batch(3)), [(14, 4), (4, 4), (0, 0)]),
    (ops.partition(bool, AHEAD, ops.batch(3)), [(16, 6), (4, 4), (0, 0)]),
    (ops.broadcast(BUFFERED, ops.take(1)), [(14, 2), (4, 4), (0, 0), (0, 0)]),
    (ops.broadcast(BUFFERED, BUFFERED | ops.batch(5)), [(66, 2), (4, 4), (0, 0), (4, 4), (0, 0)]),
    (ops.group_by(str, AHEAD | ops.batch(3), max_groups=5), [(48, 42), (20, 20), (0, 0)]),
    # a sink has an item in its own hand, and nothing comes out of it, for which there would be a place
    (ops.balance(AHEAD | COUNT, ops.batch(3) | COUNT), [(0, 2), (4, 4), (2, 0), (6, 0)]),
    (ops.partition(bool, AHEAD | COUNT, COUNT), [(2, 4), (4, 4), (2, 0), (2, 0)]),
    (ops.broadcast(BUFFERED | COUNT, COUNT), [(0, 0), (4, 4), (6, 0), (2, 0)]),
    (ops.group_by(str, AHEAD | ops.batch(3) | COUNT, max_groups=5), [(18, 12), (20, 20), (30, 0)]),
]
"""Operators with branches: what they, and the parts of the branches, hold and read ahead of pairs."""


def test_what_stands_in_branches_is_counted_beside_the_places_between_them() -> None:
    for operator, held in BRANCHES:
        own, *inner = (NONE | ops.batch(2) | operator).explain().parts[2:]
        assert [(part.holds, part.lookahead) for part in (own, *inner)] == held, operator
        assert (own.depth, {part.depth for part in inner}) == (0, {1})


async def _in_place(run: Any, source: Any) -> Any:
    async for item in run.open(source):
        yield item


@stage(
    _in_place,
    pumps=False,
    contract=Contract(
        holds="5", again_holds="2", per_source=True, keys="7", result="a note of each", at_end=True
    ),
)
def in_place() -> Keep:
    return Keep(in_place)


def test_a_stage_that_reads_in_place_is_no_second_reader_nor_behind_a_buffer() -> None:
    part = (THREES | ops.buffer(Suspend(1)) | in_place()).explain().parts[-1]
    assert (part.holds, part.keys, part.result, part.at_end) == (15 + 3, 7, "a note of each", True)


def test_what_a_stage_holds_by_itself_is_the_same_behind_a_buffer() -> None:
    for pipe in (AHEAD, ops.buffer(Suspend(1)) | AHEAD):
        part = (THREES | pipe).explain().parts[-1]
        assert (part.holds, part.lookahead) == (6, 6)
