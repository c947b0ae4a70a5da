"""SQLite as a carrier: what is left when a run is cancelled in a call, or the file goes away under it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from streamkit import CarrierError
from streamkit.durable import Depth, Entry, Message, SQLite
from streamkit.durable.sqlite.claims import Claims
from streamkit.durable.sqlite.database import Database


def entries(*bodies: str) -> list[Entry]:
    return [Entry(each.encode()) for each in bodies]


def test_a_cancellation_while_it_opens_leaves_no_file_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Database] = []
    entered, go = threading.Event(), threading.Event()
    open_file = Database.open

    def held(database: Database) -> None:
        opened.append(database)
        entered.set()
        go.wait(30.0)
        open_file(database)

    monkeypatch.setattr(Database, "open", held)

    async def main() -> None:
        task = asyncio.ensure_future(SQLite(tmp_path / "jobs.db", "q").depth("g"))
        await asyncio.to_thread(entered.wait, 30.0)
        task.cancel()
        await asyncio.sleep(0)
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].sql.execute("SELECT 1")


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_deleted_while_it_is_open_is_told_to_writers_and_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaced: bool
) -> None:
    file = tmp_path / "jobs.db"
    inbox = SQLite("jobs.db", "q")  # of a working directory that is another later
    monkeypatch.chdir(tmp_path)

    async def main() -> None:
        async with inbox.connect() as writer, inbox.connect() as reader:
            await writer.append(entries("a"))
            os.chdir(os.sep)
            assert len(await reader.claim("g", 5, 9.0, 0.0)) == 1
            file.unlink()
            if replaced:
                file.touch()
            with pytest.raises(CarrierError, match="it was deleted, or replaced"):
                await writer.append(entries("b"))
            with pytest.raises(CarrierError, match="it was deleted, or replaced"):
                await reader.claim("g", 5, 9.0, 9.0)

    asyncio.run(main())


def test_a_cancelled_claim_is_handed_back_when_others_unlock_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = SQLite(tmp_path / "jobs.db", "q")
    taken = threading.Event()
    claim = Claims.claim

    async def main() -> None:
        with closing(sqlite3.connect(inbox.path, check_same_thread=False)) as other:

            def claimed(self: Claims, *arguments: Any) -> list[Message]:
                found = claim(self, *arguments)
                other.execute("BEGIN IMMEDIATE")
                taken.set()
                threading.Event().wait(0.05)
                return found

            monkeypatch.setattr(Claims, "claim", claimed)
            async with inbox.connect() as connection:
                await connection.append(entries("a", "b"))
                task = asyncio.ensure_future(connection.claim("g", 5, 30.0, 1.0))
                await asyncio.to_thread(taken.wait, 30.0)
                task.cancel()
                asyncio.get_running_loop().call_later(0.4, other.rollback)
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert await connection.depth("g") == Depth(waiting=2, claimed=0)

    asyncio.run(main())
