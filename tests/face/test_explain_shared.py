"""explain where several readers share one run: what is before them is told, and counted, once."""

from typing import Any

import pytest

from streamkit import DropOldest, Stream, Suspend, ops, push
from streamkit.operators.hot import among


def double(number: int) -> int:
    return 2 * number


def told(stream: Any) -> list[tuple[int, str, float]]:
    """The parts behind the first source: how deep each is nested, its text, and what it holds."""
    return [(part.depth, part.text, part.holds) for part in stream.explain().parts[1:]]


def diamonds(count: int) -> Any:
    """So many in a row: in each, two read what the one before gives, and meet again."""
    stream: Any = Stream([1, 2])
    for _ in range(count):
        shared = stream | ops.map(double, concurrency=2) | ops.share()
        stream = shared | ops.merge(shared | ops.filter(bool))
    return stream


def test_what_is_before_the_readers_is_explained_once() -> None:
    shared = Stream([1]) | ops.map(double, concurrency=4) | ops.filter(bool) | ops.share(strategy=Suspend(3))
    assert told(shared | ops.zip(shared | ops.skip(1))) == [
        (0, "map(double, concurrency=4)", 4),
        (0, "filter(bool)", 0),  # the item in hand has its place in the lanes
        (0, "share(strategy=Suspend(capacity=3))", 3),
        (0, "zip(...)", 2 + 2),  # and a pair in the consumer's hand
        (1, "[1] | ... | filter(...), as above", 0),
        (1, "share(strategy=Suspend(capacity=3))", 3),
        (1, "skip(1)", 0),
    ]


def test_what_readers_get_counts_as_it_does_where_it_comes_from() -> None:
    shared = Stream([1]) | ops.batch(5) | ops.share()
    behind = shared | ops.map(sum) | ops.buffer(Suspend(2))
    assert told(shared | ops.merge(behind))[-4:] == [
        (1, "[1] | batch(...), as above", 0),
        (1, "share()", 5),
        (1, "map(sum)", 0),
        (1, "buffer(Suspend(capacity=2))", 10),
    ]


def test_of_diamonds_in_a_row_text_and_bound_grow_with_their_number() -> None:
    explained = [diamonds(count).explain() for count in (1, 8, 16, 24)]
    assert [each.bound for each in explained] == [6, 8 * 6, 16 * 6, 24 * 6]
    one, *others = [len(each.parts) - 1 for each in explained]
    assert others == [8 * one, 16 * one, 24 * one]
    sizes = [len(str(each)) for each in explained[1:]]
    assert sizes[2] - sizes[1] == pytest.approx(sizes[1] - sizes[0], abs=9)  # digits of the sums


def test_of_diamonds_that_meet_in_pairs_the_bound_grows_with_their_number() -> None:
    def zipped(count: int) -> float:
        stream: Any = Stream([1])
        for _ in range(count):
            shared = stream | ops.share(strategy=Suspend(2))
            stream = shared | ops.zip(shared | ops.map(abs))
        return float(stream.explain().bound)

    assert [zipped(count) for count in (1, 2, 3, 24)] == [7, 13, 19, 1 + 24 * 6]


def test_the_buffer_of_a_source_that_is_shared_counts_once() -> None:
    stream, _ = push(Suspend(40), of=int)
    shared = stream | ops.share()
    assert (shared | ops.merge(shared)).explain().bound == 40 + 2 + 2
    assert told(shared | ops.merge(shared))[-2][1].endswith(", as above")


def test_what_is_replayed_counts_once_for_readers_that_wait_for_each_other() -> None:
    for strategy, most in (Suspend(2), (12, 2, 2)), (DropOldest(2), (12, 12, 12)):
        shared = Stream([1]) | ops.share(10, strategy=strategy)
        parts = told(shared | ops.merge(shared, shared))
        assert tuple(held for _, text, held in parts if text.startswith("share")) == most


def test_a_share_that_was_put_into_several_streams_has_a_run_of_each() -> None:
    share = ops.share()
    one, other = Stream([1]), Stream([1])
    for streams in (
        (one | share, other | share),
        (one | ops.map(str) | share, one | ops.map(abs) | share),
        (one | ops.share(), one | ops.share()),
    ):
        assert "as above" not in str((streams[0] | ops.merge(streams[1])).explain())


def test_readers_in_branches_that_begin_runs_of_their_own_are_explained_each() -> None:
    pipe = ops.map(double, concurrency=2) | ops.share() | ops.map(str)
    assert "as above" not in str((Stream([1]) | ops.broadcast(pipe, pipe)).explain())


def test_readers_in_branches_that_read_a_stream_of_their_own_share_its_run() -> None:
    shared = Stream([1]) | ops.map(double, concurrency=2) | ops.share()
    branches = [ops.merge(shared), ops.zip(shared)]
    texts = [text for _, text, _ in told(Stream([2]) | ops.broadcast(*branches))]
    assert texts.count("map(double, concurrency=2)") == texts.count("[1] | map(...), as above") == 1


def test_that_a_reader_is_expected_is_no_stream_that_it_reads() -> None:
    for reader in among(2, Suspend(3)):
        assert told(Stream([1]) | reader) == [(0, "share(strategy=Suspend(capacity=3), readers=2)", 3)]
