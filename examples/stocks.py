"""Quotes of some stocks, polled from a server that fails now and then, into one CSV file.

    python examples/stocks.py --rows 6 --out quotes.csv

The server is part of the example: it listens on a free port of this machine, answers some requests with an
error, and breaks off others. Each stock is a job of a flow. One that fails is started again a moment later,
and goes on with the row that is missing next; the others know nothing of it. Ctrl-C ends all in order.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import streamkit
from streamkit import Backoff, Job, ops
from streamkit.flow import Child, Fault, Flow, Intensity

STOCKS = ("AAPL", "GOOG", "MSFT")
BROKEN = (2, 5)
"""Requests that the server answers with an error, of each stock."""
CUT = (3,)
"""Requests that it breaks off."""


class Quote(NamedTuple):
    stock: str
    number: int
    price: float


class Server(ThreadingHTTPServer):
    """Answers ``/AAPL`` with the next quote of that stock; or fails."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: Counter[str] = Counter()
        self.given: Counter[str] = Counter()


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server, stock = self.server, self.path.strip("/")
        assert isinstance(server, Server)
        server.asked[stock] += 1
        if server.asked[stock] in CUT:
            return  # closes the connection
        if server.asked[stock] in BROKEN:
            self.send_error(500)
            return
        server.given[stock] += 1
        number = server.given[stock]
        body = json.dumps({"number": number, "price": 100.0 + number}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the flow tells what has failed."""


@contextmanager
def serving() -> Generator[int, None, None]:
    """The port of a server that runs meanwhile."""
    with Server() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="server")
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def read(port: int, stock: str) -> Quote:
    """The next quote. An answer that is none is an error."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=8.0)) as connection:
        connection.request("GET", f"/{stock}")
        with connection.getresponse() as response:
            if response.status != 200:
                raise HTTPException(f"the server says {response.status} {response.reason}")
            said = json.loads(response.read())
    return Quote(stock, said["number"], said["price"])


class Table:
    """A CSV file, and how many rows of each stock are in it."""

    def __init__(self, path: Path) -> None:
        self.rows: Counter[str] = Counter()
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        self._writer.writerow(Quote._fields)

    def write(self, quote: Quote) -> None:
        self._writer.writerow(quote)
        self._file.flush()
        self.rows[quote.stock] += 1

    def close(self) -> None:
        self._file.close()


def polled(stock: str, port: int, table: Table, rows: int, seconds: float) -> Job[None]:
    """A fresh job: the rows of that stock that are missing."""

    async def fetch(_: int) -> Quote:
        return await asyncio.to_thread(read, port, stock)

    ticks = streamkit.interval(seconds)
    return ticks | ops.map(fetch) | ops.take(rows - table.rows[stock]) | ops.for_each(table.write)


def stocks(port: int, table: Table, rows: int, seconds: float, tell: Callable[[Fault], object]) -> Flow:
    """The flow: one job for each stock."""

    def child(stock: str) -> Child:
        backoff = Backoff(seconds, most=10 * seconds)
        return Child(stock, lambda: polled(stock, port, table, rows, seconds), backoff=backoff)

    return Flow(*map(child, STOCKS), name="stocks", intensity=Intensity(30, seconds=60.0), on_error=tell)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Poll quotes into a CSV file, from a server that fails.")
    parser.add_argument("--rows", type=int, default=6, help="of each stock")
    parser.add_argument("--seconds", type=float, default=0.05, help="between two requests")
    parser.add_argument("--out", type=Path, default=Path("quotes.csv"))
    given = parser.parse_args(arguments)
    with serving() as port, closing(Table(given.out)) as table:
        flow = stocks(port, table, given.rows, given.seconds, lambda fault: print(told(fault)))
        report = flow.run(deadline=5.0)
    print(f"{sum(table.rows.values())} rows in {given.out}")
    return 0 if report.ok else 1


def told(fault: Fault) -> str:
    again = f"; again in {fault.seconds:.2f} s" if fault.seconds is not None else ""
    return f"{fault.path}: {fault.error}{again}"


if __name__ == "__main__":
    raise SystemExit(main())
