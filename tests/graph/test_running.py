"""Graphs that are changed while they run: what holds, in many schedules."""

import asyncio
from itertools import chain
from typing import Any

import pytest

from streamkit import GraphError, StoppedError
from streamkit.graph import Graph, Registry
from streamkit.testing import run
from tests.graph.world import COUNT, N, World, listed, mapped, turns

SCHEDULES = 30


def test_nodes_are_added_taken_out_and_rewired_and_no_item_is_lost() -> None:
    async def main() -> None:
        world = World()
        place = {"enumerate": 1, "input": "n"}
        late = mapped("late", "n", concurrency=3)
        steps = [
            {"n": N, "e": place, "o": listed("e")},
            {"n": N, "l": late, "e": {**place, "input": "l"}, "o": listed("e")},  # one before it, with a task
            {"n": N, "l": late, "e": {**place, "input": "l"}, "s": mapped("same", "e"), "o": listed("s")},
            {"n": N, "b": {"batch": 5, "input": "n"}, "f": {"flatten": True, "input": "b"}}
            | {"e": {**place, "input": "f"}, "s": mapped("same", "e"), "o": listed("s")},
            {"n": N, "e": place, "o": listed("e")},
        ]
        running = world.graph(**steps[0]).start()
        for number, step in enumerate(steps[1:], 1):
            world.allow(2 * number)
            await turns(6)
            await running.apply(world.graph(**step))
        assert await world.end(running) == [(place + 1, place) for place in range(COUNT)]  # it has counted on
        assert world.told == ["open 0", "close 0"]

    run(main, schedules=SCHEDULES, seed=1)


def test_a_graph_that_runs_says_so_and_is_changed_in_its_loop_and_stopped_as_often_as_one_likes() -> None:
    async def main() -> None:
        world = World()
        running = world.graph(n=N, o=listed("n")).start()
        assert repr(running) == "<RunningGraph running Graph(n, o)>"
        applied = await running.apply(world.graph(n=N, o=listed("n")))
        assert repr(applied) == "<Applied done: no difference>"
        with pytest.raises(RuntimeError, match="runs in another event loop"):
            run(lambda: running.apply(world.graph(n=N, o=listed("n"))))
        await turns(5)
        await asyncio.gather(running.stop(), running.stop())
        await running.stop()
        assert repr(running) == "<RunningGraph done Graph(n, o)>"
        with pytest.raises(StoppedError):
            await running

    run(main)


def test_what_was_changed_is_told() -> None:
    async def main() -> None:
        world = World()
        old = world.graph(n=N, a=mapped("same", "n"), b=mapped("same", "a"), o=listed("b"))
        new = world.graph(
            n=N, a=mapped("ten", "n"), b=mapped("same", "n"), c=mapped("same", "a"), o=listed("b")
        )
        new = Graph(
            new.to_data() | {"nodes": {**new.to_data()["nodes"], "p": listed("c")}}, registry=world.registry
        )
        found = old.diff(new)
        assert (found.added, found.removed, found.changed, found.rewired) == (("c", "p"), (), ("a",), ("b",))
        assert found
        assert not old.diff(old)
        assert str(old.diff(old)) == "no difference"
        one, other = (
            world.graph(n={"source": [1]}, o=listed("n")),
            world.graph(n={"source": [True]}, o=listed("n")),
        )
        assert one.diff(other).changed == ("n",)
        with pytest.raises(ValueError, match="the same registry"):
            old.diff(Graph(old.to_data(), registry=Registry()))

    run(main)


def test_a_sink_that_is_changed_has_ended_before_the_next_writes() -> None:
    async def main() -> None:
        world = World()
        running = world.graph(n=N, o={"sink": "write", "input": "n", "concurrency": 2}).start()
        world.allow(5)
        await turns(7)
        await running.apply(world.graph(n=N, o={"sink": "write", "input": "n"}))
        await world.end(running)
        assert world.written == [*range(COUNT)]

    run(main, schedules=SCHEDULES, seed=3)


def test_a_zip_stays_in_step_when_its_ways_change() -> None:
    async def main() -> None:
        world = World()
        both = {"join": "zip", "input": ["n", "a"]}
        ways = [mapped("same", "n"), mapped("late", "n", concurrency=2), mapped("same", "n")]
        running = world.graph(n=N, a=ways[0], z=both, o=listed("z")).start()
        for number, way in enumerate(ways[1:], 1):
            world.allow(3 * number)
            await turns(8)
            await running.apply(world.graph(n=N, a=way, z=both, o=listed("z")))
        world.allow(8)
        await turns(4)
        # another zip, over ways of its own
        more = {"x": mapped("late", "n"), "y": {"join": "zip", "input": ["n", "x"]}, "p": listed("y")}
        await running.apply(world.graph(n=N, a=ways[-1], z=both, o=listed("z"), **more))
        result = await world.end(running)
        pairs = [(number, number) for number in range(COUNT)]
        assert result["o"] == pairs
        assert result["p"] == pairs[COUNT - len(result["p"]) :]
        assert len(result["p"]) >= COUNT - 8

    run(main, schedules=SCHEDULES, seed=4)


def test_what_cannot_be_changed_is_refused_by_name_and_nothing_is_touched() -> None:
    z, both = {"join": "zip", "input": ["n", "a"]}, {"n": N, "a": {"throttle": 1000.0, "input": "n"}}
    start = {**both, "z": z, "o": listed("z"), "b": {"batch": 2, "input": "a"}, "p": listed("b")}
    refused: list[tuple[str, dict[str, Any]]] = [
        ("nodes.q", {"q": {"join": "zip", "input": ["n", "a"]}, "r": listed("q")}),  # over ways that run
        ("nodes.z", {"z": {**z, "input": ["n", "a", "n"]}}),
        ("nodes.z.input[1]", {"z": {"join": "zip", "input": ["n", "b"]}}),
        ("nodes.z.input[1]", {"z": {"join": "zip", "input": ["n", "m"]}, "m": N}),
        ("nodes.b.input", {"b": {"batch": 2, "input": "n"}}),  # it would get again what `a` has under way
        ("nodes.o", {"o": {"count": True, "input": "b"}, "z": {**z, "input": ["n", "a"]}, "r": listed("z")}),
        ("nodes.b", {"b": {"retry": 3, "input": "a"}}),
        ("nodes.b.map", {"b": mapped("unknown", "a")}),  # an ordinary mistake
    ]

    async def main() -> None:
        world = World()
        graph = world.graph(**start)
        running = graph.start()
        world.allow(5)
        for where, change in refused:
            await turns(5)
            with pytest.raises(GraphError) as caught:
                await running.apply(world.graph(**{**start, **change}))
            assert [each.where for each in caught.value.mistakes] == [where]
        assert running.graph is graph
        # where all on the ways to it begins anew, it can be done
        anew = {
            "n": N,
            "c": mapped("same", "n"),
            "z": {"join": "zip", "input": ["n", "c", "n"]},
            "o": listed("z"),
        }
        await running.apply(world.graph(**anew, b={"batch": 2, "input": "c"}, p=listed("b")))
        result = await world.end(running)
        assert [pair[0] for pair in result["o"]] == [*range(COUNT)] == [*chain(*result["p"])]
        assert {len(pair) for pair in result["o"]} == {2, 3}
        with pytest.raises(RuntimeError, match="has ended"):
            await running.apply(graph)

    run(main, schedules=20, seed=5)


def test_a_node_goes_from_one_to_another_that_stay_between_the_same_two_items() -> None:
    """Also over a filter, and in a zip, whose inputs stay in step where each way gives one item for each."""

    async def main() -> None:
        world = World()
        stay = {
            "n": N,
            "a": mapped("same", "n"),
            "f": {"filter": "odd", "input": "a"},
            "x": mapped("ten", "a"),
        }
        stay |= {"q": listed("f"), "r": listed("x")}

        def graph(p: str, other: str) -> Graph:
            joined = {"z": {"join": "zip", "input": ["n", other]}, "o": listed("z")}
            return world.graph(**stay, p=listed(p), **joined)

        running = graph("f", "x").start(room=2)
        for number, (p, other) in enumerate([("a", "a"), ("f", "n"), ("n", "x"), ("f", "a")], 1):
            world.allow(2 * number)
            await turns(1 + number % 3)
            await running.apply(graph(p, other))
        result = await world.end(running)
        items = [*range(COUNT)]
        assert [one for one, _ in result["o"]] == items
        assert all(other in {one, 10 * one} for one, other in result["o"]), "each beside its own"
        assert (result["q"], result["r"]) == (items[1::2], [10 * item for item in items])
        assert result["p"] == sorted({*result["p"]}), "none twice, and in order"
        assert {*items[1::2]} <= {*result["p"]}, "none is lost that each of its ways gives"

    run(main, schedules=SCHEDULES, seed=11)


def test_a_node_goes_over_behind_an_item_for_which_another_way_has_no_room() -> None:
    """What has come from above the change goes on to both, and at its source no way comes or goes."""

    async def main() -> None:
        world = World()
        stay = {
            "n": N,
            "a": mapped("slow", "n"),
            "b": mapped("same", "n"),
            "o": listed("a"),
            "q": listed("b"),
        }
        running = world.graph(**stay, p=listed("a")).start()
        world.allow(5)
        await asyncio.sleep(0.5)
        async with asyncio.timeout(9.0):
            await (await running.apply(world.graph(**stay, p=listed("b"))))
        assert "b -> p" in {each.operator for each in running.buffers() if each.offered}
        assert (await world.end(running))["p"] == [*range(COUNT)]

    run(main, schedules=5, seed=12)


def test_what_is_taken_out_passes_on_what_it_has_where_its_readers_wait_for_who_comes_next() -> None:
    async def main() -> None:
        world = World()
        first = {"n": N, "b": mapped("late", "n"), "a": mapped("late", "n"), "q": listed("b")}
        first |= {"z": {"join": "zip", "input": ["b", "a"]}, "o": listed("z")}
        second = first | {"a": mapped("same", "b"), "z": {"join": "zip", "input": ["a", "n"]}}
        running = world.graph(**first).start()
        world.allow(6)
        await asyncio.sleep(2.5)
        await running.apply(world.graph(**second))  # the new `a` begins when the old one has left its items
        items = [*range(COUNT)]
        assert await world.end(running) == {"o": [*zip(items, items, strict=True)], "q": items}

    run(main, schedules=10, seed=12)


def test_a_source_is_closed_before_the_one_in_its_place_is_opened() -> None:
    async def main() -> None:
        world = World()
        one, other = ({**N, "args": {"start": start, "much": 4}} for start in (0, 4))
        running = world.graph(n=one, a=mapped("late", "n"), o=listed("a")).start()
        world.allow(3)
        await turns(12)
        await (await running.apply(world.graph(n=other, a=mapped("late", "n"), o=listed("a"))))
        result = await world.end(running)
        assert result == [*range(len(result) - 4), 4, 5, 6, 7]
        assert world.told in (["open 0", "close 0", "open 4", "close 4"], ["open 4", "close 4"])

    run(main, schedules=SCHEDULES, seed=6)


def test_errors_go_the_way_of_the_items_and_end_the_graph_unless_a_node_takes_them() -> None:
    async def main() -> None:
        world = World()
        world.allow(COUNT)
        fails = {
            "n": N,
            "m": {"source": "forever"},
            "a": mapped("same", "n"),
            "o": listed("a"),
            "p": listed("m"),
        }
        running = world.graph(**fails).start()
        await running.apply(world.graph(**{**fails, "a": mapped("fail", "n")}))
        with pytest.raises(ValueError, match="0"):
            await running
        assert running.done
        assert world.told.count("close") == world.told.count("open")
        caught = world.graph(
            n=N, a=mapped("fail", "n"), c={"catch": "told", "input": "a"}, o=listed("c")
        ).start()
        assert await caught == ["0"]
        ended = world.graph(n={"source": "forever"}, t={"take": 1, "input": "n"}, o=listed("t")).start()
        assert await ended == [0]
        assert world.told.count("close") == world.told.count("open")

    run(main, schedules=20, seed=7)


def test_it_is_stopped_and_knows_its_context_and_its_loop() -> None:
    world = World()
    graph = world.graph(n={"source": "forever"}, a=mapped("tagged", "n"), o=listed("a"))
    with pytest.raises(RuntimeError, match="no running event loop"):
        graph.start(context=1)

    async def main() -> None:
        with pytest.raises(GraphError, match="asks for the context"):
            graph.start()
        running = graph.start(context=7)
        await turns(9)
        took = {"t": {"take": 1, "input": "a"}, "o": listed("t")}
        await running.apply(
            world.graph(n={"source": "forever"}, a=mapped("tagged", "n"), **took, p=listed("a"))
        )
        await running.stop()
        with pytest.raises(StoppedError):
            await running
        assert world.told == ["open", "close"]

    run(main)


def test_what_has_ended_stays_so_and_what_was_taken_out_is_waited_for() -> None:
    async def main() -> None:
        world = World()
        first = {"n": N, "t": {"take": 1, "input": "n"}, "o": listed("t")}
        second = {"m": N, "s": mapped("slow", "m"), "p": listed("s")}
        running = world.graph(**first, **second).start()
        world.allow(3)
        await asyncio.sleep(0.5)  # `t` has ended; `s` has one in hand, and more behind it
        refused = {
            "nodes.t.input": {"t": {"take": 1, "input": "m"}, "q": listed("n")},
            "nodes.n": {"n": {**N, "args": {"start": 1}}},
        }
        for where, change in refused.items():
            with pytest.raises(GraphError, match="ended") as caught:
                await running.apply(world.graph(**{**first, **second, **change}))
            assert [each.where for each in caught.value.mistakes] == [where]
        applied = await running.apply(world.graph(**first))
        assert await running == [0]
        assert applied.done
        left = (await applied)["p"]
        assert left == [*range(len(left))]
        assert len(left) >= 2

    run(main, schedules=10, seed=9)


def test_what_was_to_begin_and_is_not_needed_any_more_holds_back_nobody() -> None:
    async def main() -> None:
        world = World()
        rest = {"n": N, "t": {"take": 2, "input": "a"}, "o": listed("t"), "p": listed("n")}
        running = world.graph(**rest, a=mapped("slow", "n")).start()
        world.allow(2)
        await asyncio.sleep(0.5)
        await running.apply(world.graph(**rest, a=mapped("slow", "n", concurrency=2)))
        assert await world.end(running) == {"o": [0, 1], "p": [*range(COUNT)]}

    run(main, schedules=10, seed=10)


def test_a_source_that_never_waits_can_be_taken_out() -> None:
    async def main() -> None:
        world = World()
        read = {"a": mapped("slow", "n"), "o": listed("a")}
        running = world.graph(n={"source": "endless"}, **read).start(room=2)
        await asyncio.sleep(3.5)
        await running.apply(world.graph(n={"source": [-1]}, **read))
        result = await running
        assert result == [*range(len(result) - 1), -1]
        assert 5 <= len(result) <= 10
        assert world.allowed == len(result) - 2  # the last that it was asked for

    run(main, limit=100)


def test_a_way_that_holds_more_after_a_change_has_the_others_wait_with_as_many() -> None:
    async def main() -> float:
        world = World()
        loop = asyncio.get_running_loop()
        both = {"z": {"join": "zip", "input": ["n", "a"]}, "o": listed("z")}
        running = world.graph(n=N, a=mapped("slow", "n"), **both).start()
        await asyncio.sleep(0.5)
        await running.apply(world.graph(n=N, a=mapped("slow", "n", concurrency=COUNT), **both))
        began = loop.time()
        assert await world.end(running) == [(number, number) for number in range(COUNT)]
        return loop.time() - began

    assert run(main) == pytest.approx(1.0)
