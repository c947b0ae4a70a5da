"""examples/crawler.py: killed in the middle, and started again."""

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(ROOT / "examples" / "crawler.py")]


def test_it_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    options = [str(tmp_path), "--pages", "40", "--seconds", "0.02"]
    environment = {"PYTHONPATH": str(ROOT)}
    first = subprocess.Popen([*PROGRAM, *options], stdout=subprocess.PIPE, env=environment)
    until = time.monotonic() + 60.0
    journal = tmp_path / "pages.db-wal"
    while not (journal.exists() and journal.stat().st_size > 40_000):  # some pages are kept
        assert time.monotonic() < until
        time.sleep(0.01)
    first.kill()
    assert first.communicate()[0] == b"", "it had ended before it was killed"
    again = subprocess.run(
        [*PROGRAM, *options], stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    found = re.fullmatch(r"40 pages, fetched (\d+) times\n", again.stdout)
    assert found, again.stdout
    assert int(found[1]) <= 40 + 8, "more than was in flight was fetched again"
