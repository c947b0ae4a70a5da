"""Readers that are killed: nothing is lost, little comes twice, the file stays flat. And ten share work."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from subprocess import Popen

import pytest

from streamkit.durable import Entry, SQLite
from tests.durable.readers import started

BATCH = 100


async def stored(path: Path, many: int) -> None:
    async with SQLite(path, "q").connect() as connection:
        for first in range(0, many, 1000):
            entries = [Entry(b"%d" % number) for number in range(first, min(first + 1000, many))]
            await connection.append(entries)


async def left(path: Path) -> int:
    return (await SQLite(path, "q").depth("g")).lag


def noted(*files: Path) -> Counter[bytes]:
    """How often each item was worked on; the last line of a file may have been cut short by a kill."""
    found: Counter[bytes] = Counter()
    for file in files:
        if file.exists():
            found.update(file.read_bytes().split(b"\n")[:-1])
    return found


def ended(readers: list[Popen[bytes]]) -> None:
    for reader in readers:
        reader.kill()
    for reader in readers:
        reader.wait()


def memory(reader: Popen[bytes]) -> int:
    """Kilobytes that a process has in memory; 0 where the system does not say, or it has ended."""
    try:
        lines = Path(f"/proc/{reader.pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(each.split()[1]) for each in lines if each.startswith("VmRSS")), 0)


def size(path: Path) -> int:
    return sum(each.stat().st_size for each in path.glob("jobs.db*"))


class Kills:
    """Two readers, of which one is killed now and then, and begun again."""

    def __init__(self, path: Path, most: int) -> None:
        self.path = path
        self.most = most
        self.count = 0
        self.notes: list[Path] = []
        self.sizes: list[int] = []
        self.memory: list[int] = []
        self._readers = [self._begun(), self._begun()]

    def _begun(self) -> tuple[Popen[bytes], Path]:
        self.notes.append(self.path / f"notes {len(self.notes)}")
        return started(self.path / "jobs.db", self.notes[-1], BATCH, 0.5), self.notes[-1]

    async def until_all_is_done(self, every: float) -> None:
        until = time.monotonic() + 300.0
        try:
            while lag := await left(self.path / "jobs.db"):
                assert time.monotonic() < until, f"{lag} are left after {self.count} kills"
                await asyncio.sleep(every)
                self.sizes.append(size(self.path))
                self.memory += [memory(reader) for reader, _ in self._readers]
                reader, notes = self._readers[0]
                if self.count < self.most and noted(
                    notes
                ):  # it takes longer to begin than it is let live: only one that works is killed
                    ended([reader])
                    self.count += 1
                    self._readers = [self._readers[1], self._begun()]
        finally:
            ended([reader for reader, _ in self._readers])


async def killed(path: Path, many: int, every: float, most: int) -> Kills:
    """Have `many` items worked on under kills; nothing is lost, and little comes twice."""
    await stored(path / "jobs.db", many)
    kills = Kills(path, most)
    await kills.until_all_is_done(every)
    counts = noted(*kills.notes)
    assert counts.keys() == {b"%d" % number for number in range(many)}, "items are lost"
    doubled = counts.total() - many
    assert doubled <= BATCH * kills.count, f"{doubled} came twice over {kills.count} kills"
    print(f"{many} items, {kills.count} kills: {doubled} doubled, 0 lost")
    return kills


def test_killed_readers_lose_nothing(tmp_path: Path) -> None:
    assert asyncio.run(killed(tmp_path, 2000, 0.03, 3)).count >= 1


@pytest.mark.full
def test_fifty_thousand_and_a_kill_every_100_ms(tmp_path: Path) -> None:
    kills = asyncio.run(killed(tmp_path, 50_000, 0.1, 10_000))
    assert kills.count >= 10
    assert max(kills.sizes) < kills.sizes[0] + 8_000_000, "the file has grown"
    assert max(kills.memory) < 120_000, "a reader has grown"


@pytest.mark.full
def test_ap27_pl20_ten_processes_share_the_work(tmp_path: Path) -> None:
    """The distributed pipelines that the predecessors promised: the same reader, ten times."""
    database = tmp_path / "jobs.db"
    notes = [tmp_path / str(number) for number in range(10)]

    async def main() -> None:
        await stored(database, 20_000)
        readers = [started(database, each, 20, 30.0) for each in notes]
        until = time.monotonic() + 120.0
        try:
            while await left(database):
                assert time.monotonic() < until
                await asyncio.sleep(0.1)
        finally:
            ended(readers)

    asyncio.run(main())
    counts = noted(*notes)
    assert counts == Counter([b"%d" % number for number in range(20_000)]), "each once"
    shares = [noted(each).total() for each in notes]
    assert sum(share > 0 for share in shares) >= 5, shares
