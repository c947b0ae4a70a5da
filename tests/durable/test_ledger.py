"""The ledger: what is claimed, acknowledged, renewed and handed back, as a run drives it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streamkit import CarrierError, attached
from streamkit.durable import Json, LeaseLost, Message, Trimmed
from streamkit.durable.events import log
from streamkit.durable.ledger import CarrierLedger
from streamkit.durable.reading import Reading
from streamkit.testing import Faults, run
from tests.durable.memory import Memory, MemoryConnection
from tests.durable.runs import left, reading, stored


def test_items_come_in_order_and_are_acknowledged_in_batches() -> None:
    async def main() -> None:
        carrier = Memory(codec=Json())
        await stored(carrier, *range(100))
        items: list[int] = []
        async with reading(carrier, batch=20) as pairs:
            async for delivery, item in pairs:
                items.append(item)
                delivery.settle()
                if len(items) == 100:
                    break
        assert items == [*range(100)]
        assert not await left(carrier)
        sizes = [int(each.split()[1]) for each in carrier.store.calls if each.startswith("acknowledge")]
        assert sum(sizes) == 100
        assert len(sizes) <= 11, sizes
        assert not carrier.store.connections

    run(main)


def test_what_is_done_is_acknowledged_soon_however_little_it_is() -> None:
    async def main() -> None:
        carrier = Memory()
        await stored(carrier, "a", "b", "c")
        async with reading(carrier) as pairs:
            first, _ = await anext(pairs)
            await anext(pairs)
            first.settle()
            await asyncio.sleep(0.02)
            async with carrier.connect() as connection:
                assert (await connection.depth("g")).lag == 2

    run(main)


def test_no_more_are_open_than_may_be() -> None:
    async def main() -> None:
        carrier = Memory()
        await stored(carrier, *range(30))
        async with reading(carrier, batch=5, prefetch=8) as pairs, carrier.connect() as connection:
            held = [(await anext(pairs))[0] for _ in range(8)]
            waiting = asyncio.ensure_future(anext(pairs))
            await asyncio.sleep(1.0)
            assert (await connection.depth("g")).claimed == 8
            assert not waiting.done()
            held[3].settle()  # any of them makes room
            delivery, item = await waiting
            assert item == b"8"
            assert (await connection.depth("g")).claimed == 8
            for each in (*held[:3], *held[4:], delivery):
                each.settle()

    run(main)


def test_leases_are_renewed_for_ten_minutes_of_work() -> None:
    async def main() -> None:
        carrier = Memory()
        await stored(carrier, "long", "next")
        async with reading(carrier, lease=30.0) as pairs:
            delivery, _ = await anext(pairs)
            for _ in range(60):
                await asyncio.sleep(10.0)
                assert not await left(carrier)
            delivery.settle()
        assert await left(carrier) == [(b"next", 1)]

    run(main)


def test_at_the_end_what_is_open_is_handed_back_at_once() -> None:
    async def main() -> None:
        carrier = Memory()
        await stored(carrier, "done", "begun", "untouched")
        loop = asyncio.get_running_loop()
        async with reading(carrier) as pairs:
            done, _ = await anext(pairs)
            done.settle()
            await anext(pairs)
            ending = loop.time()
        assert loop.time() - ending <= 0.1
        assert await left(carrier) == [(b"begun", 1), (b"untouched", 1)], "an end is no try"

    run(main)


@pytest.mark.parametrize("faults", [Faults.CANCEL, Faults.SHUTDOWN], ids=["cancelled", "shut down"])
def test_wherever_it_is_cancelled_all_is_acknowledged_or_handed_back(faults: Faults) -> None:
    async def main() -> None:
        carrier = Memory()
        settled: list[bytes] = []
        await stored(carrier, "a", "b", "c", "d")
        try:
            async with reading(carrier, batch=2) as pairs:
                async for delivery, item in pairs:
                    await asyncio.sleep(0)
                    settled.append(item)
                    delivery.settle()
                    if len(settled) == 3:
                        break
        finally:
            rows = carrier.store.groups.get("g", [])
            assert not any(each.token for each in rows if not each.done), "something is claimed still"
            assert [each.entry.body for each in rows if each.done] == settled
            assert not carrier.store.connections

    run(main, faults=faults)


def test_an_error_of_the_end_is_told_by_the_cancellation_that_comes_meanwhile() -> None:
    async def main() -> None:
        class Failing(MemoryConnection):
            async def hand_back(self, *arguments: Any, **named: Any) -> None:
                task.cancel()
                await asyncio.sleep(1.0)
                raise CarrierError("no more")

        carrier = Memory(kind=Failing)
        await stored(carrier, "a")

        async def read() -> None:
            async with reading(carrier) as pairs:
                await anext(pairs)

        task = asyncio.ensure_future(read())
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert list(map(str, attached(caught.value))) == ["no more"]

    run(main)


def test_a_lease_that_ran_out_is_told_and_not_acknowledged() -> None:
    """As when the process was stopped for longer than the lease."""

    async def main() -> None:
        carrier = Memory()
        events: list[Any] = []
        await stored(carrier, "early", "late", "unread")
        async with reading(carrier, tell=events.append) as pairs, carrier.connect() as other:
            early, _ = await anext(pairs)
            late, _ = await anext(pairs)
            for row in carrier.store.groups["g"]:
                row.at = 0.0  # the leases have ended
            stolen: list[Message] = other.taken("g", 3, 300.0)
            assert len(stolen) == 3
            early.settle()
            await asyncio.sleep(0.1)
            assert events == [LeaseLost("g", 1, 1)], "at its acknowledgement"
            await asyncio.sleep(10.0)
            assert events[1:] == [LeaseLost("g", 2, 3)], "or when leases are renewed"
            late.settle()
            pull = asyncio.ensure_future(anext(pairs))
            await asyncio.sleep(1.0)
            assert not pull.done(), "what another has is handed out"
            pull.cancel()
            await asyncio.wait([pull])
            assert not await other.acknowledge("g", stolen)
        assert len(events) == 2

    run(main)


def test_entries_that_others_have_deleted_are_told() -> None:
    async def main() -> None:
        carrier = Memory()
        events: list[Any] = []
        await stored(carrier, "a")
        trimmed = iter([2, 2, 5])

        class Trimming(carrier.kind):
            async def claim(self, *arguments: Any) -> Any:
                self.trimmed = next(trimmed, 5)
                return await super().claim(*arguments)

        carrier = carrier.but(kind=Trimming)
        async with reading(carrier, tell=events.append) as pairs:
            await anext(pairs)
            await asyncio.sleep(1.0)
        assert events == [Trimmed("g", 2, 2), Trimmed("g", 3, 5)]

    run(main)


def test_a_carrier_that_fails_ends_the_stream_once() -> None:
    async def main() -> None:
        carrier = Memory()
        await stored(carrier, "a", "b")
        carrier.store.fails["acknowledge"] = CarrierError("gone")
        with pytest.raises(CarrierError, match=r"^gone") as caught:
            async with reading(carrier) as pairs:
                async for delivery, _ in pairs:
                    delivery.settle()
        assert caught.value.args == ("gone",)
        assert await left(carrier) == [(b"a", 1), (b"b", 1)]
        with pytest.raises(CarrierError, match=r"^gone"):  # nobody pulls again: the end tells it
            async with reading(carrier) as pairs:
                await stored(carrier, "c")
                delivery, _ = await anext(pairs)
                delivery.settle()
        del carrier.store.fails["acknowledge"]
        assert await left(carrier) == [(b"c", 1)]
        assert not carrier.store.connections

    run(main)


def test_a_carrier_that_cannot_be_opened_leaves_nothing_open() -> None:
    class Refusing(Memory):
        def connect(self) -> Any:
            raise CarrierError("refused")

    async def main() -> None:
        carrier = Memory()
        with pytest.raises(CarrierError, match=r"^refused"):
            async with reading(carrier, dead_letters=Refusing(), max_deliveries=1):
                raise AssertionError
        assert not carrier.store.connections

    run(main)


def test_it_is_read_again_after_an_error() -> None:
    async def main() -> None:
        carrier = Memory()
        await stored(carrier, "a", "b")
        ledger = CarrierLedger(Reading(carrier, "g", 10, 30.0, 10, None, None, False, log))
        await ledger.open()
        carrier.store.fails["claim"] = CarrierError("away")
        with pytest.raises(CarrierError, match=r"^away"):
            await anext(ledger.deliveries())
        del carrier.store.fails["claim"]
        first, _ = await anext(ledger.deliveries())
        second, item = await anext(ledger.deliveries())
        assert item == b"b"
        first.settle()
        second.fail()
        await ledger.close()
        assert await left(carrier) == [(b"b", 2)]

    run(main)


def test_what_is_claimed_while_it_ends_is_handed_back_as_if_it_was_not() -> None:
    async def main() -> None:
        carrier, dead = Memory(), Memory(name="dead")
        await stored(carrier, "a")
        async with reading(carrier, max_deliveries=1, dead_letters=dead, tell=[].append) as pairs:
            await anext(
                pairs
            )  # while this is in work, another claim waits, and gets it when it is handed back
            await asyncio.sleep(0.01)
        assert not dead.store.entries
        assert await left(carrier) == [(b"a", 1)]

    run(main)
