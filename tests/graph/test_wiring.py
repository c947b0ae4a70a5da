"""What is wrong with how nodes hang together, each told once, with what to write instead."""

from typing import Any

import pytest

from tests.graph.given import NUMBERS, mistakes

OUT = {"to_list": True}
CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str, str]]]] = {
    "a circle": (
        {
            "n": NUMBERS,
            "a": {"map": "add", "input": ["n", "c"], "join": "merge"},
            "b": {"map": "add", "input": "a"},
            "c": {"map": "add", "input": "b"},
            "out": {**OUT, "input": "c"},
        },
        [("nodes.a.input[1]", "cycle", "")],
    ),
    "itself": ({"a": {"map": "add", "input": "a"}}, [("nodes.a.input", "cycle", "")]),
    "two circles": (
        {
            "a": {"map": "add", "input": "b"},
            "b": {"map": "add", "input": "a"},
            "c": {"map": "add", "input": "d"},
            "d": {"map": "add", "input": "c"},
            "out": {**OUT, "input": ["b", "d"]},
        },
        [("nodes.a.input", "cycle", ""), ("nodes.c.input", "cycle", "")],
    ),
    "nobody reads it": (
        {"n": NUMBERS, "a": {"map": "add", "input": "n"}, "out": {**OUT, "input": "n"}},
        [("nodes.a", "unused output", "give it to a sink, or leave it out")],
    ),
    "a sink is read": (
        {"n": NUMBERS, "one": {**OUT, "input": "n"}, "two": {**OUT, "input": "one"}},
        [("nodes.two.input", "sink as input", "")],
    ),
    "no node": (
        {"numbers": NUMBERS, "out": {**OUT, "input": ["numbers", "nubmers"]}},
        [("nodes.out.input[1]", "unknown name", "write numbers")],
    ),
    "no input": ({"out": OUT}, [("nodes.out", "missing input", 'write input = "name of a node"')]),
    "an input of a source": (
        {"n": NUMBERS, "m": {**NUMBERS, "input": "n"}, "out": {**OUT, "input": ["n", "m"]}},
        [("nodes.m.input", "wrong input", "")],
    ),
    "not in step": (
        {
            "n": NUMBERS,
            "f": {"filter": "odd", "input": "n"},
            "z": {"join": "zip", "input": ["n", "f"]},
            "out": {**OUT, "input": "z"},
        },
        [
            (
                "nodes.z.input[1]",
                "missing strategy",
                "say how the others wait, as in strategy = { Suspend = 100 }, or aligned = true",
            )
        ],
    ),
    "in step": (
        {
            "n": NUMBERS,
            "f": {"map": "add", "input": "n", "concurrency": 4, "on_error": {"Replace": "add"}},
            "z": {"join": "zip", "input": ["n", "f"]},
            "out": {**OUT, "input": "z"},
        },
        [],
    ),
    "not in step, but it says how they wait": (
        {
            "n": NUMBERS,
            "f": {"filter": "odd", "input": "n"},
            "z": {"join": "zip", "input": ["n", "f"], "strategy": {"Suspend": 100}},
            "out": {**OUT, "input": "z"},
        },
        [],
    ),
    "concat of two ways from one node": (
        {"n": NUMBERS, "z": {"join": "concat", "input": ["n", "n"]}, "out": {**OUT, "input": "z"}},
        [("nodes.z.input[1]", "wrong input", "")],
    ),
    "a graph inside without an output": (
        {
            "n": NUMBERS,
            "g": {"graph": {"inputs": ["x"], "nodes": {"c": {"count": True, "input": "x"}}}, "input": "n"},
            "out": {**OUT, "input": "g"},
        },
        [("nodes.out.input", "unknown name", "write output in that graph")],
    ),
    "a graph inside with other inputs": (
        {
            "n": NUMBERS,
            "g": {
                "graph": {"inputs": ["x", "y"], "output": "c", "nodes": {"c": {"map": "add", "input": "x"}}}
            },
            "out": {**OUT, "input": ["n", "g"]},
        },
        [("nodes.g", "wrong input", "")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_told_once(name: str) -> None:
    given, expected = CASES[name]
    assert mistakes(**given) == expected


def test_of_many_names_those_are_suggested_that_differ_by_a_slip() -> None:
    many: dict[str, Any] = {f"node{number}": NUMBERS for number in range(600)}
    wrong = ["node17_", "ndoe18", "node", "noda19", "nod20", "no_such_node", "n" * 100]
    found = mistakes(**many, out={**OUT, "input": [*many, *wrong], "join": "merge"})
    hints = {place: hint for place, _, hint in found}
    assert [hints[f"nodes.out.input[{600 + place}]"] for place in range(len(wrong))] == [
        "write node17",
        "write node18",
        "write node0",
        "write node19",
        "write node20",
        "",
        "",
    ]
