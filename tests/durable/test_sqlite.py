"""SQLite as a carrier: what a file may be, what becomes of it, and what those share who have it open."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from streamkit import CarrierAwayError, CarrierError, Stream, ops
from streamkit.durable import Depth, Entry, Json, SQLite
from streamkit.durable.sqlite.schema import TABLES
from streamkit.testing import VirtualLoop, run


def entries(*bodies: str, key: str | None = None) -> list[Entry]:
    return [Entry(each.encode(), key) for each in bodies]


def test_it_is_a_value(tmp_path: Path) -> None:
    inbox = SQLite("jobs.db", "inbox")
    assert inbox == SQLite(Path("jobs.db"), "inbox")
    assert inbox != SQLite("jobs.db", "inbox", codec=Json())
    assert repr(SQLite("jobs.db", "inbox", codec=Json(), fsync=True)) == (
        "SQLite('jobs.db', 'inbox', codec=Json(), fsync=True)"
    )
    SQLite(tmp_path / "jobs.db", "inbox").reader(group="g")
    assert not list(tmp_path.iterdir()), "a file is made before it is used"


WRONG: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: SQLite(5, "q"), TypeError, "path must be the path of a file, not 5"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    (lambda: SQLite(":memory:", "q"), ValueError, "path must be that of a file"),
    (lambda: SQLite("a", ""), ValueError, "name must be the name of a queue, not ''"),
    (
        lambda: SQLite("a", "\ud800"),
        ValueError,
        "name must be the name of a queue, without lone surrogates, not",
    ),
    (
        lambda: SQLite("a", "q").reader(group="g\udfff"),
        ValueError,
        "group, without lone surrogates, not 'g\\udfff'",
    ),
    (lambda: SQLite("a", "q", codec=Json), TypeError, "write Json()"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    (lambda: SQLite("a", "q", codec=7), TypeError, "codec must be Json(), or an object with encode"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    (lambda: SQLite("a", "q", partitions=256), ValueError, "partitions must be a whole number of at least 1"),
    (lambda: SQLite("a", "q", busy=0), ValueError, "busy must be"),
    (lambda: SQLite("a", "q").reader(group=""), ValueError, "group must be the name of a group"),
    (lambda: SQLite("a", "q").reader(group="g", batch=0), ValueError, "batch must be"),
    (lambda: SQLite("a", "q").reader(group="g", lease=0), ValueError, "lease must be"),
    (lambda: SQLite("a", "q").reader(group="g", max_deliveries=2), ValueError, "max_deliveries needs dead_l"),
    (
        lambda: SQLite("a", "q").reader(group="g", dead_letters=SQLite("a", "q")),
        ValueError,
        "dead_letters must be another carrier",
    ),
    (
        lambda: SQLite("a", "q").reader(group="g", dead_letters="a"),
        TypeError,
        "dead_letters must be a carrier",
    ),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    (lambda: SQLite("a", "q").writer(batch=0), ValueError, "batch must be"),
    (lambda: SQLite("a", "q").writer(delay=-1), ValueError, "delay must be"),
    (lambda: SQLite("a", "q").writer(key="id"), TypeError, "key must be a callable"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
]


def test_wrong_arguments_are_answered_where_they_are_given() -> None:
    for call, kind, words in WRONG:
        with pytest.raises(kind) as caught:
            call()
        assert words in str(caught.value)


async def used(carrier: SQLite) -> None:
    async with carrier.connect() as connection:
        await connection.append(entries("a"))


def fails(carrier: SQLite, words: str, kind: type[CarrierError] = CarrierError) -> CarrierError:
    with pytest.raises(kind) as caught:
        asyncio.run(used(carrier))
    assert words in str(caught.value)
    assert carrier.path in str(caught.value)
    return caught.value


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"these are notes, and no database" * 100)
    fails(SQLite(path, "q"), "it is no database of SQLite")
    assert path.read_bytes() == b"these are notes, and no database" * 100
    fails(SQLite(tmp_path / "nowhere" / "jobs.db", "q"), "it cannot be opened")
    fails(SQLite(tmp_path, "q"), "it cannot be opened")


def test_a_corrupt_file_is_said_and_nothing_of_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    inbox = SQLite(path, "q")

    async def fill() -> None:
        async with inbox.connect() as connection:
            await connection.append([Entry(os.urandom(2000)) for _ in range(200)])

    asyncio.run(fill())
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    fails(inbox, "it is corrupt")


def test_a_file_that_others_keep_locked_is_waited_for_and_then_said(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    asyncio.run(used(SQLite(path, "q")))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        error = fails(SQLite(path, "q", busy=0.3), "others have kept it locked for 0.3 s", CarrierAwayError)
        assert isinstance(error, ConnectionError)

        async def wait() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(used(SQLite(path, "q")))
                await asyncio.sleep(0.3)
                other.execute("ROLLBACK")

        asyncio.run(wait())


def test_a_full_disk_stores_nothing_of_a_batch(tmp_path: Path) -> None:
    inbox = SQLite(tmp_path / "jobs.db", "q")

    async def main() -> None:
        async with inbox.connect() as connection:
            await connection.append(entries("before"))
            sql = connection._database.sql  # pyright: ignore[reportPrivateUsage] - a disk of so many pages
            (pages,) = sql.execute("PRAGMA page_count").fetchone()
            sql.execute(f"PRAGMA max_page_count = {pages + 5}")
            with pytest.raises(CarrierError, match="its disk is full"):
                await connection.append([Entry(b"x" * 2000) for _ in range(50)])
            assert await connection.depth("g") == Depth(1, 0)
            (found,) = await connection.claim("g", 9, 30.0, 0.0)
            assert not await connection.acknowledge("g", [found])
            await connection.append(entries("after"))  # there is room for this
            (found,) = await connection.claim("g", 9, 30.0, 0.0)
            assert found.body == b"after"

    asyncio.run(main())


def test_a_file_of_an_older_version_is_brought_up_and_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(TABLES)
        database.executescript(
            """
            CREATE TABLE streamkit_taken (
                id INTEGER NOT NULL, grp INTEGER NOT NULL, token INTEGER NOT NULL, until REAL NOT NULL,
                times INTEGER NOT NULL, PRIMARY KEY (id, grp)
            ) WITHOUT ROWID;
            CREATE INDEX streamkit_due ON streamkit_taken (grp, until);
            CREATE TABLE streamkit_schema (version INTEGER NOT NULL);
            INSERT INTO streamkit_schema VALUES (1);
            INSERT INTO streamkit_queues VALUES (1, 'q', 16);
            INSERT INTO streamkit_parts VALUES (1, 0, (1 << 52) + 2);
            INSERT INTO streamkit_entries VALUES ((1 << 52) + 1, 0, NULL, NULL, X'61');
            INSERT INTO streamkit_entries VALUES ((1 << 52) + 2, 0, NULL, '{"from": "old"}', X'62');
            INSERT INTO streamkit_groups VALUES (1, 1, 'g');
            INSERT INTO streamkit_cursors VALUES (1, 0, (1 << 52) + 1, 0);
            INSERT INTO streamkit_taken VALUES ((1 << 52) + 1, 1, 77, 0, 1);
            """
        )
        database.commit()

    async def main() -> None:
        async with SQLite(path, "q").connect() as connection:
            assert await connection.depth("g") == Depth(2, 0)
            old, new = await connection.claim("g", 9, 30.0, 0.0)
            assert (old.body, old.times, new.body, new.headers) == (b"a", 2, b"b", {"from": "old"})

    asyncio.run(main())
    asyncio.run(used(SQLite(tmp_path / "new.db", "q")))
    assert tables(path) == tables(tmp_path / "new.db")


def tables(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as database:
        return sorted(database.execute("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL").fetchall())


def test_a_file_of_a_newer_version_or_of_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    asyncio.run(used(SQLite(path, "q")))
    refused = {99: "by a newer streamkit: its tables have version 99", "x": "the version is 'x'"}
    for version, words in refused.items():
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("UPDATE streamkit_schema SET version = ?", (version,))
        fails(SQLite(path, "q"), words)


def test_partitions_stay_as_they_were_made(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    asyncio.run(used(SQLite(path, "q")))
    fails(SQLite(path, "q", partitions=4), "'q' was made with partitions=16")
    asyncio.run(used(SQLite(path, "other", partitions=4)))


def in_file(path: Path, main: Callable[[Any, Any], Coroutine[Any, Any, None]]) -> None:
    """Run `main` on two connections, in virtual time."""

    async def connected() -> None:
        inbox = SQLite(path / "jobs.db", "q", partitions=2)
        async with inbox.connect() as one, inbox.connect() as two:
            await main(one, two)

    run(connected)


def test_queues_and_tables_of_others_in_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE entries (id INTEGER)")

    async def main() -> None:
        async with SQLite(path, "one").connect() as one, SQLite(path, "two").connect() as two:
            await one.append([*entries("a"), *entries("b", key="k")])
            await two.append(entries("c"))
            assert await one.purge() == 2
            (found,) = await two.claim("g", 9, 30.0, 0.0)
            assert found.body == b"c"
            assert not await one.claim("g", 9, 30.0, 0.0)

    run(main)


def test_a_group_that_comes_late_is_handed_out_what_is_left(tmp_path: Path) -> None:
    async def main(one: Any, two: Any) -> None:
        await one.append(entries("a", "b", "c", "d"))
        found = await one.claim("early", 4, 30.0, 0.0)
        await one.acknowledge("early", [found[0], found[2]])
        assert await two.depth("late") == Depth(2, 0)
        (first,) = await two.claim("late", 1, 30.0, 0.0)
        assert await two.depth("late") == Depth(1, 1)
        (second,) = await two.claim("late", 9, 30.0, 0.0)
        assert (first.body, second.body) == (b"b", b"d")
        await one.append(entries("e"))
        assert await two.depth("late") == Depth(1, 2)

    in_file(tmp_path, main)


def test_a_clock_that_is_set_back_does_not_keep_what_a_dead_reader_had(tmp_path: Path) -> None:
    async def main(one: Any, two: Any) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.set_wall_time(datetime(2030, 1, 1, tzinfo=UTC))
        await one.append(entries("a"))
        (lost,) = await one.claim("g", 1, 30.0, 0.0)
        loop.set_wall_time(datetime(2026, 1, 1, tzinfo=UTC))
        (found,) = await two.claim("g", 1, 30.0, 0.0)
        assert (found.body, found.times) == (b"a", 2)
        assert await one.acknowledge("g", [lost]) == [lost]

    in_file(tmp_path, main)


def test_a_clock_that_is_set_back_does_not_keep_what_was_free(tmp_path: Path) -> None:
    async def main(one: Any, two: Any) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.set_wall_time(datetime(2030, 1, 1, tzinfo=UTC))
        await one.append(entries("a1", "a2", key="a"))
        await one.claim("g", 2, 30.0, 0.0)
        await asyncio.sleep(40.0)
        assert len(await two.claim("g", 1, 30.0, 0.0)) == 1  # with it, a2 is free
        loop.set_wall_time(datetime(2026, 1, 1, tzinfo=UTC))
        assert [each.body for each in await two.claim("g", 2, 30.0, 0.0)] == [b"a1", b"a2"]

    in_file(tmp_path, main)


def test_a_clock_that_is_set_forward_hands_out_twice_and_says_so(tmp_path: Path) -> None:
    async def main(one: Any, two: Any) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        await one.append(entries("a"))
        (early,) = await one.claim("g", 1, 30.0, 0.0)
        loop.set_wall_time(datetime(2026, 1, 1, tzinfo=UTC))
        (found,) = await two.claim("g", 1, 30.0, 0.0)
        assert await one.renew("g", [early], 30.0) == [early]
        assert not await two.acknowledge("g", [found])

    in_file(tmp_path, main)


def test_a_reader_with_a_lease_in_a_partition_keeps_others_out_of_it(tmp_path: Path) -> None:
    async def main(one: Any, two: Any) -> None:
        keys = [f"{number}" for number in range(8)]
        await one.append([Entry(f"{key}{turn}".encode(), key) for turn in range(3) for key in keys])
        mine = list(await one.claim("g", 3, 30.0, 0.0))
        others = list(await two.claim("g", 99, 30.0, 0.0))
        assert not {each.key for each in mine} & {each.key for each in others}
        mine += await one.claim("g", 99, 30.0, 0.0)
        for found in (mine, others):
            for key in keys:
                turns = [each.body[-1:] for each in found if each.key == key]
                assert turns in ([], [b"0", b"1", b"2"])
        assert len(mine) + len(others) == 24

    in_file(tmp_path, main)


def test_what_was_handed_back_comes_first_though_another_partition_is_taken(tmp_path: Path) -> None:
    async def main(one: Any, two: Any) -> None:
        await one.append([Entry(f"{key}{turn}".encode(), key) for key in "ad" for turn in range(3)])
        a, d = (Entry(b"", key).part(2) for key in "ad")
        assert a != d
        async with SQLite(tmp_path / "jobs.db", "q", partitions=2).connect() as three:
            found = [message for _ in range(4) for message in await three.claim("g", 1, 30.0, 0.0)]
            await three.hand_back("g", found)
        got = [each.body for who in (one, two) for each in await who.claim("g", 1, 30.0, 0.0)]
        assert sorted(got) == [b"a0", b"d0"], "a1 or d1 is handed back, too, and must not hide these"

    in_file(tmp_path, main)


def test_who_lets_a_lease_end_has_lost_all_of_a_partition_that_another_has(tmp_path: Path) -> None:
    async def main(one: Any, two: Any) -> None:
        await one.append(entries("a1", "a2", key="a"))
        late = await one.claim("g", 2, 1.0, 0.0)
        await asyncio.sleep(2.0)
        assert [each.body for each in await two.claim("g", 1, 30.0, 0.0)] == [b"a1"]
        assert await one.renew("g", late, 30.0) == late
        assert await one.acknowledge("g", late) == late, "a2 must not be done before a1 is"
        assert [each.body for each in await two.claim("g", 1, 30.0, 0.0)] == [b"a2"]

    in_file(tmp_path, main)


def test_the_next_reader_has_what_a_stopped_one_had_within_100_ms(tmp_path: Path) -> None:
    inbox = SQLite(tmp_path / "jobs.db", "q")
    came: list[tuple[bytes, float]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        await (Stream([b"a", b"b", b"c"]) | inbox.writer())
        begun = asyncio.Event()

        async def work(body: bytes) -> None:
            begun.set()
            await asyncio.sleep(60.0)

        stopped = (inbox.reader(group="g") | ops.for_each(work)).start()
        await begun.wait()
        following = inbox.reader(group="g") | ops.for_each(lambda body: came.append((body, loop.time())))
        next_one = following.start()
        await asyncio.sleep(5.0)
        assert not came
        stopping = loop.time()
        await stopped.stop()
        await asyncio.sleep(1.0)
        await next_one.stop()
        assert sorted(body for body, _ in came) == [b"a", b"b", b"c"]
        assert max(when for _, when in came) - stopping <= 0.1
        assert await inbox.depth("g") == Depth(0, 0)

    run(main)


def size_of(path: Path) -> int:
    return sum(each.stat().st_size for each in path.iterdir())


def test_the_file_stays_flat_and_gives_back_what_a_rush_has_taken(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    sizes: list[int] = []

    async def main() -> None:
        async with SQLite(path, "q").connect() as one:
            await one.append([Entry(b"x" * 1000) for _ in range(5000)])  # the rush
            while found := await one.claim("g", 500, 30.0, 0.0):
                await one.acknowledge("g", found)
            for _ in range(10):
                for _ in range(40):
                    await one.append([Entry(b"x" * 1000) for _ in range(10)])
                    await one.acknowledge("g", await one.claim("g", 10, 30.0, 0.0))
                sizes.append(size_of(tmp_path))

    run(main)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.stat().st_size < 1_500_000, sizes
    assert max(sizes) < 12_000_000, sizes
