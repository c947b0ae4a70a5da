"""PostgreSQL's arguments, and what there is to see without a server; the rest stands in ``tests/brokers``."""

from typing import Any

import pytest

from streamkit import DropOldest, Suspend, connect, ops
from streamkit.testing import run

STRATEGY = DropOldest(10)


def listened(dsn: Any, channel: Any = "jobs", **options: Any) -> Any:
    return connect.postgres_notifications(dsn, channel, **{"strategy": STRATEGY, **options})


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: connect.postgres_rows("user:word@host", "SELECT 1"), ValueError, "database must begin"),
        (lambda: connect.postgres_rows(7, "SELECT 1"), TypeError, "database must be a DSN such as"),
        (
            lambda: connect.postgres_writer("postgresql://user:word@host/a", "INSERT"),
            TypeError,
            "pool must be a pool",
        ),
        (lambda: listened("user:word@host"), ValueError, "not 'user'$"),
        (lambda: listened(7), TypeError, "dsn must be a DSN such as"),
        (lambda: listened("postgresql:///a", ""), TypeError, "channel must be the name of one"),
        (lambda: listened("postgresql:///a", strategy=Suspend(1)), ValueError, "one that does not wait"),
        (lambda: listened("postgresql:///a", heartbeat=0), ValueError, "heartbeat must"),
    ],
)
def test_arguments_are_checked(call: Any, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said) as caught:
        call()
    assert "word" not in str(caught.value)


@pytest.mark.parametrize("given", ["sslmode=perhaps", "target_session_attrs=the-best"])
def test_what_asyncpg_cannot_read_is_not_tried_again(given: str) -> None:
    tried: list[Exception] = []
    reconnect = connect.Reconnect(1.0, on_retry=lambda error, _count, _wait: tried.append(error))
    told = listened(f"postgresql://reader@127.0.0.1/shop?{given}", reconnect=reconnect)

    async def main() -> None:
        with pytest.raises(ValueError, match="dsn cannot be used"):
            await (told | ops.drain())

    run(main)
    assert not tried
