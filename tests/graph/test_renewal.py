"""Graphs that run, rewired around what has calls in flight, or a buffer: it begins anew; nothing is lost."""

import asyncio
import random
from typing import Any

import pytest

from streamkit import GraphError, LateChangeError, ops
from streamkit.testing import run
from tests.files import over
from tests.graph.world import COUNT, N, World, drawn, listed, mapped, turns

SCHEDULES = 8
ALL = [*range(COUNT)]

Nodes = dict[str, Any]
LATE: Nodes = mapped("late", "n", concurrency=3)
ZIP: Nodes = {"join": "zip", "strategy": {"Suspend": COUNT}}
BUFFER: Nodes = {"buffer": {"Suspend": 3}, "input": "n"}


@over(
    [("tasks", LATE), ("buffer", BUFFER), ("delay", {"delay": 1.0, "input": "n"})],
    named=lambda each: each[0],
)
def test_nodes_come_and_go_around_it_and_readers_go_from_it_to_its_source_and_back(
    case: tuple[str, Nodes],
) -> None:
    _, work = case
    base = {"n": N, "w": work}
    place: Nodes = {"enumerate": 0, "input": "w"}
    log = listed("n")
    steps: list[tuple[Nodes, tuple[str, ...]]] = [
        ({**base, "x": mapped("same", "n"), "w": {**work, "input": "x"}, "e": place, "p": log}, ()),
        (
            {**base, "x": mapped("same", "n"), "w": {**work, "input": "x"}, "e": {**place, "input": "y"}}
            | {"y": mapped("late", "w", concurrency=2), "p": log},
            (),
        ),
        ({**base, "e": place, "p": log}, ()),
        ({**base, "e": {**place, "input": "n"}, "p": listed("w")}, ("w",)),
        ({**base, "e": place, "p": log}, ("w",)),
        ({**base, "e": place, "p": listed("w")}, ("w",)),
        ({"n": N, "e": {**place, "input": "n"}, "p": log}, ()),
    ]

    async def main() -> None:
        world = World()
        running = world.graph(**base, e=place, o=listed("e"), p=log).start()
        for number, (step, renewed) in enumerate(steps, 1):
            world.allow(number + 3)
            await turns(3 + number % 3)
            applied = await running.apply(world.graph(**step, o=listed("e")))
            assert applied.difference.renewed == renewed
        # the node behind it has counted on
        assert await world.end(running) == {"o": [*enumerate(ALL)], "p": ALL}
        assert world.told == ["open 0", "close 0"]

    run(main, schedules=SCHEDULES, seed=1)


def test_two_change_places_and_each_item_goes_through_both_in_one_order() -> None:
    def ways(first: str, second: str, **more: Any) -> Nodes:
        one, other = mapped(first, "n", **more), mapped(second, first, **more)
        return {"n": N, "c": mapped("same", "n"), "d": listed("c"), first: one, second: other}

    async def main(**more: Any) -> None:
        world = World()
        for name in "abc":
            world.registry.add(name, marked(name))
        running = world.graph(**ways("a", "b", **more), o=listed("b")).start()
        world.allow(6)
        await turns(9)
        applied = await running.apply(world.graph(**ways("b", "a", **more), o=listed("a")))
        assert applied.difference.renewed == ("a", "b")
        assert str(applied.difference) == "rewired a, b, o; renewed a, b"
        found = (await world.end(running))["o"]
        assert [int(text[:-2]) for text in found] == ALL
        orders = [text[-2:] for text in found]
        assert orders == sorted(orders)
        assert {*orders} == {"ab", "ba"}

    def marked(name: str) -> Any:
        async def mark(item: Any) -> str:
            await asyncio.sleep(len(str(item)) % 2)
            return f"{item}{name}"

        return mark

    run(lambda: main(concurrency=3), schedules=SCHEDULES, seed=2)
    run(lambda: main(), schedules=SCHEDULES, seed=3)


def test_a_node_moves_to_the_front_and_no_item_passes_it_by() -> None:
    """What is inside of those between has not met it: they begin anew, too."""

    async def main() -> None:
        world = World()
        world.registry.add("plus", lambda number: number + 100)

        def graph(*names: str) -> Nodes:
            found: Nodes = {"n": N}
            for name, source in zip(names, ("n", *names), strict=False):
                found[name] = mapped("plus" if name == "c" else "late", source, concurrency=2)
            return {**found, "o": listed(names[-1])}

        running = world.graph(**graph("a", "b", "c")).start()
        world.allow(7)
        await turns(6)
        applied = await running.apply(world.graph(**graph("c", "a", "b")))
        assert applied.difference.renewed == ("a", "b", "c")
        assert await world.end(running) == [number + 100 for number in ALL]

    run(main, schedules=SCHEDULES, seed=4)


def test_a_zip_over_it_begins_with_the_same_item_of_each_way() -> None:
    async def main() -> None:
        world = World()
        base = {"n": N, "w": LATE, "o": listed("w")}
        running = world.graph(**base).start()
        world.allow(5)
        await turns(7)
        both = {"z": {"join": "zip", "input": ["n", "w"]}, "p": listed("z")}
        assert (await running.apply(world.graph(**base, **both))).difference.renewed == ("w",)
        world.allow(8)
        await turns(5)
        more = {**both, "z": {"join": "zip", "input": ["n", "w", "n"]}}
        assert (await running.apply(world.graph(**base, **more))).difference.renewed == ("w",)
        result = await world.end(running)
        assert result["o"] == ALL
        assert all(len({*row}) == 1 for row in result["p"]), "each beside its own"
        assert [row[0] for row in result["p"]] == ALL[COUNT - len(result["p"]) :]

    run(main, schedules=SCHEDULES, seed=5)


@over(
    [
        # it keeps something: of two items at least one would be lost, doubled or begun anew
        ("batch", {"batch": 2, "input": "n"}, {"o": listed("n"), "p": listed("w")}, "o.input"),
        ("throttle", {"throttle": 9.0, "input": "n"}, {"o": listed("n"), "p": listed("w")}, "o.input"),
        ("flat_map", {"flat_map": "listed", "concurrency": 2, "input": "n"}, {"o": listed("n")}, "o.input"),
        ("limit", mapped("late", "n", concurrency={"Limit": 2}), {"o": listed("n")}, "o.input"),
        ("made", {"operator": "made", "input": "n"}, {"o": listed("n")}, "o.input"),
        # the rows of a zip that stays would be of different items
        (
            "filter",
            {"filter": "odd", "input": "v"},
            {"z": {**ZIP, "input": ["n", "v"]}},
            "z.input[1]",
        ),
    ],
    named=lambda each: each[0],
)
def test_what_keeps_something_is_refused_by_name_and_nothing_is_touched(
    case: tuple[str, Nodes, Nodes, str],
) -> None:
    name, work, change, where = case

    async def main() -> None:
        world = World()
        world.registry.add("listed", lambda item: [item])
        world.registry.add("made", lambda: ops.map(lambda item: item, concurrency=2))
        base = {"n": N, "v": LATE, "w": work, "o": listed("w"), "p": listed("w"), "q": listed("v")}
        base |= {"z": {**ZIP, "input": ["n", "w"]}, "r": listed("z")} if name == "filter" else {}
        graph = world.graph(**base)
        running = graph.start()
        world.allow(5)
        await turns(5)
        with pytest.raises(GraphError) as caught:
            await running.apply(world.graph(**{**base, **change}))
        assert [each.where for each in caught.value.mistakes] == [f"nodes.{where}"]
        assert running.graph is graph
        assert (await world.end(running))["q"] == ALL

    run(main, schedules=5, seed=6)


def test_what_has_ended_does_not_begin_anew() -> None:
    async def main() -> None:
        world = World()
        base = {"n": N, "t": {"take": 2, "input": "n"}, "w": mapped("late", "t", concurrency=2)}
        running = world.graph(**base, o=listed("w"), p=listed("n")).start()
        world.allow(5)
        await asyncio.sleep(9.0)
        with pytest.raises(GraphError, match="p would miss what n and w have under way"):
            await running.apply(world.graph(**base, o=listed("w"), p=listed("w")))
        swapped = {**base, "t": {"take": 2, "input": "w"}, "w": mapped("late", "n", concurrency=2)}
        with pytest.raises(GraphError, match="w has ended, or reads nothing there any more"):
            await running.apply(world.graph(**swapped, o=listed("t"), p=listed("n")))
        assert await world.end(running) == {"o": [0, 1], "p": ALL}

    run(main)


def test_a_renewal_that_is_not_done_in_time_is_taken_back() -> None:
    async def main() -> None:
        world = World()
        free = asyncio.Event()

        async def stuck(item: Any) -> None:
            await free.wait()

        world.registry.add("stuck", stuck)
        base = {"n": N, "w": {"buffer": {"Suspend": 1}, "input": "n"}, "q": {"sink": "stuck", "input": "n"}}
        running = world.graph(**base, o=listed("w")).start()
        world.allow(COUNT)
        await asyncio.sleep(9.0)
        with pytest.raises(LateChangeError, match="taken back"):
            await running.apply(world.graph(**base, o=listed("n"), p=listed("w")), deadline=5.0)
        free.set()
        assert (await world.end(running))["o"] == ALL

    run(main, schedules=SCHEDULES, seed=7)


def test_random_changes_lose_and_double_nothing() -> None:
    applied = renewed = refused = 0

    async def main(seed: int) -> None:
        nonlocal applied, renewed, refused
        world, chance = World(), random.Random(f"ways {seed}")
        running = world.graph(**drawn(chance)).start(room=1 + seed % 3)
        for number in range(1, 6):
            world.allow(2 * number)
            await turns(chance.randint(0, 12))
            try:
                found = await running.apply(world.graph(**drawn(chance)))
                applied += 1
                renewed += bool(found.difference.renewed)
            except GraphError:
                refused += 1
        items = [*range(COUNT)]
        assert await world.end(running) == {
            "o": items,
            "p": items,
            "zipped": [*zip(items, items, strict=True)],
        }
        assert world.told == ["open 0", "close 0"]

    for seed in range(20):
        run(lambda seed=seed: main(seed), schedules=5, seed=seed)  # type: ignore[misc]
    assert applied > 200
    assert renewed > 30
    assert refused > 20
