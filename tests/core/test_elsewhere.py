"""What newcomers call otherwise: each name of RxPY and aiostream gets the line to write here."""

import ast
import builtins
import re
import types
from inspect import signature
from typing import Any

import aiostream
import pytest
import reactivex
from aiostream import stream as creation
from reactivex import operators as of

import streamkit
from streamkit import ops
from streamkit._core.elsewhere import answer, hint, line
from streamkit._core.lazy import listed
from streamkit._core.names import AIOSTREAM, NESTING, OTHERS, RXPY
from tests.files import over

HERE = {*vars(ops)["__all__"]}
FRONT = {*listed("streamkit")}
NO_OPERATORS = {"abc", "typing", "__version__", "alias", "overload", "cast"}
"""What stands in the public modules of RxPY and neither is an operator, nor makes or is an observable."""


def functions(module: Any) -> set[str]:
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and isinstance(value, types.FunctionType)
    }


NAMES = {
    "RxPY": {*of.__all__, *reactivex.__all__, *functions(of), *functions(reactivex)} - NO_OPERATORS,
    "aiostream": {
        *(name for name, value in vars(creation).items() if name[0] != "_" and callable(value)),
        *aiostream.__all__,
    }
    - {"__version__"},
}
"""Every public name of the neighbours: operators, what makes streams, and the classes of these."""
TABLES = {"RxPY": RXPY, "aiostream": AIOSTREAM}
EVERY = [(name, entry) for table in (RXPY, AIOSTREAM, OTHERS) for name, entry in table.items()]
OURS = {*HERE, *(f"streamkit.{name}" for name in FRONT)}


class TestTable:
    @pytest.mark.parametrize("neighbour", TABLES)
    def test_has_every_public_name_and_no_other(self, neighbour: str) -> None:
        assert {*TABLES[neighbour]} == NAMES[neighbour]

    @over(EVERY, named=lambda each: each[0])
    def test_promises_nothing_that_is_not_there(self, each: tuple[str, str]) -> None:
        name, entry = each
        code, _ = answer(entry)
        if not code:
            assert name in HERE
            return
        for node in ast.walk(ast.parse(code)):
            match node:
                case ast.Attribute(value=ast.Name(id="ops"), attr=found):
                    assert found in HERE
                case ast.Attribute(value=ast.Name(id="streamkit"), attr=found):
                    assert found in FRONT | {"testing"}
                case ast.Attribute(value=ast.Attribute(value=ast.Name(id="reactivex")), attr=found):
                    assert found in of.__all__
                case ast.Call(func=ast.Name(id=found)):
                    made = {"Stream", "itemgetter", "attrgetter", "condition", "function", "key"}
                    assert found in FRONT | made or hasattr(builtins, found)

    def test_has_no_name_of_others_that_the_neighbours_have(self) -> None:
        assert {*OTHERS} & ({*RXPY} | {*AIOSTREAM} | HERE) == set()

    def test_knows_which_operators_emit_observables(self) -> None:
        emits = {name: str(signature(getattr(of, name)).return_annotation) for name in of.__all__}
        nested = re.compile(r"\], [\w.]*Observable\[(?!.*Callable).*Observable\[")
        assert {name for name, found in emits.items() if nested.search(found)} == NESTING


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
                "window_with_count",
                "is window here, as in ops.window(Tumbling(count=count), pipe)",
            ),
            (ops, "cycle", "cycle is repeat here, as in ops.repeat()"),
            (
                ops,
                "join",
                "write rx.operator(reactivex.operators.join(right, first, second), strategy=strategy)",
            ),
            (ops, "compose", "write first | second"),
            (ops, "Replay", "write ops.share(replay=count)"),
            (ops, "Stream", "write streamkit.Stream"),
            (ops, "push", "write streamkit.push(...)"),
            (streamkit, "map", "write ops.map(...)"),
            (streamkit, "just", "just is of here, as in streamkit.of(value)"),
            (streamkit, "Subject", "as in streamkit.push(strategy)"),
        ],
    )
    def test_say_what_to_write(self, module: Any, name: str, words: str) -> None:
        with pytest.raises(AttributeError, match=re.escape(words)):
            getattr(module, name)

    @pytest.mark.parametrize("name", ["nonsense", "__wrapped__", "_private"])
    def test_say_nothing_of_what_they_do_not_know(self, name: str) -> None:
        assert hint(name) == ""
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'$"):
            getattr(ops, name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Suspend", "streamkit.Suspend"),
        ("push", "streamkit.push(...)"),
        ("flatMap", "ops.flat_map(...)"),
        ("filter_", "ops.filter(...)"),
        ("GroupedObservable", "ops.group_by(key, pipe, max_groups=max_groups)"),
        ("observable", "Stream(source)"),
        ("OBSERVABLE", "Stream(source)"),
        ("streamempty", "streamkit.EmptyStreamError"),
        ("_take", None),
        ("nonsense", None),
    ],
)
def test_the_line_for_a_name_however_it_is_written(name: str, code: str | None) -> None:
    assert line(name) == code
