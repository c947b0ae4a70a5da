"""A line that was forgotten with a new operator fails a test, which names the file and the line to add.

`test_laws` adds to this that every form of an operator (step, stage, sink) has a sample.
"""

import ast
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from inspect import getdoc, isfunction
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import streamkit
from streamkit import operators, ops, sinks, sources
from streamkit._core.catalogue import catalogue
from streamkit._core.lazy import listed
from tests.files import over
from tests.laws.arguments import ARGUMENTS

ROOT = Path(__file__).parent.parent


class Entry(NamedTuple):
    """One operator, sink or source, by the name that users write."""

    name: str
    module: ModuleType

    @property
    def file(self) -> str:
        """The file of its family."""
        return str(Path(self.module.__file__ or "").relative_to(ROOT))

    @property
    def tests(self) -> str:
        """The pattern of the test modules of its family."""
        folder, _, family = self.module.__name__.removeprefix("streamkit.").rpartition(".")
        return f"tests/{folder}/test_{family}"

    def __str__(self) -> str:
        return self.name


def families(*packages: ModuleType) -> list[ModuleType]:
    """Every family module, also one of which `ops` or the front door knows nothing yet."""
    return [
        importlib.import_module(f"{package.__name__}.{found.name}")
        for package in packages
        for found in pkgutil.iter_modules(package.__path__)
    ]


def entries() -> Iterator[Entry]:
    """What is declared in the families, and the functions they list that are short for something declared."""
    modules = {module.__name__: module for module in families(operators, sinks)}
    declared = {(each.name, each.function.__module__) for each in catalogue()}
    for module in modules.values():
        declared |= {(name, module.__name__) for name in module.__all__ if isfunction(vars(module)[name])}
    for name, module_name in sorted(declared):
        if module_name in modules:
            yield Entry(name, modules[module_name])


ENTRIES = [*entries()]
STORED = {"through"}
"""What is behind it is another stream, which never ends. Laws of what goes through are not of it."""
SOURCES = [
    Entry(name, module)
    for module in families(sources)
    for name in module.__all__
    if isfunction(vars(module)[name])
]
every_entry = over(ENTRIES)
every_in_the_program = over([entry for entry in ENTRIES if entry.name not in STORED])
every_source = over(SOURCES)


def named(tree: ast.AST, door: str = "ops") -> set[str]:
    """The names after ``ops.``, or after another door, in a piece of code."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == door
    }


def asserted(tree: ast.AST, door: str = "ops") -> set[str]:
    """The names whose types are asserted: those inside ``assert_type(...)``."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "assert_type":
            found |= named(node, door)
    return found


def in_tests(tree: ast.AST, door: str = "ops") -> set[str]:
    """The names that stand in test functions, or in what these are parametrized with."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            found |= named(node, door)
    return found


def imported(tree: ast.AST, _: str) -> set[str]:
    """The names that are imported from the front door, and stand alone."""
    return {
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "streamkit"
        for name in node.names
    }


@cache
def names(read: Callable[[ast.AST, str], set[str]], path: Path, door: str = "ops") -> frozenset[str]:
    """What `read` finds in a file. The tree of the file is not kept: the collector would go through it."""
    return frozenset(read(ast.parse(path.read_text()), door))


def test_there_are_entries_of_every_family() -> None:
    assert {entry.module for entry in ENTRIES} == {*families(operators, sinks)}
    of_functions = [
        each for each in families(sources) if any(isfunction(vars(each)[name]) for name in each.__all__)
    ]
    assert {entry.module for entry in SOURCES} == {*of_functions}


@every_entry
def test_stands_in_all_of_its_module(entry: Entry) -> None:
    assert entry.name in entry.module.__all__, f'{entry.file}: add "{entry.name}" to __all__'


@every_entry
def test_is_re_exported(entry: Entry) -> None:
    line = f"from {entry.module.__name__} import {entry.name} as {entry.name}"
    assert entry.name in vars(ops)["__all__"], f"streamkit/ops.py: add `{line}`"


@every_in_the_program
def test_has_a_sample(entry: Entry) -> None:
    line = f'Sample("{entry.name}", lambda lab: ops.{entry.name}(...))'
    found = {name for path in (ROOT / "tests/samples").glob("*.py") for name in names(named, path)}
    assert entry.name in found, f"tests/samples/, the module of its family: add `{line}`"


@every_in_the_program
def test_has_arguments_for_the_bound(entry: Entry) -> None:
    line = f'"{entry.name}": ways("{entry.name}", lambda lab, **given: ops.{entry.name}(**given), ...)'
    assert entry.name in ARGUMENTS, f"tests/laws/arguments/, the module of its family: add `{line}`"


@every_entry
def test_has_a_type_assertion(entry: Entry) -> None:
    found = {name for path in (ROOT / "tests/typing").glob("*.py") for name in names(asserted, path)}
    line = f"assert_type(NUMBERS | ops.{entry.name}(...), ...)"
    assert entry.name in found, f"tests/typing/, the module of its family: add `{line}`"


@every_entry
def test_is_tested_where_its_family_is(entry: Entry) -> None:
    paths = [*ROOT.glob(f"{entry.tests}.py"), *ROOT.glob(f"{entry.tests}_*.py")]
    found = {name for path in paths for name in names(in_tests, path)}
    assert entry.name in found, f"{entry.tests}.py: add a test that calls ops.{entry.name}"


# sources ----------------------------------------------------------------------------------------------------


def has_a_form_in_a_pipe(entry: Entry) -> bool:
    """Whether it only joins streams, by an operator of the same name, over which the laws run."""
    about = getdoc(vars(entry.module)[entry.name]) or ""
    return f"``ops.{entry.name}`` where no stream comes first" in about


@every_source
def test_a_source_is_re_exported(entry: Entry) -> None:
    line = f"from {entry.module.__name__} import {entry.name} as {entry.name}"
    assert entry.name in listed("streamkit"), f"streamkit/__init__.py: add `{line}`"


@every_source
def test_a_source_has_a_sample(entry: Entry) -> None:
    line = f'SourceSample("{entry.name}", lambda lab: streamkit.{entry.name}(...), (0, 1, 2))'
    found = names(named, ROOT / "tests/samples/sources.py", "streamkit")
    assert entry.name in found or has_a_form_in_a_pipe(entry), f"tests/samples/sources.py: add `{line}`"


@every_source
def test_a_source_has_a_type_assertion(entry: Entry) -> None:
    paths = (ROOT / "tests/typing").glob("*.py")
    found = {name for path in paths for name in names(asserted, path, "streamkit") | names(imported, path)}
    line = f"assert_type(streamkit.{entry.name}(...), ...)"
    assert entry.name in found, f"tests/typing/, the module of its family: add `{line}`"


@every_source
def test_a_source_is_tested_where_its_family_is(entry: Entry) -> None:
    paths = [*ROOT.glob(f"{entry.tests}.py"), *ROOT.glob(f"{entry.tests}_*.py")]
    found = {name for path in paths for name in names(in_tests, path, "streamkit") | names(imported, path)}
    assert entry.name in found, f"{entry.tests}.py: add a test that calls streamkit.{entry.name}"


@every_source
def test_a_source_is_documented(entry: Entry) -> None:
    about = getdoc(getattr(streamkit, entry.name)) or ""
    assert ">>>" in about, f"{entry.file}: {entry.name} has no example"
    if not has_a_form_in_a_pipe(entry):
        assert "--" in about, f"{entry.file}: {entry.name} has no marble diagram"
        for word in ("Emits", "Waits", "Completes", "Closes"):
            assert f"{word} when:" in about, f"{entry.file}: {entry.name} does not say {word} when:"
