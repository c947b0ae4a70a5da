"""explain: parts, bound, lookahead, what is lost, and the generated loops."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from functools import reduce
from operator import or_
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import (
    Collect,
    Contract,
    DropOldest,
    Explanation,
    KeepLatest,
    Spill,
    Stream,
    Suspend,
    Tumbling,
    Unbounded,
    ops,
)
from streamkit._engine.face.stream import Pipe
from streamkit.testing import run
from tests import own
from tests.laws.lab import Lab
from tests.samples import SAMPLES
from tests.workers import InLoop


def double(number: int) -> int:
    return 2 * number


def kinds(explanation: Explanation) -> list[str]:
    return [part.kind for part in explanation.parts]


class Counted:
    """A source that counts what was pulled."""

    def __init__(self) -> None:
        self.pulled = 0

    async def __call__(self) -> AsyncIterator[int]:
        for self.pulled in range(1, 1000):
            yield self.pulled


class TestParts:
    def test_neighbouring_steps_are_one_segment(self) -> None:
        explanation = (Stream([1]) | ops.map(double) | ops.filter(bool) | ops.take(2)).explain()
        assert kinds(explanation) == ["source", "segment"]
        assert explanation.parts[1].text == "map(double) | filter(bool) | take(2)"

    def test_stages_stand_between_segments(self) -> None:
        stream = Stream([1]) | ops.map(double) | ops.buffer(Suspend(2)) | ops.take(3) | ops.skip(1)
        assert kinds(stream.explain()) == ["source", "segment", "stage", "segment"]

    def test_a_sink_belongs_to_the_last_segment(self) -> None:
        explanation = (Stream([1]) | ops.map(double) | ops.to_list()).explain()
        assert kinds(explanation) == ["source", "segment"]
        assert explanation.parts[1].text == "map(double) | to_list()"

    def test_what_a_callback_or_a_sink_keeps_is_told_outside_of_the_bound(self) -> None:
        explanation = (Stream([1]) | ops.scan(or_) | ops.to_list()).explain()
        assert explanation.parts[1].result == "the state that function returned last, every item"
        assert explanation.bound == (Stream([1]) | ops.map(double) | ops.drain()).explain().bound

    def test_other_sources_are_nested(self) -> None:
        explanation = (Stream("ab") | ops.merge(Stream([1]) | ops.map(double), [2]) | ops.take(1)).explain()
        assert [(part.depth, part.text) for part in explanation.parts] == [
            (0, "ab".join("''")),
            (0, "merge(...)"),
            (1, "[1]"),
            (1, "map(double)"),
            (1, "[2]"),
            (0, "take(1)"),
        ]

    def test_neighbouring_buffers_are_the_one_that_they_run_as(self) -> None:
        stream = Stream([1]) | ops.buffer(Suspend(2)) | ops.buffer(Suspend(3))
        explanation = stream.explain()
        assert kinds(explanation) == ["source", "stage"]
        assert (explanation.bound, explanation.lookahead) == (5, 5)

    def test_what_is_lost_is_told(self) -> None:
        lossy = (Stream([1]) | ops.buffer(DropOldest(2))).explain()
        assert lossy.parts[1].loses != "nothing"
        assert lossy.parts[1].strategy == "DropOldest(capacity=2)"
        assert (Stream([1]) | ops.buffer(Suspend(2))).explain().parts[1].loses == "nothing"


class TestSums:
    @pytest.mark.parametrize(
        ("make", "lookahead"),
        [
            (lambda: ops.map(double), 0),
            (lambda: ops.batch(5), 0),
            (lambda: ops.concat([1]), 0),
            (lambda: ops.timeout(1.0), 0),
            (lambda: ops.buffer(Suspend(4)), 4),
            (lambda: ops.buffer(Suspend(4)) | ops.batch(2) | ops.buffer(Suspend(3)), 10),
            (lambda: ops.merge([1], [2]), 3),
            (lambda: ops.merge([1], lookahead=5), 10),
            (lambda: ops.buffer(KeepLatest()), math.inf),
            (lambda: ops.buffer(Unbounded()), math.inf),
        ],
    )
    def test_what_is_read_ahead(self, make: Callable[[], Any], lookahead: float) -> None:
        assert (Stream([1]) | make()).explain().lookahead == lookahead

    def test_a_batch_counts_for_its_items(self) -> None:
        batched = Stream([1]) | ops.batch(10)
        assert batched.explain().bound == 10
        assert (batched | ops.batch(2)).explain().bound == 20
        # the batch that is being filled has its place in the buffer already
        assert (batched | ops.buffer(Suspend(3))).explain().bound == 30

    def test_bound_is_whole_or_endless(self) -> None:
        bounded = (Stream([1]) | ops.buffer(Suspend(4)) | ops.map(double, concurrency=3)).explain()
        assert isinstance(bounded.bound, int)
        assert isinstance(bounded.lookahead, int)
        assert (Stream([1]) | ops.buffer(Unbounded())).explain().bound == math.inf

    @given(
        st.lists(
            st.sampled_from(
                [
                    lambda: ops.map(double),
                    lambda: ops.batch(3) | ops.flatten(),
                    lambda: ops.pairwise() | ops.map(max),
                    lambda: ops.buffer(Suspend(3)),
                    lambda: ops.timeout(9.0),
                    lambda: ops.concat([]),
                    lambda: ops.merge([], lookahead=2),
                ]
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_a_stalled_consumer_finds_no_more_inside_than_the_bound(
        self, makers: list[Callable[[], Any]]
    ) -> None:
        async def main() -> None:
            source = Counted()
            stream = reduce(or_, [make() for make in makers], Stream(source))
            bound = stream.explain().bound
            async with stream.open() as items:
                for delivered in range(1, 8):
                    await anext(items)
                    await asyncio.sleep(5.0)
                    assert source.pulled - delivered <= bound + _pairs(makers)

        run(main)

    def test_explaining_runs_nothing_and_consumes_nothing(self) -> None:
        source = Counted()
        stream = Stream(source) | ops.buffer(Suspend(2))
        assert repr(stream.explain(code=True)) == repr(stream.explain(code=True))
        assert source.pulled == 0
        once = Stream(iter([1, 2])) | ops.map(double)
        once.explain(code=True)
        assert list(once) == [2, 4]


def _pairs(makers: list[Callable[[], Any]]) -> int:
    """Items that were pulled and never come out by themselves: the first of each ``pairwise``."""
    return sum("pairwise" in repr(make()) for make in makers)


class TestText:
    def test_has_a_line_for_each_part_and_one_for_the_sum(self) -> None:
        stream = Stream(range(9)) | ops.map(double) | ops.buffer(Suspend(4)) | ops.batch(2)
        text = str(stream.explain())
        assert text == repr(stream.explain())
        assert [line.split("  ")[0] for line in text.splitlines()] == [
            "range(0, 9)",
            "map(double)",
            "buffer(Suspend(capacity=4))",
            "batch(2)",
            "bound: 6 items inside at most, 4 items read ahead",
        ]

    def test_says_one_item_and_any_number_of_items(self) -> None:
        one = str((Stream([1]) | ops.map(double)).explain())
        assert one.endswith("bound: 1 item inside at most, 0 items read ahead")
        many = str((Stream([1]) | ops.buffer(Unbounded())).explain())
        assert many.endswith("bound: any number of items inside at most, any number of items read ahead")

    def test_nested_parts_are_indented(self) -> None:
        lines = str((Stream("ab") | ops.merge([1])).explain()).splitlines()
        assert lines[2] == "  [1]"

    @pytest.mark.parametrize("join", [ops.zip, lambda other: ops.map(abs) | ops.merge(other | ops.map(abs))])
    def test_streams_in_streams_in_streams_are_explained_however_deep(self, join: Any) -> None:
        stream = Stream([1])
        for _ in range(1_000):
            stream = Stream([1]) | join(stream)
        assert max(part.depth for part in stream.explain().parts) == 1_000


class TestCode:
    def test_is_shown_on_demand_only(self) -> None:
        stream = Stream([1]) | ops.map(double)
        assert stream.explain().code == ()
        assert len(stream.explain(code=True).code) == 1

    def test_is_python_with_a_loop_per_segment(self) -> None:
        stream = Stream([1]) | ops.map(double) | ops.buffer(Suspend(1)) | ops.take(1) | ops.skip(0)
        code = stream.explain(code=True).code
        assert len(code) == 2
        for text in code:
            compile(text, "<code>", "exec")
            assert text.startswith("async def loop(")

    def test_of_a_long_chain_is_one_loop_for_each_part_it_is_cut_into(self) -> None:
        stream = Stream(range(3)).pipe(*[ops.map(double)] * 500)
        code = stream.explain(code=True).code
        assert len(code) > 1
        assert list(stream.pipe(ops.take(1))) == [0]

    def test_of_a_sink_that_alone_takes_from_a_buffer_says_so(self) -> None:
        buffered: Any = Stream([1]) | ops.buffer(Suspend(1))
        sink, step = (buffered | last for last in (ops.count(), ops.skip(1)))
        assert "channel.alone = True" in sink.explain(code=True).code[-1]
        assert "channel.alone" not in step.explain(code=True).code[-1]

    def test_stands_behind_the_sum_in_the_text(self) -> None:
        explanation = (Stream([1]) | ops.map(double)).explain(code=True)
        assert str(explanation).endswith(explanation.code[0].rstrip())


class TestMixedSources:
    def test_the_others_count_as_the_contract_says(self) -> None:
        explained = (Stream([]) | own.with_latest_from(Stream([]) | ops.batch(3))).explain()
        # of the main source one, and one in hand; of the other a batch kept, one in the pair; and in its pump
        assert explained.bound == 2 + 3 + 3 + 3
        assert explained.lookahead == math.inf

    def test_what_reads_a_source_with_no_limit_reserves_no_place_for_what_it_reads(self) -> None:
        limited = (Stream([]) | own.prefer(Stream([]) | ops.map(str))).explain()
        endless = (Stream([]) | own.with_latest_from(Stream([]) | ops.map(str))).explain()
        assert [part.holds for part in limited.parts if part.depth and part.kind == "segment"] == [0]
        assert [part.holds for part in endless.parts if part.depth and part.kind == "segment"] == [1]

    def test_what_is_not_said_of_the_others_is_as_for_the_first(self) -> None:
        contract = Contract(holds="2", lookahead="1", others_hold="5")
        assert contract.mixed
        assert contract.of_others == ("5", "1")
        assert contract.behaviour({}) == "bounded"
        assert contract.but(others_hold="unbounded").behaviour({}) == "unbounded"


def test_a_buffer_stands_for_the_place_of_a_source_that_a_stage_reads_one_ahead() -> None:
    plain: Any = Stream([1])
    buffered = plain | ops.buffer(Suspend(4))
    for name in "race", "sequence_equal", "merge":
        join = getattr(ops, name)
        held = [
            sum(part.holds for part in (first | join(other)).explain().parts if part.text == f"{name}(...)")
            for first in (plain, buffered)
            for other in (plain, buffered)
        ]
        most = 1 if name == "race" else 2
        assert held == [most, 1, 1, 0]


def test_a_stage_behaves_as_its_contract_says() -> None:
    stages: dict[str, Any] = {
        "pass-through": ops.timeout(1.0),
        "bounded": ops.map(double, concurrency=2),
        "unbounded": ops.buffer(Unbounded()),
        "lossy": ops.debounce(1.0),
    }
    for behaviour, operator in stages.items():
        assert (Stream([1]) | operator).explain().parts[1].behaviour == behaviour


STRATEGIES = [Suspend(4), DropOldest(2), KeepLatest(), Collect(3), Spill(2), Unbounded()]
NESTING: dict[str, Callable[[Any], Any]] = {
    "merge": lambda pipe: ops.merge(Stream([1]) | pipe),
    "on": lambda pipe: ops.on(InLoop(), pipe),
    "zip": lambda pipe: ops.zip(Stream([1]) | pipe),
    "concat": lambda pipe: ops.concat(Stream([1]) | pipe),
    "timeout": lambda pipe: ops.timeout(9.0, fallback=Stream([1]) | pipe),
    "sample": lambda pipe: ops.sample(signal=Stream([1]) | pipe),
    "own": lambda pipe: own.prefer(Stream([1]) | pipe),
    "broadcast": lambda pipe: ops.broadcast(ops.map(str), pipe),
    "broadcast to sinks": lambda pipe: ops.broadcast(pipe | ops.to_list(), ops.count()),
    "partition": lambda pipe: ops.partition(bool, ops.map(str), pipe),
    "partition to sinks": lambda pipe: ops.partition(bool, pipe | ops.to_list(), ops.count()),
    "route": lambda pipe: ops.route(id, {1: ops.map(str)}, otherwise=pipe),
    "route to sinks": lambda pipe: ops.route(id, {1: pipe | ops.count()}, otherwise=ops.count()),
    "balance": lambda pipe: ops.balance(ops.map(str), pipe),
    "group_by": lambda pipe: ops.group_by(id, pipe, max_groups=3),
    "group_by to a sink": lambda pipe: ops.group_by(id, pipe | ops.count(), max_groups=3),
    "window": lambda pipe: ops.window(Tumbling(count=3), pipe),
    "aggregate": lambda pipe: ops.aggregate(pipe | ops.count()),
    "combine_latest": lambda pipe: ops.combine_latest(Stream([1]) | pipe),
    "with_latest_from": lambda pipe: ops.with_latest_from(Stream([1]) | pipe),
    "zip_latest": lambda pipe: ops.zip_latest(Stream([1]) | pipe),
    "fork_join": lambda pipe: ops.fork_join(Stream([1]) | pipe),
    "merge_sorted": lambda pipe: ops.merge_sorted(Stream([1]) | pipe),
    "merge_prioritized": lambda pipe: ops.merge_prioritized(Stream([1]) | pipe),
    "interleave": lambda pipe: ops.interleave(Stream([1]) | pipe),
    "race": lambda pipe: ops.race(Stream([1]) | pipe),
    "pause_while": lambda pipe: ops.pause_while(Stream([True]) | pipe),
    "take_until": lambda pipe: ops.take_until(Stream([1]) | pipe),
    "skip_until": lambda pipe: ops.skip_until(Stream([1]) | pipe),
    "sequence_equal": lambda pipe: ops.sequence_equal(Stream([1]) | pipe),
    "a branch of a group": lambda pipe: ops.group_by(
        id, ops.broadcast(pipe, ops.map(str, concurrency=2)), max_groups=2
    ),
    "a group in a source": lambda pipe: ops.merge(Stream([1]) | ops.group_by(id, pipe, max_groups=2)),
}
PIPES: dict[str, Callable[[Any], Any]] = {
    "alone": lambda buffer: buffer,
    "first": lambda buffer: buffer | ops.map(double),
    "last": lambda buffer: ops.timeout(1.0) | buffer,
    "taken over": lambda buffer: buffer | ops.map(double, concurrency=2),
    "behind another": lambda buffer: ops.buffer(Collect(2)) | ops.map(len) | buffer,
}


class TestNestedBuffers:
    """What a buffer inside of an operator does stands where it is written, as of any other."""

    @pytest.mark.spread(full=2)
    @pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
    @pytest.mark.parametrize("pipe", PIPES.values(), ids=PIPES)
    @pytest.mark.parametrize("nest", NESTING.values(), ids=NESTING)
    def test_are_parts_with_their_strategy_and_capacity(self, nest: Any, pipe: Any, strategy: Any) -> None:
        alone = (Stream([1]) | ops.buffer(strategy)).explain().parts[1]
        explained = (Stream([1]) | nest(pipe(ops.buffer(strategy)))).explain()
        (found,) = [part for part in explained.parts if part.text == alone.text]
        assert found.depth
        assert (found.strategy, found.loses, found.behaviour) == (
            repr(strategy),
            strategy.loses,
            alone.behaviour,
        )
        assert found.holds >= alone.holds
        assert found.lookahead >= alone.lookahead

    def test_are_counted_once(self) -> None:
        strategies = DropOldest(2), KeepLatest(), Suspend(4)
        explained = (
            Stream([1]) | ops.broadcast(*[ops.buffer(each) | ops.map(str) for each in strategies])
        ).explain()
        assert [part.holds for part in explained.parts if part.text.startswith("buffer")] == [2, 1, 4]
        # a place for what comes out of each, and one item in hand
        assert explained.parts[1].holds == len(strategies) + 1
        assert explained.bound == 2 + 1 + 4 + len(strategies) + 1
        assert [part.loses for part in explained.parts if part.loses != "nothing"] == ["oldest items"] * 2

    def test_every_operator_that_takes_a_pipe_or_a_stream_is_tried(self) -> None:
        tried = {link.declaration.name for nest in NESTING.values() for link in nest(ops.map(str)).links}
        nesting = {
            link.declaration.name
            for sample in SAMPLES
            for link in sample.make(Lab()).links
            for value in link.arguments.values()
            for each in (value if isinstance(value, tuple) else (value,))
            if isinstance(each, (Stream, Pipe))
        }
        assert nesting - tried == set()

    def test_of_groups_that_drop_what_comes_too_fast_read_without_limit(self) -> None:
        lossy = ops.group_by(id, ops.buffer(DropOldest(2)) | ops.map(double), max_groups=3)
        assert (Stream([1]) | lossy).explain().lookahead == math.inf


class TestAtTheEnd:
    def test_is_told(self) -> None:
        explained = (Stream("ab") | ops.map(str) | own.take_last(2)).explain()
        assert explained.at_end
        assert "emits at the end only" in str(explained)

    def test_of_another_source_says_nothing_of_the_whole(self) -> None:
        assert not (Stream("ab") | own.prefer(Stream("ab") | own.take_last(2))).explain().at_end
        assert (Stream("ab") | own.take_last(2) | own.prefer("a")).explain().at_end
