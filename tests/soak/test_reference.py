"""The reference itself, beside what Python's own library says of the same."""

import itertools
import math
import statistics
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.soak import words_of_joins as joins, words_of_sinks as sinks, words_of_steps as steps
from tests.soak.kit import Plan
from tests.soak.line import Hand, Line, Opened, TieError, UndecidedError, Violation, by_hand, fits, untied
from tests.soak.pipeline import Pipeline
from tests.soak.reference import Reference, judged
from tests.soak.values import Boom, weigh
from tests.soak.words import Fn, Inner, Pipe, Src, Step

NUMBERS = st.lists(st.integers(0, 20), max_size=9)


def even(number: int) -> bool:
    return number % 2 == 0


def batched(items: Iterable[Any], size: int) -> list[list[Any]]:
    left = iter(items)
    return [*iter(lambda: [*itertools.islice(left, size)], [])]


def unique(items: Iterable[Any]) -> list[Any]:
    return [*dict.fromkeys(items)]


SAME: dict[str, tuple[Callable[[list[Any]], Any], Callable[[list[Any]], Any]]] = {
    "take": (lambda x: steps.take(x, 3), lambda x: itertools.islice(x, 3)),
    "take_while": (lambda x: steps.take_while(x, even, False), lambda x: itertools.takewhile(even, x)),
    "skip": (lambda x: steps.skip(x, 2), lambda x: itertools.islice(x, 2, None)),
    "skip_while": (lambda x: steps.skip_while(x, even), lambda x: itertools.dropwhile(even, x)),
    "filter": (lambda x: steps.filter_(x, even), lambda x: filter(even, x)),
    "take_last": (lambda x: steps.take_last(x, 3), lambda x: x[-3:]),
    "skip_last": (lambda x: steps.skip_last(x, 3), lambda x: x[:-3]),
    "slice": (lambda x: steps.slice_(x, (1, 7, 2)), lambda x: x[1:7:2]),
    "element_at": (lambda x: steps.element_at(x, 2, None), lambda x: [x[2] if len(x) > 2 else None]),
    "find": (lambda x: steps.find(x, even, None), lambda x: [next(filter(even, x), None)]),
    "distinct": (lambda x: steps.distinct(x, lambda each: each), unique),
    "distinct of one": (
        lambda x: steps.distinct_last(x, lambda each: each, 1),
        lambda x: [key for key, _ in itertools.groupby(x)],
    ),
    "changes": (
        lambda x: steps.distinct_until_changed(x, lambda each: each),
        lambda x: [key for key, _ in itertools.groupby(x)],
    ),
    "map": (lambda x: steps.map_(x, str), lambda x: map(str, x)),
    "flatten": (
        lambda x: steps.flatten(x, lambda each: [each] * (each % 3)),
        lambda x: itertools.chain.from_iterable([each] * (each % 3) for each in x),
    ),
    "enumerate": (lambda x: steps.enumerate_(x, 1), lambda x: enumerate(x, 1)),
    "pairwise": (steps.pairwise, lambda x: zip(x, x[1:], strict=False)),
    "scan": (lambda x: steps.scan(x, lambda a, b: a + b), itertools.accumulate),
    "intersperse": (
        lambda x: steps.intersperse(x, "-"),
        lambda x: [*itertools.chain.from_iterable(("-", each) for each in x)][1:],
    ),
    "batch": (lambda x: steps.batch(x, 3), lambda x: batched(x, 3)),
    "sliding": (
        lambda x: steps.sliding(x, 2, 3),
        lambda x: [x[place : place + 2] for place in range(0, len(x) - 1, 3)],
    ),
    "repeat": (lambda x: steps.repeat(x, 2), lambda x: x * 2),
    "concat": (lambda x: steps.concat(x, ([1, 2], [3])), lambda x: [*x, 1, 2, 3]),
    "start_with": (lambda x: steps.start_with(x, ("s",)), lambda x: ["s", *x]),
    "end_with": (lambda x: steps.end_with(x, ("z",)), lambda x: [*x, "z"]),
}


@pytest.mark.parametrize("name", SAME)
@given(items=NUMBERS)
def test_a_loop_by_hand_gives_what_python_gives(name: str, items: list[int]) -> None:
    ours, theirs = SAME[name]
    assert [*ours(items)] == [*theirs(items)]


RESULTS: dict[str, tuple[Callable[[list[Any]], Any], Callable[[list[Any]], Any]]] = {
    "reduce": (
        lambda x: sinks.reduce(x, lambda a, b: a * b, None),
        lambda x: reduce(lambda a, b: a * b, x) if x else None,
    ),
    "fold": (lambda x: sinks.fold(x, lambda a, b: a + b, 0), sum),
    "mean": (sinks.mean, lambda x: statistics.fmean(x) if x else "none"),
    "min": (lambda x: sinks.min_(x, weigh, None), lambda x: min(x, default=None)),
    "last": (lambda x: sinks.last(x, None), lambda x: x[-1] if x else None),
    "count": (sinks.count, len),
    "is_empty": (sinks.is_empty, lambda x: not x),
    "contains": (lambda x: sinks.contains(x, 3), lambda x: 3 in x),
    "sequence_equal": (lambda x: sinks.sequence_equal(x, ([1, 2],)), lambda x: x == [1, 2]),
}


@pytest.mark.parametrize("name", RESULTS)
@given(items=NUMBERS)
def test_a_sink_gives_what_python_gives(name: str, items: list[int]) -> None:
    ours, theirs = RESULTS[name]
    assert ours(items) == theirs(items)


def test_what_comes_out_of_a_loop_by_hand_comes_when_what_it_has_pulled_last_comes() -> None:
    hand = Hand(0.0)
    line = Line(((1.0, "a"), (2.0, "b"), (5.0, "c")), 9.0)
    found = by_hand(steps.batch(Opened(hand, lambda _: line), 2), hand)
    assert found == Line(((2.0, ["a", "b"]), (9.0, ["c"])), 9.0)
    hand = Hand(0.0)
    assert by_hand(steps.take(Opened(hand, lambda _: line), 2), hand) == Line(((1.0, "a"), (2.0, "b")), 2.0)


def test_an_error_comes_after_the_list_that_is_not_full() -> None:
    hand = Hand(0.0)
    line = Line(((1.0, "a"),), 3.0, "it")
    assert by_hand(steps.batch(Opened(hand, lambda _: line), 2), hand) == Line(((3.0, ["a"]),), 3.0, "it")
    with pytest.raises(Boom, match="it"):
        list(Hand(0.0).play(line))


def test_what_is_paused_for_ever_never_comes() -> None:
    steps = (
        Step("pause_while", 1, {"sources": (Src(2, (3.5,), 9.0),)}),
        Step("window_of_time", 2, {"seconds": 4.0}),
    )
    pipeline = Pipeline("T", Src(1, (2.25, 2.0), 1.0), steps, Step("to_list", 3))
    line = pipeline.line(Reference(Plan(hangs=(2, 1))))
    assert (line.values, line.end) == ([((0.0, 4.0), [100])], math.inf)


def test_what_would_come_at_the_end_never_comes_where_there_is_none() -> None:
    steps = (
        Step("sample_by_signal", 1, {"sources": (Src(2, (), 0.5),)}),
        Step("audit", 2, {"seconds": 1.25}),
    )
    pipeline = Pipeline("T", Src(1, (2.25,), 1.0), steps, Step("to_list", 3))
    line = pipeline.line(Reference(Plan(hangs=(1, 1))))
    assert (line.values, line.end) == ([], math.inf)


def test_an_interleaving_is_known_by_how_far_it_is_in_each_line() -> None:
    one, two = Line(((0.0, 1), (0.0, 2))), Line(((0.0, 3), (0.0, 4)))
    assert fits([1, 3, 2], [one, two]) == [(2, 1)]
    assert fits([2, 1], [one, two]) == []
    assert fits([1], [one, one]) == [(1, 0)]


def test_an_order_that_may_have_come_about_in_too_many_ways_is_undecided() -> None:
    same = [Line(((0.0, 1),)) for _ in range(20)]
    assert fits([1] * 10, same) == [(1,) * 10 + (0,) * 10]
    others = [Line((*line.events, (0.0, number))) for number, line in enumerate(same, 2)]
    with pytest.raises(UndecidedError):
        fits([1] * 10, others)


def test_two_things_at_the_same_time_are_a_tie() -> None:
    untied(1.0, 2.0, float("inf"), float("inf"))
    with pytest.raises(TieError):
        untied(1.0, 2.0, 1.0)


def test_two_items_of_one_source_at_the_same_time_are_a_tie_for_zip_latest() -> None:
    """Only the later one may be seen."""
    pair, other = Src(1, (1.0, 0.0), 1.0), Src(2, (3.0,), 4.0)
    step = Step("zip_latest", 1, {"_": (other,)})
    with pytest.raises(TieError):
        Pipeline("T", pair, (step,), Step("to_list", 2)).line(Reference())


def test_what_is_opened_again_and_has_noted_one_opening_only_is_undecided() -> None:
    """The first opening may have failed before it came to this operator."""
    steps_of = (
        Step("map_unordered", 1, {"function": Fn("same"), "concurrency": 2}),
        Step("repeat", 2, {"times": 2}),
    )
    pipeline = Pipeline("L", Src(1, (0.0,)), steps_of, Step("to_list", 3))
    noted = Reference(notes={1: [[100], [100]]})
    assert pipeline.line(noted).values == [100, 100]
    with pytest.raises(UndecidedError):
        pipeline.line(Reference(notes={1: [[100]]}))


def test_a_run_that_has_failed_before_an_item_may_have_noted_nothing() -> None:
    """Nothing behind ``concat_map`` is begun then, so that what is noted there is of a later run."""
    steps_of = (Step("concat_map", 1, {"function": Inner()}), Step("retry", 2, {"attempts": 4}))
    pipeline = Pipeline("L", Src(1, (0.0,)), steps_of, Step("to_list", 3))
    plan, item = Plan(fails=("source", 1, 0, 3)), ("i", 100)
    for notes in ([[item]], [[], [item]], [[], [], [], [item]]):
        assert pipeline.line(Reference(plan, {1: notes}, fired={"source 1"})).values == [item]
    with pytest.raises(Violation, match="is no order of"):
        pipeline.line(Reference(plan, {1: [[], [200]]}, fired={"source 1"}))


def test_a_branch_that_fails_where_another_holds_something_is_undecided() -> None:
    """What that holds comes out early, and is none of the lists that it makes of the whole."""

    def pipe(*steps_of: Step) -> Pipe:
        return Pipe(steps_of)

    def source_through(pipe: Pipe) -> Line:
        step = Step("group_by", 1, {"key": Fn("three"), "pipe": pipe})
        pipeline = Pipeline("L", Src(1, (0.0,) * 9), (step,), Step("to_list", 9))
        noted = [(1, [100])] if len(pipe.steps) > 1 else [(1, 100)]
        plan = Plan(fails=("call", 2, 103))
        return pipeline.line(Reference(plan, {1: [noted]}, fired={"call 2"}, met="call 2"))

    even_only, lists = Step("filter_", 2, {"predicate": Fn("even")}), Step("batch", 3, {"size": 4})
    assert source_through(pipe(even_only)).error == "call 2", "nothing is held"
    with pytest.raises(UndecidedError, match="comes out early"):
        source_through(pipe(even_only, lists))


def test_an_error_that_comes_while_a_branch_takes_its_last_item_may_end_all() -> None:
    """Its buffer has read on by then; or all branches have ended before that."""
    first = Pipe((Step("take", 2, {"count": 1}),))
    cut, one = Line(((0.0, 100),), cut=True), Line(((0.0, 100),))
    for word, met, error in (
        ("broadcast_buffered", "call 9", "call 9"),
        ("broadcast_buffered", "", None),
        ("broadcast", "call 9", None),  # nothing reads on for it
    ):
        step = Step(word, 1, {"first": first, "second": first})
        found = judged(step, cut, [one, one], [100, 100], {"call 9"}, met)
        assert (found.values, found.error, found.cut) == ([100, 100], error, False)


def test_a_zip_whose_source_may_have_failed_where_another_ends_is_undecided() -> None:
    cut, whole = Line(((0.0, "a"),), cut=True), Line(((0.0, "b"),))
    assert joins.zipped([cut, whole], failed=False) == [Line(((0.0, ("a", "b")),))]
    with pytest.raises(UndecidedError):
        joins.zipped([cut, whole], failed=True)
    assert joins.zipped([cut, cut], failed=True)[0].cut


def timetable(word: str, **given: Any) -> Line:
    """What an operator makes of items at 1, 2 and 6 seconds, and an end at 7."""
    source = Src(1, (1.0, 1.0, 4.0), 1.0)
    step = Step(word, 1, given)
    return Pipeline("T", source, (step,), Step("to_list", 2)).line(Reference())


TIMES: dict[str, tuple[dict[str, Any], list[float]]] = {
    "debounce": ({"seconds": 1.5}, [3.5, 7.0]),
    "audit": ({"seconds": 1.5}, [2.5, 7.0]),
    "throttle_first": ({"seconds": 1.5}, [1.0, 6.0]),
    "throttle_latest": ({"seconds": 1.5}, [1.0, 2.5, 6.0]),
    "sample": ({"seconds": 2.5}, [2.5, 7.0]),
    "delay": ({"seconds": 0.5}, [1.5, 2.5, 6.5]),
    "timeout": ({"seconds": 3.5}, [1.0, 2.0]),
    "batch_within": ({"count": 2, "seconds": 0.5}, [1.5, 2.5, 6.5]),
    "throttle": ({"rate": 0.25, "burst": 1}, [1.0, 5.0, 9.0]),
}


@pytest.mark.parametrize("word", TIMES)
def test_a_timetable_worked_out_on_paper(word: str) -> None:
    given, times = TIMES[word]
    assert [time for time, _ in timetable(word, **given).events] == times
