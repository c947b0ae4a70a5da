"""examples/crawler.py over Redis: one line is another, and it is killed and goes on all the same."""

import re
import subprocess
import sys
import time
from pathlib import Path

from tests.brokers.servers import Valkey

ROOT = Path(__file__).resolve().parents[2]
OVER_SQLITE = 'frontier = SQLite(directory / "crawl.db", "frontier", codec=Json())'


def test_the_crawler_goes_on_where_it_was_killed(tmp_path: Path, valkey: Valkey) -> None:
    text = (ROOT / "examples" / "crawler.py").read_text()
    assert text.count(OVER_SQLITE) == 1
    over_redis = f'frontier = Redis("{valkey.url}", "frontier", codec=Json())'
    program = tmp_path / "crawler.py"
    program.write_text(text.replace(OVER_SQLITE, over_redis).replace("Json, SQLite", "Json, Redis"))
    command = [sys.executable, str(program), str(tmp_path), "--pages", "40", "--seconds", "0.02"]
    environment = {"PYTHONPATH": str(ROOT)}
    first = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    until = time.monotonic() + 60.0
    journal = tmp_path / "pages.db-wal"
    while not (journal.exists() and journal.stat().st_size > 40_000):  # some pages are kept
        assert time.monotonic() < until
        time.sleep(0.01)
    first.kill()
    assert first.communicate()[0] == b"", "it had ended before it was killed"
    again = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env=environment, timeout=60
    )
    found = re.fullmatch(r"40 pages, fetched (\d+) times\n", again.stdout)
    assert found, again.stdout
    assert int(found[1]) <= 40 + 8, "more than was in flight was fetched again"
