"""Rows of SQLite: read in a thread, written in batches."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from streamkit import Stream, connect, ops


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total)")
    return path


INSERT = "INSERT INTO orders VALUES (?, ?)"


def test_what_is_written_can_be_read(database: Path) -> None:
    orders = [(number, number * 1.5) for number in range(250)]
    assert (Stream(orders) | connect.sqlite_writer(database, INSERT, batch=100)).run() == 250
    rows = connect.sqlite_rows(database, "SELECT * FROM orders ORDER BY id", batch=100)
    assert [list(rows), list(rows | ops.take(3))] == [orders, orders[:3]]
    named = connect.sqlite_rows(database, "SELECT id FROM orders WHERE id < :most", {"most": 2})
    assert list(named) == [(0,), (1,)]
    assert list(connect.sqlite_rows(database, "SELECT id FROM orders WHERE id < ?", [1])) == [(0,)]


def test_a_batch_that_fails_is_not_written_and_those_before_it_are(database: Path) -> None:
    writer = connect.sqlite_writer(database, INSERT, batch=2)
    with pytest.raises(sqlite3.IntegrityError):
        (Stream([(1, 1), (2, 2), (3, 3), (1, 4)]) | writer).run()
    assert list(connect.sqlite_rows(database, "SELECT id FROM orders")) == [(1,), (2,)]
    assert (Stream[Any]([]) | writer).run() == 0
    database.unlink()  # nothing has it open


def test_an_item_without_values_is_no_row(database: Path) -> None:
    writer = connect.sqlite_writer(database, INSERT)
    for item in ("ab", b"ab", 7):  # SQLite would take the first two apart
        with pytest.raises(TypeError, match=r"an item must have the values of its row, not be .*ops\.map"):
            (Stream[Any]([(1, 2), item]) | writer).run()
    assert (Stream[Any]([(1, 2), [3, 4]]) | writer).run() == 2


def test_a_batch_of_a_statement_with_a_table_expression_is_a_transaction_too(database: Path) -> None:
    statement = "WITH given (id) AS (SELECT ?) INSERT INTO orders SELECT id, 1 FROM given"
    with pytest.raises(sqlite3.IntegrityError):
        (Stream([(1,), (2,), (1,)]) | connect.sqlite_writer(database, statement)).run()
    assert list(connect.sqlite_rows(database, "SELECT * FROM orders")) == []


def test_errors_of_the_database_are_its_own(tmp_path: Path) -> None:
    new = tmp_path / "new?.db"
    writer = connect.sqlite_writer(new, INSERT)
    uses = [lambda: list(connect.sqlite_rows(new, "SELECT 1")), (Stream([(1, 2)]) | writer).run]
    for use in uses:
        with pytest.raises(sqlite3.OperationalError, match=r"unable to open database file: '.*new\?.db'"):
            use()
    assert not [*tmp_path.iterdir()], "a path with a slip in it makes no file"
    sqlite3.connect(new).close()
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        list(connect.sqlite_rows(new, "SELECT * FROM orders"))
    broken = tmp_path / "broken.db"
    broken.write_text("this is no database, and longer than a header would be" * 100)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        list(connect.sqlite_rows(broken, "SELECT 1 FROM orders"))


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: connect.sqlite_rows("a", ""), TypeError, "sql must be a statement of SQL"),
        (lambda: connect.sqlite_rows("a", "SELECT ?", "b"), TypeError, "parameters must be a sequence or"),
        (lambda: connect.sqlite_rows("a", "SELECT 1", batch=0), ValueError, "batch must be"),
        (lambda: connect.sqlite_writer("a", 7), TypeError, "sql must be a statement of SQL"),
        (lambda: connect.sqlite_writer("a", INSERT, seconds=0), ValueError, "seconds must be"),
    ],
)
def test_bad_arguments_are_told_at_the_call(
    make: Callable[[], object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        make()
