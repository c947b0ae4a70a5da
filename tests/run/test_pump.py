"""Pumps: when the clock of a reader, and that of a pump that it steps, say that others are to run."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from streamkit import Suspend, ops
from streamkit._engine.buffer.kinds import SpillLane
from streamkit._engine.compile.pace import AGAIN, BUDGET
from streamkit._engine.run.pump import MOST, Clock, DrivenPump, Pump
from tests.run.staging import notes

TICK = 1 / 64
"""Seconds, of which sums are exact; longer than others may wait."""


class Now:
    """A time that stands still until it is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 64.0
        monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: self.now)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Now:
    return Now(monkeypatch)


class TestClock:
    """How many pumps a reader steps before it looks whether others are to run."""

    @pytest.mark.usefixtures("time")
    def test_one_and_more_while_they_take_no_time_up_to_so_many(self) -> None:
        clock = Clock()
        found = [clock.left]
        for _ in range(5):
            clock.look()
            found.append(clock.left)
        assert found == [1, 1, 4, 16, MOST, MOST]
        assert not clock.late
        assert not clock.over

    @pytest.mark.usefixtures("time")
    @pytest.mark.parametrize(("ahead", "most"), [([1], 32), ([3], 10), ([16], 2), ([90], 2), ([4, 1], 8)])
    def test_fewer_of_those_that_bring_several(self, ahead: list[int], most: int) -> None:
        clock = Clock()
        for items in ahead:
            clock.ahead(items)
        clock.size = 1000
        clock.look()
        assert clock.left == most

    def test_none_when_it_is_time_until_others_have_run(self, time: Now) -> None:
        clock = Clock()
        clock.size = 4
        clock.rested()
        assert clock.left == 1  # as before: it was not late
        time.now += TICK
        clock.look()
        assert (clock.late, clock.over, clock.left) == (True, True, 0)
        time.now += TICK
        clock.look()
        assert (clock.late, clock.left) == (True, 0)
        clock.size = 1000
        clock.rested()
        assert (clock.late, clock.over, clock.left, clock.began) == (False, False, MOST, time.now)

    def test_it_is_time_where_a_pump_says_so(self, time: Now) -> None:
        clock = Clock()
        clock.ahead(16)
        clock.size = 1000
        clock.tires()
        assert (clock.late, clock.over, clock.left) == (True, True, 0)
        clock.rested()
        assert (clock.late, clock.left) == (False, 2)
        time.now += TICK
        assert clock.over
        assert not clock.late  # which a look alone says


class TestPump:
    @pytest.mark.parametrize("stopping", [False, True])
    def test_it_is_over_when_its_run_ends_it(self, stopping: bool) -> None:
        lane: Any = SimpleNamespace()
        pump = Pump(cast(Any, SimpleNamespace(link=None, stopping=stopping)), lane)
        assert (pump.over, pump.lane) == (stopping, lane)

    @pytest.mark.parametrize("blamed", [None, *ops.buffer(Suspend(1)).links])
    def test_errors_of_its_lane_name_the_operator_or_a_buffer_before_it(self, blamed: Any) -> None:
        (link,) = ops.map(str).links
        lane: Any = SpillLane.__new__(SpillLane)
        pump = Pump(cast(Any, SimpleNamespace(link=link)), lane, blamed)
        assert pump.out is (blamed or link)
        assert notes(lane.blame(OSError("full"))) == [f"in {pump.out!r} at {pump.out.place}"]


class TestDrivenPump:
    """Whether a pump that goes on without parking lets others run."""

    def pump(self, *, ready: bool = True, held: int = 1) -> Any:
        driver = SimpleNamespace(clock=Clock(), ready=ready)
        lane = SimpleNamespace(driver=driver, held=[0] * held, pump=None, full=0)

        def filled() -> None:
            lane.full += 1

        lane.filled = filled
        return DrivenPump(cast(Any, SimpleNamespace(link=None)), cast(Any, lane))

    def test_its_lane_knows_it(self) -> None:
        pump = self.pump()
        assert pump.lane.pump is pump
        assert not pump.parked

    @pytest.mark.parametrize(
        ("ready", "held", "later", "due"),
        [
            (True, 1, BUDGET, True),
            (True, 1, BUDGET / 2, False),
            (True, 0, TICK, False),
            (False, 1, TICK, False),
        ],
    )
    def test_one_that_has_parked_by_the_time_of_its_reader(
        self, time: Now, ready: bool, held: int, later: float, due: bool
    ) -> None:
        time.now = 0.0 if later == BUDGET else 64.0  # where the difference is exact
        pump = self.pump(ready=ready, held=held)
        pump.size, pump.parked = 100, True
        time.now += later
        assert pump.due() is due
        assert (pump.size, pump.parked, pump.lane.full) == (AGAIN, False, 1)

    def test_one_that_has_not_by_the_time_of_its_reader_too(self, time: Now) -> None:
        pump = self.pump()
        time.now += TICK
        pump.rested()
        assert pump.due()  # its reader has not
        assert pump.lane.full == 0
        pump.lane.driver.ready = False
        pump.rested()
        assert not pump.due()  # a task that has waited has its own
