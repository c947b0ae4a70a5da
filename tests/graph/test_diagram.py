"""Diagrams: whatever stands in the names, they are well formed."""

import re
from itertools import combinations
from xml.etree import ElementTree

import pytest

from streamkit.graph import Graph
from tests.graph.given import NUMBERS, graph, registry

INNER = {"inputs": ["x"], "output": "a", "nodes": {"a": {"map": "add", "input": "x"}}}
DRAWN = graph(
    n=NUMBERS,
    t={"timer": 1.0},
    g={"graph": INNER, "input": "n"},
    z={"map": "pair", "input": ["n", "g"], "strategy": {"DropOldest": {"capacity": 3}}},
    u={"take_until": "t", "input": "z"},
    out={"to_list": True, "input": "u"},
)


def test_mermaid() -> None:
    assert (
        DRAWN.diagram()
        == """flowchart TD
  subgraph g1["g"]
    n0["a<br>map add"]
  end
  n1(["n<br>source numbers"])
  n2[["out<br>to_list"]]
  n3(["t<br>timer 1.0"])
  n4["u<br>take_until t"]
  n5["z<br>zip | map pair"]
  n1 --> n0
  n4 --> n2
  n5 --> n4
  n3 -- "signal" --> n4
  n1 -- "DropOldest capacity 3" --> n5
  n0 -- "DropOldest capacity 3" --> n5
"""
    )


def test_dot() -> None:
    lines = DRAWN.diagram("dot").splitlines()
    assert '    "g.a" [label="a\\nmap add", shape=box];' in lines
    assert lines[2:5] == ['  subgraph cluster_2 { label="g";', lines[3], "  }"]
    assert lines[-3:] == [
        '  "n" -> "z" [label="DropOldest capacity 3"];',
        '  "g.a" -> "z" [label="DropOldest capacity 3"];',
        "}",
    ]


def test_in_a_picture_nothing_lies_on_anything_else() -> None:
    found = ElementTree.fromstring(DRAWN.diagram("svg"))
    name = "{http://www.w3.org/2000/svg}"
    boxes = [
        [float(each.get(key, 0)) for key in ("x", "y", "width", "height")]
        for each in found.iter(f"{name}rect")
    ]
    assert len(boxes) == len(DRAWN.nodes)
    for one, other in combinations(boxes, 2):
        assert one[1] != other[1] or abs(one[0] - other[0]) > (one[2] if one[0] < other[0] else other[2])
    paths = [each.get("d", "") for each in found.iter(f"{name}path") if each.get("stroke")]
    assert len(paths) == 6
    for path in paths:
        for x, y in re.findall(r"([\d.]+) (\d+)V", path):  # there it passes a row
            assert all(not (left < float(x) < left + wide) for left, top, wide, _ in boxes if top == float(y))
    assert {each.text for each in found.iter(f"{name}text")} >= {"g.a", "map add", "zip | map pair", "signal"}


def test_names_are_quoted_in_each_way() -> None:
    wild = 'a"]</text>\\<b> -->'
    given = {wild: {"source": [1]}, "out": {"to_list": True, "input": wild}}
    found = Graph({"nodes": given}, registry=registry())
    assert wild in [each.text for each in ElementTree.fromstring(found.diagram("svg")).iter()]
    assert '"a\\"]</text>\\\\<b> -->" [label=' in found.diagram("dot")
    assert "a#34;#93;#60;/text#62;#92;#60;b#62; --#62;<br>source" in found.diagram("mermaid")


def test_a_graph_inside_may_come_last() -> None:
    found = graph(n=NUMBERS, z={"graph": INNER, "input": "n"}, o={"count": True, "input": "z"})
    assert found.diagram().splitlines()[3:6] == ['  subgraph g3["z"]', '    n2["a<br>map add"]', "  end"]


def test_what_goes_in_a_circle_has_no_place_in_a_picture() -> None:
    given = {"a": {"map": "add", "input": "b"}, "b": {"map": "add", "input": "a"}, "n": NUMBERS}
    found = Graph({"nodes": {**given, "o": {"count": True, "input": "n"}}}, registry=registry())
    texts = {each.text for each in ElementTree.fromstring(found.diagram("svg")).iter()}
    assert "n" in texts
    assert "a" not in texts


def test_other_forms_are_refused() -> None:
    with pytest.raises(ValueError, match="form must be mermaid, dot or svg, not 'png'"):
        DRAWN.diagram("png")
