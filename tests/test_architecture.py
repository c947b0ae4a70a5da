"""The floors: imports run downwards, hide nowhere, make no cycle; and a file's name says what is in it."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from streamkit._engine.buffer.account import Account
from streamkit._engine.buffer.lane import Lane
from tests.files import over

ROOT = Path(__file__).parent.parent / "streamkit"
FILES = sorted(ROOT.rglob("*.py"))
DOORS = [ROOT / "__init__.py", ROOT / "ops.py"]


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FLOORS = {
    "_core": 1,
    "_engine": 2,
    "_stages": 3,
    "operators": 4,
    "sources": 4,
    "sinks": 4,
    "ops": 5,
    "aiostream": 6,
    "executors": 6,
    "live": 6,
    "reactive_streams": 6,
    "runner": 6,
    "rx": 6,
    "testing": 6,
    "connect": 7,
    "durable": 7,
    "flow": 7,
    "graph": 7,  # the tests that a graph has run on the virtual time of `testing`
}
WINGS = {"compile": 1, "buffer": 2, "plan": 3, "run": 4, "face": 5}
"""Of the engine, which is one floor with steps inside."""
TOP = 9


def floor(module: str) -> tuple[int, int]:
    """The floor of a module, and the wing, where the floor has wings."""
    parts = module.split(".")
    if len(parts) == 1:
        return TOP, 0
    return FLOORS[parts[1]], WINGS[parts[2]] if parts[1] == "_engine" and len(parts) > 2 else 0


MODULES = {name_of(path) for path in FILES}


class Found(NamedTuple):
    """What these tests ask of a file. Its tree is not kept: the collector would go through it."""

    imports: list[str]
    """The modules that its import statements name."""
    executed: list[str]
    """Those that do not stand under ``if TYPE_CHECKING:``, which is never executed."""
    hidden: list[str]
    """Those of this package that a function imports."""
    called: set[str]
    """The names of what it calls."""
    stores: list[tuple[int, str, str]]
    """Attributes that it sets: the line, what they are set on, and their names."""
    generated: list[int]
    """Lines whose texts set an attribute of a lane."""


@cache
def found_in(path: Path) -> Found:
    found = Found([], [], [], set(), [], [])
    left: list[tuple[ast.AST, bool, str]] = [(tree(path), True, "")]
    while left:
        node, executed, function = left.pop()
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                left += [(each, False, function) for each in node.body]
                left += [(each, executed, function) for each in node.orelse]
                continue
            case ast.FunctionDef(name=function) | ast.AsyncFunctionDef(name=function):
                pass
            case ast.Import() | ast.ImportFrom():
                modules = [*imported_by(node)]
                found.imports.extend(modules)
                found.executed.extend(modules if executed else [])
                if function:
                    ours = [each for each in modules if each.startswith("streamkit")]
                    found.hidden.extend(f"{function}: {each}" for each in ours)
            case _:
                look_at(node, found)
        left += [(each, executed, function) for each in ast.iter_child_nodes(node)]
    return found


def imported_by(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif node.module:
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            yield inner if inner in MODULES else node.module


def look_at(node: ast.AST, found: Found) -> None:
    """Note what `node` calls, or sets."""
    match node:
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            found.called.add(name)
        case ast.Attribute(value=ast.Name(id=owner), attr=name, ctx=ast.Store()):
            found.stores.append((node.lineno, owner, name))
        case ast.Attribute(value=ast.Attribute(attr=owner), attr=name, ctx=ast.Store()):
            found.stores.append((node.lineno, f".{owner}", name))
        case ast.Constant(value=str(text)) if re.search(r"\blane\.\w+ *[-+]?= ", text):
            found.generated.append(node.lineno)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def ids(path: Path) -> str:
    return name_of(path)


@over(FILES)
def test_imports_run_downwards(path: Path) -> None:
    here = name_of(path)
    for module in found_in(path).imports:
        if module.split(".")[0] == "streamkit":
            assert floor(module) <= floor(here), f"{here} imports {module}, which is above it"
            if floor(here)[0] == floor(module)[0] == FLOORS["rx"]:
                assert module.split(".")[1] == here.split(".")[1], f"{here} imports its neighbour {module}"


@over(FILES)
def test_only_a_module_of_that_name_imports_a_third_party(path: Path) -> None:
    executed = {*found_in(path).executed}
    for module in found_in(path).imports:
        top = module.split(".")[0]
        if top == "typing_extensions" and module not in executed:
            continue  # type checkers bring it along, and only they read it
        if top != "streamkit" and top not in sys.stdlib_module_names:
            owner = {"confluent_kafka": "kafka", "reactivex": "rx"}.get(top, top)
            assert owner in {path.stem, path.parent.name}, f"{name_of(path)} imports {top}"


@over(FILES)
def test_no_import_of_streamkit_hides_in_a_function(path: Path) -> None:
    hidden = found_in(path).hidden
    assert not hidden, f"functions of {name_of(path)} import: {hidden}"


@over(FILES)
def test_files_are_short_and_named_by_what_is_in_them(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
    assert path.stem == "__init__" or path.stem not in sys.stdlib_module_names
    assert path.stem not in {"utils", "helpers", "common", "misc"}


def test_imports_make_no_cycle() -> None:
    graph = {
        name_of(path): {m for m in found_in(path).imports if m in MODULES and m != name_of(path)}
        for path in FILES
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module not in done:
            for other in graph[module]:
                visit(other, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@over(DOORS)
def test_the_doors_only_export(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.stmt):
            assert isinstance(node, (ast.Expr, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.If))


# the house around the package ---------------------------------------------------------------

HOUSE = ROOT.parent
AROUND = sorted(
    path
    for where in ("pytest_streamkit", "tests", "benchmarks", "docs", "pages", "examples")
    for path in HOUSE.glob(f"{where}/**/*.py")
)
TESTS = sorted(HOUSE.glob("tests/**/test_*.py"))
MIRRORED = {
    "": ".",
    "core": "_core",
    "compile": "_engine/compile",
    "connect": "connect",
    "buffer": "_engine/buffer",
    "plan": "_engine/plan",
    "run": "_engine/run",
    "face": "_engine/face",
    "stages": "_stages",
    "executors": "executors",
    "graph": "graph",
    "live": "live",
    "durable": "durable",
    "engines": "executors",
    "operators": "operators",
    "sinks": "sinks",
    "sources": "sources",
    "reactive_streams": "reactive_streams",
    "flow": "flow",
    "runner": "runner",
    "rx": "rx",
    "testing": "testing",
    "testing/conformance": "testing/conformance",
    "testing/connector": "testing/connector",
    "testing/schedules": "testing/schedules",
}
"""Folders of tests, and what is tested there."""
UNMIRRORED = {
    "brokers",
    "laws",
    "examples",
    "load",
    "planted",
    "samples",
    "seeds",
    "soak",
    "testing/plugin",
    "typing",
    "variants",
}
MORE_FAMILIES = {
    "testing": {"arguments"},
    "": {
        "api",
        "architecture",
        "benchmarks",
        "docs",
        "forgotten",
        "laws",
        "mutants",
        "packs",
        "paths",
        "pictures",
        "sizes",
        "tables",
        "tiers",
        "which",
        "window",
    },
    "compile": {"opcodes"},
    "connect": {"every"},
    "graph": {"attacks"},
    "sinks": {"every"},
    "stages": {"push", "splice"},
    "reactive_streams": {"rsocket", "rules"},
}
"""What is tested in a folder and bears no name of a module there."""


def place_of(path: Path) -> str:
    return str(path.relative_to(HOUSE))


@over(AROUND)
def test_files_around_the_package_are_short_and_named_by_what_is_in_them(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
    assert path.stem not in {"utils", "helpers", "common", "misc"}


@over(TESTS)
def test_tests_are_found_by_the_name_of_what_they_test(path: Path) -> None:
    """`tests/<folder>/test_<family>_<aspect>.py`; a family is a module of the folder that is mirrored."""
    folder = "/".join(path.parent.relative_to(HOUSE / "tests").parts)
    if folder not in UNMIRRORED:
        modules = {each.stem for each in (ROOT / MIRRORED[folder]).iterdir()}
        families = modules | MORE_FAMILIES.get(folder, set())
        name = path.stem.removeprefix("test_")
        assert any(f"{name}_".startswith(f"{family}_") for family in families), (
            f"no {name} in {sorted(families)}"
        )


# the engine ----------------------------------------------------------------------------------------

ENGINE = ROOT / "_engine"
LANE = ENGINE / "buffer" / "lane.py"
ROUNDS = LANE.with_name("rounds.py")
BY_HAND = {
    "streamkit._core.lazy": "the doors",
    "streamkit._core.catalogue": "declarations that were pickled",
    "streamkit.graph.__main__": "the registry that a command names",
    "streamkit.graph.registry": "modules that a user has allowed by name",
}
"""Who imports by a call, and for what."""


def test_the_map_of_the_engine_shows_every_room() -> None:
    """Wings and modules as the docstring of `streamkit._engine` lists them, from the top down."""
    shown: dict[str, set[str]] = {}
    wing = ""
    for line in (ast.get_docstring(tree(ENGINE / "__init__.py")) or "").splitlines():
        if found := re.match(r" {4}(\w+)/ ", line):
            wing = found[1]
        elif found := re.match(r" {8}(\w+) ", line):
            shown.setdefault(wing, set()).add(found[1])
    there = {wing: {path.stem for path in (ENGINE / wing).glob("*.py")} - {"__init__"} for wing in WINGS}
    assert shown == there
    assert list(shown) == sorted(WINGS, key=WINGS.__getitem__, reverse=True)


@over(FILES)
def test_nothing_is_imported_by_a_call(path: Path) -> None:
    if name_of(path) not in BY_HAND:
        by_a_call = found_in(path).called & {"import_module", "__import__"}
        assert not by_a_call, f"{name_of(path)} imports by a call"


@over([path for path in FILES if path not in (LANE, ROUNDS)])
def test_only_a_lane_writes_what_a_lane_is(path: Path) -> None:
    """In lane.py, in the loops of readers beside it, or in a method of a kind of lane.

    The loops that are generated are looked at too.
    """
    state = {*Lane.__slots__, *Account.__slots__} - {"channel", "clock", "strategy"}
    found = found_in(path)
    for line, owner, name in found.stores:
        written = owner in {"lane", "intake", ".lane", ".intake", "._lane", ".account"} and name in state
        assert not written, f"{ids(path)}:{line} writes {owner}.{name}"
    assert not found.generated, f"{ids(path)}:{found.generated} generate a write"
