"""Graphs as values: compared, copied, pickled; and what rarely happens to one."""

import asyncio
import pickle
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from streamkit import Resume, ops
from streamkit.graph import Graph, Registry, fixed, run_tests
from streamkit.graph.__main__ import main
from streamkit.testing import run
from tests.graph.given import NUMBERS, add, graph, mistakes, nodes, registry

WAYS: dict[str, Any] = {
    "n": NUMBERS,
    "a": {"map": "add", "input": "n"},
    "z": {"join": "zip", "input": ["n", "a"]},
    "out": {"to_list": True, "input": "z"},
    "all": {"count": True, "input": "a"},
}
FOUND = {"all": 3, "out": [(0, 1), (1, 2), (2, 3)]}


def test_graphs_are_equal_if_their_data_and_registry_are() -> None:
    known = registry()
    one, other = (Graph(nodes(**WAYS), registry=known) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one != Graph(nodes(**WAYS), registry=registry())
    assert one != nodes(**WAYS)
    assert repr(one) == "Graph(a, all, n, out, z)"
    data = one.to_data()
    data["nodes"]["n"] = 3
    assert one.check() == ()  # it has a copy of its own
    assert repr(one.nodes["a"]) == "<Node a: map add>"
    assert repr(one.nodes["a"].edges) == "[<Edge from n>]"


def test_a_job_can_be_pickled_and_run_again_and_again() -> None:
    job = graph(**WAYS).job()
    again = pickle.loads(pickle.dumps(job))

    async def all_of_them() -> Any:
        return await asyncio.gather(job, again, job, again)

    assert run(all_of_them) == [FOUND] * 4
    alone = graph(n=NUMBERS, out={"count": True, "input": "n"}).job()
    assert pickle.loads(pickle.dumps(alone)).run() == alone.run() == 3


def test_a_job_can_be_started_and_stopped() -> None:
    given = {**WAYS, "n": {"source": "ticks", "args": {"seconds": 1.0}}}

    async def started() -> Any:
        handle = graph(**given).job().start()
        await asyncio.sleep(1.5)
        await handle.stop()
        return await graph(**given).job().start()

    assert run(started) == FOUND


def test_dead_letters_on_an_aligned_way_are_waited_for() -> None:
    dead: list[int] = []

    async def letter(item: int, error: Exception) -> None:
        await asyncio.sleep(1.0)
        dead.append(item)

    known = Registry({"inverse": lambda item: 1 // item, "letters": Resume(letter), "letter": letter})
    policy = {"Resume": {"dead_letters": "letter"}}
    given = nodes(
        n={"source": [0, 1]},
        i={"map": "inverse", "input": "n", "on_error": policy},
        z={"join": "zip", "input": ["n", "i"], "aligned": True},
        out={"to_list": True, "input": "z"},
    )
    assert run(Graph(given, registry=known).job) == [(1, 1)]
    assert dead == [0]
    given["nodes"]["i"]["on_error"] = "letters"  # made before, and named
    assert run(Graph(given, registry=known).job) == [(1, 1)]
    assert dead == [0, 0]


def test_what_others_would_wait_for_in_vain_is_told() -> None:
    given = {**WAYS, "b": {"take": 0, "input": "n"}, "o": {"count": True, "input": "b"}}
    assert mistakes(**given) == [("nodes.b.take", "wrong argument", "")]
    given["b"] = {"timeout": 1.0, "fallback": "a", "input": "n"}
    assert mistakes(**given) == [("nodes.b.fallback", "wrong input", "")]
    given["b"] = {"join": "race", "input": ["n", "a"]}
    assert [place for place, _, _ in mistakes(**given)] == ["nodes.b.input[0]", "nodes.b.input[1]"]


def test_values_nest_so_deep_only() -> None:
    deep: Any = "Resume"
    for _ in range(30):
        deep = {"Retry": {"then": deep}}
    (found,) = mistakes(
        n=NUMBERS, m={"map": "add", "input": "n", "on_error": deep}, o={"sum": True, "input": "m"}
    )
    assert found[0].startswith("nodes.m.on_error.Retry.")
    inner: dict[str, Any] = {"output": "x", "nodes": {"x": {"source": [1]}}}
    for _ in range(30):
        inner = {"output": "x", "nodes": {"x": {"graph": inner}}}
    assert mistakes(x={"graph": inner}, o={"sum": True, "input": "x"})


def test_long_outputs_are_written_on_several_lines() -> None:
    text = (
        '[nodes]\nn.source = [1, 2]\nm = { map = "made", input = "n" }\no = { count = true, input = "m" }\n'
    )
    known = Registry({"made": lambda item: {"a key": [item, "x" * 40], "of": {1, 2}, "plain": add}})
    read = Graph.read(text + "[[tests]]\nexpect.m = []\n", format="toml", registry=known)
    written = fixed(read, run_tests(read))
    assert written.count("\n") == text.count("\n") + 5
    assert all(each.ok for each in run_tests(Graph.read(written, format="toml", registry=known)))
    inline = Graph.read(text + "[[tests]]\nexpect.m.x = 1\n", format="toml", registry=known)
    assert [each.where for each in inline.check()] == ["tests[0].expect.m"]


def test_operators_beside_a_source_that_was_made_before() -> None:
    known = Registry(
        {"stream": [1, 2, 3] | ops.take(2), "pipe": ops.take(2), "coroutine": asyncio.sleep, "seven": 7}
    )
    out = {"to_list": True, "input": "n"}
    assert Graph(nodes(n={"source": "stream"}, out=out), registry=known).job().run() == [1, 2]
    for name in ("pipe", "coroutine", "seven"):
        found = Graph(nodes(n={"source": name}, out=out), registry=known).check()
        assert [each.where for each in found] == ["nodes.n.source"]


def test_yaml_without_its_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import streamkit.graph

    monkeypatch.delitem(sys.modules, "streamkit.graph.yaml", raising=False)
    monkeypatch.delitem(vars(streamkit.graph), "read_yaml", raising=False)
    monkeypatch.delitem(vars(streamkit.graph), "yaml", raising=False)
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ImportError, match=r"install pyyaml: streamkit\[yaml\]"):
        Graph.read("", format="yaml", registry=Registry())
    (tmp_path / "graph.yaml").write_text("")
    command = ["check", str(tmp_path / "graph.yaml"), "--registry", "tests.graph.test_whole_odd:REGISTRY"]
    assert main(command) == 1
    assert "install pyyaml: streamkit[yaml]" in capsys.readouterr().err


def test_the_module_is_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["graph", "check"])
    monkeypatch.delitem(sys.modules, "streamkit.graph.__main__")
    with pytest.raises(SystemExit, match="2"):
        runpy.run_module("streamkit.graph", run_name="__main__")
    assert "check needs a file" in capsys.readouterr().err


def test_a_test_gives_the_context_that_a_function_needs() -> None:
    known = Registry({"tagged": lambda item, context: (context, item)})
    given: dict[str, Any] = {"n": {"source": [1]}, "m": {"map": "tagged", "input": "n"}}
    given["o"] = {"to_list": True, "input": "m"}
    tests: list[dict[str, Any]] = [{"context": 7, "expect": {"o": [(7, 1)]}}, {"expect": {"o": []}}]
    (found,) = Graph({"nodes": given, "tests": tests}, registry=known).check()
    assert (found.where, found.suggestion) == ("tests[1]", "write context in the test")


def test_a_command_without_a_file_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check"])
    assert "check needs a file, and --registry module:name" in capsys.readouterr().err
