"""push: who awaits `send` and never has to wait lets others run now and then."""

import asyncio
from operator import add
from typing import Any

import pytest

from streamkit import Conflate, Emitter, EmitterClosedError, Strategy, push
from streamkit._engine.compile.pace import BUDGET, LARGEST
from tests.patience import done_in_time
from tests.stages.pushing import OUTCOMES, check_sum, drained, thread

STRATEGIES = [each[0] for each in OUTCOMES if each[0].limit is None or not each[0].fails]
MANY = 20 * LARGEST


def fresh(strategy: Strategy) -> tuple[Any, Emitter[int]]:
    return push(strategy)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
@pytest.mark.parametrize("still", [False, True])
def test_the_reader_has_a_turn(strategy: Strategy, still: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if still:  # each item costs nothing at all
        monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: 0.0)

    async def main() -> int:
        stream, emitter = fresh(strategy)
        got: list[Any] = []
        reader = asyncio.create_task(drained(stream, got))
        await asyncio.sleep(0)
        sent = 0
        while not got and sent < MANY:
            await emitter.send(sent)
            sent += 1
        emitter.close()
        await reader
        check_sum(emitter.stats())
        return sent

    assert asyncio.run(main()) < MANY


@pytest.mark.parametrize("strategy", [STRATEGIES[-1], STRATEGIES[3]], ids=repr)
def test_so_has_any_other_task_beside_senders_that_are_slow(
    strategy: Strategy, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: now[0])

    async def main() -> float:
        stream, emitter = fresh(strategy)
        longest = before = 0.0

        async def send() -> None:
            for number in range(60):
                now[0] += BUDGET / 4
                await emitter.send(number)

        async def look() -> None:
            nonlocal longest, before
            while True:
                longest, before = max(longest, now[0] - before), now[0]
                await asyncio.sleep(0)

        looker = asyncio.create_task(look())
        await asyncio.sleep(0)
        await asyncio.gather(send(), send())
        looker.cancel()
        emitter.close()
        await drained(stream, [])
        return longest

    assert asyncio.run(main()) < 4 * BUDGET


def test_so_has_the_loop_of_a_sender_that_is_not_the_readers() -> None:
    stream, emitter = fresh(STRATEGIES[-1])
    got: list[Any] = []

    async def send() -> None:
        others = 0

        async def other() -> None:
            nonlocal others
            while True:
                others += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        for number in range(MANY):
            await emitter.send(number)
        task.cancel()
        emitter.close()
        assert others > 1

    with thread(lambda: asyncio.run(send())):
        done_in_time(lambda: drained(stream, got))
    assert got == [*range(MANY)]


def test_one_that_is_cancelled_meanwhile_has_offered_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: now[0])

    async def main() -> None:
        _, emitter = fresh(STRATEGIES[-1])
        now[0] = 2 * BUDGET
        task = asyncio.create_task(emitter.send(1))
        await asyncio.sleep(0)
        assert not emitter.stats().offered
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not emitter.stats().offered

    asyncio.run(main())


def test_one_whose_stream_ends_meanwhile_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: now[0])

    async def main() -> None:
        _, emitter = push(Conflate(add))
        now[0] = 2 * BUDGET
        task = asyncio.create_task(emitter.send(1))
        await asyncio.sleep(0)
        emitter.close()
        with pytest.raises(EmitterClosedError):
            await task

    asyncio.run(main())
