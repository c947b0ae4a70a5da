"""Supervision: which children are started again after one has failed, when, and how often at most."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import Backoff, RestartsExceededError, SourceConsumedError, Stream, attached, ops
from streamkit.flow import Child, Flow, Intensity, Restart, Scope, State
from streamkit.testing import run
from tests.flow.jobs import Log, end, ends, fails, lasts

OFTEN = Intensity(1000, seconds=1.0)
PERMANENT, TRANSIENT, TEMPORARY = Restart


@pytest.mark.parametrize(
    ("restart", "lives", "begun", "state"),
    [
        (PERMANENT, [ends(1.0), fails(1.0), lasts()], [0.0, 3.0, 6.0], State.RUNNING),
        (TRANSIENT, [fails(1.0), ends(1.0)], [0.0, 3.0], State.DONE),
        (TEMPORARY, [ends(1.0)], [0.0], State.DONE),
        (TEMPORARY, [fails(1.0)], [0.0], State.FAILED),
    ],
)
def test_a_rule_says_when_a_child_is_started_again(
    restart: Restart, lives: list[Any], begun: list[float], state: State
) -> None:
    log = Log()

    async def main() -> State:
        child = Child("a", log.job("a", *lives), restart=restart, backoff=2.0)
        handle = Flow(child, Child("b", log.job("b", lasts())), on_error=log.fault).start()
        await asyncio.sleep(10.0)
        found = handle["a"].status
        await end(handle)
        assert found.restarts == len(begun) - 1
        return found.state

    assert run(main) is state
    assert log.times("a begins") == begun
    assert log.times("b begins") == [0.0]


def test_each_life_is_a_fresh_job() -> None:
    made: list[Any] = []

    def make() -> Any:
        made.append(Stream([1]) | ops.map(lambda item: item // (len(made) - 1)) | ops.drain())
        return made[-1]

    run(lambda: started(Flow(Child("a", make, backoff=0.0), on_error=lambda fault: None)))
    assert len(made) == 2


async def started(flow: Flow) -> None:
    await flow


async def for_a_while(flow: Flow, seconds: float) -> None:
    """Run it for so long, and end it."""
    handle = flow.start()
    await asyncio.sleep(seconds)
    await end(handle)


class TestScope:
    @pytest.mark.parametrize(
        ("scope", "after", "begun"),
        [
            (Scope.ONE, (), "b"),
            (Scope.ALL, (), "abc"),
            (Scope.REST, (), "bc"),  # as they stand
            (Scope.REST, ("b",), "bc"),
            (Scope.REST, ("a",), "b"),  # c is downstream of a only
        ],
    )
    def test_who_falls_with_another(self, scope: Scope, after: tuple[str, ...], begun: str) -> None:
        log = Log()
        flow = Flow(
            Child("a", log.job("a", lasts())),
            Child("b", log.job("b", fails(1.0), lasts()), backoff=3.0),
            Child("c", log.job("c", lasts(), closing=1.0), after=after),
            scope=scope,
            on_error=log.fault,
        )

        async def main() -> int:
            handle = flow.start()
            await asyncio.sleep(9.0)
            restarts = sum(each.restarts for each in handle.status().children)
            await end(handle)
            return restarts

        assert run(main) == len(begun)
        assert {name for name in "abc" if log.times(f"{name} begins") == [0.0, 4.0]} == {*begun}
        assert log.told() == [("flow/b", "RESTART")]

    def test_they_end_one_by_one_in_reverse_order_and_are_up_only_when_all_are_down(self) -> None:
        log = Log()
        children = [Child(name, log.job(name, lasts(), closing=2.0)) for name in "abc"]
        failing = Child("d", log.job("d", fails(1.0), lasts()), backoff=0.5)

        async def main() -> None:
            handle = Flow(*children, failing, scope=Scope.ALL, on_error=log.fault).start()
            await asyncio.sleep(9.0)
            await end(handle)

        run(main)
        assert log.seen[5:12] == [
            *((1.0, "c closes"), (3.0, "b closes"), (5.0, "a closes")),
            *((7.0, f"{name} begins") for name in "abcd"),
        ]

    def test_a_cascade_counts_once(self) -> None:
        """Two fail in the same moment, and a third where it closes."""
        log = Log()
        flow = Flow(
            Child("a", log.job("a", fails(1.0), lasts())),
            Child("b", log.job("b", fails(1.0), lasts())),
            Child("c", log.job("c", lasts(), closing=1.0, closing_error=OSError("broken pipe"))),
            scope=Scope.ALL,
            intensity=Intensity(1, seconds=60.0),
            on_error=log.fault,
        )

        async def main() -> None:
            handle = flow.start()
            await asyncio.sleep(30.0)
            assert [each.state for each in handle.status().children] == [State.RUNNING] * 3
            await end(handle)

        run(main)
        assert log.told()[:3] == [("flow/a", "RESTART"), ("flow/b", "JOIN"), ("flow/c", "JOIN")]

    def test_an_upstream_that_falls_meanwhile_brings_its_own_down(self) -> None:
        log = Log()
        flow = Flow(
            Child("a", log.job("a", fails(2.0), lasts())),
            Child("b", log.job("b", fails(1.0), lasts()), after=["a"], backoff=5.0),
            Child("c", log.job("c", lasts()), after=["a"]),
            scope=Scope.REST,
            intensity=Intensity(1, seconds=60.0),
            on_error=log.fault,
        )

        run(lambda: for_a_while(flow, 30.0))
        assert log.seen[:3] == [(0.0, "a begins"), (0.0, "b begins"), (0.0, "c begins")]
        assert [(time, what) for time, what in log.seen if time == 6.0] == [
            *((6.0, f"{name} begins") for name in "abc"),
        ]
        assert log.told() == [("flow/b", "RESTART"), ("flow/a", "JOIN")]

    def test_one_that_has_failed_and_still_closes_is_not_cut_short(self) -> None:
        log = Log()

        async def source() -> AsyncIterator[int]:
            log.note("a begins")
            try:
                yield 1
                await asyncio.sleep(1.0)
            finally:
                await asyncio.sleep(2.0)
                log.note("a has closed")

        flow = Flow(
            Child("a", lambda: Stream(source) | ops.drain(), restart=PERMANENT),
            Child("b", log.job("b", fails(1.5), lasts()), backoff=1.0),
            scope=Scope.ALL,
            on_error=log.fault,
        )

        run(lambda: for_a_while(flow, 3.5))
        (closed, *_), begun = log.times("a has closed"), log.times("a begins")
        assert closed == 3.0
        assert 3.0 <= begun[1] < 3.1

    def test_a_mistake_on_the_way_down_ends_the_flow(self) -> None:
        log = Log()
        flow = Flow(
            Child("a", log.job("a", lasts(), closing_error=RecursionError("deep"))),
            Child("b", log.job("b", fails(1.0), lasts())),
            scope=Scope.ALL,
            on_error=log.fault,
        )
        with pytest.raises(RecursionError, match="deep"):
            run(lambda: started(flow))
        assert log.told() == [("flow/b", "RESTART"), ("flow/a", "ESCALATE")]

    def test_two_cascades_become_one_where_both_fall_with_a_third(self) -> None:
        log = Log()
        flow = Flow(
            Child("a", log.job("a", fails(3.0), lasts())),
            Child("b", log.job("b", fails(1.0), lasts()), after=["a"], backoff=9.0),
            Child("c", log.job("c", fails(2.0), lasts()), after=["a"], backoff=5.0),
            scope=Scope.REST,
            intensity=Intensity(2, seconds=60.0),
            on_error=log.fault,
        )

        run(lambda: for_a_while(flow, 30.0))
        assert {name: log.times(f"{name} begins") for name in "abc"} == {name: [0.0, 10.0] for name in "abc"}
        assert log.told() == [("flow/b", "RESTART"), ("flow/c", "RESTART"), ("flow/a", "JOIN")]

    def test_the_others_wait_for_one_that_is_stopped_by_hand_while_it_closes(self) -> None:
        log = Log()
        flow = Flow(
            Child("a", log.job("a", fails(1.0), lasts()), backoff=1.0),
            Child("b", log.job("b", lasts(), closing=5.0)),
            scope=Scope.ALL,
            on_error=log.fault,
        )

        async def main() -> None:
            handle = flow.start()
            await asyncio.sleep(3.0)
            await handle["b"].stop()
            await asyncio.sleep(9.0)
            assert handle["b"].status.state is State.STOPPED
            await end(handle)

        run(main)
        assert log.times("b closes") == [1.0]
        assert log.times("a begins") == [0.0, 6.0]

    def test_one_that_is_never_started_again_falls_for_good(self) -> None:
        log = Log()
        flow = Flow(
            Child("a", log.job("a", fails(1.0), ends(1.0)), backoff=1.0),
            Child("b", log.job("b", lasts()), restart=TEMPORARY),
            Child("c", log.job("c", ends(0.5), ends(0.5))),  # had come to its end
            scope=Scope.ALL,
            on_error=log.fault,
        )
        run(lambda: started(flow))
        assert log.times("b begins") == [0.0]
        assert log.times("c begins") == [0.0, 2.0]


class TestIntensity:
    def test_one_more_failure_ends_the_flow_with_its_error(self) -> None:
        log, last = Log(), OSError("the last")
        flow = Flow(
            Child("a", log.job("a", lasts(), closing=1.0, closing_error=ValueError("late"))),
            Child("b", log.job("b", fails(1.0), fails(1.0), fails(1.0, last)), backoff=1.0),
            intensity=Intensity(2, seconds=60.0),
            on_error=log.fault,
        )
        with pytest.raises(OSError, match="the last") as caught:
            run(lambda: started(flow))
        assert caught.value is last
        assert any(
            re.match("flow/b is not started again: 2 restarts within 60 s", each) for each in last.__notes__
        )
        assert [str(each) for each in attached(last)] == ["late"]
        assert log.told() == [("flow/b", "RESTART")] * 2 + [("flow/b", "ESCALATE"), ("flow/a", "STOP")]
        assert log.times("a closes") == [5.0]

    def test_an_error_that_went_on_to_another_counts_once_for_each_time_that_it_came(self) -> None:
        log, lost = Log(), OSError("lost")
        caused = ValueError("no line")
        caused.__cause__ = lost
        flow = Flow(
            Child("a", log.job("a", fails(1.0, lost), fails(9.0, lost)), backoff=1.0),
            Child("b", log.job("b", fails(1.5, caused), lasts()), backoff=1.0),
            intensity=Intensity(1, seconds=60.0),
            on_error=log.fault,
        )
        with pytest.raises(OSError, match="lost"):
            run(lambda: started(flow))
        assert log.told() == [("flow/a", "RESTART"), ("flow/b", "RESTART"), ("flow/a", "ESCALATE")]

    def test_a_restart_is_forgotten_when_the_window_is_over(self) -> None:
        log = Log()
        flow = Flow(
            Child("a", log.job("a", *[fails(5.0)] * 9, ends(1.0)), backoff=0.0),
            intensity=Intensity(1, seconds=5.0),
            on_error=log.fault,
        )
        run(lambda: started(flow))
        assert len(log.faults) == 9

    def test_the_flow_above_decides_by_its_own_rules(self) -> None:
        log = Log()
        inner = Flow(
            Child("a", log.job("a", *[fails(1.0)] * 4, ends(1.0)), backoff=1.0),
            intensity=Intensity(1, seconds=60.0),
        )
        outer = Flow(
            Child("inner", inner, backoff=10.0), intensity=Intensity(2, seconds=60.0), on_error=log.fault
        )
        run(lambda: started(outer))
        assert log.told() == 2 * [
            *(("flow/inner/a", "RESTART"), ("flow/inner/a", "ESCALATE"), ("flow/inner", "RESTART")),
        ]
        assert log.times("a begins") == [0.0, 2.0, 13.0, 15.0, 26.0]

    def test_one_that_ends_too_often_is_an_error_too(self) -> None:
        log = Log()
        child = Child("a", log.job("a", ends(0.1)), restart=PERMANENT, backoff=0.0)
        with pytest.raises(RestartsExceededError, match="flow/a has ended too often"):
            run(lambda: started(Flow(child, intensity=Intensity(3, seconds=1.0), on_error=log.fault)))
        assert len(log.times("a begins")) == 4

    @pytest.mark.parametrize("error", [SourceConsumedError("twice"), RecursionError("deep")])
    def test_a_mistake_of_the_program_is_not_tried_again(self, error: Exception) -> None:
        log = Log()
        flow = Flow(Child("a", log.job("a", fails(1.0, error))), intensity=OFTEN, on_error=log.fault)
        with pytest.raises(type(error)):
            run(lambda: started(Flow(Child("inner", flow), intensity=OFTEN)))
        assert log.told() == [("flow/inner/a", "ESCALATE")]


class TestBackoff:
    def test_it_grows_and_begins_anew_after_a_long_life(self) -> None:
        log = Log()
        lives = [fails(1.0), fails(1.0), fails(1.0), fails(20.0), fails(1.0), ends(0.0)]
        child = Child("a", log.job("a", *lives), backoff=Backoff(1.0, jitter=0.0), reset_after=20.0)
        run(lambda: started(Flow(child, intensity=OFTEN, on_error=log.fault)))
        assert [fault.seconds for fault in log.faults] == [1.0, 2.0, 4.0, 1.0, 2.0]

    def test_jitter_parts_those_that_have_failed_together(self) -> None:
        log = Log()
        jobs = [log.job(name, fails(1.0), ends(0.0)) for name in "abcdefgh"]
        children = [
            Child(name, job, backoff=Backoff(8.0, seed=number))
            for number, (name, job) in enumerate(zip("abcdefgh", jobs, strict=True))
        ]
        run(lambda: started(Flow(*children, intensity=OFTEN, on_error=log.fault)))
        assert len({time for time, what in log.seen if what.endswith("begins") and time}) == 8


class TestFactories:
    def test_one_that_fails_is_a_failure_of_its_child(self) -> None:
        answers: list[Any] = [OSError("no file"), OSError("no file"), Stream([1]) | ops.drain()]

        def make() -> Any:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        log = Log()
        run(lambda: started(Flow(Child("a", make), on_error=log.fault)))
        assert [(fault.path, str(fault.error)) for fault in log.faults] == [("flow/a", "no file")] * 2

    def test_one_that_makes_something_else_is_a_mistake(self) -> None:
        log, wrong = Log(), lambda: Stream([1])
        flow = Flow(Child("a", wrong), intensity=OFTEN, on_error=log.fault)  # type: ignore[arg-type, return-value]
        with pytest.raises(TypeError, match=r"flow/a must be made as a job, .* not Stream\(\[1\]\)"):
            run(lambda: started(flow))
