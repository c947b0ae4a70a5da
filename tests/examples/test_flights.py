"""examples/flights.py: its sums against a plain loop over the same files, and what it does with bad input."""

import csv
import gzip
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FLIGHTS, WEATHER = "flights-2013-01.csv.gz", "weather-2013-01.csv.gz"
AIRPORTS = ("EWR", "JFK", "LGA")


@pytest.fixture(scope="module")
def flights() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("flights", EXAMPLES / "flights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["flights"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["flights"]


class Data:
    """A directory of small files: two days, on each a flight out of each airport at 10 and hourly weather."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.out = directory / "out" / "joined.csv"
        hours = [(day, 10, f"2013-01-{day:02}T15:00:00Z") for day in (1, 2)]
        self.flights = [
            f"2013,1,{day},1000,1000,0,1200,1200,20,UA,1,N1,{airport},IAH,9,99,{hour},0,{time}"
            for day, hour, time in hours
            for airport in AIRPORTS
        ]
        self.weather = [
            f"{airport},2013,1,{day},{hour},39,26,59,270,12.5,NA,0,1012,10,{time}"
            for airport in AIRPORTS
            for day, hour, time in hours
        ]
        self.airlines = ["UA,United Air Lines Inc."]

    def write(self) -> list[str]:
        """Write the files, and return the arguments that name them."""
        self.gzipped(FLIGHTS, self.flights)
        self.gzipped(WEATHER, self.weather)
        names = "\n".join(["carrier,name", *self.airlines, ""])
        (self.directory / "airlines.csv").write_text(names, encoding="utf-8")
        return self.arguments

    @property
    def arguments(self) -> list[str]:
        return ["--data", str(self.directory), "--out", str(self.out)]

    def gzipped(self, name: str, lines: list[str]) -> None:
        with gzip.open(EXAMPLES / "data" / name, "rt", encoding="utf-8") as real:
            header = real.readline()
        with gzip.open(self.directory / name, "wt", encoding="utf-8") as file:
            file.write(header + "".join(f"{line}\n" for line in lines))


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return Data(tmp_path)


def rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return list(csv.DictReader(file))


def by_a_plain_loop(directory: Path) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """[flights, late ones, minutes] by airline and by wind, with everything held in dicts."""
    names = {row["carrier"]: row["name"] for row in rows(directory / "airlines.csv")}
    winds = {(row["origin"], row["time_hour"]): float(row["wind_speed"]) for row in rows(directory / WEATHER)}
    airlines: dict[str, list[int]] = {}
    bands: dict[str, list[int]] = {}
    for row in rows(directory / FLIGHTS):
        if row["arr_delay"] == "NA":
            continue
        minutes = int(row["arr_delay"])
        wind = winds.get((row["origin"], row["time_hour"]))
        if wind is None:
            band = "no weather"
        elif wind < 5:
            band = "calm, under 5"
        elif wind >= 20:
            band = "20 and more"
        else:
            band = {1: "5 to 10", 2: "10 to 15", 3: "15 to 20"}[int(wind // 5)]
        for table, key in ((airlines, names[row["carrier"]]), (bands, band)):
            sums = table.setdefault(key, [0, 0, 0])
            sums[0] += 1
            sums[1] += minutes >= 15
            sums[2] += minutes
    return airlines, bands


def sums(groups: dict[str, Any]) -> dict[str, list[int]]:
    return {name: [each.flights, each.late, each.minutes] for name, each in groups.items()}


def cells(line: str) -> list[str]:
    """The cells of a line of a table on the screen."""
    return [cell.strip() for cell in line.replace("|", "│").split("│")[1:-1]]


@pytest.fixture(scope="module")
def real_run(flights: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Path]:
    """One run over the real files: the summary, what was skipped, and the CSV file."""
    out = tmp_path_factory.mktemp("real") / "joined.csv"
    summary, skipped = flights.run(EXAMPLES / "data", out, Console(file=StringIO()))
    return summary, skipped, out


class TestRealFiles:
    def test_sums_are_those_of_a_plain_loop(self, real_run: tuple[Any, Any, Path]) -> None:
        summary, _, _ = real_run
        assert (sums(summary.airlines), sums(summary.winds)) == by_a_plain_loop(EXAMPLES / "data")

    def test_what_is_left_out_is_counted(self, real_run: tuple[Any, Any, Path]) -> None:
        summary, skipped, _ = real_run
        assert (skipped.flights, skipped.weather, len(skipped.malformed)) == (606, 0, 0)
        assert summary.winds["no weather"].flights == 52

    def test_every_joined_flight_is_in_the_csv_file_in_order(self, real_run: tuple[Any, Any, Path]) -> None:
        written = rows(real_run[2])
        read = [row for row in rows(EXAMPLES / "data" / FLIGHTS) if row["arr_delay"] != "NA"]
        assert len(written) == 27_004 - 606
        for ours, theirs in (("hour", "time_hour"), ("flight", "flight"), ("arr_delay", "arr_delay")):
            assert [row[ours] for row in written] == [row[theirs] for row in read]

    @pytest.mark.full
    def test_a_few_days_are_held_at_most(self, flights: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        parsed = passed = peak = 0
        parse, add = flights.Flight.parse, flights.Skipped.has_delay

        def counting(row: Any) -> Any:
            nonlocal parsed, peak
            parsed += 1
            peak = max(peak, parsed - passed)
            return parse(row)

        def leaving(self: Any, joined: Any) -> Any:
            nonlocal passed
            passed += 1
            return add(self, joined)

        monkeypatch.setattr(flights.Flight, "parse", staticmethod(counting))
        monkeypatch.setattr(flights.Skipped, "has_delay", leaving)
        skipped = flights.Skipped(print)
        stream = flights.joined_flights(
            EXAMPLES / "data", flights.Airlines(EXAMPLES / "data", skipped), skipped, len
        )
        assert sum(1 for _ in stream) == 27_004 - 606
        flights_of_the_busiest_day = 943
        assert peak <= 3 * flights_of_the_busiest_day


class TestScreen:
    def test_explains_first_and_ends_with_the_tables(
        self, flights: ModuleType, data: Data, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert flights.main(data.write()) == 0
        out, err = capsys.readouterr()
        lines = out.splitlines()
        assert lines[0] == FLIGHTS
        assert any(line.startswith("bound: ") for line in lines)
        assert ["United Air Lines Inc.", "6", "100.0%", "20.0 min"] in map(cells, lines)
        assert ["10 to 15", "6", "100.0%", "20.0 min"] in map(cells, lines)
        assert f"written:  6 flights, to {data.out}" in lines
        assert err == ""  # no progress bar where there is no terminal

    def test_na_is_skipped_and_counted(
        self, flights: ModuleType, data: Data, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data.flights[0] = data.flights[0].replace(",20,UA", ",NA,UA")
        data.weather[1] = data.weather[1].replace("12.5", "NA")
        assert flights.main(data.write()) == 0
        out = capsys.readouterr().out
        assert "1 flights without arr_delay" in out
        assert "1 hours of weather without wind_speed" in out
        assert "1 flights in an hour without weather" in out
        assert [row["wind"] for row in rows(data.out)] == ["10 to 15"] * 2 + ["no weather"] + ["10 to 15"] * 2

    @pytest.mark.parametrize(
        ("file", "line", "broken", "why"),
        [
            (FLIGHTS, 3, "2013,1,1", "3 values for 19 columns"),
            (FLIGHTS, 4, "2013,1,1,a,a,0,a,a,soon,UA,1,N1,EWR,IAH,9,99,10,0,2013-01-01T15:00:00Z", "'soon'"),
            (
                FLIGHTS,
                2,
                "2013,1,32,a,a,0,a,a,20,UA,1,N1,EWR,IAH,9,99,10,0,2013-01-01T15:00:00Z",
                "day is out of",
            ),
            (FLIGHTS, 8, "2013,1,2,a,a,0,a,a,20,UA,1,N1,SFO,IAH,9,99,10,0,2013-01-02T15:00:00Z", "'SFO'"),
            (FLIGHTS, 5, '"', "unexpected end of data"),
            (WEATHER, 2, "EWR,2013,1,1,10,39,26,59,270,nan,NA,0,1012,10,2013-01-01T15:00:00Z", "nan"),
            (WEATHER, 4, "", "0 values for 15 columns"),
            ("airlines.csv", 2, "UA;United", "1 values for 2 columns"),
        ],
    )
    def test_malformed_row_is_reported_once_with_its_line_and_the_run_goes_on(
        self,
        flights: ModuleType,
        data: Data,
        capsys: pytest.CaptureFixture[str],
        file: str,
        line: int,
        broken: str,
        why: str,
    ) -> None:
        lines = {FLIGHTS: data.flights, WEATHER: data.weather, "airlines.csv": data.airlines}[file]
        lines.insert(line - 2, broken)
        assert flights.main(data.write()) == 0
        out, err = capsys.readouterr()
        [report] = err.splitlines()
        assert report.startswith(f"{data.directory / file}, line {line}: skipped, malformed: ")
        assert why in report
        assert "1 malformed rows" in out
        assert len(rows(data.out)) == 6


class TestUnusableFiles:
    def one_line(self, flights: ModuleType, data: Data, capsys: pytest.CaptureFixture[str]) -> str:
        """The one line on stderr of a run that fails with code 1 and leaves no CSV file."""
        assert flights.main(data.arguments) == 1
        [line] = capsys.readouterr().err.splitlines()
        assert not data.out.exists()
        return line

    @pytest.mark.parametrize("name", [FLIGHTS, WEATHER, "airlines.csv"])
    def test_missing_file(
        self, flights: ModuleType, data: Data, capsys: pytest.CaptureFixture[str], name: str
    ) -> None:
        data.write()
        missing = data.directory / name
        missing.unlink()
        assert self.one_line(flights, data, capsys) == f"{missing}: No such file or directory"

    def test_days_that_do_not_match(
        self, flights: ModuleType, data: Data, capsys: pytest.CaptureFixture[str]
    ) -> None:
        del data.weather[2]  # the first of JFK's two days
        data.write()
        assert self.one_line(flights, data, capsys) == (
            "the days of the files do not match "
            "(flights: 2013-01-01, EWR: 2013-01-01, JFK: 2013-01-02, LGA: 2013-01-01)"
        )

    def test_days_that_end_early(
        self, flights: ModuleType, data: Data, capsys: pytest.CaptureFixture[str]
    ) -> None:
        del data.weather[5]
        data.write()
        assert "LGA: no day left" in self.one_line(flights, data, capsys)

    def test_truncated_file(
        self, flights: ModuleType, data: Data, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data.write()
        shutil.copy(EXAMPLES / "data" / FLIGHTS, data.directory)
        path = data.directory / FLIGHTS
        path.write_bytes(path.read_bytes()[:2_000])
        line = self.one_line(flights, data, capsys)
        assert line.startswith(f"{path}: ")

    def test_file_that_is_not_gzip(
        self, flights: ModuleType, data: Data, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data.write()
        (data.directory / WEATHER).write_text("origin,year", encoding="utf-8")
        line = self.one_line(flights, data, capsys)
        assert line.startswith(f"{data.directory / WEATHER}: Not a gzipped file")

    def test_missing_column(
        self, flights: ModuleType, data: Data, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data.write()
        (data.directory / "airlines.csv").write_text("carrier\nUA\n", encoding="utf-8")
        assert self.one_line(flights, data, capsys) == f"{data.directory / 'airlines.csv'}: no column 'name'"

    def test_day_with_too_many_rows(
        self, flights: ModuleType, data: Data, capsys: pytest.CaptureFixture[str]
    ) -> None:
        data.weather[:1] *= 26
        data.write()
        assert self.one_line(flights, data, capsys) == "2013-01-01 has more than 25 rows"


class TestByDay:
    def test_groups_neighbours_in_any_segment(self, flights: ModuleType) -> None:
        days = [1, 1, 2, 1, 3, 3, 3]
        items = [flights.Weather(day, number, "EWR", None) for number, day in enumerate(days)]
        groups = list(items | flights.by_day(most=3) | flights.ops.map(len))
        assert groups == [2, 1, 1, 3]


def test_a_band_begins_at_its_lower_limit(flights: ModuleType) -> None:
    bands = ["calm, under 5", "5 to 10", "10 to 15", "15 to 20", "20 and more"]
    assert [flights.band(wind) for wind in (0.0, 5.0, 10.0, 15.0, 20.0)] == bands
    assert [flights.band(wind) for wind in (4.9, 9.9, 14.9, 19.9, 99.0)] == bands
