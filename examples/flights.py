"""How late flights were, by airline and by wind: the flights and the weather of New York, January 2013.

    make demo                                       or: python examples/flights.py --help

Each file is read lazily, row by row. The flights come day after day; the weather comes airport after
airport, so each airport has its own reader of that file. Day groups of all four are zipped, which joins
the files in one pass with no more than a few days in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import math
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import IO, Generic, NamedTuple, Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from streamkit import Contract, Shape, Stream, ops, step

HERE = Path(__file__).resolve().parent
AIRPORTS = ("EWR", "JFK", "LGA")
DAYS = 31
LATE = 15  # minutes
BANDS = {5: "calm, under 5", 10: "5 to 10", 15: "10 to 15", 20: "15 to 20", math.inf: "20 and more"}  # mph
NO_WEATHER = "no weather"
COLUMNS = ("day", "hour", "carrier", "airline", "flight", "origin", "dest", "arr_delay", "wind_speed", "wind")

T = TypeVar("T")


class DataError(Exception):
    """The files cannot be used; the message is for the reader of the screen."""


# What is read ------------------------------------------------------------------------------------------


class Flight(NamedTuple):
    day: date
    hour: datetime
    origin: str
    dest: str
    carrier: str
    number: int
    delay: int | None

    @staticmethod
    def parse(row: Mapping[str, str]) -> Flight:
        return Flight(
            day=local_day(row),
            hour=datetime.fromisoformat(row["time_hour"]),
            origin=airport(row["origin"]),
            dest=row["dest"],
            carrier=row["carrier"],
            number=int(row["flight"]),
            delay=None if row["arr_delay"] == "NA" else int(row["arr_delay"]),
        )


class Weather(NamedTuple):
    day: date
    hour: datetime
    airport: str
    wind: float | None

    @staticmethod
    def parse(row: Mapping[str, str]) -> Weather:
        wind = None if row["wind_speed"] == "NA" else float(row["wind_speed"])
        if wind is not None and not 0 <= wind < math.inf:
            raise ValueError(f"no such wind speed: {wind}")
        return Weather(local_day(row), datetime.fromisoformat(row["time_hour"]), airport(row["origin"]), wind)


def local_day(row: Mapping[str, str]) -> date:
    return date(int(row["year"]), int(row["month"]), int(row["day"]))


def airport(code: str) -> str:
    if code not in AIRPORTS:
        raise ValueError(f"no such airport: {code!r}")
    return code


@dataclass
class Skipped:
    """What a run left out, and why."""

    report: Callable[[str], None]
    flights: int = 0
    weather: int = 0
    malformed: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])

    def row(self, path: Path, line: int, why: object) -> None:
        """Count and report a malformed row: once, however many readers of its file meet it."""
        if (path.name, line) not in self.malformed:
            self.malformed.add((path.name, line))
            self.report(f"{path}, line {line}: skipped, malformed: {why}")

    def has_delay(self, joined: Joined) -> bool:
        self.flights += joined.flight.delay is None
        return joined.flight.delay is not None

    def note_wind(self, weather: Weather) -> None:
        self.weather += weather.wind is None


@dataclass(frozen=True)
class Rows(Generic[T]):
    """A source: each call opens the file anew, so that every run has its own, and closes it."""

    path: Path
    parse: Callable[[Mapping[str, str]], T]
    skipped: Skipped

    def __call__(self) -> Iterator[T]:
        try:
            with opened(self.path) as lines:
                header = next(csv.reader(lines), list[str]())
                for number, line in enumerate(lines, 2):
                    try:
                        item = self.parse(cells(header, line))
                    except (ValueError, csv.Error) as error:
                        self.skipped.row(self.path, number, error)
                    else:
                        yield item
        except KeyError as error:
            raise DataError(f"{self.path}: no column {error}") from error
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(f"{self.path}: {error}") from error

    def __repr__(self) -> str:
        return self.path.name


def opened(path: Path) -> IO[str]:
    open_text = gzip.open if path.suffix == ".gz" else open
    return open_text(path, "rt", encoding="utf-8", errors="replace", newline="")


def cells(header: Sequence[str], line: str) -> Mapping[str, str]:
    """One line as a row. By itself, so that a stray quotation mark cannot swallow the lines after it."""
    values = next(csv.reader([line], strict=True))
    if len(values) != len(header):
        raise ValueError(f"{len(values)} values for {len(header)} columns")
    return dict(zip(header, values, strict=True))


# An operator of our own, and the join -------------------------------------------------------------------


class Dated(Protocol):
    @property
    def day(self) -> date: ...


D = TypeVar("D", bound=Dated)


class DayGroups(Shape):
    """``D`` to ``list[D]``, for the type checkers."""

    def __call__(self, stream: Stream[D]) -> Stream[list[D]]:
        result: Stream[list[D]] = self.apply(stream)
        return result


@step(
    setup="rows = []",
    each="""
        if rows and rows[0].day != item.day:
            full = rows
            rows = []
            emit(full)
        if len(rows) == most:
            raise DataError(f"{item.day} has more than {most} rows")
        rows.append(item)
    """,
    finish="if rows: emit(rows)",
    contract=Contract(holds="most", weight="most"),
)
def by_day(*, most: int) -> DayGroups:
    """Pass on lists of neighbouring rows of one day, which may have `most` rows."""
    return DayGroups(by_day, most=most)


class Joined(NamedTuple):
    flight: Flight
    wind: float | None
    airline: str = ""


def join(flights: Sequence[Flight], *weather: Sequence[Weather]) -> Iterable[Joined]:
    """One day's flights, each with the wind at its airport in its scheduled hour."""
    files: tuple[Sequence[Dated], ...] = (flights, *weather)
    days = [str(rows[0].day) if rows else "no day left" for rows in files]
    if len(set(days)) > 1:
        told = ", ".join(map(": ".join, zip(("flights", *AIRPORTS), days, strict=True)))
        raise DataError(f"the days of the files do not match ({told})")
    winds = {(row.airport, row.hour): row.wind for rows in weather for row in rows}
    return (Joined(flight, winds.get((flight.origin, flight.hour))) for flight in flights)


class Airlines:
    """The names of the airlines, as if they had to be asked for over a network."""

    def __init__(self, data: Path, skipped: Skipped) -> None:
        self._names = dict(Stream(Rows(data / "airlines.csv", named, skipped)))

    async def look_up(self, joined: Joined) -> Joined:
        await asyncio.sleep(0)
        carrier = joined.flight.carrier
        return joined._replace(airline=self._names.get(carrier, carrier))


def named(row: Mapping[str, str]) -> tuple[str, str]:
    return row["carrier"], row["name"]


def at(airport: str, row: Weather) -> bool:
    return row.airport == airport


def joined_flights(
    data: Path, airlines: Airlines, skipped: Skipped, tick: Callable[[Sequence[Flight]], None]
) -> Stream[Joined]:
    """Every flight that has a delay, with its wind and the name of its airline; a `tick` for each day."""

    def weather(airport: str) -> Stream[list[Weather]]:
        rows = Stream(Rows(data / "weather-2013-01.csv.gz", Weather.parse, skipped))
        return rows | ops.filter(partial(at, airport)) | ops.tap(skipped.note_wind) | by_day(most=25)

    return (
        Stream(Rows(data / "flights-2013-01.csv.gz", Flight.parse, skipped))
        | by_day(most=1_500)
        | ops.tap(tick)
        | ops.zip(*map(weather, AIRPORTS), fill=())
        | ops.starmap(join)
        | ops.flatten()
        | ops.filter(skipped.has_delay)
        | ops.map(airlines.look_up, concurrency=8)
    )


# What is made of it -------------------------------------------------------------------------------------


def band(wind: float | None) -> str:
    return NO_WEATHER if wind is None else next(name for limit, name in BANDS.items() if wind < limit)


def cells_of(joined: Joined) -> Sequence[object]:
    """A row of the CSV file, as `COLUMNS` says."""
    flight, wind, airline = joined
    hour = flight.hour.isoformat().replace("+00:00", "Z")
    route = (flight.number, flight.origin, flight.dest)
    return (flight.day, hour, flight.carrier, airline, *route, flight.delay, wind, band(wind))


@dataclass
class Delays:
    flights: int = 0
    late: int = 0
    minutes: int = 0

    def add(self, delay: int) -> None:
        self.flights += 1
        self.late += delay >= LATE
        self.minutes += delay


@dataclass
class Summary:
    airlines: dict[str, Delays] = field(default_factory=lambda: defaultdict(Delays), repr=False)
    winds: dict[str, Delays] = field(default_factory=lambda: defaultdict(Delays), repr=False)

    def add(self, joined: Joined) -> Summary:
        delay = joined.flight.delay
        assert delay is not None
        self.airlines[joined.airline].add(delay)
        self.winds[band(joined.wind)].add(delay)
        return self


def run(data: Path, out: Path, errors: Console) -> tuple[Summary, Skipped]:
    """Write the joined flights to `out` and sum them up. A run that fails leaves `out` as it was."""
    skipped = Skipped(lambda text: errors.print(text, markup=False, highlight=False, soft_wrap=True))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
    days = bar.add_task("days", total=DAYS)
    airlines = Airlines(data, skipped)
    flights = joined_flights(data, airlines, skipped, lambda _: bar.advance(days))
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f"{out.name}.part")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        job = flights | ops.broadcast(
            ops.map(cells_of) | ops.for_each(writer.writerow),
            ops.fold(Summary.add, Summary()),
        )
        print(job.explain(), flush=True)
        with bar:
            _, summary = job.run()
    unfinished.replace(out)
    return summary, skipped


def table(title: str, groups: Iterable[tuple[str, Delays]]) -> Table:
    shown = Table(title, title_justify="left")
    for heading in ("flights", f"late {LATE} min or more", "mean delay"):
        shown.add_column(heading, justify="right")
    for name, delays in groups:
        share, mean = delays.late / delays.flights, delays.minutes / delays.flights
        shown.add_row(name, f"{delays.flights:,}", f"{share:.1%}", f"{mean:.1f} min")
    return shown


def show(summary: Summary, skipped: Skipped, out: Path) -> None:
    screen = Console(highlight=False)
    winds = [(name, summary.winds[name]) for name in (*BANDS.values(), NO_WEATHER) if name in summary.winds]
    screen.print(table("airline", sorted(summary.airlines.items())))
    screen.print(table("wind, mph", winds))
    written = sum(delays.flights for delays in summary.airlines.values())
    print(f"written:  {written:,} flights, to {out}")
    print(f"skipped:  {skipped.flights:,} flights without arr_delay")
    print(f"          {skipped.weather:,} hours of weather without wind_speed")
    print(f"          {len(skipped.malformed):,} malformed rows")
    print(f"unjoined: {dict(winds).get(NO_WEATHER, Delays()).flights:,} flights in an hour without weather")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=HERE / "data", help="directory of the three files")
    parser.add_argument(
        "--out", type=Path, default=HERE.parent / "build" / "flights-joined.csv", help="CSV file"
    )
    options = parser.parse_args(arguments)
    try:
        summary, skipped = run(options.data, options.out, Console(stderr=True))
    except OSError as error:
        print(f"{error.filename}: {error.strerror}" if error.filename else error, file=sys.stderr)
    except DataError as error:
        print(error, file=sys.stderr)
    else:
        show(summary, skipped, options.out)
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
