"""Random graphs: each ends and gives what plain lists give; or `check` has said why it might not."""

import asyncio
import random
from typing import Any

import pytest

from streamkit.graph import Edge, Fault, Graph, Node, Registry
from streamkit.testing import run

Found = tuple[bool, list[Any]] | None
"""The items of a node, and whether their order is known; None where not even they are."""
SAID = {Fault.MISSING_STRATEGY, Fault.WRONG_INPUT}


def numbers(count: int) -> Any:
    return iter(range(count))


def same(item: Any) -> Any:
    return item


async def slow(item: Any) -> Any:
    await asyncio.sleep(0.5)
    return item


def picked(item: Any) -> bool:
    return len(str(item)) % 2 == 1


KNOWN = Registry({"numbers": numbers, "same": same, "slow": slow, "picked": picked})


def drawn(chance: random.Random) -> dict[str, Any]:
    """The nodes of a graph: what nobody reads ends in a sink, and some others do."""
    nodes: dict[str, Any] = {
        f"s{number}": {"source": "numbers", "args": {"count": chance.randint(0, 6)}}
        for number in range(chance.randint(1, 2))
    }
    for number in range(chance.randint(1, 8)):
        names = [*nodes]
        several = [chance.choice(names) for _ in range(chance.randint(1, 3))]
        node: dict[str, Any] = chance.choice(
            [
                {"map": "same"},
                {"map": "slow", "concurrency": chance.randint(1, 4)},
                {"filter": "picked"},
                {"take": chance.randint(1, 3)},
                {"batch": chance.randint(1, 3)},
                *[{"join": chance.choice(["zip", "zip", "merge", "concat", "latest", "race"])}] * 4,
            ]
        )
        nodes[f"n{number}"] = {**node, "input": several if "join" in node else several[0]}
        if chance.random() < 0.1:
            nodes[f"n{number}"]["strategy"] = {"Suspend": chance.choice([2, 50])}
    read = {name for node in nodes.values() for name in node.get("input", "")} | {
        node["input"] for node in nodes.values() if isinstance(node.get("input"), str)
    }
    for name in [*nodes]:
        if name not in read or chance.random() < 0.15:
            nodes[f"o{name}"] = {"to_list": True, "input": name}
    return nodes


def expected(node: Node, edges: list[Edge], found: dict[str, Found]) -> Found:
    """What plain lists say of a node."""
    keys, inputs = node.keys, [found[edge.source] for edge in edges]
    if "source" in keys:
        return True, [*range(keys["args"]["count"])]
    if any(each is None for each in inputs):
        return None
    ordered, lists = all(each[0] for each in inputs if each), [each[1] for each in inputs if each]
    match keys:
        case {"join": "merge"}:
            return False, [item for items in lists for item in items]
        case {"join": "zip"} if ordered:
            return True, [*zip(*lists, strict=False)]
        case {"join": "concat"} if ordered:
            return True, [item for items in lists for item in items]
        case {"filter": _}:
            return ordered, [item for item in lists[0] if picked(item)]
        case {"take": count} if ordered:
            return True, lists[0][:count]
        case {"batch": size} if ordered:
            return True, [lists[0][at : at + size] for at in range(0, len(lists[0]), size)]
        case {"map": _} | {"to_list": _}:
            return ordered, lists[0]
    return None


@pytest.mark.parametrize("seed", range(3))
def test_random_graphs_give_what_lists_give(seed: int) -> None:
    ran = 0
    for number in range(40):
        graph = Graph({"nodes": drawn(random.Random(f"{seed} {number}"))}, registry=KNOWN)
        if graph.check():
            assert {each.fault for each in graph.check()} <= SAID
            continue
        ran += 1
        result = run(graph.job)
        found: dict[str, Found] = {}
        sinks = [name for name in graph.nodes if name.startswith("o")]
        for node in graph.wiring.order:
            found[node.name] = known = expected(node, node.inputs, found)
            if node.name in sinks and known is not None:
                got = result[node.name] if len(sinks) > 1 else result
                key = None if known[0] else str
                assert (got if key is None else sorted(got, key=key)) == (
                    known[1] if key is None else sorted(known[1], key=key)
                ), (seed, number, node.name)
    assert ran >= 15


def test_ways_that_meet_in_many_schedules() -> None:
    nodes: dict[str, Any] = {"n": {"source": "numbers", "args": {"count": 3}}}
    nodes |= {"a": {"map": "slow", "input": "n", "concurrency": 2}, "b": {"map": "same", "input": "a"}}
    nodes |= {"z": {"join": "zip", "input": ["n", "b", "a"]}, "o": {"to_list": True, "input": "z"}}
    nodes |= {"f": {"filter": "picked", "input": "a"}, "p": {"count": True, "input": "f"}}

    async def main() -> None:
        found = await Graph({"nodes": nodes}, registry=KNOWN).job()
        assert found == {"o": [(0, 0, 0), (1, 1, 1), (2, 2, 2)], "p": 3}

    run(main, schedules=30, seed=1)


def test_whatever_stands_in_the_data_is_a_mistake_and_no_error() -> None:
    chance = random.Random(7)
    junk: list[Any] = [None, True, 0, -1, 1.5, "", "x", "n", [], [1], ["n"], {}, {"a": 1}, {"n": []}, [[]]]
    junk.append({1: 2})
    extra = ["x", "join", "input", "strategy", "args", 3, "on_error", "aligned"]
    policy = {"Retry": {"attempts": 2}}
    inner = {"inputs": ["x"], "output": "y", "nodes": {"y": {"take": 2, "input": "x"}}}
    pipe = [{"map": "same"}, {"to_list": True}]
    good: dict[str, Any] = {
        "n": {"source": "numbers", "args": {"count": 3}},
        "m": {"map": "same", "input": "n", "concurrency": 2, "on_error": policy, "strategy": "KeepLatest"},
        "g": {"graph": inner, "input": "m"},
        "w": {"window": {"Tumbling": {"count": 2}}, "pipe": pipe, "input": "g"},
        "z": {"join": {"zip": {"lookahead": 2}}, "input": ["w", "w"], "aligned": True},
        "o": {"to_list": True, "input": "z"},
    }
    moment = {"at": 1, "item": 2}
    tests: list[Any] = [{"name": "a", "sources": {"n": [moment]}, "expect": {"o": [1]}, "seconds": 2}]

    def spoilt(value: Any) -> Any:
        if chance.random() < 0.06:
            return chance.choice(junk)
        if isinstance(value, dict):
            made = {key: spoilt(each) for key, each in value.items() if chance.random() > 0.03}
            if chance.random() < 0.05:
                made[chance.choice(extra)] = chance.choice(junk)
            return made
        return [spoilt(each) for each in value] if isinstance(value, list) else value

    seen = set[str]()
    for _ in range(200):
        graph = Graph({"nodes": spoilt(good), "tests": spoilt(tests)}, registry=KNOWN)
        seen |= {each.fault for each in graph.check()}
        assert all(str(each) for each in graph.check())
        assert graph.diagram("svg")
    assert len(seen) >= 7
