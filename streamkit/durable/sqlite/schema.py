"""The tables of the carrier in a file, whose versions follow each other.

Names begin with ``streamkit_``, so that the file may have tables of others, too. An entry's identifier says
its queue, its part and its number there: the entries of a part are one range of one table, in order.

    queues   the name of each carrier in the file, and how many partitions it has
    parts    the last identifier of each part: part 0 is for entries without a key
    entries  what is stored; deleted when every group has acknowledged it
    groups   who reads
    cursors  up to where a part was handed out to a group; `holes` are identifiers behind that which are gone
    runs     what a group was handed out and has not acknowledged, or what waits for its time: entries that
             follow each other in their part, and that one claim has taken, are one row
"""

from __future__ import annotations

import sqlite3
from typing import Final

from streamkit._core.errors import CarrierError

__all__ = ["PARTS", "TABLES", "migrate", "part_of", "span"]

_NUMBERS: Final = 44
"""Bits of the number of an entry in its part."""
PARTS: Final = 255
"""How many parts a queue may have, beside that of entries without a key."""

TABLES: Final = """
    CREATE TABLE streamkit_queues (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL
    );
    CREATE TABLE streamkit_parts (
        queue INTEGER NOT NULL, part INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (queue, part)
    ) WITHOUT ROWID;
    CREATE TABLE streamkit_entries (
        id INTEGER PRIMARY KEY, due REAL NOT NULL, key TEXT, headers TEXT, body BLOB NOT NULL
    );
    CREATE TABLE streamkit_groups (
        id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (queue, name)
    );
    CREATE TABLE streamkit_cursors (
        grp INTEGER NOT NULL, part INTEGER NOT NULL, cursor INTEGER NOT NULL, holes INTEGER NOT NULL,
        PRIMARY KEY (grp, part)
    ) WITHOUT ROWID;
"""
"""Those that every version has had."""

RUNS: Final = """
    CREATE TABLE streamkit_runs (
        grp INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, token INTEGER NOT NULL,
        until REAL NOT NULL, since REAL NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (grp, first)
    ) WITHOUT ROWID;
    CREATE INDEX streamkit_runs_due ON streamkit_runs (grp, until);
"""

STEPS: Final = (
    # a lease that was taken in the future tells that the clock was set back
    "ALTER TABLE streamkit_taken ADD COLUMN since REAL NOT NULL DEFAULT 0;",
    # a claim takes entries that follow each other: one row for all of them, and no more one for each
    RUNS
    + """
    INSERT INTO streamkit_runs SELECT grp, id, id, token, until, since, times FROM streamkit_taken;
    DROP TABLE streamkit_taken;
    """,
)
"""What makes each version, from the second on, of the one before it."""

_VERSION: Final = len(STEPS) + 1


def span(queue: int, part: int) -> tuple[int, int]:
    """The identifiers between which those of a part lie."""
    begin = (queue << 8 | part) << _NUMBERS
    return begin, begin + (1 << _NUMBERS)


def part_of(identifier: int) -> int:
    """The part that an entry is in."""
    return identifier >> _NUMBERS & 0xFF


def migrate(database: sqlite3.Connection, path: str) -> None:
    """Make the tables, or bring them to the version of this program, in a transaction of the caller."""
    database.execute("CREATE TABLE IF NOT EXISTS streamkit_schema (version INTEGER NOT NULL)")
    row = database.execute("SELECT version FROM streamkit_schema").fetchone()
    version = row[0] if row else 0
    if type(version) is not int or version < 0:
        raise CarrierError(f"{path}: its table streamkit_schema is not ours: the version is {version!r}")
    if version > _VERSION:
        raise CarrierError(
            f"{path} was written by a newer streamkit: its tables have version {version}, and this one knows "
            f"version {_VERSION} at most"
        )
    for step in STEPS[version - 1 :] if version else (TABLES, RUNS):
        for statement in step.split(";"):
            if statement.strip():
                database.execute(statement)
    if not row:
        database.execute("INSERT INTO streamkit_schema VALUES (?)", (_VERSION,))
    elif version < _VERSION:
        database.execute("UPDATE streamkit_schema SET version = ?", (_VERSION,))
