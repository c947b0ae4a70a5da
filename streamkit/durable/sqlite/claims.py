"""Claims on the entries of one queue: taken, renewed and handed back. All of it runs in one thread.

A row of ``taken`` has a token, which is another for each claim: whoever does not know it can neither
acknowledge nor renew nor hand back. Its upper half says which connection has claimed. Token 0 is nobody's:
such a row was handed back, or waits for its time.

Entries with a key are in the parts from 1 on. While one connection has a lease in such a part, nobody else is
handed out anything of it: so the entries of a key come in order.

Leases go by the clock on the wall of this machine, which all processes share. If it is set forward, leases
end early, and what was out comes twice. If it is set back, leases that were taken in its future are void.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Sequence
from math import inf
from typing import Any, Final

from streamkit.durable.messages import Message
from streamkit.durable.sqlite.entries import Queue, runs
from streamkit.durable.sqlite.schema import part_of, span

__all__ = ["Claims"]

_TICK: Final = 1.0
"""Seconds by which clocks may be read apart: a lease from later is from a clock that was set back."""


class Claims:
    """What one connection claims of a queue."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self._me = random.SystemRandom().randrange(1, 1 << 31)
        self._count = 0
        self._turn = 0
        """Which part is looked at first: another each time, so that none waits for the others."""
        self._void_at = -inf
        """When leases from the future are looked for."""

    def claim(self, group: str, most: int, lease: float, now: float) -> list[Message]:
        """Up to `most` messages; none if there are none now."""
        if now >= self._void_at or now < self._void_at - lease - _TICK:
            self._void_at = now + lease
            self._void(group, now)
        if not self._any(group, now):
            return []
        self._count += 1
        token = self._me << 32 | self._count
        found: list[Message] = []
        with self.queue.database.changing() as sql:
            number = self.queue.group(sql, group)
            taking = _Taking(self.queue.number, number, token, now, now + lease)
            taking.again(sql, found, most)
            if len(found) < most:
                self._new(sql, taking, found, most)
        self.queue.remember(group, number)
        return found

    def _any(self, group: str, now: float) -> bool:
        """Whether it is worth a transaction; reading locks nobody out."""
        queue = self.queue
        queue.database.still_there()
        with queue.database.telling():
            number = queue.known_group(group)
            if number is None:
                return True
            found = queue.database.sql.execute(
                """
                SELECT EXISTS (SELECT 1 FROM streamkit_taken WHERE grp = ? AND until <= ?) OR EXISTS (
                    SELECT 1 FROM streamkit_parts LEFT JOIN streamkit_cursors
                    ON grp = ? AND streamkit_cursors.part = streamkit_parts.part
                    WHERE queue = ? AND (cursor IS NULL OR last > cursor)
                )
                """,
                (number, now, number, queue.number),
            )
            return bool(found.fetchone()[0])

    def _void(self, group: str, now: float) -> None:
        """End leases that were taken in the future: the clock was set back."""
        with self.queue.database.telling():
            number = self.queue.known_group(group)
            where = "FROM streamkit_taken WHERE grp = ? AND token <> 0 AND since > ?"
            if (
                number is None
                or not self.queue.database.sql.execute(
                    f"SELECT EXISTS (SELECT 1 {where})", (number, now + _TICK)
                ).fetchone()[0]
            ):
                return
        with self.queue.database.changing() as sql:
            sql.execute(
                "UPDATE streamkit_taken SET until = 0 WHERE grp = ? AND token <> 0 AND since > ?",
                (number, now + _TICK),
            )

    def _new(self, sql: sqlite3.Connection, taking: _Taking, found: list[Message], most: int) -> None:
        parts = sql.execute(
            """
            SELECT streamkit_parts.part, last, cursor, coalesce(holes, 0)
            FROM streamkit_parts LEFT JOIN streamkit_cursors
            ON grp = ? AND streamkit_cursors.part = streamkit_parts.part
            WHERE queue = ? AND (cursor IS NULL OR last > cursor)
            """,
            (taking.group, self.queue.number),
        ).fetchall()
        self._turn += 1
        turn = self._turn % max(1, len(parts))
        for part, last, cursor, holes in parts[turn:] + parts[:turn]:
            begin = span(self.queue.number, part)[0] if cursor is None else cursor
            if not taking.blocked(sql, part):
                taking.new(sql, found, most, part, begin, last, holes)
            if len(found) >= most:
                return

    def renew(self, group: str, messages: Sequence[Message], until: float, now: float) -> list[Message]:
        """Lease them until then; returns those that others have."""
        return self._change(group, messages, "until = ?, since = ?", (until, now))

    def hand_back(self, group: str, messages: Sequence[Message], until: float, *, counted: bool) -> None:
        """Anybody may have them from then on; unless `counted`, as if they had not been handed out."""
        self._change(group, messages, "token = 0, until = ?, times = times - ?", (until, 0 if counted else 1))

    def _change(
        self, group: str, messages: Sequence[Message], what: str, values: tuple[Any, ...]
    ) -> list[Message]:
        lost: list[Message] = []
        with self.queue.database.changing() as sql:
            number = self.queue.group(sql, group)
            where = "WHERE id BETWEEN ? AND ? AND grp = ? AND token = ?"
            for first, last, token, run in runs(messages):
                place = (first, last, number, token)
                rows = sql.execute(f"SELECT id FROM streamkit_taken {where}", place).fetchall()
                if len(rows) < len(run):
                    held = {row[0] for row in rows}
                    lost.extend(each for each in run if each.place[0] not in held)
                sql.execute(f"UPDATE streamkit_taken SET {what} {where}", (*values, *place))
        return lost


class _Taking:
    """One claim, in its transaction."""

    def __init__(self, queue: int, group: int, token: int, now: float, until: float) -> None:
        self.queue = queue
        self.group = group
        self.token = token
        self.now = now
        self.until = until
        self._blocked: dict[int, bool] = {}

    def blocked(self, sql: sqlite3.Connection, part: int) -> bool:
        """Whether another connection has a lease in a part with keys."""
        if not part:
            return False
        known = self._blocked.get(part)
        if known is None:
            known = self._blocked[part] = bool(
                sql.execute(
                    """
                    SELECT EXISTS (SELECT 1 FROM streamkit_taken WHERE id > ? AND id < ? AND grp = ?
                    AND until > ? AND token <> 0 AND token >> 32 <> ?)
                    """,
                    (*span(self.queue, part), self.group, self.now, self.token >> 32),
                ).fetchone()[0]
            )
        return known

    def again(self, sql: sqlite3.Connection, found: list[Message], most: int) -> None:
        """What was handed back, whose lease has ended or whose time has come."""
        rows = sql.execute(
            "SELECT id FROM streamkit_taken WHERE grp = ? AND until <= ? ORDER BY until, id LIMIT ?",
            (self.group, self.now, most),
        ).fetchall()
        parts = dict.fromkeys([part_of(identifier) for (identifier,) in rows])
        for part in parts:
            if self.blocked(sql, part):
                continue
            chosen = [identifier for (identifier,) in rows if part_of(identifier) == part]
            if part:  # in order, whatever ended first
                chosen = [
                    identifier
                    for (identifier,) in sql.execute(
                        "SELECT id FROM streamkit_taken WHERE id > ? AND id < ? AND grp = ? AND until <= ? "
                        "ORDER BY id LIMIT ?",
                        (*span(self.queue, part), self.group, self.now, most - len(found)),
                    )
                ]
            for identifier in chosen[: most - len(found)]:
                self._one(sql, found, identifier)

    def _one(self, sql: sqlite3.Connection, found: list[Message], identifier: int) -> None:
        place = (identifier, self.group)
        (times,) = sql.execute(
            "UPDATE streamkit_taken SET token = ?, until = ?, since = ?, times = times + 1 "
            "WHERE id = ? AND grp = ? RETURNING times",
            (self.token, self.until, self.now, *place),
        ).fetchone()
        row = sql.execute(
            "SELECT key, headers, body FROM streamkit_entries WHERE id = ?", (identifier,)
        ).fetchone()
        key, headers, body = row
        found.append(
            Message(body, (identifier, self.token), times, key, json.loads(headers) if headers else {})
        )

    def new(
        self,
        sql: sqlite3.Connection,
        found: list[Message],
        most: int,
        part: int,
        begin: int,
        last: int,
        holes: int,
    ) -> None:
        """What no reader of the group was handed out so far; what has a delay is put aside."""
        while len(found) < most and begin < last:
            rows = sql.execute(
                "SELECT id, due, key, headers, body FROM streamkit_entries WHERE id > ? AND id <= ? "
                "ORDER BY id LIMIT ?",
                (begin, last, most - len(found)),
            ).fetchall()
            end = rows[-1][0] if rows else last
            sql.execute(
                """
                INSERT INTO streamkit_taken
                SELECT id, ?, iif(due > ?, 0, ?), iif(due > ?, due, ?), due <= ?, ?
                FROM streamkit_entries WHERE id > ? AND id <= ?
                """,
                (self.group, self.now, self.token, self.now, self.until, self.now, self.now, begin, end),
            )
            holes -= end - begin - len(rows)
            token, now = self.token, self.now
            found += [
                Message(body, (identifier, token), 1, key, json.loads(headers) if headers else {})
                for identifier, due, key, headers, body in rows
                if due <= now
            ]
            begin = end
        sql.execute(
            "INSERT OR REPLACE INTO streamkit_cursors VALUES (?, ?, ?, ?)", (self.group, part, begin, holes)
        )
