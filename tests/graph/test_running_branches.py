"""Branches of graphs that run: they come and go, part and meet, and end before the others do."""

import asyncio
from functools import partial
from typing import Any

from streamkit.graph import Graph, Registry
from streamkit.testing import Faults, FaultySource, run
from tests.graph.world import COUNT, N, World, listed, mapped, turns

SCHEDULES = 30


def test_branches_and_sinks_come_and_go() -> None:
    async def main() -> None:
        world = World()
        first: dict[str, Any] = {"n": N, "o": listed("n")}
        second = first | {"t": mapped("ten", "n"), "p": listed("t")}
        running = world.graph(**first).start()
        world.allow(4)
        await turns(6)
        await running.apply(world.graph(**second))
        world.allow(8)
        await turns(12)
        applied = await running.apply(world.graph(**first))
        assert applied.difference.removed == ("p", "t")
        taken = (await applied)["p"]
        assert applied.done
        assert await world.end(running) == [*range(COUNT)]
        assert taken == [
            10 * number for number in range(COUNT) if taken and taken[0] <= 10 * number <= taken[-1]
        ]

    run(main, schedules=SCHEDULES, seed=2)


def test_ways_that_part_and_meet_again_go_over_to_another_source() -> None:
    async def main() -> None:
        world = World()
        ways = {
            "b": mapped("same", "e"),
            "c": mapped("same", "e"),
            "m": {"join": "merge", "input": ["b", "c"]},
        }
        rest: dict[str, Any] = {**ways, "o": listed("m"), "n": N, "p": listed("n")}
        running = world.graph(e=mapped("same", "n"), **rest).start()
        world.allow(4)
        await turns(20)
        other = {"source": "numbers", "args": {"start": 1, "much": 5}}
        await running.apply(world.graph(x=other, e=mapped("same", "x"), **rest))
        found = await world.end(running)
        assert sorted(found["o"]) == sorted([0, 1, 2, 3, 1, 2, 3, 4, 5] * 2)
        assert found["p"] == [*range(COUNT)]

    run(main)


def test_who_has_read_enough_reads_no_more_where_its_source_is_changed() -> None:
    async def main() -> None:
        world = World()
        rest = {"t": {"take": 1, "input": "a"}, "o": listed("t"), "p": listed("a")}
        running = world.graph(n=N, a=mapped("same", "n"), **rest).start()
        world.allow(3)
        await turns(20)
        await running.apply(world.graph(n=N, a=mapped("ten", "n"), **rest))
        found = await world.end(running)
        assert found == {"o": [0], "p": [0, 1, 2, *range(30, 10 * COUNT, 10)]}

    run(main)


def test_a_branch_may_come_and_go_while_an_item_is_on_its_way() -> None:
    async def main() -> None:
        world = World()
        numbers = {"source": "numbers", "args": {"much": 100}}
        first: dict[str, Any] = {"n": numbers, "s": mapped("slow", "n"), "o": listed("s")}
        running = world.graph(**first).start()
        world.allow(100)
        await asyncio.sleep(0.5)  # the source waits for room before `slow`
        came = await running.apply(world.graph(**first, p=listed("n")))
        went = await running.apply(world.graph(**first))
        assert await went == {"p": []}
        assert came.done
        assert await running == [*range(100)]

    run(main)


def test_stop_cuts_no_clean_up_short_and_need_not_be_followed_by_an_await() -> None:
    async def main(every: float | None, seconds: float) -> None:
        source = FaultySource([1], every=every, close_seconds=5.0)
        nodes = {"n": {"source": "source"}, "s": mapped("str", "n"), "o": listed("s")}
        running = Graph({"nodes": nodes}, registry=Registry({"source": source, "str": str})).start()
        try:
            await asyncio.sleep(seconds)
        finally:
            await running.stop()
            assert [visit.closed for visit in source.visits] in ([1], [])

    run(partial(main, None, 1.0))  # it closes by itself
    run(partial(main, 9.0, 1.0), faults=Faults.SHUTDOWN)  # the end of the program has cancelled it
