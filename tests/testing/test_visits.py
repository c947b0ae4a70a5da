"""Visits: what speaks against a pipe that was not as careful with its source as it has to be."""

import asyncio

import pytest

from streamkit.testing import run
from streamkit.testing.visits import Visit, check_visits


def test_one_that_was_closed_once_says_nothing() -> None:
    visit = Visit(closing=1, closed=1)
    assert visit.faults() == []
    check_visits("source", [visit])


@pytest.mark.parametrize(
    ("visit", "fault"),
    [
        (Visit(), "it was never asked for an item"),
        (Visit(number=1), "it was never closed"),
        (Visit(closing=1), "its clean-up began and did not end"),
        (Visit(closing=2, closed=2), "it was cleaned up 2 times"),
    ],
)
def test_one_that_was_not_is_told(visit: Visit, fault: str) -> None:
    assert visit.faults() == [fault]
    with pytest.raises(AssertionError, match=f"^'source' was not used .*\n  visit {visit.number}: {fault}"):
        check_visits("source", [visit])


def test_a_pull_where_no_loop_runs_is_in_no_task() -> None:
    visits: list[Visit] = []
    visit = Visit()
    visit.begin(visits)
    visit.step("a pull")
    assert (visits, visit.number, visit.task, visit.wrongs) == ([visit], 1, None, [])

    async def main() -> None:
        asyncio.current_task().set_name("reader")  # type: ignore[union-attr]
        visit.step("the clean-up")

    run(main)
    assert visit.wrongs == ["the clean-up in task 'reader', but the first pull was in no task"]


def test_what_is_thrown_into_it_is_noted_but_for_a_cancellation_and_a_close() -> None:
    visit = Visit()
    for error in (GeneratorExit(), asyncio.CancelledError(), OSError()):
        visit.thrown(error)
    assert (visit.cancelled, visit.wrongs) == (1, ["OSError was thrown into it"])
