"""Chains with steps that emit in setup or finish, hold items, or hear of errors; `test_weave` has others."""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given, strategies as st

from streamkit import ops
from streamkit.testing import run
from tests.compile import test_weave
from tests.compile.test_weave import (
    ITEMS,
    STEPS,
    Calls,
    Plain,
    Step,
    added,
    asynchronous,
    by_hand,
    called,
    collected,
    counted,
    even,
    outcome,
    size,
    stream_of,
)


def before(count: int) -> Plain:
    return lambda items: itertools.chain(range(count), items)


def behind(count: int) -> Plain:
    return lambda items: itertools.chain(items, range(count))


def between(items: Iterator[Any]) -> Iterator[Any]:
    for number, item in enumerate(items):
        if number:
            yield 0
        yield item


def all_but(count: int) -> Plain:
    def plain(items: Iterator[Any]) -> Iterator[Any]:
        held: deque[Any] = deque()
        for item in items:
            held.append(item)
            if len(held) > count:
                yield held.popleft()

    return plain


def windows(count: int) -> Plain:
    def plain(items: Iterator[Any]) -> Iterator[Any]:
        held: list[Any] = []
        for item in items:
            held = [*held, item][-count:]
            if len(held) == count:
                yield held

    return plain


def different(key: Callable[[Any], Any]) -> Plain:
    def plain(items: Iterator[Any]) -> Iterator[Any]:
        seen: set[Any] = set()
        for item in items:
            value = key(item)
            if value not in seen:
                seen.add(value)
                yield item

    return plain


def first_of(predicate: Callable[[Any], Any]) -> Plain:
    def plain(items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            if predicate(item):
                yield item
                return
        yield -1

    return plain


def one(index: int) -> Plain:
    def plain(items: Iterator[Any]) -> Iterator[Any]:
        yield next(itertools.islice(items, index, None), -1)

    return plain


def otherwise(items: Iterator[Any]) -> Iterator[Any]:
    first = list(itertools.islice(items, 1))
    return itertools.chain(first or [7], items)


def totals(function: Callable[[Any, Any], Any]) -> Plain:
    def plain(items: Iterator[Any]) -> Iterator[Any]:
        state: Any = 0
        for item in items:
            state = function(state, item)
            yield state
        yield [state]

    return plain


def running(function: Callable[[Any, Any], Any]) -> Any:
    return ops.stateful_map(
        int, lambda state, item: (function(state, item),) * 2, finish=lambda state: [state]
    )


def collected_by(function: Callable[[Any], Any]) -> Plain:
    def plain(items: Iterator[Any]) -> Iterator[Any]:
        yield list(map(function, items))

    return plain


OWN: st.SearchStrategy[Step] = st.one_of(
    counted("start_with", lambda n: ops.start_with(*range(n)), before, 0),
    counted("end_with", lambda n: ops.end_with(*range(n)), behind, 0),
    counted("take_last", ops.take_last, lambda n: lambda items: deque(items, n), 0),
    counted("skip_last", ops.skip_last, all_but, 0),
    counted(
        "slice", lambda n: ops.slice(n, 9, 2), lambda n: lambda items: itertools.islice(items, n, 9, 2), 0
    ),
    counted("element_at", lambda n: ops.element_at(n, default=-1), one, 0),
    counted("sliding", ops.sliding, windows, 1),
    called("distinct ever", ops.distinct, size, different),
    called("find", lambda f: ops.find(f, default=-1), even, first_of),
    called("stateful_map", running, added, totals),
    called("aggregate", lambda f: ops.aggregate(ops.map(f) | ops.to_list()), size, collected_by),
    st.just(Step("intersperse", lambda _: ops.intersperse(0), lambda _: between)),
    st.just(Step("default_if_empty", lambda _: ops.default_if_empty(7), lambda _: otherwise)),
    st.just(
        Step("materialize", lambda _: ops.materialize() | ops.dematerialize(), lambda _: lambda items: items)
    ),
)
CHAINS = st.lists(STEPS | OWN, max_size=6)


@given(CHAINS, ITEMS)
def test_a_chain_is_what_plain_python_is(chain: list[Step], items: list[int]) -> None:
    expected = by_hand(chain, items, Calls())
    for source in (items, asynchronous(items)):
        assert list(stream_of(chain, source, Calls())) == expected
        assert run(lambda s=source: collected(stream_of(chain, s, Calls()))) == expected


test_fused_is_unfused = given(CHAINS, ITEMS, st.integers(1, 60))(
    test_weave.test_fused_is_unfused.hypothesis.inner_test  # type: ignore[attr-defined]
)
"""The same property, of chains with these steps too."""


@given(CHAINS, ITEMS, st.integers(1, 60))
def test_an_error_becomes_the_last_item(chain: list[Step], items: list[int], fails_at: int) -> None:
    failing = Calls(fails_at)
    wanted = outcome(lambda: list(stream_of(chain, items, Calls(fails_at))))
    *_, last = stream_of(chain, items, failing) | ops.materialize()
    failed = str(getattr(last, "error", "")) or None
    assert failed == (wanted[1] if isinstance(wanted, tuple) else None)
