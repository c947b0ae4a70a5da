"""What a graph that runs tells of itself: what it holds, and what became of each item."""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from streamkit import BufferStats, GraphError, Suspend
from streamkit.graph.lanes import Lane, Port
from streamkit.testing import run
from tests.graph.world import COUNT, N, World, drawn, listed, mapped, turns


def balanced(stats: BufferStats) -> bool:
    gone = stats.delivered + stats.dropped + stats.folded + stats.refused + stats.held
    return stats.offered == gone and min(stats.delivered, stats.dropped, stats.refused, stats.held) >= 0


def test_it_tells_what_each_node_and_edge_holds_and_what_is_taken_out_until_it_is_gone() -> None:
    async def main() -> None:
        world = World()
        first = {"n": N, "b": {"batch": 3, "input": "n"}, "o": listed("b")}
        running = world.graph(**first).start(room=2)
        told = running.explain()
        assert [(part.text, part.kind, part.holds) for part in told.parts] == [
            ("n: numbers", "source", 0),
            ("n: (in hand)", "segment", 1),
            ("n -> b", "edge", 2),
            ("b: batch(3)", "segment", 3),
            ("b -> o", "edge", 6),  # of batches, each of which counts three
            ("o: to_list()", "segment", 3),
        ]
        assert told.bound == 15
        assert told.lookahead == 12
        assert repr(Suspend(2)) in str(told)
        second = {"n": N, "b": {"map": "slow", "concurrency": 4, "input": "n"}, "o": listed("b")}
        world.allow(2)
        await turns(8)
        applied = await running.apply(world.graph(**second))
        assert [part.text for part in running.explain().parts].count("n -> b") == 2, (
            "two batches, old and new"
        )
        world.allow(4)
        await applied
        texts = [part.text for part in running.explain().parts]
        assert "b: batch(3)" not in texts
        assert any(text.startswith("b: map(slow") for text in texts)
        assert await world.end(running) == [[0, 1], *range(2, COUNT)]

    run(main)


def test_edges_and_buffers_of_nodes_are_counted_and_those_of_nodes_that_are_gone() -> None:
    async def main() -> None:
        world = World()
        buffered = {**mapped("same", "n"), "strategy": {"DropOldest": 1}}
        running = world.graph(n=N, a=buffered, o=listed("a")).start()
        world.allow(5)
        await turns(40)
        found = {stats.operator: stats for stats in running.buffers()}
        assert [*found] == ["n -> a", "a: buffer(DropOldest(capacity=1))", "a -> o"]
        assert found["n -> a"].strategy == Suspend(1)
        assert found["n -> a"].offered == found["n -> a"].delivered == 5
        assert found["a: buffer(DropOldest(capacity=1))"].offered == 5
        applied = await running.apply(world.graph(n=N, o=listed("n")))
        world.allow(COUNT)
        await applied
        result = await running
        now = Counter[str]()
        for stats in running.buffers():
            assert balanced(stats)
            now[stats.operator] += stats.delivered
        assert now["n -> a"] + now["n -> o"] == COUNT
        assert now["a -> o"] + now["n -> o"] == len(result)

    run(main)


def test_random_changes_account_for_each_item_and_hold_no_more_than_is_told() -> None:
    """Offered is delivered, dropped, refused or held, on each edge and at any time; none is lost between."""
    changes = 0

    async def main(seed: int) -> None:
        nonlocal changes
        world, chance = World(), random.Random(f"accounts {seed}")
        begun = drawn(chance)
        running = world.graph(**begun).start(room=1 + seed % 3)
        for number in range(1, 6):
            world.allow(2 * number)
            await turns(chance.randint(0, 12))
            try:
                await running.apply(world.graph(**drawn(chance)))
                changes += 1
            except GraphError:
                pass
            inside = sum(stats.held for stats in running.buffers())
            assert all(map(balanced, running.buffers()))
            assert inside <= running.explain().bound
        items = [*range(COUNT)]
        assert await world.end(running) == {
            "o": items,
            "p": items,
            "zipped": [*zip(items, items, strict=True)],
        }
        found, arrived = running.buffers(), Counter[str]()
        assert all(map(balanced, found))
        for stats in found:
            if " -> " in stats.operator:
                arrived[stats.operator.partition(" -> ")[2]] += stats.delivered
                assert not stats.held
                assert not stats.dropped, "nobody left before the end"
        assert [arrived[name] for name in ("o", "p", "zipped")] == [COUNT, COUNT, 2 * COUNT]

    for seed in range(5):
        run(lambda seed=seed: main(seed), schedules=2, seed=seed)  # type: ignore[misc]
    assert changes > 20


def test_what_nobody_reads_any_more_is_counted_as_dropped() -> None:
    async def main() -> Any:
        world = World()
        world.allow(COUNT)
        took = {"t": {"take": 1, "input": "n"}, "o": listed("t")}
        running = world.graph(n=N, **took, p={"to_list": True, "input": "s"}, s=mapped("slow", "n")).start(
            room=4
        )
        await running
        found = {stats.operator: stats for stats in running.buffers()}
        assert found["n -> t"].delivered == 1
        assert found["n -> t"].offered == 1 + found["n -> t"].dropped + found["n -> t"].refused
        assert found["n -> t"].dropped + found["n -> t"].refused > 0
        assert found["n -> s"].delivered == COUNT
        assert found["n -> s"].seconds_full == pytest.approx(COUNT - 6, abs=2.0)

    run(main, limit=100)


def test_a_running_graph_that_has_ended_still_tells() -> None:
    async def main() -> None:
        world = World()
        running = world.graph(n=N, o=listed("n")).start()
        await asyncio.sleep(0)
        await world.end(running)
        assert [stats.delivered for stats in running.buffers()] == [COUNT]
        assert running.explain().parts

    run(main)


def test_an_item_whose_reader_is_cancelled_as_it_gets_it_is_not_lost() -> None:
    async def main() -> None:
        lane = Lane(Port(lambda: None), 1, "a -> b", 0)
        reading = asyncio.ensure_future(lane.take())
        await asyncio.sleep(0)
        lane.put(1)
        assert not lane.full, "it is in the hand of who has waited for it"
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert (lane.stats().held, lane.stats().delivered) == (1, 0)
        assert await lane.take() == 1
        assert lane.stats().delivered == 1

    run(main)
