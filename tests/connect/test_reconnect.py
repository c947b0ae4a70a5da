"""Connections that are made again: how many failures, how long a wait, and what a gap says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from streamkit import Backoff, Gap, attached
from streamkit.connect import Reconnect, StatusError
from streamkit.connect.reconnect import EndOfFeed, linked
from streamkit.testing import run

STEADY = Backoff(1.0, factor=1.0, jitter=0.0)
Script = list[Any]
"""What connections do: a number is an item, seconds as text a wait, and an error, or the end, is raised."""


class Scripted:
    """A connection that does what its script says."""

    def __init__(self, script: Script, *, resumed: bool = False, least: float = 0.0) -> None:
        self.script, self.resumed, self.least = script, resumed, least
        self.closed = 0

    async def receive(self) -> Any:
        if isinstance(self.script[0], str):
            await asyncio.sleep(float(self.script.pop(0)))
        found = self.script.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def close(self) -> None:
        self.closed += 1


def lost() -> ConnectionError:
    return ConnectionError("lost")


def reading(links: list[Any], reconnect: Reconnect) -> AsyncIterator[Any]:
    async def connect() -> Any:
        found = links.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    return linked(connect, reconnect, (OSError,))


def read(links: list[Any], reconnect: Reconnect) -> tuple[list[Any], Any]:
    """What comes, with the time; and the error at the end, if there is one."""
    found: list[Any] = []

    async def main() -> Any:
        items: Any = reading(links, reconnect)
        try:
            async with aclosing(items):
                async for item in items:
                    found.append((asyncio.get_running_loop().time(), item))
        except Exception as error:
            return error

    return found, run(main)


def test_a_gap_stands_where_items_may_be_missing_with_its_time_and_reason() -> None:
    made = [Scripted([1, "5", 2, "2", lost()]), lost(), Scripted([3, EndOfFeed()])]
    links = [*made]
    found, error = read(links, Reconnect(STEADY))
    at = [datetime.fromtimestamp(seconds, UTC) for seconds in (5.0, 9.0)]
    gap = Gap(None, "ConnectionError: lost", since=at[0], until=at[1])
    assert found == [(0.0, 1), (5.0, 2), (9.0, gap), (9.0, 3)]
    assert error is None
    assert [each.closed for each in made if isinstance(each, Scripted)] == [1, 1]


def test_there_is_no_gap_before_the_first_connection_and_where_the_server_resumes() -> None:
    found, error = read(
        [lost(), Scripted([1, lost()]), Scripted([2, EndOfFeed()], resumed=True)], Reconnect(STEADY)
    )
    assert ([item for _, item in found], error) == ([1, 2], None)


def test_the_last_failure_fails_it_and_what_comes_ends_a_row() -> None:
    last = lost()
    links = [lost(), lost(), Scripted([1, lost()]), lost(), last]
    found, error = read(links, Reconnect(STEADY, threshold=3))
    assert [item for _, item in found] == [1]
    assert error is last
    assert error.__notes__ == ["this was failure 3 in a row"]


def test_a_hook_is_told_once_in_a_row_in_place_of_an_end() -> None:
    told: list[tuple[str, Any]] = []

    async def on_threshold(error: Exception, failures: int) -> None:
        await asyncio.sleep(0)
        told.append(("threshold", failures))

    rules = Reconnect(
        Backoff(1.0, jitter=0.0),
        threshold=2,
        on_threshold=on_threshold,
        on_retry=lambda _, failures, seconds: told.append((f"retry {failures}", seconds)),
    )
    links = [*(lost() for _ in range(3)), Scripted([1, lost()]), lost(), Scripted([EndOfFeed()])]
    _, error = read(links, rules)
    assert error is None
    row = [("retry 1", 1.0), ("threshold", 2), ("retry 2", 2.0)]
    assert told == [*row, ("retry 3", 4.0), *row]

    def refuses(*_: object) -> None:
        raise LookupError("enough")

    _, error = read([lost()], Reconnect(threshold=1, on_threshold=refuses))
    assert isinstance(error, LookupError)


def test_a_connection_that_lasts_ends_a_row_without_an_item() -> None:
    for lasts, ends in (("61", False), ("59", True)):
        links = [Scripted([lasts, lost()]) for _ in range(5)]
        _, error = read([*links, Scripted([EndOfFeed()])], Reconnect(STEADY, threshold=3, reset_after=60.0))
        assert (error is not None) == ends


@pytest.mark.parametrize(
    ("links", "when"),
    [
        ([StatusError(429, "u", 20.0)], 20.0),
        ([StatusError(429, "u", 1e9)], 50.0),
        ([StatusError(500, "u")], 1.0),
        ([Scripted([lost()], least=7.0)], 7.0),
        ([Scripted([lost()], least=1e9)], 50.0),
    ],
)
def test_the_wait_is_what_a_server_asks_for_up_to_a_limit(links: list[Any], when: float) -> None:
    found, _ = read([*links, Scripted([1, EndOfFeed()])], Reconnect(STEADY, longest=50.0))
    assert found[-1] == (when, 1)


def test_what_is_no_failure_ends_it_and_closes_the_connection() -> None:
    link = Scripted([ValueError("defect")])
    _, error = read([link], Reconnect(STEADY))
    assert isinstance(error, ValueError)
    assert link.closed == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Reconnect(-1.0), "backoff must be"),
        (lambda: Reconnect(threshold=0), "threshold must be"),
        (lambda: Reconnect(threshold=None, on_threshold=print), "threshold must be given"),
        (lambda: Reconnect(on_threshold=3), "on_threshold must be a callable"),  # type: ignore[arg-type]
        (lambda: Reconnect(on_retry="x"), "on_retry must be a callable"),  # type: ignore[arg-type]
        (lambda: Reconnect(reset_after=0.0), "reset_after must be"),
        (lambda: Reconnect(longest=float("inf")), "longest must be"),
    ],
)
def test_wrong_arguments_are_told_at_the_call(make: Callable[[], object], words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        make()
    assert Reconnect(2.0) == Reconnect(2.0) != Reconnect(3.0)


class Stuck(Scripted):
    """A connection that cannot be closed."""

    async def close(self) -> None:
        await super().close()
        raise OSError("stuck")


def test_what_cannot_be_closed_when_it_is_lost_is_told_in_the_gap() -> None:
    found, error = read([Stuck([1, lost()]), Scripted([EndOfFeed()])], Reconnect(STEADY))
    assert error is None
    assert found[1][1].reason == "ConnectionError: lost; and as it was closed, OSError: stuck"


def test_at_the_end_it_is_raised_or_hangs_on_what_came_first() -> None:
    assert str(read([Stuck([1, EndOfFeed()])], Reconnect(STEADY))[1]) == "stuck"
    first = LookupError("defect")
    for script, rules in (([first], Reconnect(STEADY)), ([lost()], Reconnect(threshold=1))):
        last = script[0]
        assert read([Stuck([1, *script])], rules)[1] is last
        assert [str(each) for each in attached(last)] == ["stuck"]

    async def leave() -> None:
        items: Any = reading([Stuck([1])], Reconnect(STEADY))
        await anext(items)
        with pytest.raises(OSError, match="stuck"):
            await items.aclose()

    run(leave)
