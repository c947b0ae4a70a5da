"""Law 2 where items are put together and taken apart: what each counts for, level by level."""

from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from streamkit import Collect, DropOldest, Stream, Suspend, ops
from tests.laws.lab import trying
from tests.laws.test_bound import STALLED, Plan, any_plan, run_through
from tests.laws.ways import Way
from tests.tiers import examples


def _buffer(strategy: Any) -> Way:
    return Way(f"buffer({strategy!r})", lambda lab: ops.buffer(strategy))


def _batch(size: int) -> Way:
    return Way(f"batch({size})", lambda lab: ops.batch(size))


def _grouped() -> Any:
    keys = cycle("abc")  # characters, which are containers of themselves
    return ops.group_by(lambda _: next(keys), ops.batch(2), max_groups=3)


def _branches() -> Any:
    one: Any = ops.batch(2)
    other: Any = ops.batch(3)
    return ops.broadcast(one, other | ops.buffer(Suspend(2)))


def _half() -> Any:
    turns = cycle([True, False])
    return ops.filter(lambda _: next(turns))


FLATTEN = Way("flatten", lambda lab: ops.flatten())
MERGE = Way("merge", lambda lab: ops.merge(Stream(lab.source()) | ops.batch(2) | ops.batch(2), lookahead=2))
ZIP = Way("zip", lambda lab: ops.zip(lab.source()))
ZIP_BATCHED = Way("zip batched", lambda lab: ops.zip(Stream(lab.source()) | ops.batch(3)))
TWICE = Way("map twice", lambda lab: ops.map(lambda item: [item, item]))
PAIRWISE = Way("pairwise", lambda lab: ops.pairwise())
HALF = Way("filter half", lambda lab: _half())

LEVEL: list[Way] = [
    _buffer(Suspend(3)),
    _buffer(DropOldest(2)),
    Way("filter", lambda lab: ops.filter(lambda _: True)),
    HALF,
    Way("tap", lambda lab: ops.tap(lambda _: None)),
    Way("map", lambda lab: ops.map(lambda item: item)),
    Way("map concurrent", lambda lab: ops.map(lab.callback(lambda item: item), concurrency=3)),
    MERGE,
    Way("concat", lambda lab: ops.concat([])),
    Way("throttle", lambda lab: ops.throttle(5.0)),
]
UP: list[Way] = [
    *map(_batch, (1, 2, 3, 5)),
    Way("batch_within", lambda lab: ops.batch_within(3, seconds=4.0)),
    _buffer(Collect(3)),
    ZIP,
    ZIP_BATCHED,
    PAIRWISE,
    TWICE,
    Way("group_by", lambda lab: _grouped()),
    Way("branches", lambda lab: _branches()),
]
DOWN: list[Way] = [
    FLATTEN,
    Way("flat_map", lambda lab: ops.flat_map(_parts, concurrency=2)),
    Way("flat_map batched", lambda lab: ops.flat_map(lambda item: [[item]], concurrency=2)),
]


JOINED = {MERGE.text: 2, ZIP.text: 0, ZIP_BATCHED.text: 1}
"""How many levels the items have that come beside those of the pipe."""


def _parts(item: Any) -> list[Any]:
    return [*item] if isinstance(item, (list, tuple)) else [item]


@st.composite
def nests(draw: st.DrawFn) -> list[Way]:
    """Operators that go up and down some levels, with others between."""
    pipe: list[Way] = []
    level = 0
    for _ in range(draw(st.integers(2, 6))):
        kinds = [LEVEL, UP, UP] + ([DOWN, DOWN] if level else [])
        way = draw(st.sampled_from(draw(st.sampled_from(kinds))))
        level = min(level, JOINED.get(way.text, level))  # no deeper than the flattest of them
        if way in DOWN and way is not DOWN[2]:
            level -= 1
        elif way in UP:
            level += 1
        pipe.append(way)
    return [*pipe, draw(st.sampled_from([_buffer(Suspend(4)), _buffer(Suspend(40))]))]


@settings(max_examples=examples(60))
@given(nests(), st.integers(0, 10**6))
def test_no_more_is_inside_a_nest_than_explain_says(pipe: list[Way], seed: int) -> None:
    for plan in (STALLED[0], STALLED[1], any_plan(seed)):
        with trying(pipe, plan):
            most, bound = run_through(pipe, plan)
            assert most <= bound, f"{most} items inside, bound {bound}"


@pytest.mark.parametrize(
    ("pipe", "bound"),
    [
        ([_batch(5), _batch(2), FLATTEN, _buffer(Suspend(4))], 30),
        ([_batch(5), FLATTEN, _buffer(Suspend(4))], 9),
        ([ZIP, _batch(2), FLATTEN, _buffer(Suspend(4))], 14),
        ([_batch(2), TWICE, FLATTEN, _buffer(Suspend(4))], 10),
        ([PAIRWISE, HALF, _buffer(Suspend(4))], 8),
    ],
    ids=str,
)
def test_the_bound_of_a_nest(pipe: list[Way], bound: int) -> None:
    found = [run_through(pipe, plan) for plan in (*STALLED, Plan("plain"))]
    assert {each for _, each in found} == {bound}
    assert max(most for most, _ in found) <= bound
