"""examples/stocks.py: every row is in the file, whatever the server does; and what it tells."""

import csv
import importlib.util
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("stocks", EXAMPLES / "stocks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["stocks"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["stocks"]


def test_every_row_is_there_in_order_whatever_fails(
    example: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "quotes.csv"
    assert example.main(["--rows", "4", "--seconds", "0.005", "--out", str(out)]) == 0
    with out.open() as file:
        rows = list(csv.DictReader(file))
    for stock in example.STOCKS:
        found = [(row["number"], row["price"]) for row in rows if row["stock"] == stock]
        assert found == [(str(number), str(100.0 + number)) for number in range(1, 5)]
    *faults, last = capsys.readouterr().out.splitlines()
    assert last == f"12 rows in {out}"
    failing = len(example.BROKEN) + len(example.CUT)
    for stock in example.STOCKS:
        told = [line for line in faults if line.startswith(f"stocks/{stock}: ")]
        assert len(told) == failing
        assert "the server says 500" in told[0]
        assert all("; again in 0." in line for line in told)
    assert "server" not in {thread.name for thread in threading.enumerate()}


def test_a_server_that_stays_down_is_the_end(example: ModuleType, tmp_path: Path) -> None:
    with example.serving() as port:
        pass
    table = example.Table(tmp_path / "quotes.csv")
    flow = example.stocks(port, table, 1, 0.001, lambda fault: None)
    with pytest.raises(ConnectionRefusedError):
        flow.run()
    table.close()
