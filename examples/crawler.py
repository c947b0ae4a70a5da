"""A crawler that is killed and goes on where it was: its frontier is a queue in a file.

python examples/crawler.py              crawls a made-up site of 200 pages into crawl.db and pages.db
python examples/crawler.py --pages 50   a smaller one

Kill it at any time (Ctrl-C, kill -9, pull the plug), and start it again: what was in work is fetched again,
and nothing else. Start it several times at once, and the processes share the work.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from streamkit import Stream, ops
from streamkit.durable import Json, SQLite


@dataclass
class Page:
    url: str
    text: str
    links: list[str]


class Site:
    """Stands for the web: each page has a few links to others, and takes a moment to come."""

    def __init__(self, pages: int, seconds: float) -> None:
        self.pages = pages
        self.seconds = seconds

    async def fetch(self, url: str) -> Page:
        await asyncio.sleep(self.seconds)
        number = int(url.rpartition("/")[2])
        draw = random.Random(number)
        # one link leads on, so that every page is found
        found = [(number + 1) % self.pages, *(draw.randrange(self.pages) for _ in range(3))]
        return Page(url, f"page {number}", [f"/page/{each}" for each in found])


class Shelf:
    """The pages that were fetched. What is on it survives a kill, because each page is committed."""

    def __init__(self, site: Site, database: sqlite3.Connection) -> None:
        self._site = site
        self._database = database
        self._asked: set[str] = set()
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(
            "CREATE TABLE IF NOT EXISTS pages (url TEXT PRIMARY KEY, text TEXT, links TEXT, fetched INTEGER)"
        )

    def lacks(self, url: str) -> bool:
        found = self._database.execute("SELECT 1 FROM pages WHERE url = ?", (url,))
        return found.fetchone() is None

    def asks(self, url: str) -> bool:
        """Whether a page is asked for the first time in this process."""
        new = url not in self._asked
        self._asked.add(url)
        return new

    async def get(self, url: str) -> Page:
        """A page from the site; or from the shelf, where a kill came before its links were stored."""
        found = self._database.execute("SELECT text, links FROM pages WHERE url = ?", (url,)).fetchone()
        if found:
            return Page(url, found[0], json.loads(found[1]))
        page = await self._site.fetch(url)
        self._database.execute(
            "INSERT INTO pages VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET fetched = fetched + 1",
            (page.url, page.text, json.dumps(page.links)),
        )
        return page

    def count(self) -> tuple[int, int]:
        """How many pages there are, and how many times they were fetched."""
        pages, fetched = self._database.execute("SELECT count(*), sum(fetched) FROM pages").fetchone()
        return pages, fetched or 0


def links_of(page: Page) -> Sequence[str]:
    return page.links


async def crawl(directory: Path, site: Site) -> tuple[int, int]:
    frontier = SQLite(directory / "crawl.db", "frontier", codec=Json())
    with closing(sqlite3.connect(directory / "pages.db", isolation_level=None)) as database:
        shelf = Shelf(site, database)
        if (await frontier.depth("crawl")).lag == 0 and shelf.lacks("/page/0"):
            await (Stream(["/page/0"]) | frontier.writer())
        # a page is acknowledged when all of its links are stored, or known
        job = (
            frontier.reader(group="crawl", batch=16, lease=5.0, prefetch=128)
            | ops.filter(shelf.asks)
            | ops.map(shelf.get, concurrency=8)
            | ops.concat_map(links_of)
            | ops.filter(shelf.lacks)
            | frontier.writer(batch=16)
        )
        handle = job.start()
        while not handle.done and (await frontier.depth("crawl")).lag:  # noqa: ASYNC110 - others crawl, too
            await asyncio.sleep(0.05)  # a look at the depth costs a query
        if handle.done:
            await handle  # it has failed
        await handle.stop()
        return shelf.count()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="A crawler that is killed and goes on where it was.")
    parser.add_argument("directory", nargs="?", default=Path(), type=Path, help="where the files are (here)")
    parser.add_argument("--pages", default=200, type=int, help="how many pages the site has (200)")
    parser.add_argument("--seconds", default=0.05, type=float, help="how long a page takes (0.05)")
    given = parser.parse_args(arguments)
    pages, fetched = asyncio.run(crawl(given.directory, Site(given.pages, given.seconds)))
    print(f"{pages} pages, fetched {fetched} times")
    return 0


if __name__ == "__main__":
    sys.exit(main())
