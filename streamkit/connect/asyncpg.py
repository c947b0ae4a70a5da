"""PostgreSQL: rows of a query, rows that are written in batches, notifications; ``streamkit[postgres]``."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from streamkit._core.arguments import seconds as seconds_argument, whole
from streamkit._core.calls import answering
from streamkit._core.markers import Gap
from streamkit._core.show import shown
from streamkit._core.strategy import Collect, Strategy, Suspend, strategy_argument
from streamkit._engine.face.stream import Keep, Sink, Stream
from streamkit._engine.plan.source import Recipe
from streamkit.connect.files import is_text
from streamkit.connect.reconnect import Reconnect, linked, reconnect_argument
from streamkit.connect.sqlite import check_rows, sql_argument
from streamkit.operators.batch import batch_within
from streamkit.operators.rate import buffer
from streamkit.operators.transform import flatten, map as map_items
from streamkit.sinks.reduce import sum as total

_asyncpg: Any
try:
    # it has no types of its own
    import asyncpg  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

    _asyncpg = asyncpg
except ImportError:  # pragma: no cover - it is among the tools of the tests
    _asyncpg = None

__all__ = ["postgres_notifications", "postgres_rows", "postgres_writer"]


def _passing() -> list[type[Exception]]:
    if _asyncpg is None:  # pragma: no cover - as above
        return []
    return [
        _asyncpg.PostgresConnectionError,
        _asyncpg.InterfaceError,
        _asyncpg.OperatorInterventionError,  # it shuts down
        _asyncpg.InsufficientResourcesError,  # it has too many connections
    ]


_FAILURES: Final[tuple[type[Exception], ...]] = (
    OSError,
    TimeoutError,
    *_passing(),
)
"""Those after which the server may be there again: not that it has refused who asks, or what."""
_ALLOWED: Final = "a DSN such as 'postgresql://user@host/name', or a pool of asyncpg's"


def _database(name: str, value: Any) -> Any:
    """A DSN, or a pool."""
    if _asyncpg is None:  # pragma: no cover - as above
        raise ImportError("PostgreSQL is reached by asyncpg: install streamkit[postgres]")
    if isinstance(value, str):
        if not value.startswith(("postgresql://", "postgres://")):
            # all of it but its scheme may be secret
            found = shown(value.partition(":")[0])
            raise ValueError(f"{name} must begin with 'postgresql://', not {found}")
        return value
    if isinstance(value, _asyncpg.Pool):
        return value
    raise TypeError(f"{name} must be {_ALLOWED}, not {shown(value)}")


@asynccontextmanager
async def _connected(database: Any) -> AsyncGenerator[Any]:
    """A connection of the pool, or one of its own, which is closed at the end."""
    if not isinstance(database, str):
        async with database.acquire() as connection:
            yield connection
        return
    connection = await _asyncpg.connect(database)
    try:
        yield connection
    finally:
        connection.terminate() if connection.is_in_transaction() else await connection.close()


async def _rows(database: Any, sql: str, parameters: tuple[Any, ...], batch: int) -> AsyncIterator[list[Any]]:
    async with _connected(database) as connection, connection.transaction(readonly=True):
        cursor = await connection.cursor(sql, *parameters)
        while rows := await cursor.fetch(batch):
            yield rows


@answering
def postgres_rows(database: Any, sql: str, *parameters: Any, batch: int = 100) -> Stream[Any]:
    """The rows that a query finds in PostgreSQL, read by a cursor, a batch at a time.

        postgres_rows(dsn, "SELECT id, total FROM orders")  --<Record id=1>--<Record id=2>--|

    >>> from streamkit import connect, ops
    >>> orders = connect.postgres_rows("postgresql:///shop", "SELECT * FROM orders WHERE total > $1", 100)
    >>> identifiers = orders | ops.map(lambda row: row["id"])

    Emits when: a batch of rows has come.
    Waits when: the server does; the next batch is asked for when this one has been taken.
    Completes when: there are no more rows.
    Closes when: it ends, or the consumer leaves: the transaction ends, and the connection is closed, or goes
        back to its pool.

    The query sees the database as it was when it began. The server keeps what has changed since: a consumer
    that takes hours holds up its clean-up.

    Args:
        database: a DSN, for a connection that each run opens; or a pool of asyncpg's.
        sql: one query, with ``$1`` for a parameter.
        parameters: their values.
        batch: rows that are fetched at a time.

    Raises:
        ImportError: asyncpg is not installed.
        TypeError: an argument has the wrong type.
        ValueError: `batch` is less than 1, or `database` does not begin with ``postgresql://``.
        OSError: (when run) the server cannot be reached.
        asyncpg.PostgresError: (when run) as the server has it.
    """
    database, sql, batch = (
        _database("database", database),
        sql_argument("sql", sql),
        whole("batch", batch, least=1),
    )
    recipe = Recipe(
        "postgres_rows", (_shown(database), sql), partial(_rows, database, sql, parameters, batch)
    )
    return Stream[list[Any]](recipe) | flatten()


def _shown(database: Any) -> str:
    """What is shown of it in errors: no password."""
    return "a DSN" if isinstance(database, str) else "a pool"


async def _write(pool: Any, sql: str, rows: list[Any]) -> int:
    check_rows(rows)
    async with pool.acquire() as connection:
        await connection.executemany(sql, rows)  # a transaction of its own
    return len(rows)


@answering
def postgres_writer(pool: Any, sql: str, *, batch: int = 1_000, seconds: float = 1.0) -> Sink[Any, int]:
    """Run a statement of PostgreSQL with each item, in batches; how many items there were.

    >>> from streamkit import Stream, connect
    >>> async def main() -> None:
    ...     async with asyncpg.create_pool("postgresql:///shop") as pool:
    ...         writer = connect.postgres_writer(pool, "INSERT INTO orders VALUES ($1, $2)")
    ...         await (Stream([(1, 9.5)]) | writer)

    Completes when: the source does, and all was committed.
    Closes when: it ends; a batch under way is cancelled, and is not written.

    A batch is a transaction: all of it is written, or, where one of its items fails, nothing of it.

    Args:
        pool: of asyncpg's.
        sql: one statement, with ``$1`` for the first value of an item.
        batch: items of a transaction.
        seconds: how long an item waits for others.

    Raises:
        ImportError: asyncpg is not installed.
        TypeError: an argument has the wrong type; (when run) an item is a text, or has no values.
        ValueError: `batch` is less than 1, or `seconds` is not finite, or not above 0.
        asyncpg.PostgresError: (when run) as the server has it.
    """
    if isinstance(_database("pool", pool), str):
        raise TypeError("pool must be a pool of asyncpg's, as asyncpg.create_pool(dsn) makes one, not a DSN")
    sql, batch = sql_argument("sql", sql), whole("batch", batch, least=1)
    seconds = seconds_argument("seconds", seconds)
    return batch_within(batch, seconds=seconds) | map_items(partial(_write, pool, sql)) | total()


class _Listener:
    """A connection that listens: what it has heard, until it is lost."""

    resumed = False  # the server keeps nothing for those who are away
    least = 0.0

    def __init__(self, connection: Any, heartbeat: float) -> None:
        self._connection = connection
        self._heartbeat = heartbeat
        self._heard = deque[str]()
        self._news = asyncio.Event()
        connection.add_termination_listener(self._ended)

    async def listen(self, channel: str) -> _Listener:
        await self._connection.add_listener(channel, self._told)
        return self

    def _told(self, _connection: Any, _process: int, _channel: str, payload: str) -> None:
        self._heard.append(payload)
        self._news.set()

    def _ended(self, _connection: Any) -> None:
        self._news.set()

    async def receive(self) -> str:
        while not self._heard:
            self._news.clear()
            if self._connection.is_closed():
                raise ConnectionError("the connection to PostgreSQL was lost")
            try:
                async with asyncio.timeout(self._heartbeat):
                    await self._news.wait()
            except TimeoutError:
                # a connection that is half open says nothing by itself
                await self._connection.execute("SELECT 1", timeout=self._heartbeat)
        return self._heard.popleft()

    async def close(self) -> None:
        self._connection.terminate()  # without a word to a server that may be gone


async def _listener(dsn: str, channel: str, heartbeat: float) -> _Listener:
    try:
        connection = await _asyncpg.connect(dsn)
    except (
        _asyncpg.ClientConfigurationError
    ) as error:  # to try again would not help, as with the others of its kind
        raise ValueError(f"dsn cannot be used: {error}") from error
    try:
        return await _Listener(connection, heartbeat).listen(channel)
    except BaseException:
        connection.terminate()
        raise


@answering
def postgres_notifications(
    dsn: str,
    channel: str,
    *,
    strategy: Strategy,
    reconnect: Reconnect | None = None,
    heartbeat: float = 30.0,
) -> Stream[str | Gap]:
    """What is told by ``NOTIFY``, on a connection that is made again when it is lost.

        postgres_notifications(dsn, "jobs", strategy=DropOldest(100))  ----a--b-----gap-c-

    >>> from streamkit import DropOldest, connect, ops
    >>> told = connect.postgres_notifications("postgresql:///shop", "jobs", strategy=DropOldest(100))
    >>> jobs = told | ops.map(str)

    Emits when: the server tells; and a `Gap` when it was reached again: what was told meanwhile is lost.
    Waits when: nothing is told.
    Completes when: it never does.
    Closes when: the consumer leaves; the connection is closed.

    A server cannot be made to wait: what the consumer is too slow for is held as `strategy` says. Under
    ``Suspend`` it would be held without a limit, so that is refused.

    Args:
        dsn: such as ``"postgresql://user@host/name"``.
        channel: the name that ``LISTEN`` is given.
        strategy: how many are held for the consumer, and what happens to one more.
        reconnect: what is done when the connection fails; by default, ``Reconnect()``. Whoever is refused, or
            asks for a database that is not there, fails at once.
        heartbeat: seconds of silence after which the server is asked whether it is there, and has to answer.

    Raises:
        ImportError: asyncpg is not installed.
        TypeError: an argument has the wrong type.
        ValueError: `strategy` would wait, `heartbeat` is not finite, or not above 0, or `dsn` does not begin
            with ``postgresql://``; (when run) asyncpg cannot read it.
        OSError: (when run) the server cannot be reached.
        asyncpg.PostgresError: (when run) as the server has it.
    """
    if not isinstance(_database("dsn", dsn), str):
        raise TypeError(f"dsn must be a DSN, for a connection of its own, not {shown(dsn)}")
    if not is_text(channel) or not channel:
        raise TypeError(f"channel must be the name of one, as a text, not {shown(channel)}")
    if isinstance(strategy_argument("strategy", strategy), (Suspend, Collect)):
        raise ValueError(
            f"strategy must be one that does not wait, such as DropOldest(100), not {shown(strategy)}"
        )
    reconnect, heartbeat = reconnect_argument(reconnect), seconds_argument("heartbeat", heartbeat)
    make = partial(linked, partial(_listener, dsn, channel, heartbeat), reconnect, _FAILURES)
    told: Stream[str | Gap] = Stream(Recipe("postgres_notifications", (channel,), make))
    hold: Callable[[Any], Any] = buffer  # its overloads tell strategies apart
    held: Keep = hold(strategy)
    return told | held
