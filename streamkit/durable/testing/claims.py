"""Checks of what is stored, handed out, acknowledged, counted and purged."""

from __future__ import annotations

import asyncio

from streamkit.durable.messages import Depth, Entry, Message
from streamkit.durable.testing.lab import CarrierLab, bodies, entries, holds

__all__ = ["CHECKS"]


async def hands_out_what_is_stored(lab: CarrierLab) -> None:
    """What is appended is handed out as it was: its bytes, its key and its headers, in order."""
    stored = [
        Entry(b""),
        Entry(bytes(range(256)), "a key", headers={"one": "1", "größe": "ß"}),
        Entry(b"x" * 300_000, "a key"),
    ]
    async with lab.connected() as (one,):
        await one.append(stored)
        found = {each.body: each for each in await lab.claimed(one, 3)}
    holds(found.keys() == {each.body for each in stored}, f"handed out {len(found)} of 3, or other bytes")
    for entry in stored:
        message = found[entry.body]
        holds(message.key == entry.key, f"stored with the key {entry.key!r}, handed out with {message.key!r}")
        holds(dict(message.headers) == dict(entry.headers), f"headers became {dict(message.headers)}")
        holds(message.times == 1, f"handed out {message.times} times at first")


async def keeps_order(lab: CarrierLab) -> None:
    """One reader is handed out what it was not handed out before, in the order of the appends."""
    async with lab.connected() as (one,):
        await one.append(entries("a", "b", "c", key="k"))
        await one.append(entries("d", key="k"))
        found = bodies(await lab.claimed(one, 4))
    holds(found == ["a", "b", "c", "d"], f"a, b, c, d came as {found}")


async def survives_its_connection(lab: CarrierLab) -> None:
    """What was appended is there when the connection is closed, and for others."""
    async with lab.connected() as (one,):
        await one.append(entries("a", "b"))
    async with lab.connected() as (one,):
        found = bodies(await lab.claimed(one, 2))
    holds(sorted(found) == ["a", "b"], f"after another connection there is {found}")


async def forgets_what_is_acknowledged(lab: CarrierLab) -> None:
    """What is acknowledged in time never comes again, and nothing else is forgotten."""
    async with lab.connected(2) as (one, two):
        await one.append(entries("a", "b", "c"))
        found = await lab.claimed(one, 3)
        middle = [each for each in found if each.body == b"b"]
        lost = await one.acknowledge("readers", middle)
        holds(not lost, "a lease that has not ended counts as lost")
        await one.hand_back("readers", [each for each in found if each.body != b"b"])
        again = await lab.claimed(two, 2)
        holds(sorted(bodies(again)) == ["a", "c"], f"without b, there is {bodies(again)}")
        holds(not await two.acknowledge("readers", again), "an acknowledgement in time counts as late")
        await lab.nothing(one, "all is acknowledged")
        holds(await one.depth("readers") == Depth(0, 0), f"nothing is left: {await one.depth('readers')}")


async def hands_out_once(lab: CarrierLab) -> None:
    """Readers of one group share what there is: nothing is handed out twice while a lease lasts."""
    names = [str(number) for number in range(10)]
    async with lab.connected(2) as (one, two):
        await one.append(entries(*names))
        first = await lab.claimed(one, 5)
        second = await lab.claimed(two, 5)
        holds(sorted(bodies([*first, *second])) == names, f"{bodies(first)} and {bodies(second)} of {names}")
        await lab.nothing(two, "all is handed out")
        await lab.nothing(one, "all is handed out")


async def claims_no_more_than_asked(lab: CarrierLab) -> None:
    """A claim of at most two is answered with one or two."""
    async with lab.connected() as (one,):
        await one.append(entries("a", "b", "c"))
        found = await one.claim("readers", 2, lab.long, lab.patience)
        holds(1 <= len(found) <= 2, f"asked for 2 at most, got {bodies(found)}")


async def waits_for_the_first(lab: CarrierLab) -> None:
    """A claim that waits is answered when something is appended, in another connection too."""
    loop = asyncio.get_running_loop()
    async with lab.connected(2) as (one, two):
        await lab.nothing(one, "nothing was appended")
        waiting = asyncio.ensure_future(one.claim("readers", 1, lab.long, lab.patience))
        await asyncio.sleep(0.05)  # for the claim to wait at the carrier, which tells nobody when it does
        await two.append(entries("a"))
        begun = loop.time()
        found = bodies(await waiting)
        late = loop.time() - begun
        holds(found == ["a"], f"a claim that waits for a is answered with {found}")
        holds(late < lab.patience / 2, f"it was told {late:.2f} s after the append")


async def loses_nothing_of_a_cancelled_claim(lab: CarrierLab) -> None:
    """What a claim has got when it is cancelled is handed back."""
    async with lab.connected(2) as (one, two):
        for number, pause in enumerate((0.0, 0.0005, 0.002, 0.01)):
            waiting = asyncio.ensure_future(one.claim("readers", 1, lab.long, lab.patience))
            await asyncio.sleep(0.001)  # for the claim to be under way
            await two.append(entries(str(number)))
            await asyncio.sleep(pause)
            waiting.cancel()
            await asyncio.wait([waiting])
            left = 1 if waiting.cancelled() else 0
            found = await lab.claimed(two, left)
            holds(len(found) == left, f"{number} is not handed out after a cancelled claim")
            await two.acknowledge("readers", found)


async def serves_every_group(lab: CarrierLab) -> None:
    """Each group is handed out everything, whatever others acknowledge."""
    async with lab.connected() as (one,):
        await lab.nothing(one, "nothing was appended", group="first")
        await lab.nothing(one, "nothing was appended", group="second")
        await one.append(entries("a", "b"))
        for group in ("first", "second"):
            found = await lab.claimed(one, 2, group=group)
            holds(sorted(bodies(found)) == ["a", "b"], f"the group {group} is handed out {bodies(found)}")
            await one.acknowledge(group, found)
            await lab.nothing(one, "all is acknowledged", group=group)


async def delays(lab: CarrierLab) -> None:
    """An entry with a delay comes after it; those behind it do not wait."""
    loop = asyncio.get_running_loop()
    async with lab.connected() as (one,):
        begun = loop.time()
        await one.append([*entries("late", delay=2 * lab.lease), *entries("now")])
        found = await lab.claimed(one, 2, within=lab.lease)
        holds(bodies(found) == ["now"], f"before the delay, {bodies(found)} was handed out")
        found = await lab.claimed(one, 1)
        holds(bodies(found) == ["late"], f"after the delay, {bodies(found)} was handed out")
        holds(loop.time() - begun > 1.9 * lab.lease, "it came too early")
        holds(found[0].times == 1, f"it counts as handed out {found[0].times} times")


async def counts(lab: CarrierLab) -> None:
    """`depth` says how many wait, and how many are handed out and not acknowledged."""
    async with lab.connected() as (one,):
        await one.append(entries("a", "b", "c", "d"))
        found = await lab.claimed(one, 3)
        await one.acknowledge("readers", found[:1])
        depth = await one.depth("readers")
        holds(depth == Depth(1, 2), f"one waits and two are claimed: {depth}")
        await one.hand_back("readers", found[1:2])
        depth = await one.depth("readers")
        holds(depth == Depth(2, 1), f"two wait and one is claimed: {depth}")
        holds(depth.lag == 3, f"three are not acknowledged: {depth.lag}")


async def purges(lab: CarrierLab) -> None:
    """`purge` deletes all, says how many that were, and what comes later is handed out."""
    async with lab.connected(2) as (one, two):
        await one.append(entries("a", "b", "c"))
        found = await lab.claimed(one, 1)
        purged = await two.purge()
        holds(purged == 3, f"three were deleted: {purged}")
        await one.acknowledge("readers", found)  # which are gone: nothing is to be said of them
        await lab.nothing(one, "all was deleted")
        await one.append(entries("d"))
        found = await lab.claimed(two, 1)
        holds(bodies(found) == ["d"], f"after that, d is handed out: {bodies(found)}")
        holds(await two.depth("readers") == Depth(0, 1), f"one is claimed: {await two.depth('readers')}")


async def forgets_a_group(lab: CarrierLab) -> None:
    """A group that is forgotten is as if it had never claimed, and others are handed out what is theirs."""
    async with lab.connected() as (one,):
        await one.append(entries("a", "b"))
        await one.hand_back("gone", await lab.claimed(one, 1, group="gone"))
        found = await lab.claimed(one, 2)
        await one.acknowledge("readers", found[:1])
        holds(await one.forget("gone"), "a group that has claimed counts as unknown")
        holds(not await one.forget("gone"), "a group that was forgotten counts as known")
        depth = await one.depth("readers")
        holds(depth == Depth(0, 1), f"another group has one claimed, and now: {depth}")
        holds(not await one.acknowledge("readers", found[1:]), "another group has lost its lease")
        await one.append(entries("c"))
        found = await lab.claimed(one, 1)
        holds(bodies(found) == ["c"], f"another group is handed out {bodies(found)}")
        begun: list[Message] = []
        while "c" not in bodies(begun):  # where a and b are kept, they come before
            more = await lab.claimed(one, 1, group="gone")
            holds(more, f"begun anew, it is handed out {bodies(begun)}, and not c")
            begun += more
        holds({each.times for each in begun} == {1}, "what it was handed out before counts")


async def takes_nothing_for_nothing(lab: CarrierLab) -> None:
    """Calls with no entries and no messages do nothing."""
    async with lab.connected() as (one,):
        await one.append([])
        await lab.nothing(one, "nothing was appended")
        await one.acknowledge("readers", [])
        await one.hand_back("readers", [])
        holds(not await one.renew("readers", [], lab.lease), "nothing was renewed")


async def serves_several_tasks(lab: CarrierLab) -> None:
    """Calls of one connection may come from several tasks at once, while a claim waits too."""
    async with lab.connected() as (one,):
        waiting = asyncio.ensure_future(lab.claimed(one, 20))
        await asyncio.sleep(0)
        await asyncio.gather(*[one.append(entries(f"{number}a", f"{number}b")) for number in range(10)])
        found = await waiting
        holds(len({*bodies(found)}) == 20, f"{len({*bodies(found)})} of 20 are handed out")
        lost = await asyncio.gather(*[one.acknowledge("readers", [each]) for each in found])
        holds(not any(lost), "acknowledgements in time count as late")
        holds((await one.depth("readers")).lag == 0, "not all was acknowledged")


CHECKS = (
    hands_out_what_is_stored,
    keeps_order,
    survives_its_connection,
    forgets_what_is_acknowledged,
    hands_out_once,
    claims_no_more_than_asked,
    waits_for_the_first,
    loses_nothing_of_a_cancelled_claim,
    serves_every_group,
    delays,
    counts,
    purges,
    forgets_a_group,
    takes_nothing_for_nothing,
    serves_several_tasks,
)
