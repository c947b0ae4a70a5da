"""Ticks by a cron expression: time zones, hours that clocks leave out or show twice, clocks that are set."""

import asyncio
import importlib.util
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import streamkit
from streamkit import Missed, ops
from streamkit.sources import cronsim
from streamkit.testing import VirtualLoop, run

BERLIN = ZoneInfo("Europe/Berlin")
SPRING = datetime(2026, 3, 29, tzinfo=BERLIN)
"""Of this day, the clocks leave out 2:00 to 3:00."""
AUTUMN = datetime(2026, 10, 25, tzinfo=BERLIN)
"""Of this day, they show it twice."""
DAY = timedelta(days=1)


def times(expression: str, day: datetime) -> list[str]:
    """The ticks of a day, which ends at the end of the day after."""
    ticks = streamkit.cron(expression, timezone=BERLIN, start=day, end=day + 2 * DAY)
    return [f"{tick:%d. %H:%M%z}".removesuffix("00") for tick in ticks]


@pytest.mark.parametrize(
    ("expression", "spring", "autumn"),
    [
        ("30 2 * * *", ["29. 03:00+02", "30. 02:30+02"], ["25. 02:30+02", "26. 02:30+01"]),
        ("*/30 2 * * *", ["30. 02:00+02", "30. 02:30+02"], ["25. 02:00+02", "25. 02:30+02", "25. 02:00+01",
          "25. 02:30+01", "26. 02:00+01", "26. 02:30+01"]),
        ("0 30 2 * * *", ["30. 02:30+02"], ["25. 02:30+02", "25. 02:30+01", "26. 02:30+01"]),
        ("0 1-3 * * SUN", ["29. 01:00+01", "29. 03:00+02"], ["25. 01:00+02", "25. 02:00+02", "25. 03:00+01"]),
    ],
)  # fmt: skip
def test_where_summer_time_begins_and_ends(expression: str, spring: list[str], autumn: list[str]) -> None:
    assert times(expression, SPRING) == spring
    assert times(expression, AUTUMN) == autumn


def test_one_that_begins_in_an_hour_that_is_shown_twice_does_not_go_back() -> None:
    again = datetime(2026, 10, 25, 2, 10, tzinfo=BERLIN, fold=1)
    for expression in ("30 2 * * *", "30 2,4 * * *"):
        ticks = [*(streamkit.cron(expression, timezone=BERLIN, start=again) | ops.take(3))]
        instants = [tick.astimezone(UTC) for tick in ticks]
        assert instants == sorted({*instants})
        assert instants[0] >= again.astimezone(UTC)


def test_waits_for_the_clock_on_the_wall_of_its_time_zone() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.set_wall_time(datetime(2026, 3, 28, 12, tzinfo=UTC))
        found = [
            (loop.time() / 3600.0, tick)
            async for tick in streamkit.cron("0 12 * * *", timezone="Europe/Berlin") | ops.take(2)
        ]
        assert [hours for hours, _ in found] == pytest.approx([22.0, 46.0])
        assert [tick.tzinfo for _, tick in found] == [BERLIN] * 2
        assert [tick.hour for _, tick in found] == [12, 12]

    run(main)


@pytest.mark.parametrize(("missed", "hours"), [(Missed.SKIP, [1, 5, 6]), (Missed.CATCH_UP, [1, 2, 3])])
def test_a_clock_that_is_set_forward_has_missed_ticks(missed: Missed, hours: list[int]) -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.call_at(10.0, loop.set_wall_time, datetime(1970, 1, 1, 4, 30, tzinfo=UTC))
        return [tick.hour async for tick in streamkit.cron("0 * * * *", missed=missed) | ops.take(3)]

    assert run(main) == hours


def test_a_clock_that_is_set_back_by_less_than_a_tick_gives_none_twice() -> None:
    async def main() -> list[tuple[int, int]]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.call_at(3601.0, loop.set_wall_time, datetime(1970, 1, 1, 0, 59, 30, tzinfo=UTC))
        return [(tick.day, tick.hour) async for tick in streamkit.cron("0 1 * * *") | ops.take(2)]

    assert run(main) == [(1, 1), (2, 1)]


def test_ends_where_nothing_is_due_any_more() -> None:
    assert [*streamkit.cron("0 0 1 1 *", end=datetime(1970, 1, 1, tzinfo=UTC))] == []
    the_first_as_fifth_monday = "0 0 */31 * 1#5"
    assert [*streamkit.cron(the_first_as_fifth_monday, start=AUTUMN)] == []


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"expression": 5}, TypeError, "expression must be a text such as"),
        ({"expression": "* * * *"}, ValueError, "expression must be .* Wrong number of fields"),
        ({"expression": "61 * * * *"}, ValueError, "not '61 [*] .*: Bad minute"),
        ({"timezone": "Berlin"}, ValueError, "timezone must be one that is known here, not 'Berlin'"),
        ({"timezone": "/etc/passwd"}, ValueError, "timezone must be one that is known here"),
        ({"timezone": 1}, TypeError, "timezone must be a tzinfo, or the name of a time zone"),
        ({"start": datetime(2026, 1, 1)}, ValueError, "start must have a time zone"),
        ({"missed": Missed.DELAY}, ValueError, "missed must be Missed.SKIP or CATCH_UP for ticks"),
    ],
)  # fmt: skip
def test_bad_argument(given: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        streamkit.cron(**{"expression": "* * * * *", **given})


def test_without_cronsim_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cronsim", None)
    spec = importlib.util.spec_from_file_location("without", cronsim.__file__)
    assert spec is not None
    assert spec.loader is not None
    without = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(without)
    with pytest.raises(ImportError, match=r"install streamkit\[cron\]"):
        without.cron("* * * * *")


def test_is_shown_as_it_was_written() -> None:
    assert repr(streamkit.cron("0 7 * * *")) == "Stream(cron('0 7 * * *'))"
    east = timezone(timedelta(hours=2))
    assert "timezone=datetime.timezone(" in repr(streamkit.cron("0 7 * * *", timezone=east))
