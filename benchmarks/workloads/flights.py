"""A real job: examples/flights.py from its files to its CSV and its sums, and the same written by hand.

What parses, joins and formats is the example's own on all sides; what differs is what holds it together.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from importlib.util import module_from_spec, spec_from_file_location
from itertools import zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.workload import HAND, OURS, PEERS, Workload
from streamkit import ops

EXAMPLE = Path(__file__).parents[2] / "examples" / "flights.py"
ROWS = 27_004
"""Flights in the file."""
flights = Workload(
    "flights example", "months", (1,), {1: {HAND: 1.1}}, most=ROWS, unit=lambda _: ROWS, item="flight"
)
flights.lacks("not written for this job", *PEERS)


@lru_cache
def example() -> ModuleType:
    import sys

    spec = spec_from_file_location("flights_example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Out:
    """Where the rows go, and what is compared in the end."""

    def __init__(self) -> None:
        self.text = io.StringIO()
        self.writer = csv.writer(self.text)
        self.writer.writerow(example().COLUMNS)
        self.skipped = example().Skipped(print)
        self.days = 0

    def tick(self, _: Any) -> None:
        self.days += 1

    def result(self, summary: Any) -> Any:
        return self.text.getvalue(), summary.airlines, summary.winds, self.skipped, self.days


@flights.by(OURS)
async def _(size: int, count: int) -> Any:
    job, out = example(), Out()
    data = job.HERE / "data"
    rows = job.joined_flights(data, job.Airlines(data, out.skipped), out.skipped, out.tick)
    _, summary = await (
        rows
        | ops.broadcast(
            ops.map(job.cells_of) | ops.for_each(out.writer.writerow),
            ops.fold(job.Summary.add, job.Summary()),
        )
    )
    return out.result(summary)


@flights.by(HAND)
async def _(size: int, count: int) -> Any:
    job, out = example(), Out()
    data, summary = job.HERE / "data", job.Summary()
    airlines = job.Airlines(data, out.skipped)
    days = by_day(job.Rows(data / "flights-2013-01.csv.gz", job.Flight.parse, out.skipped)(), 1_500)
    weather = [by_day(winds(job, data, airport, out.skipped), 25) for airport in job.AIRPORTS]
    for rows in zip_longest(ticked(days, out.tick), *weather, fillvalue=()):
        late = [joined for joined in job.join(*rows) if out.skipped.has_delay(joined)]
        for joined in await looked_up(airlines.look_up, late, 8):
            out.writer.writerow(job.cells_of(joined))
            summary.add(joined)
    return out.result(summary)


def winds(job: ModuleType, data: Path, airport: str, skipped: Any) -> Iterator[Any]:
    """The weather at one airport."""
    is_at: Callable[[Any], bool] = partial(job.at, airport)
    for row in job.Rows(data / "weather-2013-01.csv.gz", job.Weather.parse, skipped)():
        if is_at(row):
            skipped.note_wind(row)
            yield row


def by_day(rows: Iterable[Any], most: int) -> Iterator[list[Any]]:
    """Lists of neighbouring rows of one day."""
    held: list[Any] = []
    for row in rows:
        if held and held[0].day != row.day:
            yield held
            held = []
        if len(held) == most:
            raise example().DataError(f"{row.day} has more than {most} rows")
        held.append(row)
    if held:
        yield held


def ticked(days: Iterable[Any], tick: Callable[[Any], None]) -> Iterator[Any]:
    for rows in days:
        tick(rows)
        yield rows


async def looked_up(function: Callable[[Any], Any], items: list[Any], concurrency: int) -> list[Any]:
    """All of them in order, so many at once."""
    out: list[Any] = [None] * len(items)
    numbered = enumerate(items)

    async def work() -> None:
        for number, item in numbered:
            out[number] = await function(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
    return out


WORKLOADS = (flights,)
