"""Checks of leases: what happens when a reader hands back, dies, or comes too late."""

from __future__ import annotations

import asyncio

from streamkit.durable.testing.lab import CarrierLab, bodies, entries, holds

__all__ = ["CHECKS"]


async def hands_out_again_after_the_lease(lab: CarrierLab) -> None:
    """When a lease has ended, another reader is handed out the same, counted."""
    async with lab.connected(2) as (one, two):
        await one.append(entries("a", "b"))
        holds(len(await lab.claimed(one, 2, lease=lab.lease)) == 2, "two were stored")
        await lab.nothing(two, "the lease has not ended")
        found = await lab.claimed(two, 2, within=lab.lease + lab.patience)
        holds(sorted(bodies(found)) == ["a", "b"], f"after the lease, {bodies(found)} was handed out")
        times = [each.times for each in found]
        holds(times == [2, 2], f"for the second time: {times}")


async def hands_out_again_after_a_death(lab: CarrierLab) -> None:
    """What a closed connection had claimed is handed out again when its lease ends, at the latest."""
    async with lab.connected() as (one,):
        await one.append(entries("a"))
        await lab.claimed(one, 1, lease=lab.lease)
    async with lab.connected() as (one,):
        found = await lab.claimed(one, 1, within=lab.lease + lab.patience)
        holds(bodies(found) == ["a"], f"after the lease, {bodies(found)} was handed out")


async def acknowledges_nothing_too_late(lab: CarrierLab) -> None:
    """An acknowledgement behind the end of the lease says so, and does not count for who has it now."""
    async with lab.connected(3) as (one, two, three):
        await one.append(entries("a"))
        late = await lab.claimed(one, 1, lease=lab.lease)
        now = await lab.claimed(two, 1, within=lab.lease + lab.patience)
        holds(bodies(now) == ["a"], f"after the lease, {bodies(now)} was handed out")
        lost = await one.acknowledge("readers", late)
        holds(list(lost) == late, f"the late one is returned: {lost}")
        await two.hand_back("readers", now)
        again = await lab.claimed(three, 1)
        holds(bodies(again) == ["a"], "a late acknowledgement has taken it from its new reader")
        holds(not await three.acknowledge("readers", again), "one in time counts as late")


async def hands_back_nothing_too_late(lab: CarrierLab) -> None:
    """What is handed back too late stays with its new reader."""
    async with lab.connected(2) as (one, two):
        await one.append(entries("a"))
        late = await lab.claimed(one, 1, lease=lab.lease)
        now = await lab.claimed(two, 1, within=lab.lease + lab.patience)
        await one.hand_back("readers", late)
        await lab.nothing(one, "another has it")
        holds(not await two.acknowledge("readers", now), "the lease of its new reader was taken away")


async def hands_back_at_once(lab: CarrierLab) -> None:
    """What is handed back is handed out again within 100 ms, counted."""
    loop = asyncio.get_running_loop()
    async with lab.connected(2) as (one, two):
        await one.append(entries("a"))
        found = await lab.claimed(one, 1)
        waiting = asyncio.ensure_future(two.claim("readers", 1, lab.long, lab.patience))
        await asyncio.sleep(0.05)  # for the claim to wait at the carrier, which tells nobody when it does
        begun = loop.time()
        await one.hand_back("readers", found)
        again = await waiting
        late = loop.time() - begun
        holds(bodies(again) == ["a"], f"{bodies(again)} was handed out")
        holds(late < 0.1, f"it took {1000 * late:.0f} ms")
        holds(again[0].times == 2, f"for the second time: {again[0].times}")


async def hands_back_with_a_delay(lab: CarrierLab) -> None:
    """What is handed back with a delay is handed out after it."""
    async with lab.connected(2) as (one, two):
        await one.append(entries("a"))
        found = await lab.claimed(one, 1)
        await one.hand_back("readers", found, delay=2 * lab.lease)
        holds(not await lab.claimed(two, 1, within=lab.lease), "it came before its delay")
        found = await lab.claimed(two, 1, within=lab.lease + lab.patience)
        holds(bodies(found) == ["a"], "it has not come after its delay")


async def renews(lab: CarrierLab) -> None:
    """A lease that is renewed lasts from then on."""
    async with lab.connected(2) as (one, two):
        await one.append(entries("a"))
        found = await lab.claimed(one, 1, lease=lab.lease)
        for _ in range(4):
            await asyncio.sleep(lab.lease / 2)
            holds(
                not await one.renew("readers", found, lab.lease), "a lease that has not ended counts as lost"
            )
        await lab.nothing(two, "the lease was renewed")
        holds(not await one.acknowledge("readers", found), "a lease that was renewed counts as lost")


async def renews_nothing_too_late(lab: CarrierLab) -> None:
    """What another reader has meanwhile cannot be renewed, and is returned."""
    async with lab.connected(2) as (one, two):
        await one.append(entries("a"))
        late = await lab.claimed(one, 1, lease=lab.lease)
        now = await lab.claimed(two, 1, within=lab.lease + lab.patience)
        lost = await one.renew("readers", late, lab.long)
        holds(list(lost) == late, f"the one that is lost is returned: {lost}")
        holds(not await two.acknowledge("readers", now), "the lease of its new reader was taken away")


async def keeps_the_order_of_keys(lab: CarrierLab) -> None:
    """While a message of a key is out, no other reader is handed out a later one of that key."""
    async with lab.connected(2) as (one, two):
        await one.append(entries("a1", "a2", "a3", key="a"))
        first = await lab.claimed(one, 1)
        holds(bodies(first) == ["a1"], f"a1 comes first: {bodies(first)}")
        await lab.nothing(two, "another reader has an earlier one of the key")
        await one.acknowledge("readers", first)
        found = await lab.claimed(two, 2)
        holds(bodies(found) == ["a2", "a3"], f"then a2, a3: {bodies(found)}")
        await two.hand_back("readers", found)
        again = await lab.claimed(one, 2)
        holds(bodies(again) == ["a2", "a3"], f"handed back, in order: {bodies(again)}")


CHECKS = (
    hands_out_again_after_the_lease,
    hands_out_again_after_a_death,
    acknowledges_nothing_too_late,
    hands_back_nothing_too_late,
    hands_back_at_once,
    hands_back_with_a_delay,
    renews,
    renews_nothing_too_late,
    keeps_the_order_of_keys,
)
