"""Claims on the entries of one queue: taken, renewed and handed back. All of it runs in one thread.

A row of ``runs`` has a token, which is another for each claim: whoever does not know it can neither
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
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from operator import itemgetter
from typing import Any, Final, TypeAlias

from streamkit.durable.messages import Message
from streamkit.durable.sqlite.entries import Queue
from streamkit.durable.sqlite.runs import Run, cut, missing, put, runs_of, without
from streamkit.durable.sqlite.schema import part_of, span

__all__ = ["Claims"]

Row: TypeAlias = "tuple[int, float, str | None, str | None, bytes]"

_SELECT: Final = "SELECT id, due, key, headers, body FROM streamkit_entries"
_RUNS: Final = "SELECT first, last, token, until, since, times FROM streamkit_runs"
_DUE_HERE: Final = "first > ? AND first < ? AND grp = ? AND until <= ?"
"""What is due of one part."""
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
        self._more = False
        """Whether there may be more at once: the last claim was given as much as it asked for."""
        self._void_at = -inf
        """When leases from the future are looked for."""

    def claim(self, group: str, most: int, lease: float, now: float) -> list[Message]:
        """Up to `most` messages; none if there are none now."""
        if now >= self._void_at or now < self._void_at - lease - _TICK:
            self._void_at = now + lease
            self._void(group, now)
        if not self._more and not self._any(group, now):
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
        self._more = len(found) == most
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
                SELECT EXISTS (SELECT 1 FROM streamkit_runs WHERE grp = ? AND until <= ?) OR EXISTS (
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
            where = "FROM streamkit_runs WHERE grp = ? AND token <> 0 AND since > ?"
            if (
                number is None
                or not self.queue.database.sql.execute(
                    f"SELECT EXISTS (SELECT 1 {where})", (number, now + _TICK)
                ).fetchone()[0]
            ):
                return
        with self.queue.database.changing() as sql:
            sql.execute(
                "UPDATE streamkit_runs SET until = 0 WHERE grp = ? AND token <> 0 AND since > ?",
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
        return self._change(group, messages, lambda run: run._replace(until=until, since=now))

    def hand_back(self, group: str, messages: Sequence[Message], until: float, *, counted: bool) -> None:
        """Anybody may have them from then on; unless `counted`, as if they had not been handed out."""
        less = 0 if counted else 1
        self._change(group, messages, lambda run: run._replace(token=0, until=until, times=run.times - less))

    def _change(self, group: str, messages: Sequence[Message], change: Callable[[Run], Run]) -> list[Message]:
        lost: list[Message] = []
        with self.queue.database.changing() as sql:
            number = self.queue.known_group(group)
            if number is None:  # it was forgotten
                return list(messages)
            for first, last, token, run in runs_of(messages):
                held = cut(sql, number, first, last, token)
                put(sql, number, map(change, held))
                lost += missing(run, held)
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
                    SELECT EXISTS (SELECT 1 FROM streamkit_runs WHERE first > ? AND first < ? AND grp = ?
                    AND until > ? AND token <> 0 AND token >> 32 <> ?)
                    """,
                    (*span(self.queue, part), self.group, self.now, self.token >> 32),
                ).fetchone()[0]
            )
        return known

    def again(self, sql: sqlite3.Connection, found: list[Message], most: int) -> None:
        """What was handed back, whose lease has ended or whose time has come."""
        rows = self._due(sql, most)
        for part in dict.fromkeys([part_of(first) for first, *_ in rows]):
            if len(found) >= most:
                return
            chosen = [row for row in rows if part_of(row[0]) == part]
            if part:  # in order, whatever ended first
                here = (*span(self.queue, part), self.group, self.now)
                # who had one of them has lost all: what is behind the first must not be done before it
                free = "UPDATE streamkit_runs SET token = 0, until = 0"
                sql.execute(f"{free} WHERE {_DUE_HERE} AND token <> 0", here)
                chosen = sql.execute(
                    f"{_RUNS} WHERE {_DUE_HERE} ORDER BY first LIMIT ?", (*here, most - len(found))
                ).fetchall()
            for run in map(Run._make, chosen):
                if len(found) >= most:
                    return
                self._one(sql, found, most, run)

    def _due(self, sql: sqlite3.Connection, most: int) -> list[tuple[Any, ...]]:
        """The first rows that are due; what is in a part of others does not hide those behind it."""
        found: list[tuple[Any, ...]] = []
        due = f"{_RUNS} WHERE grp = ? AND until <= ? ORDER BY until, first"
        for row in sql.execute(due, (self.group, self.now)):
            if not self.blocked(sql, part_of(row[0])):
                found.append(row)
                if len(found) == most:
                    break
        return found

    def _one(self, sql: sqlite3.Connection, found: list[Message], most: int, run: Run) -> None:
        """Hand out again as much of one row as is asked for."""
        last = min(run.last, run.first + most - len(found) - 1)
        run = without(sql, self.group, run, run.first, last)
        leased = self._leased(run.first, last, run.times + 1)
        put(sql, self.group, [leased])
        rows = sql.execute(f"{_SELECT} WHERE id BETWEEN ? AND ? ORDER BY id", (run.first, last))
        found += _messages(rows, self.token, leased.times)

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
        now = self.now
        while len(found) < most and begin < last:
            rows = sql.execute(
                f"{_SELECT} WHERE id > ? AND id <= ? ORDER BY id LIMIT ?", (begin, last, most - len(found))
            ).fetchall()
            end = rows[-1][0] if rows else last
            put(sql, self.group, self._runs(rows))
            holes -= end - begin - len(rows)
            found += _messages(rows, self.token, 1, now)
            begin = end
        sql.execute(
            "INSERT OR REPLACE INTO streamkit_cursors VALUES (?, ?, ?, ?)", (self.group, part, begin, holes)
        )

    def _runs(self, rows: Sequence[Row]) -> Iterator[Run]:
        """What is handed out now, or put aside until its time: entries that follow each other in one run."""
        if rows and rows[-1][0] - rows[0][0] == len(rows) - 1 and max(map(_due, rows)) <= self.now:
            yield self._leased(rows[0][0], rows[-1][0], 1)  # as it is nearly always
            return
        run: Run | None = None
        for identifier, due, *_ in rows:
            one = self._leased(identifier, identifier, 1)
            if due > self.now:
                one = one._replace(token=0, until=due, times=0)
            if (
                run is not None
                and run._replace(first=identifier, last=identifier) == one
                and (run.last == identifier - 1)
            ):
                run = run._replace(last=identifier)
                continue
            if run is not None:
                yield run
            run = one
        if run is not None:
            yield run

    def _leased(self, first: int, last: int, times: int) -> Run:
        return Run(first, last, self.token, self.until, self.now, times)


_due: Final = itemgetter(1)


def _messages(rows: Iterable[Row], token: int, times: int, now: float = inf) -> list[Message]:
    """Those of the entries whose time has come."""
    return [
        Message(body, (identifier, token), times, key, json.loads(headers) if headers else {})
        for identifier, due, key, headers, body in rows
        if due <= now
    ]
