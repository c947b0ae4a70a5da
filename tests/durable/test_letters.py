"""Dead letters: what goes there, with what it says, and what is not to blame."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from streamkit import CarrierAwayError, CarrierError, ops
from streamkit._core.delivery import Together
from streamkit.durable import DeadLettered, Json
from streamkit.durable.ledger import CarrierLedger
from streamkit.durable.letters import Dead
from streamkit.durable.messages import Message
from streamkit.testing import run
from tests.durable.memory import Memory
from tests.durable.runs import left, reading, reading_of, stored


def test_what_fails_over_and_over_goes_to_the_dead_letters() -> None:
    async def main() -> None:
        carrier, dead = Memory(), Memory(name="dead")
        events: list[Any] = []
        await stored(carrier, "poison", "beside")
        for number in range(3):
            async with reading(carrier, max_deliveries=3, dead_letters=dead, tell=events.append) as pairs:
                poison, item = await anext(pairs)
                assert item == b"poison"
                beside, _ = await anext(pairs)
                error = ValueError("no such page")
                error.add_note("in map(fetch) at work.py:7")
                poison.fail(error)
                beside.fail()  # it was in flight when the run failed
                await asyncio.sleep(0.1 * number)
        assert await left(carrier) == [(b"beside", 1)], "what was beside it is not to blame"
        assert events == [
            DeadLettered("g", None, 3, "ValueError: no such page", "map(fetch) at work.py:7", 1)
        ]
        async with dead.connect() as connection:
            (letter,) = await connection.claim("g", 9, 9.0, 0.0)
        assert letter.body == b"poison"
        assert letter.headers == {
            "error": "ValueError: no such page",
            "operator": "map(fetch) at work.py:7",
            "deliveries": "3",
            "group": "g",
            "carrier": "Memory()",
        }

    run(main)


def test_what_fails_without_anybody_to_blame_counts() -> None:
    async def main() -> None:
        carrier = Memory()
        await stored(carrier, "a")
        async with reading(carrier) as pairs:
            delivery, _ = await anext(pairs)
            both = Together([delivery])
            both.fail()
        assert await left(carrier) == [(b"a", 2)]

    run(main)


def test_what_kills_its_process_goes_to_the_dead_letters() -> None:
    async def main() -> None:
        carrier, dead = Memory(), Memory(name="dead")
        events: list[Any] = []
        await stored(carrier, "killer")
        async with carrier.connect() as connection:
            for _ in range(2):
                assert await connection.claim("g", 1, 1.0, 1.0)
                await asyncio.sleep(1.0)
        await stored(carrier, "next")
        async with reading(carrier, max_deliveries=2, dead_letters=dead, tell=events.append) as pairs:
            delivery, item = await anext(pairs)
            assert item == b"next"
            delivery.settle()
        assert events == [DeadLettered("g", None, 3, "handed out 3 times, and never acknowledged", "", 1)]
        assert not await left(carrier)

    run(main)


def test_what_does_not_decode_goes_to_the_dead_letters() -> None:
    async def main() -> None:
        carrier, dead = Memory(codec=Json()), Memory(name="dead")
        events: list[Any] = []
        await stored(carrier, "{", 7)
        async with reading(carrier, max_deliveries=2, dead_letters=dead, tell=events.append) as pairs:
            delivery, item = await anext(pairs)
            assert item == 7
            delivery.settle()
        (event,) = events
        assert event.error.startswith("it does not decode: JSONDecodeError: Expecting property name")
        assert not await left(carrier)
        async with dead.connect() as connection:
            assert [each.body for each in await connection.claim("g", 9, 9.0, 0.0)] == [b"{"]

    run(main)


def test_without_dead_letters_it_fails_the_stream_and_stays() -> None:
    async def main() -> None:
        carrier = Memory(codec=Json())
        await stored(carrier, "{")
        with pytest.raises(
            CarrierError, match=r"^Memory\(\) has a message .* JSONDecodeError.*dead_letters="
        ):
            async with reading(carrier) as pairs:
                await anext(pairs)
        assert [body for body, _ in await left(carrier)] == [b"{"]

    run(main)


def test_what_is_handed_out_for_the_last_time_is_alone_in_work() -> None:
    """So what was in flight beside it, each time, is not taken for what fails."""

    async def main() -> None:
        carrier, dead = Memory(), Memory(name="dead")
        events: list[Any] = []
        await stored(carrier, "a", "poison", "b", "c")

        async def attempt() -> None:
            fetched = carrier.reader(group="g", max_deliveries=2, dead_letters=dead, on_event=events.append)
            await (fetched | ops.map(fetch, concurrency=3) | ops.for_each(done.append))

        async def fetch(body: bytes) -> bytes:
            await asyncio.sleep(1.0)
            if body == b"poison":
                await asyncio.sleep(0.1)
                raise ValueError("no such page")
            await asyncio.sleep(0.5)
            return body

        done: list[bytes] = []
        for _ in range(2):
            with pytest.raises(ValueError, match="no such page"):
                await attempt()
        (event,) = events
        assert (event.times, event.error) == (2, "ValueError: no such page")
        assert event.operator.startswith("map(fetch, concurrency=3) at tests/durable/test_letters.py:")
        async with dead.connect() as connection:
            assert [each.body for each in await connection.claim("g", 9, 9.0, 0.0)] == [b"poison"]
        assert b"a" in done
        rest = asyncio.ensure_future(attempt())
        await asyncio.sleep(10.0)
        rest.cancel()
        await asyncio.wait([rest])
        assert sorted(done) == [b"a", b"b", b"c"]
        assert not await left(carrier)

    run(main)


def test_a_carrier_behind_that_is_away_is_no_fault_of_the_items() -> None:
    async def main() -> None:
        carrier, behind, dead = Memory(), Memory(name="behind"), Memory(name="dead")
        await stored(carrier, "a", "b")
        behind.store.fails["append"] = CarrierAwayError("away")
        for _ in range(5):
            with pytest.raises(CarrierAwayError):
                reader = carrier.reader(group="g", max_deliveries=2, dead_letters=dead)
                await (reader | behind.writer(batch=1))
        assert not dead.store.entries
        assert await left(carrier) == [(b"a", 1), (b"b", 1)]

    run(main)


def test_what_fails_where_letters_are_written_or_told_keeps_nothing_from_being_handed_back() -> None:
    async def main() -> None:
        for away, letters, rest in (True, 0, [b"poison", b"b"]), (False, 1, [b"b"]):
            carrier, dead = Memory(), Memory(name="dead")
            await stored(carrier, "poison", "b")
            if away:
                dead.store.fails["append"] = CarrierAwayError("away")
            options: dict[str, Any] = {"max_deliveries": 1, "dead_letters": dead, "on_event": lambda _: 1 / 0}
            with pytest.raises(ValueError, match="bad") as caught:
                await (carrier.reader(group="g", **options) | ops.map(bad, concurrency=2) | ops.drain())
            assert "away" in caught.value.__notes__[-1] or "ZeroDivision" in caught.value.__notes__[-1]
            assert len(dead.store.entries) == letters
            assert [body for body, _ in await left(carrier)] == rest

    async def bad(body: bytes) -> None:
        await asyncio.sleep(1.0)
        if body == b"poison":
            raise ValueError("bad")

    run(main)


def test_a_run_that_is_ended_is_no_fault_of_the_items() -> None:
    """However often it is stopped, is cancelled or has enough, while there is one that takes long."""

    async def main() -> None:
        carrier, dead = Memory(), Memory(name="dead")
        reader = carrier.reader(group="g", max_deliveries=2, dead_letters=dead)
        kind: Any = {"concurrency": 2, "ordered": False}
        slow = reader | ops.map(lambda body: asyncio.sleep(900.0 * (body != b"0"), body), **kind)
        await stored(carrier, "long")
        for _ in range(3):
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await (slow | ops.drain())
            handle = (slow | ops.drain()).start()
            await asyncio.sleep(1.0)
            await handle.stop()
            await stored(carrier, 0)
            await (slow | ops.take(1) | ops.drain())
        assert not dead.store.entries
        assert await left(carrier) == [(b"long", 1)]

    run(main)


def test_a_cancellation_that_a_callback_raises_is_a_try() -> None:
    async def main() -> None:
        carrier, dead = Memory(), Memory(name="dead")
        reader: Any = carrier.reader(group="g", max_deliveries=2, dead_letters=dead)
        await stored(carrier, "poison", "b")

        async def lost(body: bytes) -> None:
            if body == b"poison":
                raise asyncio.CancelledError

        for _ in range(2):
            with pytest.raises(asyncio.CancelledError):
                await (reader | ops.map(lost) | ops.drain())
        await (reader | ops.map(lost) | ops.take(1) | ops.drain())
        assert [entry.body for entry, _ in dead.store.entries] == [b"poison"]

    run(main)


def test_what_fails_in_the_body_of_a_loop_is_a_try() -> None:
    async def main() -> None:
        carrier, dead = Memory(), Memory(name="dead")
        reader: Any = carrier.reader(group="g", max_deliveries=2, dead_letters=dead)
        await stored(carrier, "poison")
        for _ in range(3):
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    async for _ in reader:
                        await asyncio.sleep(9.0)
            await asyncio.sleep(1.0)
        for _ in range(2):
            assert not dead.store.entries, "to be cancelled is no try"
            with pytest.raises(ValueError, match="bad"):
                async for _ in reader | ops.map(bytes.decode):
                    raise ValueError("bad")
            await asyncio.sleep(1.0)  # the loop of events closes it
        await stored(carrier, "b")
        assert [item async for item in reader | ops.take(1)] == [b"b"]
        assert [entry.body for entry, _ in dead.store.entries] == [b"poison"]

    run(main)


def test_a_pipe_that_waits_for_more_gets_it_after_a_third_of_the_lease() -> None:
    async def main() -> None:
        carrier, dead = Memory(), Memory(name="dead")
        await stored(carrier, "a", "b", "c", "d")
        async with carrier.connect() as connection:
            await connection.claim("g", 4, 1.0, 0.0)
            await asyncio.sleep(1.0)
        reader = carrier.reader(group="g", max_deliveries=2, dead_letters=dead)
        begun = asyncio.get_running_loop().time()
        await (reader | ops.batch(4) | ops.take(1) | ops.drain())
        assert 10.0 <= asyncio.get_running_loop().time() - begun <= 10.5
        assert not await left(carrier)

    run(main)


def test_what_kills_its_process_does_not_take_others_along() -> None:
    """Those that were claimed with it, each time, are not taken for it."""

    async def main() -> None:
        carrier, dead = Memory(), Memory(name="dead")
        await stored(carrier, "killer", "b", "c", "d")
        done: list[bytes] = []
        killed = 0
        while len(done) < 3:
            options: dict[str, Any] = {"max_deliveries": 3, "dead_letters": dead}
            ledger = CarrierLedger(reading_of(carrier, tell=lambda event: None, **options))
            await ledger.open()
            async for delivery, item in ledger.deliveries():
                if item == b"killer":
                    killed += 1
                    break
                done.append(item)
                delivery.settle()
                if len(done) == 3:
                    break
            if item == b"killer":
                for task in ledger._tasks.values():  # pyright: ignore[reportPrivateUsage] - as a kill does
                    task.cancel()
                await asyncio.wait(ledger._tasks.values())  # pyright: ignore[reportPrivateUsage]
                await ledger._opened.aclose()  # pyright: ignore[reportPrivateUsage]
                await asyncio.sleep(31.0)
            else:
                await ledger.close()
        assert sorted(done) == [b"b", b"c", b"d"]
        assert killed == 3
        assert [each.body for each, _ in dead.store.entries] == [b"killer"]

    run(main)


def test_a_look_takes_nothing_out() -> None:
    async def main() -> None:
        dead = Memory(name="dead")
        await stored(dead, "a", "b", "c")
        assert await Memory(name="empty").peek("g") == []
        for _ in range(2):
            found = await dead.peek("g", 2)
            assert [(each.body, each.times) for each in found] == [(b"a", 1), (b"b", 1)]
        assert await left(dead) == [(b"a", 1), (b"b", 1), (b"c", 1)]
        with pytest.raises(ValueError, match="most must be a whole number of at least 1, not 0"):
            await dead.peek("g", 0)

    run(main)


def test_an_error_that_no_operator_has_raised_names_none() -> None:
    error = ValueError("no such page")
    error.add_note("seen at noon")
    assert not Dead.of(Message(b"poison", 1), error).operator
