"""Books: the rows of ``handle.buffers()`` in the order of the pipe, each to be told from the others."""

from functools import reduce
from itertools import permutations
from operator import or_
from typing import Any

import pytest

import streamkit
from streamkit import DropOldest, SourceConsumedError, Stream, Suspend, ops, push
from streamkit.testing import run
from tests.files import over
from tests.tiers import stride


def same(item: Any) -> Any:
    return item


def inside() -> Any:
    """A stage that stands nowhere else."""
    return ops.keep_alive(9.0, function=lambda: None)


STAGES = {
    "buffer": lambda: ops.buffer(DropOldest(9)),
    "merge": lambda: ops.merge([], lookahead=2),
    "concat": lambda: ops.concat([]),
    "zip": lambda: ops.zip([1, 2]),
    "timeout": lambda: ops.timeout(9.0),
    "throttle": lambda: ops.throttle(1e6),
    "batch_within": lambda: ops.batch_within(1, seconds=9.0),
    "map": lambda: ops.map(same, concurrency=2, lookahead=1),
    "flat_map": lambda: ops.flat_map(lambda item: [item], concurrency=2),
    "group_by": lambda: ops.group_by(lambda item: 0, inside(), max_groups=2),
    "broadcast": lambda: ops.broadcast(inside(), ops.take(0)),
}


async def rows(job: Any) -> list[Any]:
    handle = job.start()
    await handle
    return [*handle.buffers()]


def names(rows: list[Any]) -> list[str]:
    """The operators, each where it comes first."""
    return [*dict.fromkeys(each.operator.partition("(")[0] for each in rows)]


@over([*permutations(STAGES, 3)][:: 7 * stride(4)], named=" ".join)
def test_they_stand_in_the_order_of_the_pipe(chosen: tuple[str, ...]) -> None:
    for count in (0, 2):
        live, emitter = push(Suspend(9))
        for number in range(count):
            emitter.offer(number)
        emitter.close()
        piped = live.pipe(*[STAGES[name]() for name in chosen])
        found = names(run(lambda piped=piped: rows(piped | ops.drain())))
        assert found[0] == "push"
        assert [name for name in found if name in chosen] == [name for name in chosen if name in found]


def test_what_a_source_is_made_of_stands_before_what_reads_it() -> None:
    sources = [push(Suspend(2), name=name) for name in "abc"]
    for _, emitter in sources:
        emitter.close()
    (a, _), (b, _), (c, _) = sources
    inner = b | ops.batch_within(2, seconds=1.0)
    job = streamkit.zip(streamkit.merge(a, inner), c) | ops.map(same, concurrency=2) | ops.drain()
    assert names(run(lambda: rows(job))) == ["push", "batch_within", "merge", "zip", "map"]


def test_branches_and_groups_stand_behind_what_feeds_them() -> None:
    branch = ops.map(same, concurrency=2) | ops.to_list()
    for operator in (
        ops.broadcast(branch, ops.buffer(Suspend(3)) | ops.count()),
        ops.group_by(lambda item: 0, branch, max_groups=1) | ops.drain(),
    ):
        found = names(run(lambda operator=operator: rows(Stream([1]) | ops.timeout(1.0) | operator)))
        assert found == ["timeout", operator.links[0].declaration.name, "map"]


def test_what_a_step_goes_through_has_its_place_too() -> None:
    inner = ops.concat_map(lambda number: Stream([number, number]) | ops.buffer(Suspend(2)))
    for levels in (1, 2):
        pipe = reduce(or_, [inner] * levels)
        found = run(lambda pipe=pipe: rows(Stream(range(3)) | pipe | ops.drain()))
        assert (names(found), sum(each.delivered for each in found)) == (["buffer"], (6, 18)[levels - 1])
        assert len(found) == 1 + levels  # those that were last, and the sum of all before
    live, emitter = push(Suspend(2))
    emitter.close()
    assert names(run(lambda: rows(Stream([1]) | ops.concat_map(lambda _: live) | ops.drain()))) == ["push"]


def test_the_sources_of_a_stage_that_could_not_begin_are_there() -> None:
    async def main() -> list[Any]:
        (first, emitter), (second, _) = push(DropOldest(2), name="first"), push(Suspend(1))
        for number in range(3):
            emitter.offer(number)
        reader = aiter(second)
        handle = (first | ops.merge(second) | ops.drain()).start()
        with pytest.raises(SourceConsumedError):
            await handle
        await reader.aclose()
        return [(each.operator, each.offered, each.dropped) for each in handle.buffers()]

    assert run(main) == [("push(DropOldest(capacity=2), name='first')", 3, 3)]


class TestApart:
    def test_lanes_have_the_place_of_their_source(self) -> None:
        for join in (streamkit.merge, streamkit.zip):
            found = run(
                lambda join=join: rows(join(lambda: [1], [1, 2], [1, 2, 3], lookahead=4) | ops.drain())
            )
            assert [(each.place, each.offered) for each in found] == [(0, 1), (1, 2), (2, 3)]

    def test_and_those_of_branches_have_that_of_their_branch(self) -> None:
        pipes = [ops.buffer(Suspend(size)) | ops.count() for size in (1, 2, 3)]
        found = run(lambda: rows(Stream([1]) | ops.broadcast(*pipes)))
        assert [(each.place, each.strategy.limit) for each in found if each.strategy] == [
            (0, 1),
            (1, 2),
            (2, 3),
        ]

    def test_a_sum_of_several_has_none(self) -> None:
        inner = ops.flat_map(lambda number: Stream([number]) | ops.buffer(Suspend(2)), concurrency=2)
        (found,) = run(lambda: rows(Stream(range(60)) | inner | ops.drain()))
        assert (found.place, found.offered) == (None, 60)

    def test_push_sources_have_names(self) -> None:
        sources = [push(DropOldest(20), name=name) for name in ("trades", "quotes")]
        for _, emitter in sources:
            emitter.close()
        found = run(lambda: rows(streamkit.merge(*[stream for stream, _ in sources]) | ops.drain()))
        assert [each.operator for each in found[:2]] == [
            "push(DropOldest(capacity=20), name='trades')",
            "push(DropOldest(capacity=20), name='quotes')",
        ]

    def test_a_name_is_shown_wherever_the_source_is(self) -> None:
        stream, emitter = push(Suspend(1), of=int, name="trades")
        text = "push(Suspend(capacity=1), name='trades')"
        assert repr(stream) == f"Stream({text})"
        assert stream.explain().parts[0].text == text
        assert emitter.stats().operator == text
        assert repr(emitter) == f"<Emitter open {text}>"
        emitter.close()
        list(stream)
        with pytest.raises(streamkit.SourceConsumedError, match="name='trades'"):
            list(stream)

    @pytest.mark.parametrize("name", [1, b"trades", ["a"]])
    def test_a_name_is_a_text(self, name: Any) -> None:
        with pytest.raises(TypeError, match="name must be a text, not"):
            push(Suspend(1), name=name)
