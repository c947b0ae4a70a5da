"""What is made of several streams, and what a signal does, against RxPY in virtual time."""

from typing import Any

import reactivex
from hypothesis import example, given
from reactivex import operators

from streamkit import Stream, ops
from tests.operators.played import Ending, Timeline, found, in_rxpy, timelines

rx: Any = operators
amb: Any = reactivex.amb
fork_join: Any = reactivex.fork_join


def ours(operator: Any, sources: list[Timeline]) -> Timeline:
    first, *others = [each.source() for each in sources]
    return found(Stream(first) | operator(*others))


def soon_over(sources: list[Timeline]) -> float:
    """When the first of `sources` has ended without an item; no tuple can come then."""
    return min([each.ending.time for each in sources if each.empty], default=float("inf"))


@given(timelines())
def test_combine_latest_is_that_of_rxpy_but_ends_as_soon_as_no_tuple_can_come(
    sources: list[Timeline],
) -> None:
    theirs = in_rxpy(lambda first, *others: first.pipe(rx.combine_latest(*others)), *sources)
    result = ours(ops.combine_latest, sources)
    assert result.items == theirs.items
    over = soon_over(sources)
    if over < theirs.ending.time:
        assert result.ending == Ending(over, None)
    else:
        assert result.ending == theirs.ending


@given(timelines())
def test_with_latest_from_is_that_of_rxpy_but_ends_as_soon_as_no_tuple_can_come(
    sources: list[Timeline],
) -> None:
    theirs = in_rxpy(lambda first, *others: first.pipe(rx.with_latest_from(*others)), *sources)
    result = ours(ops.with_latest_from, sources)
    assert result.items == theirs.items
    over = soon_over(sources[1:])
    if over < theirs.ending.time:
        assert result.ending == Ending(over, None)
    else:
        assert result.ending == theirs.ending


@given(timelines())
def test_fork_join_is_that_of_rxpy(sources: list[Timeline]) -> None:
    assert ours(ops.fork_join, sources) == in_rxpy(fork_join, *sources)


@given(timelines())
def test_zip_latest_is_that_of_rxpy(sources: list[Timeline]) -> None:
    theirs = in_rxpy(lambda first, *others: first.pipe(rx.zip_latest(*others)), *sources)
    assert ours(ops.zip_latest, sources) == theirs


@given(timelines())
def test_race_is_amb_of_rxpy(sources: list[Timeline]) -> None:
    assert ours(ops.race, sources) == in_rxpy(amb, *sources)


@given(timelines(most=2))
def test_take_until_is_that_of_rxpy(sources: list[Timeline]) -> None:
    theirs = in_rxpy(lambda source, signal: source.pipe(rx.take_until(signal)), *sources)
    assert ours(ops.take_until, sources) == theirs


@given(timelines(most=2))
@example([Timeline(((10.0, "a"),), Ending(20.0, None)), Timeline(((30.0, "now"),), Ending(40.0, None))])
@example([Timeline(((10.0, "a"),), Ending(30.0, None)), Timeline((), Ending(20.0, None))])
def test_skip_until_is_that_of_rxpy_but_ends_where_that_goes_on_for_ever(sources: list[Timeline]) -> None:
    theirs = in_rxpy(lambda source, signal: source.pipe(rx.skip_until(signal)), *sources)
    result = ours(ops.skip_until, sources)
    assert result.items == theirs.items
    source, signal = sources
    over = min(source.ending.time, soon_over([signal]))
    if over < theirs.ending.time and not result.items:
        assert result.ending == Ending(over, None)
    else:
        assert result.ending == theirs.ending
