"""Aligned zips: what is dropped on one way takes what belongs to it along."""

import asyncio
from typing import Any

import pytest

from streamkit.graph import Graph, Registry
from streamkit.graph.aligned import aligned
from streamkit.testing import run
from tests.graph.given import NUMBERS, mistakes, odd

DEAD: list[int] = []


def even(number: int) -> int:
    if number % 2:
        raise ValueError(number)
    return number * 10


async def slowly(number: int) -> int:
    await asyncio.sleep(1.0)
    return even(number)


def rows(way: dict[str, dict[str, Any]], last: str, **of_zip: Any) -> Any:
    """5 items, and what becomes of them on the `way`, side by side."""
    known = Registry({"odd": odd, "even": even, "slowly": slowly, "add": lambda number: number + 1})
    known.add("dead", lambda item, error: DEAD.append(item))
    nodes: dict[str, Any] = {"n": {"source": [0, 1, 2, 3, 4]}, **way}
    nodes |= {"z": {"join": "zip", "input": ["n", last], "aligned": True, **of_zip}}
    nodes |= {"out": {"to_list": True, "input": "z"}}
    graph = Graph({"nodes": nodes}, registry=known)
    assert graph.check() == ()
    return run(graph.job)


def test_a_filter_takes_along_what_it_drops() -> None:
    assert rows({"f": {"filter": "odd", "input": "n"}}, "f") == [(1, 1), (3, 3)]


def test_what_stands_behind_sees_no_mark() -> None:
    way = {
        "f": {"map": "even", "input": "n", "on_error": {"Resume": "dead"}},
        "a": {"map": "add", "input": "f"},
        "t": {"tap": "add", "input": "a"},
    }
    DEAD.clear()
    assert rows(way, "t") == [(0, 1), (2, 21), (4, 41)]
    assert DEAD == [1, 3]


@pytest.mark.parametrize("policy", ["Resume", {"Retry": {"attempts": 2, "then": {"Resume": "dead"}}}])
def test_calls_in_flight_and_policies_that_try_again(policy: Any) -> None:
    DEAD.clear()
    way = {"f": {"map": "slowly", "input": "n", "concurrency": 3, "on_error": policy}}
    assert rows(way, "f") == [(0, 0), (2, 20), (4, 40)]
    expected = [] if policy == "Resume" else [1, 3]
    assert expected == DEAD


def test_an_error_that_no_policy_drops_ends_the_graph() -> None:
    with pytest.raises(ValueError, match="1"):
        rows({"f": {"map": "even", "input": "n"}}, "f")


def test_ways_that_cannot_be_aligned_are_told() -> None:
    given: dict[str, Any] = {"n": NUMBERS, "out": {"to_list": True, "input": "z"}}
    given["z"] = {"join": "zip", "input": ["n", "b"], "aligned": True}
    hint = "only map, filter and tap can stand there, in order, and without a strategy"
    found = [("nodes.b", "wrong argument", hint)]
    assert mistakes(**given, b={"batch": 2, "input": "n"}) == found
    assert mistakes(**given, b={"map": "slow", "concurrency": 2, "ordered": False, "input": "n"}) == found
    beside = {"count": True, "input": "b"}
    assert mistakes(**given, b={"map": "add", "input": "n"}, c=beside) == [("nodes.b", "wrong argument", "")]
    assert mistakes(**given, b=NUMBERS) == [("nodes.z.aligned", "wrong argument", "")]
    given["z"] = {"map": "add", "input": "n", "aligned": True}
    assert mistakes(**given) == [("nodes.z.aligned", "wrong argument", "")]


def test_operators_of_a_way_are_equal_where_those_are_that_they_stand_for() -> None:
    operator = aligned("filter", even, {})
    assert operator == aligned("filter", even, {})
    assert hash(operator) == hash(aligned("filter", even, {}))
    assert operator != aligned("tap", even, {})
