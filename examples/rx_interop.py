"""A week of departures out of New York: RxPY emits and displays, streamkit holds and awaits in between.

    python examples/rx_interop.py

A thread replays the departures of January 2013 as an RxPY observable. That thread is held whenever 64 rows
wait, a name is awaited for eight rows at a time, and operators of RxPY sum up the days. After seven of them
they want no more, which ends everything before them: the run, the subscription, the thread.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
from collections.abc import Mapping
from functools import partial
from operator import itemgetter
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

import reactivex
from reactivex import Observable, abc, operators as of
from reactivex.disposable import Disposable

from streamkit import Suspend, ops, rx

DATA = Path(__file__).resolve().parent / "data"
LATE = 15  # minutes
AHEAD = 64  # rows

Row = Mapping[str, str]


def replay(path: Path) -> Observable[Row]:
    """The rows of `path`, from a thread of each subscription's own, which ends when that is disposed."""

    def subscribe(observer: abc.ObserverBase[Row], _: abc.SchedulerBase | None = None) -> Disposable:
        left = Event()

        def work() -> None:
            try:
                with gzip.open(path, "rt", encoding="utf-8") as lines:
                    for row in csv.DictReader(lines):
                        if left.is_set():
                            return
                        observer.on_next(row)  # held here, while nobody asks for more
                observer.on_completed()
            except OSError as error:
                observer.on_error(error)

        Thread(target=work, name="replay").start()
        return Disposable(left.set)

    return reactivex.create(subscribe)


def departed(row: Row) -> bool:
    return row["dep_delay"] != "NA"


class Departure(NamedTuple):
    day: str
    flight: str
    route: str
    delay: int


async def departure(names: Row, row: Row) -> Departure:
    """What `row` tells, with the name of the airline, as if that had to be asked for over a network."""
    await asyncio.sleep(0)
    day = f"{row['year']}-{int(row['month']):02}-{int(row['day']):02}"
    flight, route = f"{names[row['carrier']]} {row['flight']}", f"{row['origin']}-{row['dest']}"
    return Departure(day, flight, route, int(row["dep_delay"]))


class Day(NamedTuple):
    """The departures of a day so far, how many were late, and the latest of them."""

    departures: int
    late: int
    worst: Departure

    def __str__(self) -> str:
        day, flight, route, delay = self.worst
        departures = f"{self.departures:3} departures, {self.late:3} late"
        return f"{day}  {departures}, the latest by {delay} min, {flight}, {route}"


def alone(departure: Departure) -> Day:
    """A day that has seen no other departure yet."""
    return Day(1, int(departure.delay >= LATE), departure)


def add(day: Day, one: Day) -> Day:
    """A day, with one departure more; the first of another day begins that."""
    if day.worst.day != one.worst.day:
        return one
    worst = max(day.worst, one.worst, key=lambda departure: departure.delay)
    return Day(day.departures + 1, day.late + one.late, worst)


def is_over(days: tuple[Day, Day]) -> bool:
    return days[1].departures == 1


async def show(data: Path) -> None:
    with (data / "airlines.csv").open(encoding="utf-8") as lines:
        names = {row["carrier"]: row["name"] for row in csv.DictReader(lines)}
    rows = replay(data / "flights-2013-01.csv.gz").pipe(of.filter(departed))
    stream = rx.from_observable(rows, strategy=Suspend(AHEAD))
    departures = rx.to_observable(stream | ops.map(partial(departure, names), concurrency=8))
    sums = departures.pipe(of.map(alone), of.scan(add))
    errors: list[Exception] = []
    week = sums.pipe(of.pairwise(), of.filter(is_over), of.map(itemgetter(0)), of.take(7))
    week.subscribe(print, errors.append)
    await departures.closed()
    if errors:
        raise errors[0]


if __name__ == "__main__":
    asyncio.run(show(DATA))
