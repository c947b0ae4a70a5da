"""One queue in the file: what is appended, acknowledged, counted and purged. All of it runs in one thread."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from streamkit._core.errors import CarrierError
from streamkit.durable.messages import Depth, Entry, Message
from streamkit.durable.sqlite.database import Database
from streamkit.durable.sqlite.schema import part_of, span

__all__ = ["Queue", "runs"]


def runs(messages: Iterable[Message]) -> Iterator[tuple[int, int, int, list[Message]]]:
    """Messages whose identifiers follow each other, and that were claimed together: first, last, token."""
    run: list[Message] = []
    last = token = -1
    for message in sorted(messages, key=_place):
        identifier, of = message.place
        if run and (identifier != last + 1 or of != token):
            yield run[0].place[0], last, token, run
            run = []
        run.append(message)
        last, token = identifier, of
    if run:
        yield run[0].place[0], last, token, run


def _place(message: Message) -> Any:
    return message.place


class Queue:
    """A queue by its name."""

    def __init__(self, database: Database, name: str, partitions: int) -> None:
        self.database = database
        self.name = name
        self.partitions = partitions
        self.number: int
        self._groups: dict[str, int] = {}

    def open(self) -> None:
        """Find the queue in the file, or make it."""
        with self.database.changing() as sql:
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

    def group(self, sql: sqlite3.Connection, name: str) -> int:
        """The number of a group. It begins with all that is there, in a transaction that writes."""
        known = self._groups.get(name)
        if known is not None:
            return known
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

    def remember(self, name: str, number: int) -> None:
        """The transaction that has found a group was committed."""
        self._groups[name] = number

    def known_group(self, name: str) -> int | None:
        """The number of a group; None if it has never read."""
        row = self.database.sql.execute(
            "SELECT id FROM streamkit_groups WHERE queue = ? AND name = ?", (self.number, name)
        ).fetchone()
        return None if row is None else row[0]

    def append(self, entries: Sequence[Entry], now: float) -> None:
        """Store all of them, in one transaction."""
        count = self.partitions
        parts: dict[int, list[Entry]] = {}
        for entry in entries:
            parts.setdefault(entry.part(count), []).append(entry)
        with self.database.changing() as sql:
            for part, those in parts.items():
                row = sql.execute(
                    "SELECT last FROM streamkit_parts WHERE queue = ? AND part = ?", (self.number, part)
                ).fetchone()
                first = (row[0] if row else span(self.number, part)[0]) + 1
                self._insert(sql, first, those, now)
                sql.execute(
                    "INSERT OR REPLACE INTO streamkit_parts VALUES (?, ?, ?)",
                    (self.number, part, first + len(those) - 1),
                )

    def _insert(self, sql: sqlite3.Connection, first: int, entries: list[Entry], now: float) -> None:
        if not any(each.key is not None or each.delay or each.headers for each in entries):
            plain = [(number, each.body) for number, each in enumerate(entries, first)]
            # with nothing but a body, it takes two thirds of the time
            sql.executemany("INSERT INTO streamkit_entries VALUES (?, 0.0, NULL, NULL, ?)", plain)
            return
        rows = [
            (
                number,
                now + each.delay if each.delay else 0.0,
                each.key,
                json.dumps(dict(each.headers)) if each.headers else None,
                each.body,
            )
            for number, each in enumerate(entries, first)
        ]
        sql.executemany("INSERT INTO streamkit_entries VALUES (?, ?, ?, ?, ?)", rows)

    def acknowledge(self, group: str, messages: Sequence[Message]) -> list[Message]:
        """Forget `messages`; those that every group has acknowledged are deleted. Returns the lost ones."""
        lost: list[Message] = []
        with self.database.changing() as sql:
            number = self.group(sql, group)
            for first, last, token, run in runs(messages):
                self._forget(sql, number, first, last, token, run, lost)
                sql.execute(
                    """
                    DELETE FROM streamkit_entries WHERE id BETWEEN ? AND ? AND id <= ? AND NOT EXISTS (
                        SELECT 1 FROM streamkit_taken WHERE streamkit_taken.id = streamkit_entries.id
                    )
                    """,
                    (first, last, self._passed(sql, part_of(first))),
                )
        self.database.shrink()
        return lost

    def _forget(
        self,
        sql: sqlite3.Connection,
        number: int,
        first: int,
        last: int,
        token: int,
        run: list[Message],
        lost: list[Message],
    ) -> None:
        where = "FROM streamkit_taken WHERE id BETWEEN ? AND ? AND grp = ? AND token = ?"
        (count,) = sql.execute(f"SELECT count(*) {where}", (first, last, number, token)).fetchone()
        if count < len(run):
            held = {row[0] for row in sql.execute(f"SELECT id {where}", (first, last, number, token))}
            lost.extend(each for each in run if each.place[0] not in held)
        sql.execute(f"DELETE {where}", (first, last, number, token))

    def _passed(self, sql: sqlite3.Connection, part: int) -> int:
        """Up to where every group was handed out a part."""
        found = """
            SELECT min(coalesce(cursor, ?)) FROM streamkit_groups
            LEFT JOIN streamkit_cursors ON grp = id AND part = ? WHERE queue = ?
        """
        passed: int = sql.execute(found, (span(self.number, part)[0], part, self.number)).fetchone()[0]
        return passed

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
                    count(*) FILTER (WHERE token = 0 OR until <= ?),
                    count(*) FILTER (WHERE token <> 0 AND until > ?)
                FROM streamkit_taken WHERE grp = ?
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
            sql.execute("DELETE FROM streamkit_taken WHERE id BETWEEN ? AND ?", (begin, end))
            sql.execute(
                """
                INSERT OR REPLACE INTO streamkit_cursors SELECT streamkit_groups.id, part, last, 0
                FROM streamkit_groups JOIN streamkit_parts USING (queue) WHERE queue = ?
                """,
                (self.number,),
            )
        return count
