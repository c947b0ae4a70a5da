"""How surely schedules find a plant: searched with many seeds, shrunk, and run again from the token."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable
from statistics import median
from time import process_time
from typing import Any, NamedTuple

from streamkit.testing import Exhaustive, ScheduleError, run
from streamkit.testing.schedules.tokens import parsed
from tests.planted.crowd import crowded
from tests.planted.plant import Main, Plant

__all__ = ["MOST_SWITCHES", "Find", "Report", "find", "measured", "right_for", "shows_unexplored"]

SCHEDULES = 1000
"""How many schedules a search may try."""
MOST_SWITCHES = 5
"""To how many switches, and faults, each failure has to be shrunk."""
FOUND = 0.99
"""More than this part of all seeds has to find a plant."""

_NOTE = re.compile(r"failed in schedule (?P<tried>\d+) of")
_TOKEN = re.compile(r'replay="(?P<token>v1:[^"]+)"')


class Find(NamedTuple):
    """What a search with one seed has found."""

    seed: int
    tried: int
    """How many schedules it took."""
    switches: int
    """Of the shrunk schedule, with its faults."""
    token: str
    replayed: bool
    """Whether the token has led to the same error."""


def find(plant: Plant, seed: int, schedules: int = SCHEDULES, crowd: int = 0) -> Find | None:
    """Search for the bug of `plant`, which is planted already, beside a `crowd`; None if none fails."""
    main = crowded(plant.flawed, crowd)
    error = _error(main, schedules=schedules, seed=seed, faults=plant.faults)
    if error is None:
        return None
    notes = "\n".join(getattr(error, "__notes__", ()))
    found, token = _NOTE.search(notes), _TOKEN.search(notes)
    if isinstance(error, ScheduleError) or found is None or token is None:
        raise error
    again = _error(main, replay=token["token"])
    return Find(
        seed,
        int(found["tried"]),
        len(parsed(token["token"])[0]),
        token["token"],
        again is not None and _words(again) == _words(error),
    )


def _error(main: Main, **how: Any) -> BaseException | None:
    try:
        run(main, **how)
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        return error
    return None


def _words(error: BaseException) -> tuple[type[BaseException], str]:
    """What is the same of an error when it comes again: tasks are numbered through all runs."""
    return type(error), re.sub(r"Task-\d+", "Task", str(error))


def shows_unexplored(plant: Plant, crowd: int = 0) -> BaseException | None:
    """The error of `plant` in the order of asyncio and without a fault: then no search would be needed."""
    with plant.planted():
        return _error(crowded(plant.flawed, crowd), schedules=Exhaustive(switches=0))


def right_for(plant: Plant, seeds: Iterable[int], schedules: int = SCHEDULES, crowd: int = 0) -> float:
    """Run the twin of `plant`, which must not fail; return how many schedules a second of processor time."""
    began, count = process_time(), 0
    for seed in seeds:
        run(crowded(plant.right, crowd), schedules=schedules, seed=seed, faults=plant.faults)
        count += schedules
    return count / max(process_time() - began, 1e-9)


class Report(NamedTuple):
    """A row of the table: one plant, with many seeds."""

    plant: str
    kind: str
    seeds: int
    finds: tuple[Find, ...]
    speed: float
    """Schedules of the twin a second."""
    wrong: str
    """What its twin, or its run in the order of asyncio, has failed with; empty if with nothing."""

    @property
    def tried(self) -> float:
        """How many schedules half of the searches took at most."""
        return median([each.tried for each in self.finds]) if self.finds else float("inf")

    @property
    def switches(self) -> int:
        """Of the largest of the shrunk schedules."""
        return max((each.switches for each in self.finds), default=0)

    @property
    def replayed(self) -> int:
        """How many of the tokens have led to the same error."""
        return sum(each.replayed for each in self.finds)

    @property
    def misses(self) -> list[str]:
        """Which figures are not those that are asked for."""
        found: list[str] = []
        if not len(self.finds) > FOUND * self.seeds:
            found.append("found too seldom")
        if self.switches > MOST_SWITCHES:
            found.append("too many switches")
        if self.replayed < len(self.finds):
            found.append("not replayed")
        return [*found, *([self.wrong] if self.wrong else [])]


def measured(plant: Plant, seeds: int, twins: int, crowd: int = 0) -> Report:
    """Search for `plant` with the seeds from 0 on, and run its twin with so many `twins` of them."""
    gc.collect()  # what the searches before have left: errors with their tracebacks, in cycles
    speed, wrong = 0.0, ""
    unexplored = shows_unexplored(plant, crowd)
    if unexplored is not None:
        wrong = f"shows in the order of asyncio: {unexplored!r}"
    try:
        speed = right_for(plant, range(twins), crowd=crowd)
    except Exception as error:
        notes = "\n".join(getattr(error, "__notes__", ()))
        wrong = f"its twin fails: {error!r}\n{notes}"
    with plant.planted():
        finds = [found for seed in range(seeds) if (found := find(plant, seed, crowd=crowd)) is not None]
    return Report(plant.name, plant.kind, seeds, tuple(finds), speed, wrong)
