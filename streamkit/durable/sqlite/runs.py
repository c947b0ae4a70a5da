"""What a group was handed out, in the table ``streamkit_runs``: a row for entries that follow each other.

The rows of a group do not overlap. What is done with a part of one cuts it: the rest of it keeps what it had.
All of it runs in one thread, in a transaction of the caller.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from streamkit.durable.messages import Message

__all__ = ["Run", "cut", "gaps", "missing", "put", "runs_of", "without"]

Range: TypeAlias = tuple[int, int]
"""The first and the last identifier of entries that follow each other."""


class Run(NamedTuple):
    """One row, beside its group."""

    first: int
    last: int
    token: int
    """Whose it is: another for each claim. 0 is nobody's: it was handed back, or waits for its time."""
    until: float
    """When anybody may have it."""
    since: float
    """When it was leased last."""
    times: int
    """How often it was handed out."""


def runs_of(messages: Iterable[Message]) -> Iterator[tuple[int, int, int, list[Message]]]:
    """Messages that follow each other, and that were claimed together: first, last, token."""
    ordered = sorted(messages, key=_place)
    if not ordered:
        return
    (first, token), (last, _) = ordered[0].place, ordered[-1].place
    if last - first == len(ordered) - 1 and {each.place[1] for each in ordered} == {token}:
        yield first, last, token, ordered  # as it is nearly always
        return
    run: list[Message] = []
    for message in ordered:
        identifier, of = message.place
        if run and (identifier != last + 1 or of != token):
            yield run[0].place[0], last, token, run
            run = []
        run.append(message)
        last, token = identifier, of
    yield run[0].place[0], last, token, run


_place: Final = attrgetter("place")


def put(sql: sqlite3.Connection, group: int, runs: Iterable[Run]) -> None:
    for run in runs:
        sql.execute("INSERT INTO streamkit_runs VALUES (?, ?, ?, ?, ?, ?, ?)", (group, *run))


def cut(sql: sqlite3.Connection, group: int, first: int, last: int, token: int) -> list[Run]:
    """Take out of the rows of a claim what is from `first` to `last`; returns what there was, in order."""
    found = [run for run in _touched(sql, group, first, last) if run.token == token]
    return [without(sql, group, run, first, last) for run in found]


def _touched(sql: sqlite3.Connection, group: int, first: int, last: int) -> list[Run]:
    """The rows of a group that have some of what is from `first` to `last`, in order."""
    rows = sql.execute(
        # they do not overlap: none that begins before the last that begins there has some of it
        """
        SELECT first, last, token, until, since, times FROM streamkit_runs
        WHERE grp = ? AND first <= ? AND last >= ? AND first >= coalesce(
            (SELECT max(first) FROM streamkit_runs WHERE grp = ? AND first <= ?), ?
        ) ORDER BY first
        """,
        (group, last, first, group, first, first),
    ).fetchall()
    return list(map(Run._make, rows))


def missing(messages: Sequence[Message], held: Sequence[Run]) -> list[Message]:
    """Those of `messages`, which follow each other, that are in none of the rows."""
    if sum([run.last - run.first + 1 for run in held]) == len(messages):
        return []
    here = {identifier for run in held for identifier in range(run.first, run.last + 1)}
    return [each for each in messages if each.place[0] not in here]


def without(sql: sqlite3.Connection, group: int, run: Run, first: int, last: int) -> Run:
    """Take what is from `first` to `last` out of a row; returns it."""
    taken = run._replace(first=max(run.first, first), last=min(run.last, last))
    if run.first < taken.first:
        sql.execute(
            "UPDATE streamkit_runs SET last = ? WHERE grp = ? AND first = ?",
            (taken.first - 1, group, run.first),
        )
    else:
        sql.execute("DELETE FROM streamkit_runs WHERE grp = ? AND first = ?", (group, run.first))
    if taken.last < run.last:
        put(sql, group, [run._replace(first=taken.last + 1)])
    return taken


def gaps(sql: sqlite3.Connection, groups: Sequence[int], first: int, last: int) -> Iterator[Range]:
    """What is from `first` to `last` and in no row of the `groups`."""
    held: list[Range] = []
    for group in groups:
        held += [(run.first, run.last) for run in _touched(sql, group, first, last)]
    for begin, end in sorted(held):
        if first < begin:
            yield first, begin - 1
        first = max(first, end + 1)
    if first <= last:
        yield first, last
