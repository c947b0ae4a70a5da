"""What a reader can hold in the head: functions of a screen, classes of about a dozen attributes."""

import ast
from collections import deque
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.files import over

ROOT = Path(__file__).parent.parent
PLACES = ("streamkit", "pytest_streamkit", "tests", "benchmarks", "examples", "pages")
FILES = sorted(path for place in PLACES for path in (ROOT / place).rglob("*.py"))

LINES = 50
"""Of a function, without its docstring: what a screen shows."""
ATTRIBUTES = 12
"""That a class sets on itself, without those of the classes that it is made of."""
METHODS = 24

LARGER = {
    "Lane": "all but the rare counts, which are its account, is read or written for each item",
    "Lab": "what a law test is set to, and all that it notes",
    "PushSource": "one run of the push laws: what was sent, what came of it, and who took part",
    "Account": "the counts of a lane, kept a second time, to compare",
    "Changes": "all that is read or written while one lock is held",
    "Channel": "all that a reader of lanes does, of which authors of stages have a dozen calls",
    "Run": "all that an author of stages has, a dozen calls, and what they need",
    "SourceSubject": "all that is said of one source, as data",
    "Parsed": "what is found in the pieces of a step, as data",
    "Contract": "one row of the reference, as data",
    "Say": "the numbers of a protocol, as data",
    "Pool": "what operators, users and each kind of pool ask of one, two thirds of them one line",
    "Staff": "all that is known of the hands of a pool, which is asked where one says anything",
    "Workload": "one row of the benchmarks, as data",
}
"""Classes that are larger, and why they are one thing."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


class Sizes(NamedTuple):
    """Of a file. Its tree is not kept: the collector would go through it."""

    functions: list[tuple[str, int]]
    """Where each stands, and its lines."""
    classes: list[tuple[str, str, set[str], int]]
    """Where each stands, its name, its attributes, and how many methods it has."""


@cache
def sizes(path: Path) -> Sizes:
    nodes = declared(path)
    functions = [node for node in nodes if isinstance(node, Function)]
    return Sizes(
        [(where(path, each), own_lines(each, functions)) for each in functions],
        [
            (
                where(path, each),
                each.name,
                attributes(each),
                sum(isinstance(node, Function) for node in each.body),
            )
            for each in nodes
            if isinstance(each, ast.ClassDef)
        ],
    )


def declared(path: Path) -> tuple[Function | ast.ClassDef, ...]:
    """The functions and classes of a file; `ast.walk` would go through each expression, too."""
    left = deque[ast.AST]([ast.parse(path.read_text())])
    found: list[Function | ast.ClassDef] = []
    while left:
        parent = left.popleft()
        for block in BLOCKS:
            for node in getattr(parent, block, ()):
                left.append(node)
                if isinstance(node, Function | ast.ClassDef):
                    found.append(node)
    return tuple(found)


def where(path: Path, node: Function | ast.ClassDef) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def own_lines(function: Function, functions: list[Function]) -> int:
    """The lines of a function, without its docstring and those of `functions` inside it."""
    inside = [each for each in functions if each.lineno in span(function) and each is not function]
    other = {number for each in inside for number in span(each)}
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        other.update(span(first))
    return len(set(span(function)) - other)


def span(node: ast.stmt) -> range:
    assert node.end_lineno is not None
    return range(node.lineno, node.end_lineno + 1)


def attributes(kind: ast.ClassDef) -> set[str]:
    """What methods of the class assign to ``self``, and what stands in its body with an annotation."""
    found = {
        each.target.id
        for each in kind.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }
    for method in kind.body:
        if isinstance(method, Function):
            for node in ast.walk(method):
                match node:
                    case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                        found.add(name)
    return found


@over(FILES)
def test_a_function_fits_a_screen(path: Path) -> None:
    for place, lines in sizes(path).functions:
        assert lines <= LINES, f"{place} has {lines} lines"


@over(FILES)
def test_a_class_is_one_thing(path: Path) -> None:
    for place, name, found, methods in sizes(path).classes:
        if name not in LARGER:
            assert len(found) <= ATTRIBUTES, f"{place} has {len(found)} attributes: {sorted(found)}"
            assert name.startswith("Test") or methods <= METHODS, f"{place} has {methods} methods"
