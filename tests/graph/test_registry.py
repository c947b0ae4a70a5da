"""What may be put into a registry, and how functions of it are called."""

import sys
from functools import partial
from typing import Any

import pytest

from streamkit import GraphError, ops
from streamkit.graph import Graph, Registry
from tests.graph.given import NUMBERS, add, mistakes


def test_names_are_new_and_texts() -> None:
    known = Registry({"add": add})
    assert "add" in known
    assert repr(known) == "Registry(add)"
    assert known.add("other")(add) is add
    assert known.names == ("add", "other")
    for name in ("", "add"):
        with pytest.raises(ValueError, match="name must be new, and not empty"):
            known.add(name, add)
    wrong: Any = 3
    with pytest.raises(TypeError, match="name must be a text, not 3"):
        known.add(wrong, add)


class Adds:
    """A function with a state, as users write them."""

    def __init__(self, by: int = 1) -> None:
        self.by = by

    def __call__(self, number: int) -> int:
        return number + self.by

    def plus(self, number: int, *, context: int = 0) -> int:
        return number + self.by + context


def test_callables_of_every_kind_are_called_with_items() -> None:
    known = Registry(
        {"object": Adds(2), "method": Adds(3).plus, "partial": partial(add, by=4), "builtin": abs}
    )
    for name, found in {"object": 3, "method": 4, "partial": 5, "builtin": 1}.items():
        nodes: dict[str, Any] = {
            "n": {"source": [1]},
            "m": {"map": name, "input": "n"},
            "o": {"sum": True, "input": "m"},
        }
        graph = Graph({"nodes": nodes}, registry=known)
        assert graph.check() == ()
        assert graph.job().run() == found
        assert graph.job(context=10).run() == found + 10 * (name == "method")


def test_operators_and_sinks_may_be_made_before() -> None:
    known = Registry({"take": ops.take(2), "made": lambda count: ops.take(count), "bad": ops.take})
    known.add("list", ops.to_list())
    nodes: dict[str, Any] = {
        "n": {"source": [1, 2, 3]},
        "a": {"operator": "take", "input": "n"},
        "b": {"operator": "made", "args": {"count": 1}, "input": "a"},
        "o": {"sink": "list", "input": "b"},
    }
    assert Graph({"nodes": nodes}, registry=known).job().run() == [1]
    for key, node in {
        "take is an operator": {"sink": "take", "input": "n"},
        "must be an operator": {"operator": "list", "input": "n"},
        "failed": {"operator": "bad", "args": {"count": -1}, "input": "n"},
        "made already": {"sink": "list", "concurrency": 2, "input": "n"},
        "takes no 'size'": {"operator": "made", "size": 1, "input": "n"},
        "needs args with count": {"operator": "made", "input": "n"},
    }.items():
        found = Graph({"nodes": {"n": {"source": [1]}, "x": node}}, registry=known).check()
        assert key in " ".join(each.message for each in found)


ARGUMENTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "of nothing": ({"map": "add", "args": {"bye": 2}}, "args.bye", "write by"),
    "of the item": ({"map": "add", "args": {"number": 2}}, "args.number", ""),
    "no table": ({"map": "add", "args": [2]}, "args", ""),
    "of no function": ({"batch": 2, "args": {"size": 3}}, "args", "write arguments of an operator beside it"),
    "too few values": ({"map": "numbers", "input": "n"}, "", ""),
    "no function": ({"map": "seven"}, "map", ""),
    "no name": ({"map": 7}, "map", ""),
    "nothing to take": ({"pairwise": 3}, "pairwise", ""),
    "a deep pipe": ({"aggregate": [{"map": "add"}, {"to_list": 3}]}, "aggregate[1].to_list", ""),
    "an operator behind a sink": ({"aggregate": [{"to_list": True}, {"map": "add"}]}, "aggregate[1]", ""),
    "no operator": ({"aggregate": [3]}, "aggregate[0]", ""),
    "a source in a pipe": ({"aggregate": [{"timer": 3}]}, "aggregate[0]", ""),
    "an unknown operator in a pipe": ({"aggregate": [{"mpa": "add"}]}, "aggregate[0]", ""),
    "an empty pipe": ({"aggregate": []}, "aggregate", ""),
    "a name of no pipe": ({"aggregate": "add"}, "aggregate", ""),
    "a choice": (
        {"group_by": "odd", "max_groups": 1, "pipe": [{"count": True}], "on_full": "fial"},
        "on_full",
        "write fail",
    ),
    "two strategies": ({"map": "add", "strategy": {"Suspend": 1, "Fail": 2}}, "strategy", ""),
    "a name of no strategy": ({"map": "add", "strategy": "add"}, "strategy", ""),
    "a strategy of a buffer": ({"buffer": {"DropOldest": {}}}, "buffer", ""),
    "no stream": ({"take_until": 3}, "take_until", ""),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_are_wrong_are_told_where_they_stand(name: str) -> None:
    node, where, hint = ARGUMENTS[name]
    found = mistakes(n=NUMBERS, x={**node, "input": "n"}, o={"count": True, "input": "x"})
    if name == "too few values":
        assert found == []  # it takes one
        return
    assert [(place.removeprefix("nodes.x."), told) for place, _, told in found] == [(where, hint)]


def test_a_name_of_a_pipe_a_choice_and_a_kind_that_takes_the_name_of_another() -> None:
    known = Registry({"odd": lambda number: number % 2, "counted": ops.map(abs) | ops.count()})
    given: dict[str, Any] = {
        "n": {"source": [1, 2, 3]},
        "g": {"group_by": "odd", "max_groups": 2, "pipe": [{"count": True}], "on_full": "fail", "input": "n"},
        "t": {"timeout": 5.0, "first": 9.0, "input": "n"},
        "a": {"aggregate": "counted", "input": "t"},
        "o": {"to_list": True, "input": "g"},
        "p": {"to_list": True, "input": "a"},
    }
    assert Graph({"nodes": given}, registry=known).job().run() == {"o": [(1, 2), (0, 1)], "p": [3]}


def test_what_is_given_to_a_function_of_nothing_is_told() -> None:
    known = Registry({"one": lambda: 1})
    given: dict[str, Any] = {"n": {"source": [1]}, "x": {"map": "one", "input": "n"}}
    given["o"] = {"count": True, "input": "x"}
    (found,) = Graph({"nodes": given}, registry=known).check()
    assert found.message == "one takes 0 values, and is given 1"


def test_a_join_under_its_own_name_is_told_how_to_be_written() -> None:
    found = mistakes(n=NUMBERS, x={"zip": ["n", "n"]}, o={"count": True, "input": "x"})
    assert ("nodes.x.zip", "no kind", 'write join = "zip"') in found


@pytest.mark.parametrize("key", ["zip", "size"])
def test_what_a_join_does_not_take_is_told_once(key: str) -> None:
    found = mistakes(
        n=NUMBERS, x={"join": "zip", key: 3, "input": ["n", "n"]}, o={"count": True, "input": "x"}
    )
    assert found == [(f"nodes.x.{key}", "unknown argument", "")]


def test_a_module_that_is_allowed_is_imported_when_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    known = Registry(allow_modules=["colorsys"])
    assert "colorsys" not in sys.modules
    args = {"r": 1.0, "g": 1.0, "b": 1.0}
    given: dict[str, Any] = {"n": {"source": "colorsys.rgb_to_hsv", "args": args}}
    given["o"] = {"to_list": True, "input": "n"}
    assert Graph({"nodes": given}, registry=known).job().run() == [0.0, 0.0, 1.0]


def test_a_job_without_the_context_says_who_asks_for_it() -> None:
    known = Registry({"asks": lambda item, context: item})
    nodes: dict[str, Any] = {"n": {"source": [1]}, "o": {"sink": "asks", "input": "n"}}
    with pytest.raises(GraphError, match="asks asks for the context"):
        Graph({"nodes": nodes}, registry=known).job()


def test_errors_name_the_line_of_the_node() -> None:
    known = Registry({"bad": lambda item: 1 // item})
    text = '[nodes]\nn = { source = [1, 0] }\n\nm = { map = "bad", input = "n" }\n'
    text += 'o = { count = true, input = "m" }\n'
    graph = Graph.read(text, format="toml", registry=known, file="graph.toml")
    with pytest.raises(ZeroDivisionError) as caught:
        graph.job().run()
    assert caught.value.__notes__ == ["in map(<lambda>) at graph.toml:4"]
    again = Graph(graph.to_data(), registry=known)
    assert again == Graph(again.to_data(), registry=known)
    assert again.to_data() == graph.to_data()


def test_all_that_is_wrong_with_a_node_is_told() -> None:
    node = {"map": "ad", "concurency": 2, "chunk": "x", "on": 4, "strategy": "Supend", "args": [1]}
    other = {"mpa": "add", "input": "m"}
    out = {"count": True, "input": "x"}
    found = mistakes(n=NUMBERS, x={**node, "input": ["n", "m"]}, y=other, o=out)
    assert [where for where, _, _ in found] == [
        "nodes.x.args",
        "nodes.x.chunk",
        "nodes.x.concurency",
        "nodes.x.input[1]",
        "nodes.x.map",
        "nodes.x.on",
        "nodes.x.strategy",
        "nodes.y.input",
        "nodes.y.mpa",
    ]
