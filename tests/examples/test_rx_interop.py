"""examples/rx_interop.py: its week against a plain loop over the same file, and how it ends."""

import asyncio
import csv
import gzip
import importlib.util
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FLIGHTS = "flights-2013-01.csv.gz"


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("rx_interop", EXAMPLES / "rx_interop.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["rx_interop"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["rx_interop"]


def week() -> list[str]:
    """What it should print, by a plain loop."""
    with (EXAMPLES / "data" / "airlines.csv").open() as file:
        names = {row["carrier"]: row["name"] for row in csv.DictReader(file)}
    with gzip.open(EXAMPLES / "data" / FLIGHTS, "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["dep_delay"] != "NA"]
    lines: list[str] = []
    for number in range(1, 8):
        day = [row for row in rows if int(row["day"]) == number]
        late = sum(int(row["dep_delay"]) >= 15 for row in day)
        worst = max(day, key=lambda row: int(row["dep_delay"]))
        flight = f"{names[worst['carrier']]} {worst['flight']}, {worst['origin']}-{worst['dest']}"
        lines.append(
            f"2013-01-{number:02}  {len(day):3} departures, {late:3} late, "
            f"the latest by {int(worst['dep_delay'])} min, {flight}"
        )
    return lines


def test_it_prints_the_sums_of_a_week(example: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(example.show(example.DATA))
    assert capsys.readouterr().out.splitlines() == week()


def test_the_thread_is_held_all_the_way_and_ends_with_the_week(
    example: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    emitted, taken, ahead = [0], [0], [0]
    departed, departure = example.departed, example.departure

    def emit(row: Any) -> bool:
        passes: bool = departed(row)
        emitted[0] += passes
        ahead[0] = max(ahead[0], emitted[0] - taken[0])
        return passes

    async def take(names: Any, row: Any) -> Any:
        taken[0] += 1
        return await departure(names, row)

    monkeypatch.setattr(example, "departed", emit)
    monkeypatch.setattr(example, "departure", take)
    asyncio.run(example.show(example.DATA))
    assert len(capsys.readouterr().out.splitlines()) == 7
    in_hand = 1 + 8
    assert ahead[0] <= example.AHEAD + in_hand
    assert emitted[0] < 7_000, "of 27,004 rows"
    replays = [thread for thread in threading.enumerate() if thread.name == "replay"]
    for thread in replays:
        thread.join(5.0)
        assert not thread.is_alive()


def test_a_file_that_is_not_there_is_an_error(example: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "airlines.csv").write_text("carrier,name\n")
    with pytest.raises(FileNotFoundError):
        asyncio.run(example.show(tmp_path))


def test_a_carrier_without_a_name_is_an_error_that_names_the_operator(
    example: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "airlines.csv").write_text("carrier,name\n")
    (tmp_path / FLIGHTS).write_bytes((EXAMPLES / "data" / FLIGHTS).read_bytes())
    with pytest.raises(KeyError) as caught:
        asyncio.run(example.show(tmp_path))
    assert any("in map(" in note for note in caught.value.__notes__)
