"""What carriers with a server share: calls that are cancelled are whole, or undone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streamkit.durable import Nats
from streamkit.durable.nats.connection import NatsConnection
from streamkit.durable.servers import unless_cancelled
from streamkit.testing import run

TIMES = [0.0, 0.1, 0.25, 0.35]
"""When it is cancelled: before the call begins, in it, and while it is undone."""


@pytest.mark.parametrize("second", TIMES)
@pytest.mark.parametrize("first", TIMES[:2])
def test_what_is_cancelled_is_undone_however_often_it_is_cancelled(first: float, second: float) -> None:
    told: list[str] = []

    async def call() -> str:
        await asyncio.sleep(0.2)
        told.append("done")
        return "it"

    async def undo(got: str) -> None:
        await asyncio.sleep(0.2)
        told.append(f"{got} is undone")

    async def main() -> None:
        task = asyncio.ensure_future(unless_cancelled(call(), undo))
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        for when in (first, second):
            loop.call_later(when, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main)
    assert told == ["done", "it is undone"]


def test_what_cannot_be_undone_is_noted_on_the_cancellation() -> None:
    async def call() -> None:
        await asyncio.sleep(0.2)

    async def undo(_: None) -> None:
        raise ConnectionError("it is away")

    async def main() -> None:
        task = asyncio.ensure_future(unless_cancelled(call(), undo))
        asyncio.get_running_loop().call_later(0.1, task.cancel)
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert caught.value.__notes__ == ["what it had done could not be undone: ConnectionError: it is away"]

    run(main)


def test_a_call_that_goes_on_for_too_long_is_cancelled_itself() -> None:
    told: list[float] = []

    async def call() -> None:
        try:
            await asyncio.sleep(100.0)
        except asyncio.CancelledError:
            told.append(asyncio.get_running_loop().time())
            raise

    async def main() -> None:
        begun = asyncio.get_running_loop().time()
        task = asyncio.ensure_future(unless_cancelled(call()))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [at - begun for at in told] == [pytest.approx(1.5)]

    run(main)


def test_groups_may_change_while_what_others_have_deleted_is_counted() -> None:
    connection: Any = NatsConnection(Nats("nats://localhost", "queue"))
    known = connection._groups

    class Server:
        def __init__(self) -> None:
            self.last = 5

        async def ask(self, what: str) -> Any:
            known.forget()  # as a claim does that has lost its connection
            return {"config": {}, "state": {"last_seq": self.last}}

        async def each(self, asked: list[Any]) -> list[Any]:
            return [{"created": "then", "delivered": {"consumer_seq": 1}, "num_pending": 4} for _ in asked]

    async def main() -> None:
        connection._api = Server()
        for last in (5, 7):
            connection._api.last = last
            known.leases = {"one": 30.0, "other": 30.0}
            await connection._counted()
        assert connection.trimmed == 2 * 2

    run(main)
