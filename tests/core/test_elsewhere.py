"""What newcomers call otherwise: each name gets the line to write here, and none that is there already."""

import ast
import re
from inspect import signature
from typing import Any

import pytest
from aiostream import pipe
from reactivex import operators as of

import streamkit
from streamkit import ops
from streamkit._core.elsewhere import ELSEWHERE, NEIGHBOURS, NESTING, hint, line
from streamkit._core.lazy import listed

HERE = {*vars(ops)["__all__"]}
FRONT = {*listed("streamkit")}
BROUGHT = {
    "rx": {*of.__all__},
    "aiostream": {name for name in dir(pipe) if not name.startswith("_")} - {"annotations", "stream"},
}
"""The operators that the neighbours have."""


class TestTable:
    def test_has_an_answer_for_every_operator_of_the_neighbours(self) -> None:
        for names in BROUGHT.values():
            assert {name for name in names if line(name) is None} == set()

    def test_has_no_name_that_is_there(self) -> None:
        assert ({*ELSEWHERE} | {*" ".join(NEIGHBOURS.values()).split()}) & HERE == set()
        assert {*ELSEWHERE} & FRONT == set()

    @pytest.mark.parametrize("neighbour", NEIGHBOURS)
    def test_promises_of_a_neighbour_what_that_has(self, neighbour: str) -> None:
        assert {*NEIGHBOURS[neighbour].split()} <= BROUGHT[neighbour]

    def test_knows_which_operators_emit_observables(self) -> None:
        emits = {name: str(signature(getattr(of, name)).return_annotation) for name in of.__all__}
        nested = re.compile(r"\], [\w.]*Observable\[(?!.*Callable).*Observable\[")
        assert {name for name, found in emits.items() if nested.search(found)} == NESTING

    @pytest.mark.parametrize("name", ELSEWHERE)
    def test_promises_no_name_that_is_not_there(self, name: str) -> None:
        code = line(name)
        assert code is not None
        calls = [node.func for node in ast.walk(ast.parse(code, mode="eval")) if isinstance(node, ast.Call)]
        doors: dict[str, Any] = {"ops": HERE, "streamkit": FRONT}
        found = [
            call.attr in doors[call.value.id]
            if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name)
            else isinstance(call, ast.Name) and call.id in {"Stream", "itemgetter", "attrgetter"}
            for call in calls
        ]
        assert found
        assert all(found)


class TestDoors:
    @pytest.mark.parametrize(
        ("module", "name", "words"),
        [
            (ops, "buffer_with_count", "buffer_with_count is batch here, as in ops.batch(size)"),
            (ops, "chunks", "chunks is batch here"),
            (
                ops,
                "map_indexed",
                "is enumerate | starmap here, as in ops.enumerate() | ops.starmap(",
            ),
            (ops, "flatMap", "write ops.flat_map(...)"),
            (ops, "filter_", "write ops.filter(...)"),
            (ops, "limit", "limit is take here, as in ops.take(count)"),
            (
                ops,
                "window_when",
                "of.window_when(...), of.flat_map(lambda inner: inner.pipe(...)), strategy=strategy)",
            ),
            (ops, "cycle", "write aiostream.operator(aiostream.pipe.cycle(...))"),
            (
                ops,
                "publish_value",
                "write rx.operator(reactivex.operators.publish_value(...), strategy=strategy)",
            ),
            (ops, "Stream", "write streamkit.Stream"),
            (ops, "push", "write streamkit.push(...)"),
            (streamkit, "map", "write ops.map(...)"),
            (streamkit, "just", "just is of here, as in streamkit.of(value)"),
            (streamkit, "Subject", "as in streamkit.push(strategy)"),
        ],
    )
    def test_say_what_to_write(self, module: Any, name: str, words: str) -> None:
        with pytest.raises(AttributeError, match=re.escape(words.replace("of.", "reactivex.operators."))):
            getattr(module, name)

    @pytest.mark.parametrize("name", ["nonsense", "__wrapped__", "_private"])
    def test_say_nothing_of_what_they_do_not_know(self, name: str) -> None:
        assert hint(name) == ""
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'$"):
            getattr(ops, name)
