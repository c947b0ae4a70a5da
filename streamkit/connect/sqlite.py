"""SQLite: the rows of a query, and rows that are written in batches."""

from __future__ import annotations

import pathlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any, Final

from streamkit._core.arguments import seconds as seconds_argument, whole
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._engine.face.stream import Sink, Stream
from streamkit.connect.files import Path, path_argument
from streamkit.executors.threads import Threads
from streamkit.operators.batch import batch_within
from streamkit.operators.transform import flatten, map as map_items
from streamkit.sinks.reduce import sum as total
from streamkit.sources.threads import from_blocking

__all__ = ["sqlite_rows", "sqlite_writer"]

Parameters = Sequence[Any] | Mapping[str, Any]

_PATIENCE: Final = 5.0
"""Seconds for which a database that another has locked is waited for."""


def sql_argument(name: str, value: object) -> str:
    """A statement, as text."""
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"{name} must be a statement of SQL, as a text, not {shown(value)}")
    return value


def _opened(database: str) -> sqlite3.Connection:
    """A connection to a file that is there: a path with a slip in it makes no database."""
    place = f"{pathlib.Path(database).absolute().as_uri()}?mode=rw"
    try:
        return sqlite3.connect(place, uri=True, timeout=_PATIENCE)
    except sqlite3.OperationalError as error:
        raise sqlite3.OperationalError(f"{error}: {database!r}") from None


def _rows(database: str, sql: str, parameters: Parameters, batch: int) -> Iterator[list[Any]]:
    with closing(_opened(database)) as connection:
        cursor = connection.execute(sql, parameters)
        while rows := cursor.fetchmany(batch):
            yield rows


@answering
def sqlite_rows(
    database: Path, sql: str, parameters: Parameters = (), *, batch: int = 100
) -> Stream[tuple[Any, ...]]:
    """The rows that a query finds in a database of SQLite, read in a thread of its own.

        sqlite_rows("shop.db", "SELECT id, total FROM orders")  --(1, 9.5)--(2, 3.0)--|

    >>> import sqlite3, tempfile, os
    >>> from streamkit import connect
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "shop.db")
    ...     rows = sqlite3.connect(path)
    ...     _ = rows.executescript("CREATE TABLE orders (id); INSERT INTO orders VALUES (1), (2)")
    ...     rows.close()
    ...     list(connect.sqlite_rows(path, "SELECT id FROM orders WHERE id > ?", (1,)))
    [(2,)]

    Emits when: a batch of rows was read.
    Waits when: the database does. The thread is one batch ahead.
    Completes when: there are no more rows.
    Closes when: it ends, or the consumer leaves: the thread closes the connection.

    The query sees the database as it was at its first row. While it is read, SQLite keeps what others write
    in its log.

    Args:
        database: the path of the file, which must be there; opened anew by each run.
        sql: one statement that finds rows.
        parameters: the values of its placeholders.
        batch: rows that are read at a time.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `batch` is less than 1.
        sqlite3.Error: (when run) as SQLite has it, also where another has locked it for more than 5 s.
    """
    database, sql = path_argument("database", database), sql_argument("sql", sql)
    _check(parameters)
    batch = whole("batch", batch, least=1)
    return from_blocking(partial(_rows, database, sql, parameters, batch)) | flatten()


def _check(parameters: object) -> None:
    if not isinstance(parameters, (Sequence, Mapping)) or isinstance(parameters, (str, bytes)):
        raise TypeError(f"parameters must be a sequence or a mapping of values, not {shown(parameters)}")


def check_rows(rows: list[Any]) -> None:
    """Raise if one of `rows` has no values: a text would be taken for the sequence of its characters."""
    for kind in {*map(type, rows)}:
        if issubclass(kind, (str, bytes, bytearray)) or not hasattr(kind, "__getitem__"):
            wrong = next(row for row in rows if type(row) is kind)
            raise TypeError(
                f"an item must have the values of its row, not be {shown(wrong)}: "
                "write | ops.map(lambda value: (value,))"
            )


class SqliteWriter:
    """The connection of a writer, in its thread. Errors and ``explain()`` name it."""

    def __init__(self, database: str, sql: str) -> None:
        self._connection = _opened(database)
        # the module itself begins no transaction for a statement such as WITH ... INSERT
        self._connection.isolation_level = None
        self._sql = sql

    def __call__(self, rows: list[Any]) -> int:
        check_rows(rows)
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            self._connection.executemany(self._sql, rows)
        return len(rows)

    def close(self) -> None:
        self._connection.close()


@answering
def sqlite_writer(
    database: Path, sql: str, *, batch: int = 1_000, seconds: float = 1.0
) -> Sink[Parameters, int]:
    """Run a statement of SQLite with each item, in batches; how many items there were.

    >>> import sqlite3, tempfile, os
    >>> from streamkit import Stream, connect
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "shop.db")
    ...     _ = sqlite3.connect(path).execute("CREATE TABLE orders (id, total)").connection.close()
    ...     writer = connect.sqlite_writer(path, "INSERT INTO orders VALUES (?, ?)")
    ...     (Stream([(1, 9.5), (2, 3.0)]) | writer).run()
    2

    Completes when: the source does, and all was committed.
    Closes when: it ends; a batch that is not committed by then is not written. A call under way in its
        thread ends first.

    A batch is a transaction: all of it is written, or, where one of its items fails, nothing of it.

    Args:
        database: the path of the file, which must be there.
        sql: one statement, with a placeholder for each value of an item.
        batch: items of a transaction.
        seconds: how long an item waits for others.

    Raises:
        TypeError: an argument has the wrong type; (when run) an item is a text, or has no values.
        ValueError: `batch` is less than 1, or `seconds` is not finite, or not above 0.
        sqlite3.Error: (when run) as SQLite has it.
    """
    database, sql = path_argument("database", database), sql_argument("sql", sql)
    batch, seconds = whole("batch", batch, least=1), seconds_argument("seconds", seconds)
    thread = Threads(1, prepare=partial(SqliteWriter, database, sql))
    return batch_within(batch, seconds=seconds) | map_items(on=thread) | total()
