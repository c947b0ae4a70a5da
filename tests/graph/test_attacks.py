"""Files that want more than the registry gives: each is refused, and nothing of it is imported or called."""

import sys
from pathlib import Path
from typing import Any

import pytest

from streamkit import GraphError
from streamkit.graph import Fault, Graph, Registry
from tests.graph.attacked import CALLED, double

HERE = "tests.graph.attacked"

NAMES = {
    "a builtin": "eval",
    "a builtin by its module": "builtins.eval",
    "a builtin by the name of all builtins": "__builtins__.exec",
    "an import": "__import__",
    "a module": "os",
    "a function of a module": "os.system",
    "a module that was never imported": "antigravity.geohash",
    "an attribute of what is in the registry": "double.__globals__",
    "a walk to the builtins": "double.__globals__.__builtins__.eval",
    "a walk by items": "double.__globals__[__builtins__][eval]",
    "a walk through classes": "double.__class__.__mro__.__subclasses__",
    "a method of what is in the registry": "thing.method",
    "an entry point": "subprocess:run",
    "an entry point of what is allowed": f"{HERE}:double",
    "a module above the one that is allowed": "tests.graph",
    "a module beside the one that is allowed": "tests.graph.given.add",
    "the module that is allowed, itself": HERE,
    "a module inside the one that is allowed": f"{HERE}.path.join",
    "what it has imported": f"{HERE}.system",
    "a function that it has imported": f"{HERE}.run",
    "a class that it has imported": f"{HERE}.Popen",
    "a module that it has imported": f"{HERE}.inner",
    "another": f"{HERE}.shell",
    "what it has named anew": f"{HERE}.alias",
    "a partial of what it has imported": f"{HERE}.spawns",
    "a wrapper of functools": f"{HERE}.cached",
    "what wraps() has dressed up": f"{HERE}.wrapped",
    "a decorator that it has imported": f"{HERE}.lru_cache",
    "an object that it has made": f"{HERE}.thing",
    "a method of its class": f"{HERE}.Thing.method",
    "the initialiser of its class": f"{HERE}.Thing.__init__",
    "a private function": f"{HERE}._private",
    "a dunder": f"{HERE}.__getattr__",
    "its builtins": f"{HERE}.__builtins__",
    "its loader": f"{HERE}.__loader__",
    "what only its __getattr__ has": f"{HERE}.anything",
    "a class of another module": f"{HERE}.Other",
    "white space": f" {HERE}.double ",
    "a relative name": ".attacked.double",
    "an empty part": f"{HERE}..double",
    "a path": "../attacked.double",
    "an environment variable": "${HOME}",
    "a null": f"{HERE}.double\x00",
}
TEXTS = {
    "a tag that makes an object": ("yaml", "nodes: {n: {source: !!python/object/apply:os.system [ls]}}"),
    "a tag that names a function": ("yaml", "nodes: {n: {source: !!python/name:os.system}}"),
    "a tag that imports": ("yaml", "nodes: {n: {source: !!python/module:antigravity}}"),
    "a tag of one's own": ("yaml", "nodes: !include /etc/passwd"),
    "a tag that reads the environment": ("yaml", "nodes: {n: {source: !ENV HOME}}"),
    "a tag of YAML": ("yaml", "nodes: {n: {source: !!binary aGVsbG8=}}"),
    "a directive of tags": ("yaml", "%TAG ! tag:yaml.org,2002:python/\n---\nnodes: {n: !name:os.system }"),
    "anchors that explode": (
        "yaml",
        "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + "".join(
            f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        ),
    ),
    "an anchor inside of itself": ("yaml", "nodes: &n {a: *n}"),
    "a merge key": ("yaml", "nodes: {n: {<<: {source: [1]}}, o: {count: true, input: n}}"),
    "nesting without end": ("json", '{"nodes": ' * 50_000),
    "graphs without end": ("json", '{"nodes": {"a": {"graph": ' * 300 + "{}" + "}}}" * 300),
    "another file": ("toml", 'include = "/etc/passwd"\n[nodes.n]\nsource = "/etc/passwd"'),
    "a directory to write into": (
        "toml",
        'nodes.n.source = [1]\nnodes.o.to_list = true\nnodes.o.input = "n"\n'
        'nodes.o.strategy = { Spill = { capacity = 1, directory = "/tmp" } }',
    ),
    "a prototype": (
        "json",
        '{"__class__": "os.system", "nodes": {"n": {"__reduce__": ["os.system", "ls"]}}}',
    ),
}
NO = {Fault.UNKNOWN_NAME, Fault.NOT_ALLOWED, Fault.UNREADABLE, Fault.WRONG_ARGUMENT, Fault.NO_KIND}


class Walked:
    """Has what one might walk to."""

    def method(self, item: Any) -> Any:
        CALLED.append("walked")
        return item


def registry() -> Registry:
    return Registry({"double": double, "thing": Walked()}, allow_modules=[HERE])


def refused(graph: Graph) -> bool:
    with pytest.raises(GraphError):
        graph.job()
    # pytest, too, asks a module for what it has not
    CALLED[:] = [name for name in CALLED if not name.startswith("__")]
    return any(each.fault in NO for each in graph.check()) and not CALLED and "antigravity" not in sys.modules


def test_names_that_are_not_given_out() -> None:
    assert len(NAMES) >= 40
    for what, name in NAMES.items():
        nodes: dict[str, Any] = {"n": {"source": [1]}, "o": {"to_list": True, "input": "m"}}
        for kind in ("map", "operator"):
            nodes["m"] = {kind: name, "input": "n"}
            assert refused(Graph({"nodes": nodes}, registry=registry())), (what, kind)
        for key in ("source", "sink"):
            assert refused(Graph({"nodes": {"n": {key: name, "input": "n"}}}, registry=registry())), (
                what,
                key,
            )


def test_files_that_are_refused() -> None:
    for what, (kind, text) in TEXTS.items():
        assert refused(Graph.read(text, format=kind, registry=registry())), what


def test_what_is_defined_in_a_module_that_is_allowed_may_be_named() -> None:
    nodes: dict[str, Any] = {"n": {"source": [1, 2]}, "m": {"map": f"{HERE}.double", "input": "n"}}
    nodes |= {"t": {"map": f"{HERE}.Thing", "input": "m"}, "o": {"to_list": True, "input": "t"}}
    found = Graph({"nodes": nodes}, registry=registry()).job().run()
    assert [each.number for each in found] == [2, 4]
    with pytest.raises(TypeError, match="allow_modules must be a list of names, not 'os'"):
        Registry(allow_modules="os")


def test_a_module_that_cannot_be_imported_is_a_mistake_beside_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fails_at_once.py").write_text("raise LookupError('no settings')")
    monkeypatch.syspath_prepend(tmp_path)
    names = ["not_there", "fails_at_once"]
    nodes: dict[str, object] = {
        f"n{number}": {"source": f"{name}.items"} for number, name in enumerate(names)
    }
    nodes["o"] = {"to_list": True, "input": ["n0", "n1"], "join": "marge"}
    found = Graph({"nodes": nodes}, registry=Registry(allow_modules=names)).check()
    assert [(each.where, each.message) for each in found] == [
        ("nodes.n0.source", "not_there cannot be imported: ModuleNotFoundError: No module named 'not_there'"),
        ("nodes.n1.source", "fails_at_once cannot be imported: LookupError: no settings"),
        ("nodes.o.join", found[-1].message),
    ]


def test_no_switch_of_the_environment_says_more(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STREAMKIT_ALLOW_MODULES", "STREAMKIT_GRAPH_UNSAFE", "STREAMKIT_TRUST"):
        monkeypatch.setenv(name, "os")
    assert refused(Graph({"nodes": {"n": {"source": "os.listdir"}}}, registry=Registry()))
