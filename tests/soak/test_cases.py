"""Short soaks; what a failing case is told as; and that it is made small, and comes again."""

import asyncio
import itertools
import re
from dataclasses import replace
from typing import Any

import pytest

from streamkit import Explanation, ops
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.run.leave import Segment
from streamkit._engine.run.polls import Polls
from streamkit._engine.run.tasks import Tasks
from tests.soak.__main__ import main
from tests.soak.cases import Failure, Tally, each_case, tried_case
from tests.soak.drive import figures
from tests.soak.kit import Plan
from tests.soak.line import Violation
from tests.soak.pipeline import Pipeline
from tests.soak.shrink import shrunk
from tests.soak.trial import attempt, compare, follows_a_wait
from tests.soak.values import Boom
from tests.soak.words import WORDS, Drop, Fn, Inner, Src, Step, Tactic

TO_LIST = Step("to_list", 99)


def soaked(seed: int, numbers: range, **named: Any) -> tuple[Tally, list[Failure]]:
    tally = Tally()
    return tally, [failure for number in numbers for failure in tried_case(seed, number, tally, **named)]


@pytest.mark.parametrize("mode", ["L", "T"])
def test_a_short_soak_finds_nothing(mode: str) -> None:
    tally, failures = soaked(1, range(3), mode=mode, trials=5)
    assert not failures, failures[0]
    assert tally.runs > 20
    assert tally.schedules > 5
    assert sum(tally.faults.values()) > 10


@pytest.mark.full
@pytest.mark.parametrize("seed", range(8))
def test_a_longer_soak_finds_nothing(seed: int) -> None:
    _, failures = soaked(seed, range(10), trials=8)
    assert not failures, failures[0]


def test_a_case_is_the_same_each_time() -> None:
    assert each_case(3, 5)[0] == each_case(3, 5)[0]
    assert str(each_case(3, 5)[0]) != str(each_case(3, 6)[0])
    first, again = (soaked(3, range(5, 6), trials=4)[0] for _ in range(2))
    assert replace(first, seconds=0.0) == replace(again, seconds=0.0)


def test_an_iterator_that_another_task_closes_is_let_go_when_that_has_ended() -> None:
    """Found by the soak: `aclose` was cancelled before the task that closes for it had begun."""
    steps = (Step("take", 1, {"count": 0}), Step("aggregate", 2))
    pipeline = Pipeline("L", Src(1, ()), steps, TO_LIST)
    attempt(pipeline, Plan(form="alone", consumer=("shutdown", 3)), schedules=8, seed=281)


def test_what_a_bare_loop_leaves_to_another_task_is_what_follows_a_wait() -> None:
    """Where streams are read inside of others, and nowhere else."""
    step = Step("concat_map", 1, {"function": Inner()})
    pipeline = Pipeline("L", Src(1, (0.0,)), (step,), TO_LIST)
    plan = Plan(way="bare", closing="slow", consumer=("leave", 1))
    (outcome,) = attempt(pipeline, plan)
    inner, source = sorted(outcome.kit.visits, key=lambda visit: visit.rank)
    assert (inner.handed, inner.strangers) == (True, [])
    assert source.strangers == ["source 1 was closed in another task"]
    assert follows_a_wait(source, pipeline, plan, outcome)
    assert not follows_a_wait(source, pipeline, replace(plan, way="open"), outcome)
    assert not follows_a_wait(source, replace(pipeline, steps=()), plan, outcome)
    inner.handed = False
    assert not follows_a_wait(source, pipeline, plan, outcome)


def test_what_a_sink_raises_of_an_item_that_an_error_has_let_out_hangs_on_that() -> None:
    pipeline = Pipeline(
        "L", Src(1, (0.0,) * 3), (Step("batch", 1, {"size": 2}),), Step("single", 2, {"default": "none"})
    )
    (outcome,) = attempt(pipeline, Plan(way="sink", fails=("source", 1, 3, 1)))
    assert outcome.label == "source 1"
    outcome.error = Boom("source 1")
    with pytest.raises(Violation, match="and not error 'SeveralItemsError'"):
        compare(pipeline, Plan(way="sink", fails=("source", 1, 3, 1)), outcome)


def test_who_goes_on_when_told_to_end_may_fail_then_and_what_is_held_for_the_end_is_lost() -> None:
    steps = (
        Step("merge_prioritized", 1, {"_": (Src(2, (0.0,)), Src(3, (0.0,))), "lookahead": 2}),
        Step("aggregate_first", 2, {"function": Fn("tagged")}),
        Step("take_last", 3, {"count": 2}),
    )
    pipeline = Pipeline("L", Src(1, ()), steps, TO_LIST)
    plan = Plan(form="hops", style="drip", fails=("source", 3, 1, 1), stubborn=True)
    (outcome,) = attempt(pipeline, plan)
    assert (outcome.got, outcome.label) == ([], "source 3")
    with pytest.raises(Violation, match=r"\[\] came out, and not"):
        compare(pipeline, replace(plan, stubborn=False), outcome)


def test_what_is_in_a_map_when_such_an_error_comes_is_overtaken() -> None:
    """Found by the soak: it was known to end, and then that not all had come was held against it."""
    steps = (
        Step("take", 1, {"count": 1}),
        Step("map_at_once", 2, {"function": Fn("tagged"), "concurrency": 4, "lookahead": 2}),
        Step("map_on_workers", 3, {"function": Fn("weigh"), "chunk": 2, "workers": 3}),
    )
    for first in ((), (Step("exhaust_map_told", 4, {"function": Inner(), "dropped": Drop()}),)):
        pipeline = Pipeline("L", Src(1, (0.0,) * 6), (*first, *steps), TO_LIST)
        attempt(pipeline, Plan(look=0.001, style="drip", fails=("source", 1, 6, 2), stubborn=True))


@pytest.mark.parametrize("way", ["polls", "iterator"])
def test_a_pull_that_is_given_up_loses_nothing_and_one_that_loses_its_item_is_found(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    pipeline = Pipeline("L", Src(1, (0.0,) * 3), (Step("take", 1, {"count": 9}),), TO_LIST)
    plan = Plan(way=way, style="turn", consumer=("give up", 2))
    (outcome,) = attempt(pipeline, plan)
    assert outcome.kit.fired == {"a pull is given up": 1}
    assert [value for _, value in outcome.got] == [100, 101, 102]
    pull = Polls.pull

    async def losing(polls: Polls[Any]) -> Any:
        try:
            return await pull(polls)
        except asyncio.CancelledError:
            await pull(polls)
            raise

    monkeypatch.setattr(Polls, "pull", losing)
    with pytest.raises(Violation, match=r"\[100, 102\] came out"):
        attempt(pipeline, plan)


def test_what_a_pull_was_given_is_delivered_before_its_task_takes_it() -> None:
    steps = (Step("interleave", 1, {"_": (Src(2, (0.0,) * 4),), "lookahead": 2}), Step("buffers", 2))
    pipeline = Pipeline("L", Src(1, (0.0,) * 4), steps, TO_LIST)
    for way in ("open", "iterator"):
        outcomes = attempt(pipeline, Plan(look=1e-3, way=way), schedules=4, seed=79)
        assert (max(outcome.kit.most for outcome in outcomes) > 7) == (way == "iterator")


# planted faults --------------------------------------------------------------------------------


def found(*, word: str = "", mode: str = "L", tries: bool = False, seed: int = 8) -> Failure:
    """The first failure of a soak, made small if it `tries` that: of cases with a `word`, if one is given."""
    for number in range(60):
        if word and word not in {step.word for step in each_case(seed, number, mode)[0].steps}:
            continue
        for failure in tried_case(seed, number, Tally(), mode=mode, trials=4, tries=tries):
            return failure
    raise AssertionError("the planted fault was not found")


def test_an_operator_that_is_off_by_one_is_found_and_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(WORDS["skip"], make=lambda count: ops.skip(count + 1))
    monkeypatch.setitem(WORDS, "skip", wrong)
    failure = found(word="skip", tries=True, seed=4)
    assert failure.kind == "lost, doubled or out of order"
    pipeline = failure.text.splitlines()[0]
    assert "skip#" in pipeline
    assert pipeline.count(" | ") == 1, "a source and one operator"
    assert re.search(r"again: python -m tests.soak --seed 4 --case \d+", str(failure))


def test_an_operator_that_is_late_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        WORDS, "debounce", replace(WORDS["debounce"], make=lambda seconds: ops.debounce(seconds + 0.125))
    )
    assert "debounce#" in found(word="debounce", mode="T").text


def test_an_item_that_a_lane_loses_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers, pop = itertools.count(1), Lane.pop

    def losing(lane: Lane) -> Any:
        item = pop(lane)
        return pop(lane) if next(numbers) % 10 == 0 and lane.held else item

    monkeypatch.setattr(Lane, "pop", losing)
    found(seed=1)


def test_siblings_that_are_not_stopped_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tasks, "halt", lambda self: setattr(self, "ending", True))
    assert found().kind in {"hang", "leak", "other"}


def test_a_bound_that_is_one_too_small_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = Explanation.bound.fget
    assert bound is not None
    monkeypatch.setattr(Explanation, "bound", property(lambda self: bound(self) - 1))
    step = Step("buffer", 1, {"strategy": Tactic("Suspend", 2)})
    pipeline = Pipeline("L", Src(1, (0.0,) * 4), (step,), TO_LIST)
    with pytest.raises(Violation, match="2 items were inside, and the bound is"):
        attempt(pipeline, Plan(consumer=("stall", 1)))


def test_a_source_that_is_left_open_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def left(self: Segment) -> None:
        """Close nothing."""

    monkeypatch.setattr(Segment, "leave", left)
    assert found().kind in {"leak", "hang", "other"}


def test_a_case_is_made_as_small_as_it_can_be() -> None:
    def work(pipeline: Pipeline, plan: Plan) -> None:
        if any(step.word == "take" for step in pipeline.steps) and len(pipeline.source.gaps) > 2:
            raise Violation("it is wrong")

    steps = tuple(
        Step(word, place, given)
        for place, (word, given) in enumerate(
            [("skip", {"count": 1}), ("take", {"count": 3}), ("map_", {"function": Fn("same")})], 1
        )
    )
    pipeline = Pipeline("L", Src(1, (0.0,) * 9), steps, TO_LIST)
    plan = Plan(style="drip", consumer=("cancel", 8))
    small, mild, error = shrunk(work, pipeline, plan, Violation("it is wrong"))
    assert [step.word for step in small.steps] == ["take"]
    assert len(small.source.gaps) == 3
    assert mild == Plan()
    assert str(error) == "it is wrong"


def test_what_only_a_job_can_do_is_made_small_as_a_job() -> None:
    def work(_: Pipeline, plan: Plan) -> None:
        if plan.consumer[0] == "pause":
            raise Violation("it is wrong")

    pipeline = Pipeline("L", Src(1, (0.0,) * 3), (), TO_LIST)
    plan = Plan(way="job", style="drip", consumer=("pause", 2))
    _, mild, _ = shrunk(work, pipeline, plan, Violation("it is wrong"))
    assert mild == Plan(way="job", consumer=("pause", 1))


# what is printed -------------------------------------------------------------------------------


def test_one_case_again_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "1", "--case", "2"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("source 1 of ")
    for figure in ("runs", "schedules drawn", "faults injected", "items offered", "leaks", "hangs"):
        assert re.search(rf"^{figure} +[\d,]+$", printed, re.MULTILINE)


def test_a_failing_case_fails_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(WORDS, "skip", replace(WORDS["skip"], make=lambda count: ops.skip(count + 1)))
    number = next(
        n for n in range(200) if any(step.word == "skip" for step in each_case(8, n, None)[0].steps)
    )
    failures = [*tried_case(8, number, Tally(), trials=1, tries=False)]
    assert main(["--seed", "8", "--case", str(number)]) == bool(failures)
    assert "FAILED" in capsys.readouterr().out or not failures


def test_the_figures_add_up() -> None:
    one = Tally(cases=1, runs=2, offered=3, seconds=2.0)
    one.faults["a source fails"] = 5
    other = Tally(cases=1, runs=1)
    other.add(one)
    assert (other.cases, other.runs, other.faults.total()) == (2, 3, 5)
    failure = Failure(1, 2, "leak", "  it leaks")
    text = figures(other, [failure], 1.0, 1)
    assert "1 cases failed: 2" in text
    assert re.search(r"^faults injected +5$", text, re.MULTILINE)


def test_a_run_is_checked_against_what_came_out_behind_operators_whose_order_is_free() -> None:
    step = Step("merge", 1, {"_": (Src(2, (0.0,) * 2),), "lookahead": 1})
    pipeline = Pipeline("L", Src(1, (0.0,) * 2), (step,), TO_LIST)
    (outcome,) = attempt(pipeline, Plan(style="turn"))
    assert outcome.kit.notes is not None
    assert sorted(outcome.kit.notes[1][0]) == [100, 101, 200, 201]
    assert outcome.kit.offered == 4
