"""What users of a graph of coroutines relied on, and its defects, which must be gone: by their numbers.

The numbers are those of the list of features in the project's notes. There, a graph is a dict of nodes, each
a task for each item, with queues between them.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from itertools import permutations
from typing import Any

import pytest

import streamkit
from streamkit import GraphError
from streamkit.graph import Graph, Registry
from streamkit.testing import run

RAN: list[str] = []


def words() -> Iterator[str]:
    yield "abc"


def count_to(num: int) -> Iterator[int]:
    yield from range(num)


def reverse(text: str) -> str:
    return text[::-1]


def upper(text: str) -> str:
    return text.upper()


def add(number: int, by: int = 1) -> int:
    return number + by


def times(number: int, by: int = 2) -> int:
    return number * by


def fails_at(number: int, at: int) -> int:
    if number in (at, at - 1):
        raise ValueError(number)
    return number * 10


async def later(number: int) -> int:
    await asyncio.sleep(5 - number % 5)
    return number


def with_sid(number: int, context: dict[str, int]) -> tuple[int, int]:
    return context["sid"], number


def registry() -> Registry:
    known = Registry({"words": words, "count_to": count_to, "S.reverse": reverse, "S.upper": upper})
    for each in (add, times, fails_at, later, with_sid):
        known.add(each.__name__, each)
    return known


def result(nodes: dict[str, Any], *, known: Registry | None = None, **given: Any) -> Any:
    graph = Graph({"nodes": nodes}, registry=known or registry())
    return run(lambda: graph.job(**given))


N = {"source": "count_to", "args": {"num": 5}}


def out(of: Any = "a") -> dict[str, Any]:
    return {"to_list": True, "input": of}


class TestNodes:
    def test_pl1_a_graph_is_a_dict_of_nodes(self) -> None:
        nodes = {"inp": {"source": [0, 1, 2]}, "a": {"map": "add", "input": "inp"}}
        assert result({**nodes, "b": {"map": "times", "input": "a"}, "out": out("b")}) == [2, 4, 6]

    def test_pl2_functions_are_names_which_a_registry_resolves(self) -> None:
        nodes = {"inp": {"source": "words"}, "a": {"map": "S.reverse", "input": "inp"}, "out": out()}
        assert result(nodes) == result(json.loads(json.dumps(nodes))) == ["cba"]

    def test_pl3_arguments_of_a_node_are_those_of_its_function(self) -> None:
        nodes = {"inp": {"source": "count_to", "args": {"num": 3}}, "a": {"map": "add", "input": "inp"}}
        nodes["a"]["args"] = {"by": 10}
        assert result({**nodes, "out": out()}) == [10, 11, 12]

    def test_pl4_a_node_without_inputs_makes_items(self) -> None:
        async def makes(count: int) -> AsyncIterator[str]:
            for _ in range(count):
                yield str(uuid.uuid4())

        known = Registry({"makes": makes})
        found = result({"a": {"source": "makes", "args": {"count": 20}}, "out": out()}, known=known)
        assert len(set(found)) == 20

    def test_pl5_what_a_function_returns_is_passed_on(self) -> None:
        assert result({"i": {"source": "words"}, "a": {"map": "S.reverse", "input": "i"}, "out": out()}) == [
            "cba"
        ]

    def test_pl9_many_at_once_leave_as_they_are_done_if_that_is_said(self) -> None:
        slow = {"map": "later", "input": "i", "concurrency": 5}
        assert result({"i": N, "a": slow, "out": out()}) == [0, 1, 2, 3, 4]
        assert result({"i": N, "a": {**slow, "ordered": False}, "out": out()}) == [4, 3, 2, 1, 0]

    def test_pl11_what_all_nodes_share_is_handed_to_those_that_ask(self) -> None:
        nodes = {"i": N, "a": {"map": "with_sid", "input": "i"}, "out": out()}
        assert result(nodes, context={"sid": 7}) == [(7, number) for number in range(5)]

    def test_pl14_a_node_stands_between_queues_without_a_graph_around_it(self) -> None:
        async def main() -> list[Any]:
            one, other, into = asyncio.Queue[Any](), asyncio.Queue[Any](), asyncio.Queue[Any]()
            for queue in (one, other):
                queue.put_nowait("abc")
                queue.put_nowait(None)
            known = registry()
            known.add("one", streamkit.from_queue(one, end=None))
            known.add("other", streamkit.from_queue(other, end=None))
            known.add("into", into)
            known.add("join", lambda pair: "".join(pair)[::-1])
            nodes: dict[str, Any] = {"one": {"source": "one"}, "other": {"source": "other"}}
            nodes["a"] = {"map": "join", "input": ["one", "other"]}
            nodes["out"] = {"to_queue": "into", "input": "a"}
            await Graph({"nodes": nodes}, registry=known).job()
            return [into.get_nowait()]

        assert run(main) == ["cbacba"]


class TestWays:
    def test_pl6_several_inputs_are_one_item_of_each(self) -> None:
        nodes = {"inp": {"source": "words"}, "rev": {"map": "S.reverse", "input": "inp"}}
        assert result({**nodes, "out": out(["inp", "rev"])}) == [("abc", "cba")]

    def test_pl7_or_items_as_they_come(self) -> None:
        nodes: dict[str, Any] = {"inp": {"source": "words"}, "n2": {"map": "S.upper", "input": "inp"}}
        nodes["n3"] = {"map": "S.reverse", "input": "inp"}
        assert sorted(result({**nodes, "n4": {**out(["n2", "n3"]), "join": "merge"}})) == ["ABC", "cba"]

    def test_pl8_each_item_goes_to_all_who_read_a_node(self) -> None:
        assert result({"i": N, "a": out("i"), "b": out("i")}) == {"a": [*range(5)], "b": [*range(5)]}

    def test_pl18_the_order_of_nodes_in_the_dict_says_nothing(self) -> None:
        nodes = {
            "i": N,
            "a": {"map": "add", "input": "i"},
            "z": {"join": "zip", "input": ["a", "i"]},
            "o": out("z"),
        }
        found = [result(dict(each)) for each in permutations(nodes.items())]
        assert all(each == [(number + 1, number) for number in range(5)] for each in found)

    def test_pl19_a_cycle_is_an_error_before_anything_runs(self) -> None:
        nodes = {"i": N, "a": {"map": "add", "input": ["i", "b"]}, "b": {"map": "add", "input": "a"}}
        graph = Graph({"nodes": {**nodes, "out": out("b")}}, registry=registry())
        with pytest.raises(GraphError, match="a -> b -> a goes in a circle"):
            graph.job()

    def test_pl13_nodes_and_wires_can_be_read(self) -> None:
        nodes = {"i": N, "a": {"map": "add", "input": "i"}, "out": out()}
        graph = Graph({"nodes": nodes}, registry=registry())
        assert {name: [edge.source for edge in node.edges] for name, node in graph.nodes.items()} == {
            "a": ["i"],
            "i": [],
            "out": ["a"],
        }
        assert [node.does for node in graph.nodes.values()] == ["map add", "source count_to", "to_list"]


class TestRuns:
    def test_pl10_what_is_in_flight_is_bounded(self) -> None:
        taken: list[int] = []

        async def source() -> AsyncIterator[int]:
            for number in range(100):
                taken.append(number)
                yield number

        async def slow(number: int) -> int:
            await asyncio.sleep(1.0)
            ahead.append(len(taken) - number)
            return number

        ahead: list[int] = []
        known = Registry({"source": source, "slow": slow})
        nodes: dict[str, Any] = {"i": {"source": "source"}, "out": out()}
        nodes["a"] = {"map": "slow", "input": "i", "concurrency": 1, "strategy": {"Suspend": 1}}
        graph = Graph({"nodes": nodes}, registry=known)
        assert len(run(graph.job)) == 100
        assert max(ahead) <= graph.explain().bound == 2

    def test_pl12_graphs_of_several_clients_run_beside_each_other(self) -> None:
        def given(by: int) -> Graph:
            nodes: dict[str, Any] = {"i": N, "a": {"map": "add", "args": {"by": by}, "input": "i"}}
            nodes |= {"b": {"map": "later", "input": "i", "concurrency": 3}, "out": out(["a", "b"])}
            return Graph({"nodes": nodes}, registry=known)

        known = registry()

        async def both() -> list[Any]:
            return await asyncio.gather(*[given(by).job() for by in (1, 100)])

        one, other = run(both)
        assert one == [(number + 1, number) for number in range(5)]
        assert other == [(number + 100, number) for number in range(5)]

    def test_pl15_after_an_error_it_is_chosen_what_becomes_of_the_other_way(self) -> None:
        def rows(**of_zip: Any) -> Any:
            """5 items; the function fails with 1 and 2."""
            nodes: dict[str, Any] = {
                "i": N,
                "z": {"join": "zip", "input": ["i", "a"], **of_zip},
                "out": out("z"),
            }
            nodes["a"] = {"map": "fails_at", "args": {"at": 2}, "input": "i", **policy}
            return result(nodes)

        policy: dict[str, Any] = {}
        with pytest.raises(ValueError, match="1"):
            rows()
        policy = {"on_error": "Resume"}
        with pytest.raises(GraphError, match="may not have as many items"):
            rows()
        assert rows(strategy={"Suspend": 10}) == [(0, 0), (1, 30), (2, 40)]
        for more in ({}, {"concurrency": 4}):
            policy |= more
            assert rows(aligned=True) == [(0, 0), (3, 30), (4, 40)]

    def test_pl16_an_error_where_items_come_from_ends_the_graph(self) -> None:
        def broken() -> Iterator[int]:
            yield 1
            raise OSError("unplugged")

        nodes: dict[str, Any] = {
            "i": {"source": "broken"},
            "a": out("i"),
            "b": out("i"),
            "z": out(["i", "i"]),
        }
        with pytest.raises(OSError, match="unplugged"):
            result(nodes, known=Registry({"broken": broken}))

    def test_pl17_it_ends_when_its_sources_do_and_leaves_nothing(self) -> None:
        nodes: dict[str, Any] = {"i": N, "a": {"map": "later", "input": "i", "concurrency": 3}}
        nodes |= {
            "z": {"join": "zip", "input": ["i", "a"]},
            "out": out("z"),
            "n": {"count": True, "input": "a"},
        }

        async def main() -> int:
            await Graph({"nodes": nodes}, registry=registry()).job()
            return len(asyncio.all_tasks()) - 1

        assert run(main) == 0
