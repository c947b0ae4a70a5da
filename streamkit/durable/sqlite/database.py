"""The file: how it is opened and kept flat, and what its errors mean. All of it runs in one thread."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final

from streamkit._core.errors import CarrierAwayError, CarrierError

__all__ = ["Database", "Locked"]

_PATIENCE: Final = 0.2
"""Seconds that SQLite itself waits for a lock: nothing can interrupt that wait."""
_LOOK: Final = 64
"""Transactions after which the file is looked at."""
_FREE: Final = 256
"""Pages that may be free: a queue that breathes has use for some."""
_JOURNAL: Final = 1500
"""Pages of the journal after which they are copied into the file: that waits for the disk twice."""
_STEP: Final = 512
"""Free pages that are given back at once, at most."""
_LOCKED: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_WORDS: Final = {
    sqlite3.SQLITE_FULL: "its disk is full",
    sqlite3.SQLITE_CORRUPT: "it is corrupt",
    sqlite3.SQLITE_NOTADB: "it is no database of SQLite",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_READONLY: "it cannot be written to",
    sqlite3.SQLITE_IOERR: "it cannot be read or written",
}


class Locked(Exception):  # noqa: N818 - a reason to try again
    """Another process has the lock."""


class Database:
    """One connection to the file."""

    def __init__(self, path: str, *, fsync: bool) -> None:
        self.path = path
        self._fsync = fsync
        self._transactions = 0
        self._absolute = path
        self._file: os.stat_result | None = None
        self.sql: sqlite3.Connection

    def open(self) -> None:
        self._absolute = os.path.abspath(self.path)  # the working directory may be another later
        with self.telling():
            self.sql = sqlite3.connect(
                self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            try:
                self._set_up()
            except BaseException:
                self.sql.close()
                raise

    def _set_up(self) -> None:
        level = "FULL" if self._fsync else "NORMAL"
        (pages,) = self.sql.execute("PRAGMA page_count").fetchone()
        for pragma in (
            # a new file has nothing to lose, and would wait for the disk eight times: the first time that the
            # journal is copied into it, both are synced
            f"synchronous = {level if pages else 'OFF'}",
            "auto_vacuum = INCREMENTAL",  # which only an empty file takes on
            "journal_mode = WAL",
            f"synchronous = {level}",
            f"wal_autocheckpoint = {_JOURNAL}",
            f"journal_size_limit = {_JOURNAL * 4096}",
            # some builds write a page once more when it is free, unless they are told otherwise
            "secure_delete = OFF",
        ):
            self.sql.execute(f"PRAGMA {pragma}")

    def settle(self) -> None:
        """Have the tables on the disk, if what is stored is to be there."""
        if self._fsync:
            with self.telling():
                self.sql.execute("PRAGMA wal_checkpoint")

    def close(self) -> None:
        with self.telling():
            self.sql.close()

    @contextmanager
    def changing(self) -> Generator[sqlite3.Connection]:
        """A transaction that writes: all of it, or nothing."""
        with self.telling():
            self.sql.execute("BEGIN IMMEDIATE")
            try:
                yield self.sql
                self.still_there()
                self.sql.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled it back already
                    self.sql.execute("ROLLBACK")
                raise

    def still_there(self) -> None:
        """A file that was deleted can be written to as ever, and with its journal all is lost at the end."""
        try:
            now: os.stat_result | None = os.stat(self._absolute)
        except OSError:
            now = None
        if self._file is None:
            self._file = now  # it is just made, or opened
        elif now is None or not os.path.samestat(now, self._file):
            raise CarrierError(f"{self.path}: it was deleted, or replaced, while it was open")

    @contextmanager
    def telling(self) -> Generator[None]:
        """Errors of SQLite as ours."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _LOCKED:
                raise Locked from error
            words = _WORDS.get(code, "SQLite cannot do that")
            raise CarrierError(f"{self.path}: {words} ({error})") from error

    def shrink(self) -> None:
        """Give back the pages that are free, a few at a time, now and then."""
        self._transactions += 1
        if self._transactions % _LOOK:
            return
        with self.telling():
            (free,) = self.sql.execute("PRAGMA freelist_count").fetchone()
            if free > _FREE:
                # `execute` would step it once, which is one page
                self.sql.executescript(f"PRAGMA incremental_vacuum({min(_STEP, free - _FREE)})")

    def away(self, seconds: float) -> CarrierAwayError:
        """What is raised when others have had the lock for so long."""
        return CarrierAwayError(f"{self.path}: others have kept it locked for {seconds:g} seconds")
