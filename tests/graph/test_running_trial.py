"""Changes of a graph that runs which are not done in time, or whose new nodes fail."""

import asyncio
from typing import Any

import pytest

from streamkit import GraphError, LateChangeError, RolledBackError
from streamkit.graph import Graph, RunningGraph
from streamkit.testing import run
from tests.files import over
from tests.graph.world import COUNT, N, World, listed, mapped, turns

ITEMS = [*range(COUNT)]


async def rolled_back(applied: Any, words: str) -> None:
    with pytest.raises(RolledBackError, match=words) as caught:
        await applied
    assert applied.error is caught.value
    assert isinstance(caught.value.__cause__, ValueError)
    assert applied.done


def test_a_change_that_is_not_done_in_time_goes_on_or_is_taken_back() -> None:
    async def main() -> None:
        world = World()
        go = asyncio.Event()
        world.registry.add("stalls", go.wait)

        async def stalled(item: int) -> int:
            await go.wait()
            return item

        world.registry.add("stalled", stalled)
        rest = {"n": N, "o": mapped("stalled", "a"), "p": listed("o")}
        graph = world.graph(**rest, a=mapped("same", "n"))
        running = graph.start()
        world.allow(COUNT)
        await asyncio.sleep(1)  # all wait for the one that is stalled
        new = world.graph(**rest, a=mapped("same", "x"), x=mapped("ten", "n"))
        told = str(running.explain())
        with pytest.raises(LateChangeError, match="the change was taken back"):
            await running.apply(new, deadline=2.0)
        assert running.graph is graph
        assert asyncio.get_running_loop().time() == pytest.approx(3.0)
        assert str(running.explain()) == told, "what was to come is gone"
        changed = world.graph(**rest, a=mapped("ten", "n"))
        applied = await running.apply(changed, deadline=1.0)
        assert applied.done, "what is taken out passes on what it has, though nobody asks for that"
        go.set()
        result = await world.end(running)
        assert result in [[*range(many), *range(10 * many, 10 * COUNT, 10)] for many in range(COUNT + 1)]
        assert world.told == ["open 0", "close 0"]

    run(main, schedules=10, seed=1)


def test_a_change_that_another_reader_holds_up_is_taken_back_or_goes_on_where_a_source_is_new() -> None:
    async def main() -> None:
        world = World()
        rest = {"n": N, "s": mapped("slow", "n"), "p": listed("s"), "o": listed("a")}
        graph = world.graph(**rest, a=mapped("same", "n"))
        running = graph.start()
        world.allow(COUNT)
        await asyncio.sleep(1.5)  # `n` waits for the slow one until 2.0
        told = str(running.explain())
        with pytest.raises(LateChangeError, match="taken back"):
            await running.apply(world.graph(**rest, a=mapped("ten", "n")), deadline=0.1)
        assert running.graph is graph
        assert str(running.explain()) == told
        more = {"m": {"source": [7]}, "r": listed("m")}
        with pytest.raises(LateChangeError, match="goes on: a has still to pass on"):
            await running.apply(world.graph(**rest, a=mapped("ten", "n"), **more), deadline=0.1)
        result = await world.end(running)
        assert (result["p"], result["r"]) == (ITEMS, [7])
        assert [item if place < 4 else item // 10 for place, item in enumerate(result["o"])] == ITEMS

    run(main)


def test_a_change_that_has_begun_goes_on_after_its_deadline() -> None:
    async def main() -> None:
        world = World()
        running = world.graph(n=N, a=mapped("slow", "n"), o=listed("a")).start()
        world.allow(1)
        await asyncio.sleep(0.5)
        new = world.graph(n=N, a=mapped("ten", "n"), o=listed("a"))
        with pytest.raises(LateChangeError, match="goes on: a has still to pass on what it holds"):
            await running.apply(new, deadline=0.1)
        assert running.graph is new
        assert await world.end(running) == [0, *range(10, 10 * COUNT, 10)]

    run(main)


def test_a_node_that_fails_on_trial_is_taken_back_and_no_item_is_lost() -> None:
    """It is changed, put between two others, or a sink; and fails at its first item, or a later one."""

    def graphs(world: World, shape: str) -> tuple[Graph, Graph, Any]:
        first = {"n": N, "a": mapped("same", "n"), "o": listed("a")}
        if shape == "changed":
            return world.graph(**first), world.graph(**{**first, "a": mapped("third", "n")}), ITEMS
        if shape == "put between":
            between = {"n": N, "x": mapped("third", "a"), "a": mapped("same", "n"), "o": listed("x")}
            return world.graph(**first), world.graph(**between), ITEMS
        if shape == "filter":
            first["a"] = {"batch": 2, "input": "n"}
            held = {**first, "a": {"filter": "third", "input": "n"}}
            return world.graph(**first), world.graph(**held), None
        write = {"n": N, "o": {"sink": "write", "input": "n"}}
        fails = {"n": N, "o": {"sink": "third", "input": "n"}}
        return world.graph(**write), world.graph(**fails), "written"

    async def main(shape: str, good: int) -> None:
        world, seen = World(), list[Any]()

        def third(item: Any) -> Any:
            if len(seen) == good:
                raise ValueError(f"at {item}")
            seen.append(item)
            return False if shape == "filter" else item

        world.registry.add("third", third)
        old, new, expected = graphs(world, shape)
        running = old.start(room=1 + good % 2)
        world.allow(4)
        await turns(7)
        applied = await running.apply(new, rollback=good + 1)
        world.allow(COUNT)
        await rolled_back(applied, r"rolled back: [axo]: ValueError: at \d+")
        assert running.graph is old
        result = await world.end(running)
        if expected == "written":
            assert sorted(world.written + seen) == ITEMS, "what the new sink has done is done"
        elif expected is None:
            assert sorted(item for batch in result for item in batch) == ITEMS, "also what it had left out"
        else:
            assert result == expected
        assert world.told == ["open 0", "close 0"]

    for number, shape in enumerate(("changed", "put between", "filter", "sink")):
        for good in range(3):
            run(lambda shape=shape, good=good: main(shape, good), schedules=4, seed=number)  # type: ignore[misc]


def test_a_new_branch_that_fails_on_trial_goes_and_the_rest_notices_nothing() -> None:
    async def main() -> None:
        world = World()
        first = world.graph(n=N, o=listed("n"))
        running = first.start()
        world.allow(3)
        await turns(5)
        branch = {"m": {"source": "forever"}, "z": {"join": "zip", "input": ["n", "m"]}}
        branch |= {"f": mapped("fail", "z"), "p": listed("f")}
        applied = await running.apply(world.graph(n=N, o=listed("n"), **branch), rollback=3)
        world.allow(6)
        await rolled_back(applied, "rolled back: f: ValueError")
        assert running.graph is first
        assert await world.end(running) == ITEMS
        assert world.told.count("open") == world.told.count("close") == 1

    run(main, schedules=20, seed=3)


def test_after_its_trial_an_error_is_that_of_the_graph() -> None:
    async def main(follows: bool) -> None:
        world = World()
        running: RunningGraph[Graph] = world.graph(n=N, a=mapped("same", "n"), o=listed("a")).start()

        def fails_at_five(item: int) -> int:
            if item == 5:
                raise ValueError(item)
            return item

        world.registry.add("five", fails_at_five)
        applied = await running.apply(world.graph(n=N, a=mapped("five", "n"), o=listed("a")), rollback=2)
        assert not applied.done
        world.allow(3)
        if follows:  # another change ends the trial of the one before it
            await running.apply(
                world.graph(n=N, a=mapped("five", "n"), o=listed("a"), p=listed("n")), rollback=99
            )
        else:
            await turns(30)
        assert await applied == {}
        world.allow(COUNT)
        with pytest.raises(ValueError, match="5"):
            await running

    for follows in (False, True):
        run(lambda follows=follows: main(follows), schedules=5, seed=4)  # type: ignore[misc]


def test_what_cannot_be_rolled_back_is_refused_and_nothing_is_touched() -> None:
    first = {"n": N, "m": N, "a": mapped("same", "n"), "o": listed("a"), "p": listed("m")}
    because = "rollback must be 0 for this change, because of the "
    refused: list[tuple[str, dict[str, Any]]] = [
        ("node a: it is no step", {"a": mapped("same", "n", concurrency=2)}),
        ("node a: it is no step", {"a": {**mapped("same", "n"), "strategy": {"Suspend": 2}}}),
        ("source m: it does not read", {"m": {**N, "args": {"start": 3}}}),
        ("node a: it does not read", {"a": mapped("ten", "m"), "q": listed("n")}),
        (
            "node [xy]: it is read by",
            {"x": mapped("same", "n"), "y": mapped("same", "x"), "a": mapped("same", "y")},
        ),
        ("node x: it is read by", {"x": mapped("same", "a"), "o": listed("x"), "q": listed("x")}),
    ]

    async def main() -> None:
        world = World()
        graph = world.graph(**first)
        running = graph.start()
        for words, change in refused:
            new = world.graph(**{**first, **change})
            with pytest.raises(ValueError, match=because + words):
                await running.apply(new, rollback=1)
            assert running.graph is graph
        without = world.graph(n=N, a=mapped("same", "n"), o=listed("a"))
        with pytest.raises(ValueError, match="it takes out m and p, which would begin anew"):
            await running.apply(without, rollback=1)
        wrong: list[tuple[dict[str, Any], type[Exception]]] = [
            ({"rollback": -1}, ValueError),
            ({"rollback": 1.5}, TypeError),
            ({"deadline": 0}, ValueError),
            ({"deadline": "soon"}, TypeError),
        ]
        for arguments, kind in wrong:
            with pytest.raises(kind, match=next(iter(arguments))):
                await running.apply(graph, **arguments)
        with pytest.raises(GraphError):
            await running.apply(world.graph(**{**first, "a": mapped("unknown", "n")}), rollback=1)
        assert await world.end(running) == {"o": ITEMS, "p": ITEMS}

    run(main)


A, X, P = mapped("same", "n"), mapped("fail", "n"), listed("a")
FILTER = {"filter": "fail", "input": "n"}
FOLLOWING: list[tuple[str, list[dict[str, Any]], str]] = [
    ("changed", [{"a": A, "p": P}, {"a": X, "p": P}, {"a": FILTER, "p": P}], "rolled back"),
    (
        "more often",
        [{"a": A, "p": P}, {"a": X, "p": P}, {"a": FILTER, "p": P}, {"a": X, "p": P}],
        "rolled back",
    ),
    (
        "put between",
        [{"p": listed("n")}, {"x": X, "p": listed("x")}, {"x": FILTER, "p": listed("x")}],
        "rolled back",
    ),
    # the second as it was before the first, and it is sound
    ("back", [{"a": A, "p": P}, {"a": X, "p": P}, {"a": A, "p": P}], ""),
    # both together could not be taken back; so only the second is
    (
        "apart",
        [
            {"a": A, "p": P},
            {"a": A, "x": mapped("fail", "a"), "p": listed("x")},
            {"a": X, "x": mapped("fail", "a"), "p": listed("x")},
        ],
        "fails",
    ),
]
"""Graphs that follow each other while no item comes, and what becomes of the last change."""


@over(FOLLOWING, named=lambda each: each[0])
def test_a_change_whose_new_nodes_met_no_item_is_not_gone_back_to(
    case: tuple[str, list[dict[str, Any]], str],
) -> None:
    _, (first, *others), becomes = case

    async def main() -> None:
        world = World()
        graphs = [world.graph(n=N, **nodes) for nodes in (first, *others)]
        running = graphs[0].start()
        world.allow(2)
        applied: Any = None
        for graph in graphs[1:]:
            await asyncio.sleep(1)
            applied = await running.apply(graph, rollback=3)
        world.allow(4)
        if becomes:
            await rolled_back(applied, "ValueError: 2")
            assert running.graph is graphs[0 if becomes == "rolled back" else -2]
        if becomes == "fails":
            with pytest.raises(ValueError, match="2"):
                await running
        else:
            assert await world.end(running) == ITEMS

    run(main)


def test_a_graph_that_is_cancelled_before_it_begins_leaves_no_node_behind() -> None:
    async def main() -> None:
        world = World()
        running = world.graph(n=N, p=listed("n")).start()
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        task.uncancel()
        assert running.done
        await running.stop()
        assert world.told in ([], ["open 0", "close 0"])

    run(main)
