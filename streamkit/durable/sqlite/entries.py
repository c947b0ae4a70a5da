"""One queue in the file: what is appended, acknowledged, counted and forgotten; all in one thread."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

from streamkit._core.errors import CarrierError
from streamkit.durable.messages import Depth, Entry, Message
from streamkit.durable.sqlite.database import Database
from streamkit.durable.sqlite.runs import cut, gaps, missing, runs_of
from streamkit.durable.sqlite.schema import migrate, part_of, span

__all__ = ["Queue"]

_JOINED: Final = 1 << 20
"""Bytes of a batch that are passed to SQLite as one; for more, to copy them would take longer."""


class Queue:
    """A queue by its name."""

    def __init__(self, database: Database, name: str, partitions: int) -> None:
        self.database = database
        self.name = name
        self.partitions = partitions
        self.number: int

    def open(self) -> None:
        """Find the queue in the file, or make it, and the tables."""
        with self.database.changing() as sql:
            migrate(sql, self.database.path)
            sql.execute(
                "INSERT OR IGNORE INTO streamkit_queues (name, partitions) VALUES (?, ?)",
                (self.name, self.partitions),
            )
            found = "SELECT id, partitions FROM streamkit_queues WHERE name = ?"
            self.number, partitions = sql.execute(found, (self.name,)).fetchone()
        if partitions != self.partitions:
            raise CarrierError(
                f"{self.database.path}: the queue {self.name!r} was made with partitions={partitions}, which "
                f"decide on the order of keys; it cannot be used with partitions={self.partitions}"
            )
        self.database.settle()

    def group(self, sql: sqlite3.Connection, name: str) -> int:
        """The number of a group. It begins with all that is there, in a transaction that writes."""
        found = self.known_group(name)
        if found is None:
            made = sql.execute(
                "INSERT INTO streamkit_groups (queue, name) VALUES (?, ?)", (self.number, name)
            )
            found = made.lastrowid
            assert found is not None
            parts = sql.execute("SELECT part, last FROM streamkit_parts WHERE queue = ?", (self.number,))
            for part, last in parts.fetchall():
                count, first = sql.execute(
                    "SELECT count(*), min(id) FROM streamkit_entries WHERE id > ? AND id <= ?",
                    (span(self.number, part)[0], last),
                ).fetchone()
                cursor = last if first is None else first - 1
                sql.execute(
                    "INSERT INTO streamkit_cursors VALUES (?, ?, ?, ?)",
                    (found, part, cursor, last - cursor - count),
                )
        return found

    def known_group(self, name: str) -> int | None:
        """The number of a group; None if it has never read."""
        row = self.database.sql.execute(
            "SELECT id FROM streamkit_groups WHERE queue = ? AND name = ?", (self.number, name)
        ).fetchone()
        return None if row is None else row[0]

    def append(self, entries: Sequence[Entry], now: float) -> None:
        """Store all of them, in one transaction."""
        bodies = [each.body for each in entries if each.key is None and not each.delay and not each.headers]
        if len(bodies) == len(entries) and 0 < sum(map(len, bodies)) <= _JOINED:
            self._append_joined(bodies)
            return
        parts: dict[int, list[Entry]] = {}
        for entry in entries:
            parts.setdefault(entry.part(self.partitions), []).append(entry)
        with self.database.changing() as sql:
            found = sql.execute("SELECT part, last FROM streamkit_parts WHERE queue = ?", (self.number,))
            lasts: dict[int, int] = dict(found.fetchall())
            rows: list[tuple[Any, ...]] = []
            for part, those in parts.items():
                first = lasts.get(part, span(self.number, part)[0]) + 1
                rows += [_row(number, each, now) for number, each in enumerate(those, first)]
                lasts[part] = first + len(those) - 1
            sql.executemany("INSERT INTO streamkit_entries VALUES (?, ?, ?, ?, ?)", rows)
            sql.executemany(
                "INSERT OR REPLACE INTO streamkit_parts VALUES (?, ?, ?)",
                [(self.number, part, lasts[part]) for part in parts],
            )

    def _append_joined(self, bodies: list[bytes]) -> None:
        """Entries with nothing but a body, by one statement: in half the time of one for each."""
        lengths = list(map(len, bodies))
        begins = accumulate(lengths, initial=1)  # with the end, which is none's begin
        places = [begin << 32 | length for begin, length in zip(begins, lengths, strict=False)]
        with self.database.changing() as sql:
            found = "SELECT last FROM streamkit_parts WHERE queue = ? AND part = 0"
            row = sql.execute(found, (self.number,)).fetchone()
            last = row[0] if row else span(self.number, 0)[0]
            sql.execute(
                "INSERT INTO streamkit_entries "
                "SELECT ? + key, 0.0, NULL, NULL, substr(?, value >> 32, value & ?) FROM json_each(?)",
                (last + 1, b"".join(bodies), 0xFFFFFFFF, str(places)),
            )
            sql.execute(
                "INSERT OR REPLACE INTO streamkit_parts VALUES (?, 0, ?)", (self.number, last + len(bodies))
            )

    def acknowledge(self, group: str, messages: Sequence[Message]) -> list[Message]:
        """Forget `messages`; those that every group has acknowledged are deleted. Returns the lost ones."""
        lost: list[Message] = []
        with self.database.changing() as sql:
            number = self.known_group(group)
            if number is None:  # it was forgotten
                return list(messages)
            others = [each for each in self._groups(sql) if each != number]
            for first, last, token, run in runs_of(messages):
                held = cut(sql, number, first, last, token)
                lost += missing(run, held)
                for each in held:
                    self._delete(sql, others, each.first, each.last)
        self.database.shrink()
        return lost

    def _groups(self, sql: sqlite3.Connection) -> list[int]:
        found = sql.execute("SELECT id FROM streamkit_groups WHERE queue = ?", (self.number,))
        return [number for (number,) in found]

    def _delete(self, sql: sqlite3.Connection, groups: Sequence[int], first: int, last: int) -> None:
        """Delete entries of one part, but those that one of `groups` has not acknowledged."""
        part = part_of(first)
        for group in groups:
            cursor = sql.execute(
                "SELECT cursor FROM streamkit_cursors WHERE grp = ? AND part = ?", (group, part)
            ).fetchone()
            last = min(last, cursor[0] if cursor else 0)
        for begin, end in gaps(sql, groups, first, last):
            sql.execute("DELETE FROM streamkit_entries WHERE id BETWEEN ? AND ?", (begin, end))

    def forget(self, group: str) -> bool:
        """Forget a group, and what only it has not acknowledged; whether it was there."""
        with self.database.changing() as sql:
            number = self.known_group(group)
            if number is None:
                return False
            others = [each for each in self._groups(sql) if each != number]
            parts = sql.execute(
                "SELECT part, last FROM streamkit_parts WHERE queue = ?", (self.number,)
            ).fetchall()
            for table in ("runs", "cursors"):
                sql.execute(f"DELETE FROM streamkit_{table} WHERE grp = ?", (number,))
            sql.execute("DELETE FROM streamkit_groups WHERE id = ?", (number,))
            if others:  # without any, the next that comes is handed out all that is there
                for part, last in parts:
                    self._delete(sql, others, span(self.number, part)[0] + 1, last)
        self.database.shrink()
        return True

    def depth(self, group: str, now: float) -> Depth:
        sql = self.database.sql
        with self.database.telling():
            number = self.known_group(group)
            if number is None:
                begin, end = span(self.number, 0)[0], span(self.number + 1, 0)[0]
                found = "SELECT count(*) FROM streamkit_entries WHERE id BETWEEN ? AND ?"
                return Depth(sql.execute(found, (begin, end)).fetchone()[0], 0)
            # one statement, so that nobody changes anything in between
            waiting, free, claimed = sql.execute(
                """
                SELECT
                    (SELECT coalesce(sum(last - coalesce(cursor, (? << 8 | streamkit_parts.part) << 44)
                        - coalesce(holes, 0)), 0)
                     FROM streamkit_parts LEFT JOIN streamkit_cursors
                     ON grp = ? AND streamkit_cursors.part = streamkit_parts.part WHERE queue = ?),
                    coalesce(sum(last - first + 1) FILTER (WHERE token = 0 OR until <= ?), 0),
                    coalesce(sum(last - first + 1) FILTER (WHERE token <> 0 AND until > ?), 0)
                FROM streamkit_runs WHERE grp = ?
                """,
                (self.number, number, self.number, now, now, number),
            ).fetchone()
        return Depth(waiting + free, claimed)

    def purge(self) -> int:
        """Delete all entries. Groups stay, and are handed out what comes from now on."""
        begin, end = span(self.number, 0)[0], span(self.number + 1, 0)[0]
        with self.database.changing() as sql:
            count = sql.execute(
                "DELETE FROM streamkit_entries WHERE id BETWEEN ? AND ?", (begin, end)
            ).rowcount
            for group in self._groups(sql):
                sql.execute("DELETE FROM streamkit_runs WHERE grp = ?", (group,))
            sql.execute(
                """
                INSERT OR REPLACE INTO streamkit_cursors SELECT streamkit_groups.id, part, last, 0
                FROM streamkit_groups JOIN streamkit_parts USING (queue) WHERE queue = ?
                """,
                (self.number,),
            )
        return count


def _row(identifier: int, entry: Entry, now: float) -> tuple[Any, ...]:
    due = now + entry.delay if entry.delay else 0.0
    headers = json.dumps(dict(entry.headers)) if entry.headers else None
    return identifier, due, entry.key, headers, entry.body
