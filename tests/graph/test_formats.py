"""Files: every mistake in one pass, each with its line, in every format."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamkit import GraphError
from streamkit.graph import Fault, Graph, fixed, run_tests
from tests.graph.given import registry

FILE = Path(__file__).parent / "files" / "planted.toml"


def planted(text: str) -> list[tuple[int, str]]:
    """The lines of a file that have mistakes, and which, as the comments there say."""
    lines = enumerate(text.splitlines(), 1)
    return [(number, said[1]) for number, line in lines if (said := re.search(r"#: (.*)", line))]


def read(text: str, kind: str) -> Graph:
    return Graph.read(text, format=kind, registry=registry())


def told(graph: Graph) -> list[tuple[int, str]]:
    return [(each.line, str(each.fault)) for each in graph.check()]


def test_planted_mistakes_are_all_told_in_one_pass_with_the_right_line() -> None:
    expected = planted(FILE.read_text())
    assert len(expected) >= 25
    assert len({word for _, word in expected}) >= 12
    graph = Graph.load(FILE, registry=registry())
    assert told(graph) == expected
    assert all(each.file == str(FILE) and each.column for each in graph.check())
    with pytest.raises(
        GraphError, match=f"the graph has {len(expected)} mistakes:\n.*planted.toml:3:1: nodes.feed"
    ):
        graph.job()


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_the_other_formats_tell_the_same_at_the_line_of_the_key(kind: str) -> None:
    text = FILE.read_text()
    for again in (
        '\n[nodes.good]                                        #: duplicate key\nsource = "numbers"',
        ", by = 3",
    ):
        assert again in text
        text = text.replace(again, "")
    data = tomllib.loads(text)
    written = json.dumps(data, indent=1) if kind == "json" else yaml.safe_dump(data)
    lines = written.splitlines()
    found, expected = read(written, kind).check(), Graph(data, registry=registry()).check()
    assert sorted(each.where for each in found) == sorted(each.where for each in expected)
    assert len(found) >= 24
    for each in found:
        at: Any = data
        known: list[str | int] = []
        for key in each.path:  # as much of its path as stands there
            if not (isinstance(at, (dict, list)) and (key in at if isinstance(at, dict) else True)):
                break
            at = at[key]
            known.append(key)
        key, line = known[-1], lines[each.line - 1][each.column - 1 :]
        assert line.lstrip('"').startswith(str(key if isinstance(key, str) else at))


AGAIN = {
    "json": (
        '{"nodes": {\n "o": {"count": true, "input": "a"}, "a": {"source": [1]},\n'
        ' "a": {"source": [2],\n  "source": [3]}}}',
        [3, 4],
    ),
    "toml": (
        '[nodes.a]\nsource = [1]\nsource = [2]\n[nodes]\no = { count = true,\ninput = "a" , input = "a" }',
        [3, 6],
    ),
    "yaml": (
        "nodes:\n  a:\n    source: [1]\n    source: [2]\n  o: {count: true, input: a}\n  a: {source: [1]}\n",
        [4, 6],
    ),
}


@pytest.mark.parametrize("kind", AGAIN)
def test_keys_that_stand_there_twice_are_told_and_the_rest_is_read(kind: str) -> None:
    text, lines = AGAIN[kind]
    if kind == "toml":  # a table on one line, in version 1.0
        text = text.replace("true,\n", "true, ").replace('a" , input', 'a", input')
        lines = [3, 5]
    assert told(read(text, kind)) == [(line, "duplicate key") for line in lines]


def test_a_table_may_stand_there_twice_at_the_end_of_the_file() -> None:
    text = '[nodes.a]\nsource = [1]\n[nodes.o]\ncount = true\ninput = "a"\n[nodes.a]\nsource = [2]\n'
    assert told(read(text, "toml")) == [(6, "duplicate key")]


def test_what_an_alias_stands_for_is_told_at_the_alias() -> None:
    text = "nodes:\n n: {source: [1]}\n m: {map: add, input: n, on_error: &e {Resume: {nothing: 1}}}\n"
    text += " k: {map: add, input: m, on_error: *e}\n o: {count: true, input: k}\n"
    assert [(each.line, each.column) for each in read(text, "yaml").check()] == [(3, 49), (4, 26)]
    text = "nodes:\n n: {source: [1]}\n o: {count: true, input: n}\n"
    graph = read(text + "tests:\n - expect: &e {o: [7]}\n - expect: *e\n", "yaml")
    with pytest.raises(ValueError, match="o must be written as a value of its own"):
        fixed(graph, run_tests(graph))


UNREADABLE = {
    "json": ['{"nodes": }', '{"nodes": NaN}', "[" * 100_000, '{"a": 1} 2', ""],
    "toml": [
        *("nodes = ", "[nodes\n", "a = 1\n[nodes.a]\nb = [1,,]", "a = " + "[" * 10_000),
        *(f"a = 1\na = 2\n{rest}" for rest in ("= 3", "b = [1 2]", "b = { c = 1 d = 2 }", "b = =")),
    ],
    "yaml": [
        *("nodes: [", "a: b: c", "--- 1\n--- 2", "? [a]\n: 1", "a: \x01"),
        *("[" * 300 + "]" * 300, "a: &list [1]\n*list : 2"),
    ],
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_not_in_its_format_is_one_mistake(kind: str) -> None:
    for text in UNREADABLE[kind]:
        assert [each.fault for each in read(text, kind).check()] == [Fault.UNREADABLE]


def test_yaml_is_read_by_the_table_of_its_version_1_2() -> None:
    text = (
        "[on, yes, no, off, y, true, Null, ~, 0o17, 017, 0x1F, 1_000, 1e3, .5, -.inf, 12:30:00, '1', =, <<]"
    )
    found = read(text, "yaml").to_data()
    expected = [
        "on",
        "yes",
        "no",
        "off",
        "y",
        True,
        None,
        None,
        15,
        17,
        31,
        "1_000",
        1000.0,
        0.5,
        float("-inf"),
    ]
    assert found == [*expected, "12:30:00", "1", "=", "<<"]
    graph = read(
        "nodes: {n: {source: [1]}, o: {to_list: true, input: n}, on: {count: true, input: n}}", "yaml"
    )
    assert graph.job().run() == {"o": [1], "on": 1}


def test_anchors_stand_for_what_they_were_put_at() -> None:
    text = "nodes:\n  n: {source: [1, 2]}\n  a: &plus {map: add, input: n}\n  b: *plus\n"
    text += "  o: {to_list: true, input: [a, b]}\n"
    assert read(text, "yaml").job().run() == [(2, 2), (3, 3)]


def test_keys_of_toml_in_all_their_forms_have_their_places() -> None:
    text = """
nodes.n.source = [ # a comment ] "
  1, '''2
''', 3 ]
nodes."m\\u0061p" = { map = "add", input = "n", args.bye = 1 }
[nodes.'end']
to_list = true
input = "map"
[[tests]]
[[tests]]
nodes.n = [1]
"""
    found = [(each.where, each.line, each.column) for each in read(text, "toml").check()]
    assert found == [("nodes.map.args.bye", 5, 53), ("tests[1].nodes", 11, 1)]


def test_other_files_are_refused() -> None:
    with pytest.raises(ValueError, match=r"path must end in .json, .toml, .yaml or .yml, not as 'graph.ini'"):
        Graph.load("graph.ini", registry=registry())
    with pytest.raises(ValueError, match="format must be json, toml or yaml, not 'ini'"):
        read("", "ini")
