"""Tests in the file of a graph: on virtual time, with what came written into it."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamkit.graph import Graph, fixed, run_tests
from streamkit.graph.__main__ import main
from tests.graph.given import registry

NODES = """
[nodes.t]
source = "ticks"
args = { seconds = 1.0 }

[nodes.s]
map = "slow"
input = "t"
concurrency = 3

[nodes.z]
join = "zip"
input = ["t", "s"]

[nodes.out]
sink = "seen"
input = "z"

[nodes.n]
count = true
input = "s"
"""
SEEN: list[object] = []


def read(tests: str) -> Graph:
    known = registry()
    known.add("seen", SEEN.append)
    return Graph.read(NODES + tests, format="toml", registry=known)


def test_sources_are_mocked_and_outputs_compared_with_their_times() -> None:
    graph = read(
        """
[[tests]]
name = "items at once"
sources.t = [1, 2]
expect.out = [[1, 1], [2, 2]]
expect.s = [1, 2]

[[tests]]
name = "items in time"
sources.t = [{ at = 0.5, item = 1 }, { at = 3600.0, item = 2 }]
expect.out = [{ at = 1.5, item = [1, 1] }, { at = 3601.0, item = [2, 2] }]
expect.n = [{ at = 1.5, item = 1 }, { at = 3601.0, item = 2 }]

[[tests]]
name = "the source as it is, stopped"
seconds = 2.5
expect.out = [{ at = 2.0, item = [0, 0] }]

[[tests]]
name = "a source that fails"
sources.t = [{ at = 1.0, error = "unplugged" }]
expect.out = []
error = "RuntimeError: unplugged"

[[tests]]
name = "wrong"
sources.t = [{ at = 0.5, item = 1 }]
expect.t = [{ at = 0.5, item = 2 }]
error = "ValueError: 2"
"""
    )
    assert graph.check() == ()
    *right, wrong = run_tests(graph)
    assert [str(each) for each in right] == [f"{each.name}: ok" for each in graph.cases[:-1]]
    assert str(wrong).splitlines() == [
        "wrong: failed",
        "  t expected [{'at': 0.5, 'item': 2}]",
        "  t got      [{'at': 0.5, 'item': 1}]",
        "  it should have failed with ValueError: 2, and has ended",
    ]
    assert SEEN == []  # a test writes nothing


def test_tests_that_are_written_wrong_are_mistakes_of_the_graph() -> None:
    graph = read('[[tests]]\nnmae = 1\nsources.s = [1]\nexpect.ou = [1]\nexpect.out = 1\nseconds = "1"\n')
    first = NODES.count("\n") + 1
    found = [(each.line - first, str(each.fault), each.suggestion) for each in graph.check()]
    assert found == [
        (1, "unknown argument", "write name"),
        (2, "unknown name", ""),
        (3, "unknown name", "write out"),
        (4, "wrong argument", ""),
        (5, "wrong argument", ""),
    ]
    written = '[[tests]]\nname = 3\nerror = 4\nsources.t = [1, { at = "1", item = 2 }]\n'
    written += "expect.out = [{ at = -1 }]\n"
    graph = read(written + "[[tests]]\nsources.t = [{ at = true, error = 5 }, { at = 'noon', price = 3 }]\n")
    assert [(each.line - first, each.where, each.message) for each in graph.check()] == [
        (1, "tests[0].name", "name must be a text, not 3"),
        (2, "tests[0].error", "error must be a text, not 4"),
        (3, "tests[0].sources.t[1].at", "at must be a number of at least 0, not '1'"),
        (4, "tests[0].expect.out[0].at", "at must be a number of at least 0, not -1"),
        (6, "tests[1].sources.t[0].at", "at must be a number of at least 0, not True"),
        (6, "tests[1].sources.t[0].error", "error must be a text, not 5"),
    ], "and not the last, which is an item"


@pytest.mark.parametrize("kind", ["toml", "json", "yaml"])
def test_what_came_is_written_into_the_file(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = (
        "[[tests]]\nsources.t = [1, 2]\nexpect = { out = [], s = [1, 3] }\n"
        "[[tests]]\nsources.t = [{ at = 1.0, item = 5 }]\nexpect.s = []\nexpect.t = [5] # stays\n"
    )
    text = NODES.replace("seen", "pair") + tests
    data = tomllib.loads(text)
    if kind != "toml":
        text = json.dumps(data, indent=2) if kind == "json" else yaml.safe_dump(data)
    path = tmp_path / f"graph.{kind}"
    path.write_text(text)
    command = ["test", str(path), "--registry", "tests.graph.test_trial:REGISTRY"]
    assert main([*command, "--fix"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == f"{path}: what came is in it now"
    assert main(command) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["test 0: ok", "test 1: ok"]
    graph = Graph.load(path, registry=registry())
    first, second = graph.to_data()["tests"]
    assert first["expect"] == {"out": [[1, 1], [2, 2]], "s": [1, 2]}
    assert second["expect"] == {"s": [{"at": 2.0, "item": 5}], "t": [5]}
    assert graph.to_data()["nodes"] == data["nodes"]
    assert kind != "toml" or "# stays" in path.read_text()


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_is_not_changed_stays_as_it_is_written(mark: str, tmp_path: Path) -> None:
    """Lines that end as in a file from Windows, also some of them only, and the mark before the first."""
    tests = "[[tests]]\nsources.t = [1, 2]\nexpect.s = [1,\n  3]\nexpect.out = []\n"
    lines = (NODES.replace("seen", "pair") + tests).split("\n")
    path = tmp_path / "graph.toml"
    command = ["test", str(path), "--registry", "tests.graph.test_trial:REGISTRY", "--fix"]
    for ends in (["\r\n"] * len(lines), ["\r\n", "\n"] * len(lines), ["\n"] * len(lines)):
        text = mark + "".join(line + end for line, end in zip(lines, ends, strict=False)).rstrip() + ends[0]
        path.write_bytes(text.encode())
        assert main(command) == 1
        fixed_text = path.read_bytes().decode()
        begin, _, rest = text.partition("[1," + ends[lines.index("expect.s = [1,")])
        assert fixed_text == begin + "[1, 2]" + rest.removeprefix("  3]").replace(
            "out = []", "out = [[1, 1], [2, 2]]"
        )
        assert main(command) == 0
        assert path.read_bytes().decode() == fixed_text


def test_what_cannot_be_written_is_told() -> None:
    known = registry()
    known.add("nothing", lambda item: None)
    text = (
        '[nodes]\nn.source = [1]\nm = { map = "nothing", input = "n" }\no = { count = true, input = "m" }\n'
    )
    graph = Graph.read(text + "[[tests]]\nexpect.m = []\n", format="toml", registry=known)
    with pytest.raises(ValueError, match="TOML, which has no null"):
        fixed(graph, run_tests(graph))
    data: dict[str, Any] = graph.to_data()
    with pytest.raises(ValueError, match="graph must come from a file"):
        fixed(Graph(data, registry=known), [])


REGISTRY = registry()


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "graph.toml"
    given = [str(path), "--registry", "tests.graph.test_trial:REGISTRY"]
    path.write_text(NODES.replace('"seen"', '"pair"'))
    assert main(["check", *given]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("bound: ")
    assert main(["draw", *given, "--form", "dot"]) == 0
    assert capsys.readouterr().out.startswith("digraph {")
    path.write_text(NODES)
    assert main(["check", *given]) == 1
    assert "graph.toml:16:1: nodes.out.sink: unknown name" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="is no registry"):
        main(["check", str(path), "--registry", "tests.graph.test_trial:NODES"])
