"""concat_map, switch_map and exhaust_map beside those of RxPY, on the virtual time of both."""

from itertools import chain
from typing import Any

from hypothesis import given, strategies as st
from reactivex import operators as rx

from streamkit import Stream, Unbounded, ops
from tests.operators.timelines import Timelines, ours, theirs, timelines

LISTS = st.lists(st.lists(st.integers(), max_size=5), max_size=8)


@given(timelines())
def test_switch_map_gives_what_it_gives_in_rxpy_at_the_same_time(lines: Timelines) -> None:
    def inner(number: int) -> Any:
        return lines.inner[number].stream

    assert ours(Stream(lines.outer.stream) | ops.switch_map(inner)) == theirs(
        lambda scheduler: lines.outer.observable(scheduler).pipe(
            rx.switch_map(lambda number: lines.inner[number].observable(scheduler))
        )
    )


@given(timelines())
def test_exhaust_map_gives_what_exclusive_gives_in_rxpy_at_the_same_time(lines: Timelines) -> None:
    def inner(number: int) -> Any:
        return lines.inner[number].stream

    assert ours(Stream(lines.outer.stream) | ops.exhaust_map(inner)) == theirs(
        lambda scheduler: lines.outer.observable(scheduler).pipe(
            rx.map(lambda number: lines.inner[number].observable(scheduler)), rx.exclusive()
        )
    )


@given(timelines(fails=False))
def test_concat_map_gives_what_it_gives_in_rxpy_at_the_same_time(lines: Timelines) -> None:
    def inner(number: int) -> Any:
        return lines.inner[number].stream

    # RxPY reads on, and queues what comes; ours would read the next item when the stream before has ended
    source = Stream(lines.outer.stream) | ops.buffer(Unbounded())
    assert ours(source | ops.concat_map(inner)) == theirs(
        lambda scheduler: lines.outer.observable(scheduler).pipe(
            rx.concat_map(lambda number: lines.inner[number].observable(scheduler))
        )
    )


@given(LISTS, st.integers(1, 4))
def test_concat_map_gives_what_chain_gives(lists: list[list[int]], lookahead: int) -> None:
    assert list(Stream(lists) | ops.concat_map(iter, lookahead=lookahead)) == [*chain.from_iterable(lists)]
