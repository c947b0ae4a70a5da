"""Data that is no graph, or hardly one: each is a mistake with its place, and never another error."""

import time
from pathlib import Path
from typing import Any

import pytest

from streamkit import GraphError, ops
from streamkit._engine.face.stream import Pipe
from streamkit.graph import Fault, Graph, fixed, run_tests
from streamkit.graph.__main__ import main
from tests.graph.given import NUMBERS, graph, mistakes, nodes, registry

OUT: dict[str, Any] = {"n": NUMBERS, "o": {"to_list": True, "input": "m"}}
REGISTRY = registry()


def nested(depth: int) -> Any:
    found: Any = 1
    for _ in range(depth):
        found = [found]
    return found


def read(text: str, kind: str) -> Graph:
    return Graph.read(text, format=kind, registry=REGISTRY, file="f")


def test_what_is_no_table_is_a_mistake() -> None:
    data: Any
    for data in (None, True, 3, "nodes", [1], b"nodes", {1: 2}, object(), {"nodes": {}}, {"nodes": [1]}):
        found = Graph(data, registry=REGISTRY)
        assert [each.fault for each in found.check()][-1] == Fault.WRONG_ARGUMENT, data
        with pytest.raises(GraphError):
            found.explain()
    for text, kind in (("", "yaml"), ("5", "yaml"), ("5", "json"), ("null", "json"), ("", "toml")):
        assert [str(each).split(":")[:3] for each in read(text, kind).check()] == [["f", "1", "1"]], text


def test_what_holds_itself_or_nests_too_deep_is_unreadable() -> None:
    itself: dict[str, Any] = {"source": [1]}
    itself["args"] = itself
    inner: dict[str, Any] = {"nodes": {}}
    inner["nodes"] = {"a": {"graph": inner}, "b": {"graph": inner}}
    for data in (nodes(n=itself), nodes(n={"graph": inner}), nodes(n={"source": nested(500)})):
        (found,) = Graph(data, registry=REGISTRY).check()
        assert (found.fault, found.message) == (Fault.UNREADABLE, "it is nested too deep")
        assert found.path[:2] == ("nodes", "n")
    deep = read('{"nodes": {"a":\n {"source": ' + "[" * 900 + "]" * 900 + "}}}", "json")
    assert [(each.fault, each.line) for each in deep.check()] == [(Fault.UNREADABLE, 2)]
    assert deep == Graph(deep.to_data(), registry=REGISTRY)


def test_numbers_that_are_too_large_are_unreadable() -> None:
    for number in ("9" * 5_000, "0x" + "f" * 5_000):
        for kind, text in (("toml", f"[nodes]\nn.source = [{number}]"), ("yaml", f"nodes:\n  a: {number}")):
            (found,) = read(text, kind).check()
            assert found.fault is Fault.UNREADABLE, (kind, number[:2])
            assert str(found).startswith("f:")
    assert mistakes(n={"source": [10**400]}) == [("nodes.n.source[0]", "unreadable", "")]


def test_items_of_a_source_stay_the_same_objects() -> None:
    item = object()
    found = graph(n={"source": [item]}, o={"to_list": True, "input": "n"})
    assert found.job().run()[0] is item
    assert found == Graph(found.to_data(), registry=found._registry)


def test_keys_that_are_no_texts_are_told_at_their_lines() -> None:
    text = (
        "nodes:\n  n: {source: [1]}\n  1:\n    source: [1]\n  null: {}\n  o: {count: true, input: n, 2: 3}\n"
    )
    assert [(each.line, each.column) for each in read(text, "yaml").check()] == [(3, 3), (5, 3), (6, 30)]
    given = {**OUT, "m": {"map": "anything", "args": {1: 2}, "input": "n"}}
    known = registry()
    known.add("anything", lambda item, **more: item)
    (found,) = Graph(nodes(**given), registry=known).check()
    assert (found.where, found.fault) == ("nodes.m.args[1]", Fault.WRONG_ARGUMENT)


def test_a_byte_that_is_not_utf_8_has_its_place_and_a_mark_of_order_is_passed(tmp_path: Path) -> None:
    path = tmp_path / "graph.toml"
    path.write_bytes(b"[nodes]\nn.source = ['\xff']")
    (found,) = Graph.load(path, registry=REGISTRY).check()
    assert (found.fault, found.line, found.column) == (Fault.UNREADABLE, 2, 14)
    for kind, text in (
        ("toml", 'nodes.n = "x"'),
        ("json", '{"nodes": {"n": "x"}}'),
        ("yaml", "nodes: {n: x}"),
    ):
        (found,) = read("\ufeff" + text, kind).check()
        assert (found.where, found.fault) == ("nodes.n", Fault.WRONG_ARGUMENT), kind


def test_inputs_of_a_graph_inside_are_a_list_of_different_names() -> None:
    inner = {"output": "a", "nodes": {"a": {"map": "add", "input": "x"}}}
    for inputs in (3, "x", ["x", "x"]):
        found = mistakes(**OUT, m={"graph": {**inner, "inputs": inputs}, "input": "n"})
        assert ("nodes.m.graph.inputs", "wrong argument", "") in found, inputs
        assert not any(place.endswith("a.input") for place, _, _ in found) or inputs == 3
    unread = {"inputs": ["x"], "nodes": {"a": {"source": [1]}, "b": {"count": True, "input": "a"}}}
    found = mistakes(g={"graph": unread, "input": "nmae"}, name=NUMBERS, o={"count": True, "input": "name"})
    assert found == [("nodes.g.input", "unknown name", "write name")]


def test_an_operator_that_is_made_with_the_context_is_made_when_there_is_one() -> None:
    def first(context: int) -> Pipe:
        return ops.take(context)

    known = registry()
    known.add("first", first)
    found = Graph(nodes(**OUT, m={"operator": "first", "input": "n"}), registry=known)
    assert found.check() == ()
    assert [found.job(context=count).run() for count in (1, 2)] == [[0], [0, 1]]
    with pytest.raises(GraphError, match="first makes an operator when it has the context"):
        found.explain()
    assert found.job(context=2).explain().bound >= 1


def test_no_items_begin_a_stream_with_none() -> None:
    assert graph(**OUT, m={"start_with": [], "input": "n"}).job().run() == [0, 1, 2]


def test_types_of_zips_of_zips_are_told_in_short() -> None:
    rows = {f"z{number + 1}": {"join": "zip", "input": [f"z{number}"] * 2} for number in range(40)}
    given = {"z0": NUMBERS, **rows, "m": {"map": "add", "input": "z40"}, "o": {"sum": True, "input": "m"}}
    (found,) = graph(**given).check()
    assert found.fault is Fault.TYPE_MISMATCH
    assert found.message.startswith("add takes int, and gets tuple[")
    assert len(found.message) < 1_000  # not 2 ** 40


def test_names_that_are_alike_and_many_take_no_time() -> None:
    given: dict[str, Any] = {"x" * 50 + f"{number:04}": {"source": [1]} for number in range(400)}
    given["o"] = {"count": True, "join": "merge", "input": [f"{'x' * 48}{at:06}" for at in range(500, 540)]}
    begun = time.process_time()
    assert len(graph(**given).check()) == 440
    assert time.process_time() - begun < 5  # it was 30


def test_times_of_a_test_are_numbers_that_come() -> None:
    text = 'nodes = { n = { source = [1] }, o = { to_list = true, input = "n" } }\n[[tests]]\n'
    for wrong in ("nan", "inf", "-1.0", "1" + "0" * 400):
        for line in (f"seconds = {wrong}", f"sources.n = [\n{{ at = {wrong}, item = 1 }}]"):
            (found,) = read(f"{text}{line}\nexpect.o = []\n", "toml").check()
            assert found.fault in (Fault.WRONG_ARGUMENT, Fault.UNREADABLE), line
    data = nodes(**OUT, m={"map": "tagged", "input": "n"}) | {"tests": [{"expect": {"o": []}}]}
    (found,) = Graph(data, registry=REGISTRY).check()
    assert (found.where, found.suggestion) == ("tests[0]", "write context in the test")


def test_what_came_can_be_read_again_whatever_it_is(tmp_path: Path) -> None:
    odd = ['\x7f\x85\u2028\ufeff\uffff\U0001f600"\\', {"\x7f": float("-inf"), "a b": [None]}]
    plain = [odd[0], {"\x7f": float("-inf"), "a b": [True]}]
    known = registry()
    known.add("both", odd)
    known.add("plain", plain)
    known.add("half", ["\ud800"])
    rest = "to_list: true, input: n}}\ntests: [{expect: {n: []}}]"
    for kind, text, items in (
        ("yaml", f"nodes: {{n: {{source: both}}, o: {{{rest}", odd),
        ("toml", 'nodes = { n = { source = "plain" }, o = { to_list = true, input = "n" } }\n', plain),
    ):
        tests = "[[tests]]\nexpect.n = []\n" if kind == "toml" else ""
        found = Graph.read(text + tests, format=kind, registry=known)
        again = Graph.read(fixed(found, run_tests(found)), format=kind, registry=known)
        assert again.to_data()["tests"][0]["expect"]["n"] == items
    with pytest.raises(ValueError, match="JSON, which has no -inf"):
        json = '{"nodes": {"n": {"source": "plain"}, "o": {"count": true, "input": "n"}},'
        found = Graph.read(json + ' "tests": [{"expect": {"n": []}}]}', format="json", registry=known)
        fixed(found, run_tests(found))


def test_commands_tell_of_files_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "graph.ini").touch()
    (tmp_path / "graph.json").mkdir()
    for name, words in (
        ("no.toml", "No such file"),
        ("graph.ini", "must end in"),
        ("graph.json", "directory"),
    ):
        for command in ("check", "test", "draw"):
            path = str(tmp_path / name)
            assert main([command, path, "--registry", "tests.graph.test_whole_odd:REGISTRY"]) == 1
            told = capsys.readouterr().err
            assert told.startswith(f"{path}: ")
            assert words in told
    with pytest.raises(SystemExit, match="No module named 'nowhere'"):
        main(["check", "graph.toml", "--registry", "nowhere:registry"])
    path = str(tmp_path / "null.toml")
    text = 'nodes = { n = { source = "numbers", args = { count = 1 } }, m = { map = "none", input = "n" },'
    text += ' o = { count = true, input = "m" } }\n[[tests]]\nexpect.m = []\n'
    Path(path).write_text(text)
    if "none" not in REGISTRY:
        REGISTRY.add("none", lambda item: None)
    assert main(["test", path, "--registry", "tests.graph.test_whole_odd:REGISTRY", "--fix"]) == 1
    assert "TOML, which has no null" in capsys.readouterr().err
    assert Path(path).read_text() == text
